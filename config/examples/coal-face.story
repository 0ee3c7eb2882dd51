# 报警、断电、馈电异常、复位复电、局扇停再断电。
# Alarm, cut-off, a feed that stays on, reset, the local fan stops and cuts again.
for 8m
> 00:01:10 ack face.ch4/alarm 瓦检员
> 00:05:00 ack face.ch4/cutoff 瓦检员
> 00:05:10 reset face.ch4/cutoff 瓦检员
> 00:07:00 reset fan.local/red 瓦检员
---
00:01:02  alarm   face.ch4/alarm               active    orange  1.1 (limit 1)  工作面甲烷 T1
00:01:02  output  output:horn                  on                 声光报警
00:01:10  alarm   face.ch4/alarm               acked     orange  1.1 (limit 1)  工作面甲烷 T1  by 瓦检员
00:01:10  output  output:horn                  off                声光报警
00:01:17  alarm   face.co/alarm                active    orange  26 (limit 24)  工作面一氧化碳
00:01:17  output  output:horn                  on                 声光报警
00:01:32  alarm   face.co/alarm                normal    orange  10 (limit 24)  工作面一氧化碳
00:01:32  output  output:horn                  off                声光报警
00:02:02  alarm   face.ch4/cutoff              active    red     1.7 (limit 1.5)  工作面甲烷 T1
00:02:02  output  output:cutoff                on                 断电
00:02:07  alarm   output:cutoff/fault          active    red     true  断电
00:02:13  alarm   output:cutoff/fault          normal    red     false  断电
00:04:02  alarm   face.ch4/alarm               normal    orange  0.6 (limit 1)  工作面甲烷 T1
00:04:02  alarm   face.ch4/cutoff              cleared   red     0.6 (limit 1.5)  工作面甲烷 T1
00:05:00  alarm   face.ch4/cutoff              cleared   red     0.6 (limit 1.5)  工作面甲烷 T1  by 瓦检员
00:05:10  alarm   face.ch4/cutoff              normal    red     0.6 (limit 1.5)  工作面甲烷 T1  by 瓦检员
00:05:10  output  output:cutoff                off                断电
00:06:01  alarm   fan.local/red                active    red     false  局部通风机
00:06:01  output  output:cutoff                on                 断电
00:06:31  alarm   fan.local/red                cleared   red     true  局部通风机
00:07:00  alarm   fan.local/red                normal    red     true  局部通风机  by 瓦检员
00:07:00  output  output:cutoff                off                断电
