# 无许可开盖、许可后按严限、缺氧、停风。
# A lid without a permit, stricter limits with it, little oxygen, no air.
for 6m
> 00:01:20 ack h2s.mg/work.alarm 监护人
---
00:00:40  alarm   lid.wrong/orange             active    orange  true  无许可开盖
00:00:40  output  output:horn                  on                 井口声光报警
00:01:00  alarm   lid.wrong/orange             normal    orange  false  无许可开盖
00:01:00  output  output:horn                  off                井口声光报警
00:01:02  alarm   h2s.mg/work.alarm            active    red     12.8 (limit 10)  硫化氢
00:01:02  alarm   lel/red                      active    red     12 (limit 10)  可燃气体
00:01:02  output  output:horn                  on                 井口声光报警
00:01:20  alarm   h2s.mg/work.alarm            acked     red     12.8 (limit 10)  硫化氢  by 监护人
00:01:31  alarm   lel/red                      normal    red     3 (limit 10)  可燃气体
00:01:31  output  output:horn                  off                井口声光报警
00:02:01  alarm   h2s.mg/work.alarm            normal    red     2.8 (limit 10)  硫化氢
00:02:33  alarm   o2/work.alarm                active    red     19.2 (limit 19.5)  氧气
00:02:33  output  output:horn                  on                 井口声光报警
00:03:01  alarm   o2/work.alarm                normal    red     20.8 (limit 19.5)  氧气
00:03:01  output  output:horn                  off                井口声光报警
00:03:36  alarm   air.wrong/red                active    red     true  作业中停风
00:03:36  output  output:horn                  on                 井口声光报警
00:03:51  alarm   air.wrong/red                normal    red     false  作业中停风
00:03:51  output  output:horn                  off                井口声光报警
