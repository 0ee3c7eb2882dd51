# 水量低、切断、复位、液位计失灵仍铸造、三取二切断。
# Little water, a cut, reset, casting with a failed gauge, two of three cut.
for 7m
> 00:02:20 ack mould.flow/red 铸造工
> 00:03:00 reset mould.flow/red 铸造工
> 00:06:00 ack trough.high/red 铸造工
> 00:06:10 reset trough.high/red 铸造工
---
00:01:33  alarm   mould.flow/orange            active    orange  105 (limit 110)  结晶器水流量
00:01:33  output  output:horn                  on                 铸造区声光
00:01:54  alarm   mould.temp/orange            active    orange  58 (limit 55)  结晶器出水温度
00:02:02  alarm   mould.flow/red               active    red     80 (limit 90)  结晶器水流量
00:02:02  output  output:cut                   on                 快速切断与排放
00:02:05  alarm   mould.flow/orange            active    orange  (limit 110) suppressed  结晶器水流量
00:02:05  alarm   mould.flow/red               active    red     (limit 90) suppressed  结晶器水流量
00:02:05  output  output:horn                  off                铸造区声光
00:02:20  alarm   mould.flow/red               acked     red     80 (limit 90) suppressed  结晶器水流量  by 铸造工
00:02:31  alarm   mould.flow/orange            normal    orange  140 (limit 110) suppressed  结晶器水流量
00:02:31  alarm   mould.flow/red               cleared   red     140 (limit 90) suppressed  结晶器水流量
00:02:31  alarm   mould.temp/orange            normal    orange  40 (limit 55)  结晶器出水温度
00:03:00  alarm   mould.flow/red               normal    red     140 (limit 90) suppressed  结晶器水流量  by 铸造工
00:03:00  output  output:cut                   off                快速切断与排放
00:04:22  alarm   ready.not/red                active    red     true  不具备条件仍铸造
00:04:22  output  output:horn                  on                 铸造区声光
00:04:42  alarm   trough.high/red              active    red     true  溜槽液位高
00:04:42  output  output:cut                   on                 快速切断与排放
00:04:45  alarm   ready.not/red                normal    red     false  不具备条件仍铸造
00:05:01  alarm   trough.high/red              cleared   red     false  溜槽液位高
00:05:20  alarm   trough.a/fault               active    blue    sensor  溜槽液位 A
00:05:20  alarm   trough.spread/fault          active    blue    input  液位计偏差
00:05:30  alarm   trough.a/fault               normal    blue    180  溜槽液位 A
00:05:30  alarm   trough.spread/fault          normal    blue    30  液位计偏差
00:05:40  alarm   trough.spread/yellow         active    yellow  30 (limit 30)  液位计偏差
00:06:00  alarm   trough.high/red              cleared   red     false  溜槽液位高  by 铸造工
00:06:00  output  output:horn                  off                铸造区声光
00:06:10  alarm   trough.high/red              normal    red     false  溜槽液位高  by 铸造工
00:06:10  output  output:cut                   off                快速切断与排放
