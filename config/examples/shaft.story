# 开门、确认、复位；水位、电流。
# A door, acknowledged, reset; level, current.
for 6m
> 00:00:50 ack door.main/red 值班员
> 00:01:20 reset door.main/red 值班员
---
00:00:36  alarm   door.main/red                active    red     false  井口门
00:00:36  output  output:siren                 on                 警笛
00:00:50  alarm   door.main/red                acked     red     false  井口门  by 值班员
00:00:50  output  output:siren                 off                警笛
00:01:03  alarm   door.main/red                cleared   red     true  井口门
00:01:20  alarm   door.main/red                normal    red     true  井口门  by 值班员
00:02:16  alarm   pump.amps/orange             active    orange  66 (limit 60)  排水泵电流
00:02:32  alarm   pump.amps/orange             normal    orange  41 (limit 60)  排水泵电流
00:03:02  alarm   sump.level/yellow            active    yellow  3.2 (limit 3)  水仓水位
00:04:02  alarm   sump.level/yellow            normal    yellow  2.5 (limit 3)  水仓水位
