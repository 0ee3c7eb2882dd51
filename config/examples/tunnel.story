# 燃气泄漏、硫化氢、逃生口、倒灌、检修方式下开口不报。
# A gas leak, hydrogen sulphide, a hatch, the river comes in, a hatch under maintenance.
for 8m
> 00:02:00 ack lel/gb.l1 监控中心
> 00:07:00 mode maintenance 监控中心
---
00:01:07  alarm   lel/low                      active    yellow  15 (limit 10)  燃气舱甲烷
00:01:07  output  output:fan                   on                 风机
00:01:32  alarm   lel/gb.l1                    active    orange  28 (limit 25)  燃气舱甲烷
00:01:32  output  output:horn                  on                 现场声光
00:02:00  alarm   lel/gb.l1                    acked     orange  28 (limit 25)  燃气舱甲烷  by 监控中心
00:02:00  output  output:horn                  off                现场声光
00:02:32  alarm   lel/gb.l1                    normal    orange  9 (limit 25)  燃气舱甲烷
00:02:32  alarm   lel/low                      normal    yellow  9 (limit 10)  燃气舱甲烷
00:02:32  output  output:fan                   off                风机
00:03:27  alarm   h2s.mg/l1                    active    orange  11.3 (limit 10)  污水舱硫化氢
00:03:27  output  output:fan                   on                 风机
00:03:27  output  output:horn                  on                 现场声光
00:03:52  alarm   h2s.mg/l1                    normal    orange  1.4 (limit 10)  污水舱硫化氢
00:03:52  output  output:fan                   off                风机
00:03:52  output  output:horn                  off                现场声光
00:04:17  alarm   hatch/yellow                 active    yellow  true  逃生口
00:04:22  alarm   hatch/yellow                 normal    yellow  false  逃生口
00:05:11  alarm   backflow/red                 active    red     true  倒灌
00:05:11  alarm   pit.level/yellow             active    yellow  1.3 (limit 1.2)  集水坑液位
00:05:11  output  output:horn                  on                 现场声光
00:05:31  alarm   pump.fails/orange            active    orange  true  该排不排
00:05:36  alarm   pit.level/red                active    red     1.9 (limit 1.8)  集水坑液位
00:06:11  alarm   pump.fails/orange            normal    orange  false  该排不排
00:06:41  alarm   pit.level/red                normal    red     0.7 (limit 1.8)  集水坑液位
00:06:41  alarm   pit.level/yellow             normal    yellow  0.7 (limit 1.2)  集水坑液位
