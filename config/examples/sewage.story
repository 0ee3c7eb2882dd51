# 满罐、憋压、开盖有毒气、停曝气、漏罐。
# A full tank, pressure, gas under an open lid, no aeration, a leak.
for 8m
> 00:02:30 ack tank.press/burst 操作工
---
00:01:35  alarm   tank.level/yellow            active    yellow  6.3 (limit 6)  调节罐液位
00:02:10  alarm   tank.press/orange            active    orange  1.7 (limit 1.5)  罐顶压力
00:02:15  alarm   tank.level/red               active    red     7.1 (limit 7)  调节罐液位
00:02:15  output  output:horn                  on                 声光报警
00:02:27  alarm   tank.press/burst             active    red     2.2 (limit 2)  罐顶压力
00:02:30  alarm   tank.press/burst             acked     red     2.2 (limit 2)  罐顶压力  by 操作工
00:03:05  alarm   tank.level/red               normal    red     6.2 (limit 7)  调节罐液位
00:03:05  alarm   tank.press/burst             normal    red     0.4 (limit 2)  罐顶压力
00:03:05  alarm   tank.press/orange            normal    orange  0.4 (limit 1.5)  罐顶压力
00:03:05  output  output:horn                  off                声光报警
00:04:13  alarm   entry/red                    active    red     true  开盖有毒气
00:04:13  output  output:horn                  on                 声光报警
00:04:27  alarm   gas.h2s.mg/l1                active    orange  12.8 (limit 10)  硫化氢
00:04:43  alarm   entry/red                    normal    red     false  开盖有毒气
00:04:52  alarm   gas.h2s.mg/l1                normal    orange  1.4 (limit 10)  硫化氢
00:04:52  output  output:horn                  off                声光报警
00:05:02  alarm   blower.run/yellow            active    yellow  false  曝气风机
00:05:23  alarm   blower.run/yellow            normal    yellow  true  曝气风机
00:06:05  alarm   tank.level/leak              active    orange  5.6 (limit 0.5)  调节罐液位
00:06:05  alarm   tank.level/yellow            normal    yellow  5.6 (limit 6)  调节罐液位
