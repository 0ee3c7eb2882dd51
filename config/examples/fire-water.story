# 手动挡、爆管、泵未启动、转自动、水池低。
# Manual, a burst main, no pump, back to automatic, a low pool.
for 8m
> 00:02:10 ack pump.fails/red 消控室
> 00:02:12 ack press.end/alarm 消控室
---
00:01:00  alarm   panel.auto/orange            active    orange  false  控制柜
00:01:05  alarm   press.end/burst              active    red     0.06 (limit 0.1)  最不利点压力
00:01:05  output  output:horn                  on                 消控室声光
00:01:15  alarm   press.end/alarm              active    yellow  0.06 (limit 0.14)  最不利点压力
00:01:25  alarm   pump.fails/red               active    red     true  消防泵未启动
00:02:05  alarm   press.end/burst              normal    red     0.06 (limit 0.1)  最不利点压力
00:02:10  alarm   pump.fails/red               acked     red     true  消防泵未启动  by 消控室
00:02:12  alarm   press.end/alarm              acked     yellow  0.06 (limit 0.14)  最不利点压力  by 消控室
00:02:12  output  output:horn                  off                消控室声光
00:02:20  alarm   panel.auto/orange            normal    orange  true  控制柜
00:02:26  alarm   pump.fails/red               normal    red     false  消防泵未启动
00:02:35  alarm   press.end/alarm              normal    yellow  0.28 (limit 0.14)  最不利点压力
00:03:45  alarm   pool.level/yellow            active    yellow  2.9 (limit 3)  消防水池液位
00:04:15  alarm   pool.level/red               active    red     1.9 (limit 2)  消防水池液位
00:04:15  output  output:horn                  on                 消控室声光
00:06:05  alarm   pool.level/red               normal    red     3.5 (limit 2)  消防水池液位
00:06:05  alarm   pool.level/yellow            normal    yellow  3.5 (limit 3)  消防水池液位
00:06:05  output  output:horn                  off                消控室声光
