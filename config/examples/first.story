# 水位升过黄线又降下。
# The level rises over yellow and falls again.
for 5m
---
00:01:35  alarm   pond.level/yellow            active    yellow  1248.2 (limit 1248)  库水位
00:03:05  alarm   pond.level/yellow            normal    yellow  1247.6 (limit 1248)  库水位
