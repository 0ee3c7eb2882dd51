# 超员、出井、交班后滞留一人，最后提上来。
# Too many, out again, one left behind and brought up at last.
for 11m
> 00:07:30 ack people.left/red 值班员
---
00:00:50  alarm   people.below/orange          active    orange  12 (limit 10)  井下人数
00:00:50  output  output:lamp                  on                 值班室灯
00:02:05  alarm   people.below/orange          normal    orange  7 (limit 10)  井下人数
00:02:05  output  output:lamp                  off                值班室灯
00:07:00  alarm   people.left/red              active    red     true  交班后滞留
00:07:00  output  output:lamp                  on                 值班室灯
00:07:30  alarm   people.left/red              acked     red     true  交班后滞留  by 值班员
00:07:30  output  output:lamp                  off                值班室灯
00:09:05  alarm   people.left/red              normal    red     false  交班后滞留
00:09:10  alarm   hoist.late/yellow            active    yellow  true  交班后提升
00:09:16  alarm   hoist.late/yellow            normal    yellow  false  交班后提升
