# 大雨、裂缝、边坡加速；橙色预警无人确认，10 分钟后升红。
# Rain, a crack, a slope that speeds up; nobody acknowledges orange, after 10 minutes it is red.
for 22m
> 00:16:05 ack slope.rate/gb.alarm 调度员
---
00:01:00  alarm   blast.pvs/yellow             active    yellow  6.2 (limit 5)  爆破振动
00:01:03  alarm   blast.pvs/yellow             normal    yellow  0 (limit 5)  爆破振动
00:05:00  alarm   crack.width/yellow           active    yellow  32.5 (limit 2)  裂缝宽度
00:07:00  alarm   slope.rate/yellow            active    yellow  1.2 (limit 1)  边坡位移速率
00:07:20  alarm   rain.hour/orange             active    orange  18.6 (limit 16)  小时雨量
00:11:00  alarm   slope.rate/orange            active    orange  3.4 (limit 3)  边坡位移速率
00:14:00  alarm   slope.rate/gb.alarm          active    red     6 (limit 5)  边坡位移速率
00:14:00  output  output:siren                 on                 坑底警笛
00:15:00  alarm   crack.width/gb.alarm         active    orange  51 (limit 50)  裂缝宽度
00:16:05  alarm   slope.rate/gb.alarm          acked     red     6 (limit 5)  边坡位移速率  by 调度员
00:16:05  output  output:siren                 off                坑底警笛
00:21:00  alarm   slope.rate/orange            active    red     6 (limit 3) escalated  边坡位移速率
