package agent

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/record"
	"pithead/drivers"
)

// What was counted by the time since boot stays so, whatever the clock is when
// it is stored: else it would be of 1970.
func TestStatisticsKeepTheClockTheyWereCountedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.queue.addStats([]stat{{record.Stat{Point: "a", From: 1000, To: 2000, Bad: 1}, record.Unknown},
			{record.Stat{Point: "a", From: 946684800000, To: 946684801000, Bad: 1}, record.Free}})
		d.store()
		r := d.stats.Reader(1)
		defer r.Close()
		for _, want := range []record.Clock{record.Unknown, record.Free} {
			f, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			b, err := record.ReadStats(f.Payload)
			if err != nil || b.Clock != want || len(b.Stats) != 1 {
				t.Errorf("%v %+v, want the clock %v", err, b, want)
			}
		}
	})
}

// A sample counts in the period in which it was taken, although the judge's
// tick, which ends periods, comes up to a second later.
func TestSamplesAreOfTheirOwnPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Stats = 10 * time.Second
		site.Points[1].Stats = true
		b := newBench(t, site, newFold(), nil)
		b.stop()
		b.clock.Check(wall{time.Now(), time.Now().UnixMilli(), true})
		b.tick()
		level := b.find("level")
		for i := range 250 { // 50 s, with a tick in the middle of each second
			time.Sleep(200 * time.Millisecond)
			b.sample(level, drivers.Reading{Point: "level", At: time.Now(), Value: drivers.NumberValue(float64(i))})
			if i%5 == 2 {
				b.tick()
			}
		}
		all, _ := b.queue.takeStats()
		whole := 0
		for _, s := range all {
			if s.Point != "level" {
				continue
			}
			if s.TMin < s.From || s.TMax >= s.To {
				t.Errorf("from %d to %d: least at %d, most at %d", s.From, s.To, s.TMin, s.TMax)
			}
			if !s.Partial {
				if whole++; s.Good != 50 {
					t.Errorf("%d samples in a whole period, want 50", s.Good)
				}
			}
		}
		if whole < 3 {
			t.Errorf("%d whole periods of %d", whole, len(all))
		}
	})
}

// A mean is never beyond the least and the greatest of what it is the mean of.
func TestAMeanLiesBetweenItsSamples(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples []float64
		want    float64
	}{
		{"a steady value is its own mean", slices.Repeat([]float64{1247.315}, 14), 1247.315},
		{"the greatest there is, again and again", slices.Repeat([]float64{math.MaxFloat64}, 7), math.MaxFloat64},
		{"and the other end", []float64{-math.MaxFloat64, -math.MaxFloat64, math.MaxFloat64, math.MaxFloat64}, 0},
		{"the least there is", []float64{math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64}, math.SmallestNonzeroFloat64},
		{"half of the time", []float64{0, 1, 1, 0, 1, 0}, 0.5},
		{"sums are exact where they can be", []float64{1, 2, 3, 4, 5, 6, 8}, 29.0 / 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				site := pit()
				site.Stats = time.Hour
				site.Points[1].Stats = true
				b := newBench(t, site, newFold(), nil)
				b.stop()
				level := b.find("level")
				for _, v := range c.samples {
					time.Sleep(time.Second)
					b.sample(level, drivers.Reading{Point: "level", At: time.Now(), Value: drivers.NumberValue(v)})
				}
				b.cutPeriod(b.now())
				all, _ := b.queue.takeStats()
				i := slices.IndexFunc(all, func(s stat) bool { return s.Point == "level" })
				if i < 0 || all[i].Mean != c.want {
					t.Errorf("%+v, want a mean of %v", all, c.want)
				}
			})
		})
	}
}

// The periods as the clock becomes known, steps, and the agent stops.
func TestPeriodsThatAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Stats = time.Minute
		site.Points[1].Stats = true
		b := newBench(t, site, newFold(), nil)
		b.stop()
		b.clock.least = time.Now().Add(time.Hour).UnixMilli() // it can't be so early
		b.clock.Check(wall{time.Now(), time.Now().UnixMilli(), true})
		level := b.find("level")
		pass := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
				b.sample(level, drivers.Reading{Point: "level", At: time.Now(), Value: drivers.NumberValue(3)})
				b.tick()
			}
		}
		take := func() (ss []stat) {
			all, _ := b.queue.takeStats()
			for _, s := range all {
				if s.Point == "level" {
					ss = append(ss, s)
				}
			}
			return ss
		}
		b.period = period{}
		level.stats = tally{}
		take()
		pass(90 * time.Second)
		b.clock.least = 0 // it became known
		pass(time.Second)
		ss := take()
		if len(ss) < 2 {
			t.Fatalf("%d periods: %+v", len(ss), ss)
		}
		for _, s := range ss {
			if s.clock != record.Unknown || s.From > s.TMax || s.TMax > s.To || s.To > b.now().Milliseconds() {
				t.Errorf("counted while the clock was unknown: %+v", s)
			}
		}
		if !ss[len(ss)-1].Partial {
			t.Error("it was cut when the clock became known, and is not partial")
		}
		pass(3 * time.Minute)
		ss = take()
		if len(ss) != 3 {
			t.Fatalf("%d periods: %+v", len(ss), ss)
		}
		for i, s := range ss {
			if s.clock == record.Unknown || s.Partial != (i == 0) || i > 0 && (s.From != ss[i-1].To || s.To-s.From != 60_000 || s.Good != 60) {
				t.Errorf("period %d: %+v", i, s)
			}
		}
		pass(20 * time.Second)
		b.end()
		ss = take()
		if n := len(ss); n != 1 || !ss[0].Partial || ss[0].Good == 0 || ss[0].To > time.Now().UnixMilli() {
			t.Errorf("at the stop: %+v", ss)
		}
	})
}

// A reading that came before the stop is judged before it.
func TestTheEndJudgesWhatHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.stop()
		for i := range 100 {
			b.in <- []drivers.Reading{{Point: "level", At: time.Now(), Value: drivers.NumberValue(float64(i % 10))}}
		}
		b.in <- []drivers.Reading{{Point: "ch4", At: time.Now(), Value: drivers.NumberValue(2)}}
		b.end()
		b.want("output:cutoff=on ch4/cut=active")
		if len(b.stored) != 101 {
			t.Errorf("%d readings of 101 stored", len(b.stored))
		}
	})
}
