package agent

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/record"
	"pithead/drivers"
)

const rainSite = `
version: 1
site: pond
gateway: g1
buses:
  pit: {sim: {signals: {rain: {steps: [[0s, 0], [10s, 5], [40s, 8]]}, fan: {steps: [[0s, 0], [20s, 1]]}}}}
devices:
  d1: {bus: pit, unit: 3, every: 1s}
points:
  rain: {unit: mm, device: d1, holding: 0, type: f32, deadband: 0.1, at-least: 5m}
  fan: {device: d1, coil: 0}
  rain.hour: {unit: mm, value: "delta(rain, 1h)", alarms: [{level: red, above: 5, clear: 4}]}
  rain.day: {unit: mm, value: "since(rain, '08:00')"}
  fan.steady: {value: "held(fan, 1m)"}
  quiet: {value: "mode == 'maintenance'"}
stats: 0s
`

// A restart, a reload and a reboot go on with what the windows had seen.
func TestWindowsAreFilledAgainFromTheBuffer(t *testing.T) {
	for _, c := range []struct {
		story string
		away  time.Duration
		lose  bool // the machine's boot
	}{
		{"a restart at once", 0, false},
		{"a restart half an hour later", 30 * time.Minute, false},
		{"a reboot", 30 * time.Minute, true},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				site := simSite(t, t.TempDir(), rainSite)
				o := Options{Version: "test", Log: slog.New(slog.DiscardHandler)}
				ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
				left, err := Run(ctx, site, o)
				cancel()
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(c.away)
				o.Before.clock = left.clock // the bubble's time is not the machine's, which a new clock would ask
				a, err := prepare(site, o)
				if err != nil {
					t.Fatal(err)
				}
				defer a.close()
				if c.lose {
					a.boot++
					a.rec.fold.Offsets[a.boot-1] = a.clock.Now().T - a.clock.Now().M
					a.judge.refill(a.newReread(nil), a.judge.formulas())
				}
				judge := newStage()
				judge.start(a.judge.run)
				defer judge.stop()
				at := time.Now()
				a.judge.in <- []drivers.Reading{
					{Point: "rain", At: at, Value: drivers.NumberValue(9)}, {Point: "fan", At: at, Value: drivers.BoolValue(true)}}
				synctest.Wait()
				for point, want := range map[string]float64{"rain.hour": 9, "rain.day": 9, "fan.steady": 0} {
					if point == "fan.steady" && c.away > 0 {
						want = 1 // it ran before and after, as a delay that a restart cuts
					}
					if p := a.judge.find(point); p.mark.quality != drivers.Good || p.last.Float() != want {
						t.Errorf("%s is %v (%v), want %v", point, p.last, p.mark.quality, want)
					}
				}
				if s := a.judge.alarm("rain.hour/red"); s.State().String() != "active" {
					t.Errorf("the alarm is %v: it cleared because the agent was away", s.State())
				}
			})
		})
	}
}

// What nobody knows of the time without power is taken for none.
func TestARereadPlacesBootsOfUnknownClock(t *testing.T) {
	r := &reread{now: Stamp{M: 5000, T: 0}, boot: 3, shifts: map[uint32]int64{3: 0, 2: -9000}}
	for _, c := range []struct {
		boot uint32
		m    int64
		want time.Duration
		ok   bool
	}{
		{3, 4000, 4 * time.Second, true}, {2, 9000, 0, true}, {2, 7000, -2 * time.Second, true}, {1, 7000, 0, false},
	} {
		if at, ok := r.at(record.Batch{Boot: c.boot}, c.m); ok != c.ok || ok && at != c.want {
			t.Errorf("boot %d, m %d: %v %v, want %v %v", c.boot, c.m, at, ok, c.want, c.ok)
		}
	}
}

func TestAModeChangesWhatIsComputedFromIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := simSite(t, t.TempDir(), rainSite)
		b := newBench(t, site, newFold(), nil)
		if r := b.latest("quiet"); r.Value != drivers.BoolValue(false) {
			t.Errorf("running: quiet is %v (%v)", r.Value, r.Quality)
		}
		b.do(func() error { b.mode = "maintenance"; return nil })
		time.Sleep(2 * time.Second)
		if r := b.latest("quiet"); r.Value != drivers.BoolValue(true) {
			t.Errorf("under maintenance: quiet is %v (%v)", r.Value, r.Quality)
		}
	})
}
