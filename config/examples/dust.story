# 火花、联锁停机、灰斗升温、卸灰故障、布袋破、未除尘先打磨。
# Sparks, a stop, a warm hopper, a valve that fails, a torn bag, grinding without the collector.
for 8m
> 00:01:30 ack sparks.minute/red 班长
> 00:04:30 reset sparks.minute/red 班长
---
00:00:41  alarm   dp/clogged                   active    yellow  1600 (limit 1500)  进出口压差
00:00:41  alarm   sparks.minute/yellow         active    yellow  2 (limit 1)  每分钟火花
00:01:01  alarm   dp/clogged                   normal    yellow  1000 (limit 1500)  进出口压差
00:01:11  alarm   sparks.minute/red            active    red     7 (limit 5)  每分钟火花
00:01:11  output  output:horn                  on                 声光报警
00:01:11  output  output:stop                  on                 停打磨机
00:01:30  alarm   sparks.minute/red            acked     red     7 (limit 5)  每分钟火花  by 班长
00:01:30  output  output:horn                  off                声光报警
00:01:31  alarm   hopper.temp/orange           active    orange  45 (limit 10)  灰斗温度
00:02:04  alarm   hopper.temp/alarm            active    red     72 (limit 70)  灰斗温度
00:02:04  output  output:horn                  on                 声光报警
00:02:11  alarm   sparks.minute/red            cleared   red     0 (limit 5)  每分钟火花
00:02:11  alarm   sparks.minute/yellow         normal    yellow  0 (limit 1)  每分钟火花
00:02:34  alarm   valve.fault/orange           active    orange  true  锁气卸灰
00:03:01  alarm   valve.fault/orange           normal    orange  false  锁气卸灰
00:04:01  alarm   hopper.temp/alarm            normal    red     50 (limit 70)  灰斗温度
00:04:01  output  output:horn                  off                声光报警
00:04:30  alarm   sparks.minute/red            normal    red     0 (limit 5)  每分钟火花  by 班长
00:04:30  output  output:stop                  off                停打磨机
00:05:11  alarm   dp/broken                    active    orange  200 (limit 300)  进出口压差
00:05:31  alarm   dp/broken                    normal    orange  900 (limit 300)  进出口压差
00:06:16  alarm   order.wrong/red              active    red     true  未除尘先打磨
00:06:16  output  output:horn                  on                 声光报警
00:06:16  output  output:stop                  on                 停打磨机
00:06:19  alarm   order.wrong/red              normal    red     false  未除尘先打磨
00:06:19  output  output:horn                  off                声光报警
00:06:19  output  output:stop                  off                停打磨机
00:06:35  alarm   hopper.temp/orange           normal    orange  50 (limit 10)  灰斗温度
