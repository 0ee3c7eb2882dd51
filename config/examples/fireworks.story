# 升温、超员、门久开、布防开门、烟感。
# Heat, too many people, a door left open, a door opened while armed, smoke.
for 10m
> 00:03:00 ack store.temp/orange 保管员
> 00:07:40 ack door.break/red 值班员
> 00:07:50 reset door.break/red 值班员
> 00:09:00 ack smoke/red 值班员
> 00:09:10 reset smoke/red 值班员
---
00:00:28  alarm   people/orange                active    orange  3 (limit 3)  库内人数
00:00:28  output  output:horn                  on                 声光报警
00:01:40  alarm   store.temp/yellow            active    yellow  31 (limit 30)  1 号库温度
00:02:50  alarm   store.temp/orange            active    orange  36 (limit 35)  1 号库温度
00:03:00  alarm   store.temp/orange            acked     orange  36 (limit 35)  1 号库温度  by 保管员
00:03:25  alarm   people/orange                normal    orange  0 (limit 3)  库内人数
00:03:25  output  output:horn                  off                声光报警
00:03:40  alarm   store.rh/yellow              active    yellow  78 (limit 75)  1 号库湿度
00:04:20  alarm   store.temp/orange            normal    orange  27 (limit 35)  1 号库温度
00:04:20  alarm   store.temp/yellow            normal    yellow  27 (limit 30)  1 号库温度
00:05:10  alarm   store.rh/yellow              normal    yellow  62 (limit 75)  1 号库湿度
00:05:20  alarm   door.long/yellow             active    yellow  true  门久开
00:05:53  alarm   door.long/yellow             normal    yellow  false  门久开
00:07:03  alarm   door.break/red               active    red     true  布防开门
00:07:03  output  output:siren                 on                 警笛
00:07:16  alarm   door.break/red               cleared   red     false  布防开门
00:07:40  alarm   door.break/red               cleared   red     false  布防开门  by 值班员
00:07:40  output  output:siren                 off                警笛
00:07:50  alarm   door.break/red               normal    red     false  布防开门  by 值班员
00:08:04  alarm   smoke/red                    active    red     true  烟感
00:08:04  output  output:horn                  on                 声光报警
00:08:04  output  output:siren                 on                 警笛
00:08:33  alarm   smoke/red                    cleared   red     false  烟感
00:09:00  alarm   smoke/red                    cleared   red     false  烟感  by 值班员
00:09:00  output  output:horn                  off                声光报警
00:09:00  output  output:siren                 off                警笛
00:09:10  alarm   smoke/red                    normal    red     false  烟感  by 值班员
