# 封闭、开门被破、复位、提升机偷转、复位、摄像头被挡、机箱被开。
# Closed, the door opened, reset, the hoist runs, reset, the camera is covered, the box is opened.
for 10m
> 00:01:00 seal.close shaft3 监管员
> 00:03:00 seal.reset shaft3 监管员
> 00:05:00 seal.reset shaft3 监管员
> 00:09:00 seal.reset shaft3 监管员
---
00:01:00  seal    seal:shaft3                  sealed             3 号竖井口  by 监管员
00:02:04  alarm   seal:shaft3                  active    red     4  3 号竖井口
00:02:04  output  output:siren                 on                 警笛
00:02:04  seal    seal:shaft3                  breached          false  3 号竖井口
00:03:00  alarm   seal:shaft3                  normal    red     0  3 号竖井口
00:03:00  output  output:siren                 off                警笛
00:03:00  seal    seal:shaft3                  sealed             3 号竖井口  by 监管员
00:04:15  alarm   seal:shaft3                  active    red     4  3 号竖井口
00:04:15  output  output:siren                 on                 警笛
00:04:15  seal    seal:shaft3                  breached          60  3 号竖井口
00:05:00  alarm   seal:shaft3                  normal    red     0  3 号竖井口
00:05:00  output  output:siren                 off                警笛
00:05:00  seal    seal:shaft3                  sealed             3 号竖井口  by 监管员
00:06:05  alarm   seal:shaft3                  active    orange  3  3 号竖井口
00:06:05  output  output:siren                 on                 警笛
00:06:05  seal    seal:shaft3                  blind             false  3 号竖井口
00:06:12  alarm   seal:shaft3                  normal    orange  0  3 号竖井口
00:06:12  output  output:siren                 off                警笛
00:06:12  seal    seal:shaft3                  sealed             3 号竖井口
00:08:01  alarm   seal:shaft3                  active    red     4  3 号竖井口
00:08:01  output  output:siren                 on                 警笛
00:08:01  seal    seal:shaft3                  tampered          false  3 号竖井口
00:09:00  alarm   seal:shaft3                  normal    red     0  3 号竖井口
00:09:00  output  output:siren                 off                警笛
00:09:00  seal    seal:shaft3                  sealed             3 号竖井口  by 监管员
