package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/drivers"
)

// Done when: an alarm never clears and never falls silent because its sensor, its
// bus, its when input, the disk or the agent failed. Ten minutes of each, while an
// alarm stands with its siren and its cut-off.
func TestNoFailureClearsOrSilences(t *testing.T) {
	bad := func(q drivers.Quality) func(*orderer) {
		return func(o *orderer) {
			for range 60 {
				o.give(drivers.Reading{Point: "run", At: time.Now(), Value: drivers.BoolValue(true)}, drivers.Bad("p", time.Now(), q))
				o.sleep(10 * time.Second)
			}
		}
	}
	for _, c := range []struct {
		story string
		fails func(*orderer)
	}{
		{"the sensor", bad(drivers.Sensor)},
		{"the sensor is under its range", bad(drivers.Under)},
		{"the sensor is over its range", bad(drivers.Over)},
		{"the line", bad(drivers.Comm)},
		{"the frames", bad(drivers.Protocol)},
		{"the register", bad(drivers.Exception)},
		{"what it is computed from", bad(drivers.Input)},
		{"the loop stands still", func(o *orderer) { o.sleep(time.Hour) }},
		{"the input of its when", func(o *orderer) {
			for range 60 {
				o.give(drivers.Bad("run", time.Now(), drivers.Comm), drivers.Reading{Point: "p", At: time.Now(), Value: drivers.NumberValue(12)})
				o.sleep(10 * time.Second)
			}
		}},
		{"the input of its when, and the sensor", func(o *orderer) {
			for range 60 {
				o.give(drivers.Bad("run", time.Now(), drivers.Comm), drivers.Bad("p", time.Now(), drivers.Comm))
				o.sleep(10 * time.Second)
			}
		}},
		{"the disk: nobody takes what is told", func(o *orderer) {
			o.queue.most = 10
			for i := range 600 {
				o.in <- []drivers.Reading{{Point: "p", At: time.Now(), Value: drivers.NumberValue(12 + float64(i))}}
				o.sleep(time.Second)
			}
		}},
		{"the agent is killed", func(o *orderer) { o.restart(1, newestOf(o.stored)) }},
		{"the agent is killed, and then nothing can be read", func(o *orderer) {
			o.restart(1, newestOf(o.stored))
			bad(drivers.Comm)(o)
		}},
		{"the power is away for an hour", func(o *orderer) {
			o.remember()
			o.bench.stop()
			o.sleep(time.Hour)
			o.restart(2, newestOf(o.stored))
		}},
		{"the clock goes back to 1970", func(o *orderer) {
			o.do(func() error { o.clock.Check(wall{time.Now(), 0, false}); return nil })
			o.sleep(time.Minute)
		}},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &orderer{fold: newFold()}
				o.bench = newBench(t, parsed(t, caseOf{alarm: "above: 10, clear: 8"}.site()), o.fold, nil)
				o.give(drivers.Reading{Point: "run", At: time.Now(), Value: drivers.BoolValue(true)}, drivers.Reading{Point: "p", At: time.Now(), Value: drivers.NumberValue(12)})
				o.remember()
				if !o.on("siren") || !o.on("cutoff") {
					t.Fatal("nothing is on")
				}
				c.fails(o)
				o.remember()
				s := o.alarm("p/orange")
				if s.State() != alarm.Active || s.quiet() || s.coveredBy() != nil {
					t.Errorf("it is %v, quiet %v", s.State(), s.quiet())
				}
				if !o.on("siren") || !o.on("cutoff") {
					t.Errorf("siren %v, cut-off %v", o.on("siren"), o.on("cutoff"))
				}
				told := false
				for _, a := range o.snap().Alarms {
					told = told || a.ID == "p/orange" && a.State == "active" && a.Level == "orange"
				}
				if !told {
					t.Error("no snapshot tells it")
				}
				for _, w := range o.words {
					if w == "p/orange=normal" || w == "output:siren=off" || w == "output:cutoff=off" {
						t.Errorf("told %s", w)
					}
				}
			})
		})
	}
}
