# 暴雨、水位上升、雷达失灵、泄洪。值班员确认红色预警，警笛停。
# A storm, a rising pond, a radar that fails, water let off. The watchman acknowledges, the siren is quiet.
for 40m
> 00:16:10 ack pond.freeboard/gb.alarm 值班员
> 00:16:20 ack gnss.rate/red 值班员
> 00:26:00 ack group:phreatic 值班员
---
00:09:20  alarm   rain.day/yellow              active    yellow  50 (limit 50)  今日雨量
00:09:30  alarm   pond.freeboard/orange        active    orange  0.75 (limit 0.8)  安全超高
00:12:00  alarm   gnss.rate/red                active    red     5.6 (limit 5)  位移速率
00:12:00  alarm   gnss.rate/yellow             active    yellow  5.6 (limit 2)  位移速率
00:12:00  output  output:siren                 on                 警笛
00:15:30  alarm   beach.length/alarm           active    red     45 (limit 50)  干滩长度
00:15:30  alarm   pond.freeboard/gb.alarm      active    red     0.45 (limit 0.5)  安全超高
00:16:10  alarm   pond.freeboard/gb.alarm      acked     red     0.45 (limit 0.5)  安全超高  by 值班员
00:16:20  alarm   gnss.rate/red                acked     red     5.6 (limit 5)  位移速率  by 值班员
00:16:20  output  output:siren                 off                警笛
00:17:40  alarm   rain.day/orange              active    orange  100 (limit 100)  今日雨量
00:19:00  alarm   beach.d1/fault               active    blue    sensor  干滩雷达 1
00:19:00  alarm   beach.length/fault           active    blue    input  干滩长度
00:19:00  alarm   beach.slope/fault            active    blue    input  干滩坡度
00:21:00  alarm   beach.d1/fault               normal    blue    4.8  干滩雷达 1
00:21:00  alarm   beach.length/fault           normal    blue    45  干滩长度
00:21:00  alarm   beach.slope/fault            normal    blue    0.01  干滩坡度
00:21:00  alarm   pz1.depth/orange             active    orange  2.11 (limit 2.2)  浸润线埋深 1
00:21:00  group   group:phreatic               active    orange  3  浸润线
00:23:00  alarm   pz2.depth/orange             active    orange  2.07 (limit 2.2)  浸润线埋深 2
00:23:00  group   group:phreatic               active    red     4  浸润线
00:23:00  output  output:siren                 on                 警笛
00:25:00  alarm   beach.length/alarm           normal    red     70 (limit 50)  干滩长度
00:25:00  alarm   pond.freeboard/gb.alarm      normal    red     0.7 (limit 0.5)  安全超高
00:26:00  group   group:phreatic               acked     red     4  浸润线  by 值班员
00:26:00  output  output:siren                 off                警笛
00:30:00  alarm   pond.freeboard/orange        normal    orange  1.3 (limit 0.8)  安全超高
00:32:00  alarm   pz1.depth/orange             normal    orange  5.2 (limit 2.2)  浸润线埋深 1
00:32:00  alarm   pz2.depth/orange             normal    orange  6.2 (limit 2.2)  浸润线埋深 2
00:32:00  group   group:phreatic               normal    red     0  浸润线
