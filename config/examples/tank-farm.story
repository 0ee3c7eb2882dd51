# 高液位、高高液位关阀、降液位后复位；可燃气体两级、硫化氢。
# High, extreme and the valve shuts; lower again and reset; combustible gas in two levels, hydrogen sulphide.
for 8m
> 00:01:30 ack t1.level/h 操作工
> 00:05:20 ack t1.level/hh 操作工
> 00:05:25 reset t1.level/hh 操作工
---
00:01:05  alarm   t1.level/h                   active    yellow  12.2 (limit 12)  T1 液位
00:01:05  output  output:horn                  on                 声光报警
00:01:30  alarm   t1.level/h                   acked     yellow  12.2 (limit 12)  T1 液位  by 操作工
00:01:30  output  output:horn                  off                声光报警
00:02:03  alarm   t1.level/hh                  active    red     13.1 (limit 13)  T1 液位
00:02:03  output  output:horn                  on                 声光报警
00:02:03  output  output:valve                 on                 进料切断阀
00:02:21  alarm   t1.press/orange              active    orange  21 (limit 20)  T1 压力
00:02:41  alarm   t1.press/orange              normal    orange  10 (limit 20)  T1 压力
00:03:21  alarm   t1.temp/rise                 active    red     30 (limit 5)  T1 温度
00:05:00  alarm   t1.level/h                   normal    yellow  11.5 (limit 12)  T1 液位
00:05:00  alarm   t1.level/hh                  cleared   red     11.5 (limit 13)  T1 液位
00:05:20  alarm   t1.level/hh                  cleared   red     11.5 (limit 13)  T1 液位  by 操作工
00:05:20  output  output:horn                  off                声光报警
00:05:25  alarm   t1.level/hh                  normal    red     11.5 (limit 13)  T1 液位  by 操作工
00:05:25  output  output:valve                 off                进料切断阀
00:05:32  alarm   gas.lel/l1                   active    orange  30 (limit 25)  可燃气体
00:05:32  output  output:horn                  on                 声光报警
00:05:35  alarm   gas.h2s.mg/l1                active    orange  12.8 (limit 10)  硫化氢
00:05:52  alarm   gas.lel/l2                   active    red     55 (limit 50)  可燃气体
00:06:12  alarm   gas.h2s.mg/l1                normal    orange  0.7 (limit 10)  硫化氢
00:06:32  alarm   gas.lel/l1                   normal    orange  3 (limit 25)  可燃气体
00:06:32  alarm   gas.lel/l2                   normal    red     3 (limit 50)  可燃气体
00:06:32  output  output:horn                  off                声光报警
