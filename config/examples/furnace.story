# 湿炉衬、流量差、穿炉断电、复位、断水。
# A wet lining, water that is lost, metal through the lining, reset, no water.
for 11m
> 00:05:30 ack leak.through/red 炉长
> 00:07:30 reset leak.through/red 炉长
---
00:03:26  alarm   water.lost/orange            active    orange  7 (limit 5)  进出水流量差
00:03:26  output  output:horn                  on                 炉台声光
00:03:51  alarm   water.lost/orange            normal    orange  1 (limit 5)  进出水流量差
00:03:51  output  output:horn                  off                炉台声光
00:05:04  alarm   leak.through/red             active    red     true  穿炉
00:05:04  output  output:horn                  on                 炉台声光
00:05:04  output  output:power                 on                 断中频电源
00:05:04  output  output:water                 on                 应急水阀
00:05:06  alarm   coil.out/alarm               active    orange  57 (limit 55)  线圈出水温度
00:05:30  alarm   leak.through/red             acked     red     true  穿炉  by 炉长
00:06:01  alarm   leak.through/red             cleared   red     false  穿炉
00:07:01  alarm   coil.out/alarm               normal    orange  45 (limit 55)  线圈出水温度
00:07:01  output  output:horn                  off                炉台声光
00:07:30  alarm   leak.through/red             normal    red     false  穿炉  by 炉长
00:07:30  output  output:power                 off                断中频电源
00:07:30  output  output:water                 off                应急水阀
00:09:03  alarm   water.flow/red               active    red     true  断水
00:09:03  output  output:horn                  on                 炉台声光
00:09:03  output  output:power                 on                 断中频电源
00:09:03  output  output:water                 on                 应急水阀
00:09:06  alarm   water.press/alarm            active    orange  0.05 (limit 0.1)  冷却水压力
00:09:31  alarm   water.flow/red               normal    red     false  断水
00:09:31  alarm   water.press/alarm            normal    orange  0.2 (limit 0.1)  冷却水压力
00:09:31  output  output:horn                  off                炉台声光
00:09:31  output  output:power                 off                断中频电源
00:09:31  output  output:water                 off                应急水阀
