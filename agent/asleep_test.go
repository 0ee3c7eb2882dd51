package agent

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/config"
	"pithead/drivers"
)

// faults is three points of one device, whose faults are the site's default, asleep
// or as ever.
func faults(asleep bool) *config.Site {
	site := &config.Site{Site: "s", Gateway: "g", Stats: time.Minute, Buses: []config.Bus{{ID: "b"}}, Devices: []config.Device{{ID: "d", Bus: "b", Every: time.Second}}}
	usual := &alarm.Def{Condition: alarm.Fault, Level: alarm.Blue, For: 10 * time.Second}
	for i := range 3 {
		p := config.Point{ID: fmt.Sprint("p", i), Name: "n", Common: &config.Common{Bus: "b", Device: "d", Every: time.Second, Decimals: -1, Fault: usual}, Own: &config.Own{}}
		if !asleep {
			p.Alarms, p.Fault = p.AllAlarms(), nil
		}
		site.Points = append(site.Points, p)
	}
	return site
}

// A fault that sleeps until it is needed tells what one tells that never slept: over
// failures of all lengths, sensors that fail now and then, tests, reloads and
// restarts.
func TestAFaultThatSleptTellsTheSame(t *testing.T) {
	for seed := range uint64(60) {
		var told [2]string
		for k, asleep := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				told[k] = lifeOf(t, seed, asleep)
			})
		}
		if told[0] != told[1] {
			t.Fatalf("seed %d: asleep\n%s\nawake\n%s", seed, told[0], told[1])
		}
	}
}

// lifeOf is what a drawn life of the three points tells.
func lifeOf(t *testing.T, seed uint64, asleep bool) (told string) {
	r := rand.New(rand.NewPCG(seed, 5))
	site := faults(asleep)
	clock := NewClock(0, false)
	clock.base = time.Hour // the same for both: attempts are counted by the time since boot
	b := startBench(t, &bench{t: t, same: clock}, site, newFold(), nil)
	shares := [3]float64{}
	began := b.clock.Now().M
	refused := func(err error) { told += fmt.Sprintln(b.clock.Now().M-began, err) }
	for range 40 {
		for i := range shares {
			shares[i] = []float64{0, 0, 0, 0.3, 0.6, 1}[r.IntN(6)]
		}
		pause := time.Duration(1+r.IntN(900)) * time.Millisecond // no delay ends just when somebody asks for something
		time.Sleep(pause)
		at := command.Args{Point: "p1"}
		switch r.IntN(12) {
		case 0:
			b.do(func() error {
				_, err := b.outCommand(command.Command{Op: "out", Args: at, By: "a", Why: "b"})
				refused(err)
				return nil
			})
		case 1:
			b.do(func() error { _, err := b.inCommand(command.Command{Op: "in", Args: at}); refused(err); return nil })
		case 2:
			b.do(func() error { refused(b.ack("p2/fault", "a", "b")); return nil })
		case 3:
			b.do(func() error {
				_, err := b.shelveCommand(command.Command{Op: "shelve", Args: command.Args{Alarm: "p0/fault", For: command.Duration(time.Minute)}})
				refused(err)
				return nil
			})
		case 4:
			b.settled()
			b.stop()
			b.settled()
			b.carried, b.asleep = b.alarms(), b.sleepers()
			startBench(t, b, site, newFold(), nil)
		}
		time.Sleep(time.Second - pause)
		for n := 5 + r.IntN(40); n > 0; n-- {
			var rs []drivers.Reading
			for i := range shares {
				id, now := fmt.Sprint("p", i), time.Now()
				if r.Float64() < shares[i] {
					rs = append(rs, drivers.Bad(id, now, []drivers.Quality{drivers.Comm, drivers.Sensor}[r.IntN(2)]))
				} else {
					rs = append(rs, drivers.Reading{Point: id, At: now, Value: drivers.NumberValue(float64(r.IntN(9)))})
				}
			}
			b.give(rs...)
			if n > 1 {
				time.Sleep(time.Second)
			}
		}
	}
	b.settled()
	for i, e := range b.events {
		if e.Kind == "flood" {
			continue // is told by the second, which falls upon samples
		}
		told += fmt.Sprintf("%d %s %s %v\n", b.stamps[i].M-began, e.ID, e.State, e.More)
	}
	return told
}
