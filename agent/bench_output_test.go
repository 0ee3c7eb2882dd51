package agent

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pithead/config"
	"pithead/drivers"
)

// stopwatch notes when an output is written.
type stopwatch struct {
	drivers.Output
	at chan moved
}

type moved struct {
	on bool
	at time.Time
}

func (s stopwatch) Set(ctx context.Context, on bool) error {
	err := s.Output.Set(ctx, on)
	s.at <- moved{on, time.Now()}
	return err
}

const loadedSite = `
version: 1
site: pit
gateway: g1
buses:
  box: {sim: {signals: {gas: {value: 0}}}}
  line: {sim: {signals: {SIGNALS}}}
devices:
  io: {bus: line, unit: 1, every: 1s}
points:
  gas: {gpio: box/1, counts: 1, every: 1h, alarms: [{level: red, above: 2, clear: 1, do: [siren]}]}
POINTS
outputs:
  siren: {gpio: box/2}
`

// From the sample that decides to the line, over 10,000 alarms, while 1,000
// other points are read each second and everything is stored. The time of the
// kernel's own write is the board's; make test-board has it whole.
func BenchmarkOutput(b *testing.B) {
	const alarms, others = 10_000, 1000
	var signals, points []string
	for i := range others {
		id := "p.n" + strconv.Itoa(i)
		signals = append(signals, id+": {wave: {mean: 5, swing: 3, period: 7s}, noise: 0.1}")
		points = append(points, "  "+id+": {device: io, input: "+strconv.Itoa(i)+", alarms: [{level: yellow, above: 7.5, clear: 7}]}")
	}
	text := strings.NewReplacer("SIGNALS", strings.Join(signals, ", "), "POINTS", strings.Join(points, "\n")).Replace(loadedSite)
	site, problems := config.Parse("site.yaml", []byte(text+"buffer: {dir: "+b.TempDir()+", size: 256MB}\n"))
	if site == nil {
		b.Fatal(problems)
	}
	site.Web.Listen = ""
	b.Setenv("STATE_DIRECTORY", b.TempDir())
	a, err := prepare(site, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	watch := stopwatch{at: make(chan moved, 16)}
	for _, l := range a.buses["box"].lines {
		watch.Output = l.out
		l.out = watch
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.run(ctx) }()
	for m := range watch.at { // it is off at the start
		if !m.on {
			break
		}
	}
	b.ResetTimer()
	var took []time.Duration
	for len(took) < alarms {
		took = append(took, switchBy(a, watch, 3, true))
		switchBy(a, watch, 0, false)
		time.Sleep(time.Millisecond) // so that the others are read many times meanwhile
	}
	b.StopTimer()
	cancel()
	go func() { // what the loop writes at its end
		for range watch.at {
		}
	}()
	<-ended
	a.close()
	slices.Sort(took)
	at := func(share float64) time.Duration { return took[int(share*float64(len(took)-1))] }
	b.Logf("%d alarms, %d other points: p50 %v, p99 %v, p99.9 %v, max %v", alarms, others, at(0.5), at(0.99), at(0.999), at(1))
	b.ReportMetric(float64(at(0.5).Microseconds()), "p50-µs")
	b.ReportMetric(float64(at(0.99).Microseconds()), "p99-µs")
	b.ReportMetric(float64(at(1).Microseconds()), "max-µs")
	if at(0.99) > 5*time.Millisecond {
		b.Errorf("p99 is %v, want at most 5ms", at(0.99))
	}
}

// switchBy gives a sample, and is how long the line took to follow.
func switchBy(a *agent, w stopwatch, v float64, on bool) time.Duration {
	began := time.Now()
	a.emit(context.Background(), []drivers.Reading{{Point: "gas", At: began, Value: drivers.NumberValue(v)}})
	for m := range w.at {
		if m.on == on && m.at.After(began) { // not one that is written again
			return m.at.Sub(began)
		}
	}
	return 0
}
