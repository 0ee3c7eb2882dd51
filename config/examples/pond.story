# 黄、红、断电、馈电异常、复位。
# Yellow, red, a cut-off, a feed that stays on, reset.
for 6m
> 00:02:30 ack pond.level/red 值班员
> 00:04:20 reset pond.level/red 值班员
> 00:05:00 reset gas.ch4/cut 瓦检员
---
00:00:00  output  output:cutoff                on                 断电
00:00:00  output  output:cutoff                off                断电
00:01:02  alarm   gas.ch4/orange               active    orange  1.2 (limit 1)  回风甲烷
00:01:05  alarm   pond.level/yellow            active    yellow  1248.5 (limit 1248)  库水位
00:02:02  alarm   gas.ch4/cut                  active    red     1.7 (limit 1.5)  回风甲烷
00:02:02  output  output:cutoff                on                 断电
00:02:05  alarm   pond.level/red               active    red     1249.6 (limit 1249.5)  库水位
00:02:05  output  output:horn                  on                 蜂鸣器
00:02:05  output  output:siren                 on                 警笛
00:02:07  alarm   output:cutoff/fault          active    red     true  断电
00:02:13  alarm   output:cutoff/fault          normal    red     false  断电
00:02:30  alarm   pond.level/red               acked     red     1249.6 (limit 1249.5)  库水位  by 值班员
00:02:30  output  output:horn                  off                蜂鸣器
00:03:02  alarm   gas.ch4/cut                  cleared   red     0.6 (limit 1.5)  回风甲烷
00:03:02  alarm   gas.ch4/orange               normal    orange  0.6 (limit 1)  回风甲烷
00:03:35  alarm   pond.level/red               cleared   red     1247 (limit 1249.5)  库水位
00:03:35  alarm   pond.level/yellow            normal    yellow  1247 (limit 1248)  库水位
00:04:20  alarm   pond.level/red               normal    red     1247 (limit 1249.5)  库水位  by 值班员
00:04:20  output  output:siren                 off                警笛
00:05:00  alarm   gas.ch4/cut                  normal    red     0.6 (limit 1.5)  回风甲烷  by 瓦检员
00:05:00  output  output:cutoff                off                断电
