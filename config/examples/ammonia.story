# 氨泄漏：声光、事故风机、切断电源、复位。
# A leak: siren, fan, power cut, reset.
for 8m
> 00:02:40 ack nh3/leak 机房值班
> 00:06:30 reset nh3.lel/cutoff 机房值班
---
00:00:41  alarm   press/orange                 active    orange  1.55 (limit 1.5)  高压侧压力
00:00:51  alarm   press/orange                 normal    orange  1.3 (limit 1.5)  高压侧压力
00:01:12  alarm   nh3/low                      active    yellow  60 (limit 25)  机房氨浓度
00:02:02  alarm   nh3/gb.alarm                 active    orange  180 (limit 150)  机房氨浓度
00:02:02  alarm   nh3/leak                     active    red     180 (limit 100)  机房氨浓度
00:02:02  output  output:fan                   on                 事故风机
00:02:02  output  output:siren                 on                 机房内外声光
00:02:32  alarm   nh3.lel/cutoff               active    red     26 (limit 25)  机房氨浓度（爆炸下限）
00:02:32  output  output:power                 on                 机房电源
00:02:40  alarm   nh3/leak                     acked     red     400 (limit 100)  机房氨浓度  by 机房值班
00:03:32  alarm   nh3/leak                     normal    red     400 (limit 100)  机房氨浓度
00:05:02  alarm   nh3.lel/cutoff               cleared   red     2 (limit 25)  机房氨浓度（爆炸下限）
00:05:02  alarm   nh3/gb.alarm                 normal    orange  80 (limit 150)  机房氨浓度
00:05:02  output  output:fan                   off                事故风机
00:05:02  output  output:siren                 off                机房内外声光
00:06:02  alarm   nh3/low                      normal    yellow  15 (limit 25)  机房氨浓度
00:06:30  alarm   nh3.lel/cutoff               normal    red     2 (limit 25)  机房氨浓度（爆炸下限）  by 机房值班
00:06:30  output  output:power                 off                机房电源
