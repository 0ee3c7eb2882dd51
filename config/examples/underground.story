# 放炮、通风、风机停、三取二（一只探头坏）、突水。
# Blasting, airing, a fan that stops, two of three with one head broken, water.
for 10m
> 00:05:20 ack fan.main/red 井口值班
---
00:01:02  alarm   co/blast.alarm               active    red     300 (limit 200)  3 中段一氧化碳
00:01:02  output  output:lamp                  on                 3 中段声光报警器
00:01:07  alarm   no2/alarm                    active    orange  4 (limit 2.5)  3 中段二氧化氮
00:02:02  alarm   co/blast.alarm               normal    red     150 (limit 200)  3 中段一氧化碳
00:02:02  output  output:lamp                  off                3 中段声光报警器
00:03:02  alarm   no2/alarm                    normal    orange  0.5 (limit 2.5)  3 中段二氧化氮
00:05:12  alarm   fan.main/red                 active    red     false  主通风机
00:05:12  output  output:siren                 on                 警笛
00:05:15  alarm   wind/low                     active    orange  0.2 (limit 0.25)  主要进风道风速
00:05:20  alarm   fan.main/red                 acked     red     false  主通风机  by 井口值班
00:05:20  output  output:siren                 off                警笛
00:06:02  alarm   fan.main/red                 normal    red     true  主通风机
00:06:05  alarm   wind/low                     normal    orange  3.1 (limit 0.25)  主要进风道风速
00:07:07  alarm   co/work.alarm                active    orange  40 (limit 24)  3 中段一氧化碳
00:07:07  output  output:lamp                  on                 3 中段声光报警器
00:07:12  alarm   co.vote/red                  active    red     true  一氧化碳三取二
00:07:12  output  output:siren                 on                 警笛
00:07:40  alarm   co.c/fault                   active    blue    sensor  一氧化碳 C
00:08:12  alarm   pump.fails/orange            active    orange  true  该抽不抽
00:08:20  alarm   co.c/fault                   normal    blue    7  一氧化碳 C
00:08:22  alarm   pump.fails/orange            normal    orange  false  该抽不抽
00:08:22  alarm   sump.level/inrush            active    red     3.1 (limit 0.5)  水仓水位
00:08:32  alarm   sump.level/yellow            active    yellow  3.1 (limit 3)  水仓水位
00:09:02  alarm   sump.level/inrush            normal    red     2.4 (limit 0.5)  水仓水位
00:09:02  alarm   sump.level/yellow            normal    yellow  2.4 (limit 3)  水仓水位
