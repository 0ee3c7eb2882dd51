package agent

import (
	"fmt"
	"testing"
	"time"

	"pithead/config"
	"pithead/drivers"
)

// BenchmarkReplay is a minute of 100 points with two alarms each; a year has
// 525,600 of them.
func BenchmarkReplay(b *testing.B) {
	text := "version: 1\nsite: s\ngateway: g\nbuses: {b: {tcp: \"10.0.0.1:502\"}}\ndevices: {d: {bus: b, unit: 1, every: 60s}}\npoints:\n"
	for i := range 100 {
		text += fmt.Sprintf("  p%d: {device: d, holding: %d, type: f32, alarms: [{level: yellow, above: 9, clear: 8, for: 5m}, {level: red, above: 9.9, clear: 9}]}\n", i, 2*i)
	}
	site, problems := config.Parse("site.yaml", []byte(text))
	if site == nil {
		b.Fatal(problems)
	}
	r := NewReplay(site, func(Told) {})
	at, n := time.UnixMilli(1.7e12), 0
	b.ReportAllocs()
	for b.Loop() {
		at, n = at.Add(time.Minute), n+1
		for i := range 100 {
			r.Add(drivers.Reading{Point: site.Points[i].ID, At: at, Value: drivers.NumberValue(float64((n*7+i*13)%1000) / 100)})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/sample")
}
