package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
	"pithead/drivers/modbus"
	"pithead/drivers/modbus/modbustest"
)

// A rig is a bus loop on a line that goes at 9600 baud, and what it emits.
type rig struct {
	*busLoop
	line *modbustest.Line
	c    *collect
}

// newRig is a loop over n units of registers values each.
func newRig(t *testing.T, n, registers int, every time.Duration, change func(*modbus.Config)) *rig {
	t.Helper()
	r := &rig{line: &modbustest.Line{Char: modbustest.CharOf(9600), Units: map[byte]*modbustest.Unit{}}, c: &collect{}}
	c := modbus.Config{ID: "rs1", Address: "line", Baud: 9600, Parity: 'N', DataBits: 8, StopBits: 1, Timeout: 500 * time.Millisecond}
	for i := 1; i <= n; i++ {
		r.line.Units[byte(i)] = &modbustest.Unit{Turnaround: 20 * time.Millisecond}
		u := modbus.UnitConfig{ID: fmt.Sprint("u", i), Unit: byte(i), Every: every, Retries: 1, Turnaround: 20 * time.Millisecond}
		for k := range registers {
			u.Points = append(u.Points, modbus.PointConfig{ID: fmt.Sprint("p", i, ".", k), Table: modbus.Holding, Address: uint16(k), Bit: -1,
				Scale: &drivers.Scale{Decimals: -1}})
		}
		c.Units = append(c.Units, u)
	}
	if change != nil {
		change(&c)
	}
	bus, err := modbus.OpenOn(c, r.line.Open)
	if err != nil {
		t.Fatal(err)
	}
	r.busLoop = loopOf(bus, r.c)
	return r
}

// good is when the first point of the unit was read good, from then on.
func (r *rig) good(unit int, from time.Time) (at []time.Time) {
	for _, x := range r.c.of(fmt.Sprint("p", unit, ".", 0)) {
		if x.Quality == drivers.Good && !x.At.Before(from) {
			at = append(at, x.At)
		}
	}
	return at
}

// cycle is how long the unit's cycle is over a time, on average.
func (r *rig) cycle(t *testing.T, unit int, from time.Time, over time.Duration) time.Duration {
	t.Helper()
	n := 0
	for _, at := range r.good(unit, from) {
		if at.Before(from.Add(over)) {
			n++
		}
	}
	if n == 0 {
		t.Fatalf("unit %d was not read", unit)
	}
	return over / time.Duration(n)
}

// Done when 2: twenty units on a line of 9600 that fifteen of them fill, and five
// die: the living keep their cycle within a tenth, one that comes back is read
// within 30 s. Where all but one die, that one keeps its cycle within 15 %.
func TestTheDeadTakeNoMoreThanTheirShareOfALine(t *testing.T) {
	for _, every := range []time.Duration{1200 * time.Millisecond, 700 * time.Millisecond} { // 80 %, and more than there is
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 20, 4, every, nil)
			turnFor(t, r.busLoop, func() {
				for i := 1; i <= 5; i++ {
					r.line.Units[byte(i)].Kill(true)
				}
				begin := time.Now()
				time.Sleep(time.Minute)
				settled := time.Now()
				time.Sleep(3 * time.Minute)
				without := newRig(t, 20, 4, every, func(c *modbus.Config) { c.Units = c.Units[5:] })
				begun := time.Now()
				turnFor(t, without.busLoop, func() { time.Sleep(3 * time.Minute) })
				for i := 6; i <= 20; i++ {
					want := without.cycle(t, i, begun, 3*time.Minute)
					if got := r.cycle(t, i, settled, 3*time.Minute); got > want*110/100 {
						t.Errorf("every %v: the cycle of unit %d became %v, was %v", every, i, got, want)
					}
					if got := r.cycle(t, i, begin, time.Minute); got > want*130/100 {
						t.Errorf("every %v: the cycle of unit %d while the others died was %v, before %v", every, i, got, want)
					}
				}
				for i := 1; i <= 5; i++ {
					r.line.Units[byte(i)].Kill(false)
					back := time.Now()
					time.Sleep(31 * time.Second)
					if at := r.good(i, back); len(at) == 0 || at[0].Sub(back) > 30*time.Second {
						t.Errorf("every %v: unit %d is back, and was read %v", every, i, at)
					}
				}
				alone := newRig(t, 1, 4, every, nil)
				begun = time.Now()
				turnFor(t, alone.busLoop, func() { time.Sleep(3 * time.Minute) })
				for i := 2; i <= 20; i++ {
					r.line.Units[byte(i)].Kill(true)
				}
				time.Sleep(time.Minute)
				settled = time.Now()
				time.Sleep(3 * time.Minute)
				want, got := alone.cycle(t, 1, begun, 3*time.Minute), r.cycle(t, 1, settled, 3*time.Minute)
				if got > want*115/100 {
					t.Errorf("every %v: the only living unit's cycle became %v, was %v", every, got, want)
				}
			})
		})
	}
}

// An alarm hangs on the unit: it is asked each 10 s at least.
func TestADeadUnitThatAnAlarmHangsOnIsAskedMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, 1, time.Second, nil)
		r.units[0].most = pauseAlarmed
		r.line.Units[1].Kill(true)
		turnFor(t, r.busLoop, func() { time.Sleep(5 * time.Minute) })
		asked := r.line.Units[1].Asked()
		for i := 1; i < len(asked); i++ {
			if gap := asked[i].Sub(asked[i-1]); gap > 10*time.Second {
				t.Errorf("not asked for %v", gap)
			}
		}
	})
}

// dead-share: the others may be given less of the bus.
func TestTheShareOfTheDeadIsTheSiteFiles(t *testing.T) {
	for share, least := range map[float64]int{10: 50, 2: 10} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 9, 1, 100*time.Millisecond, nil) // more than the line can
			r.share = share
			for i := 2; i <= 9; i++ {
				r.line.Units[byte(i)].Kill(true)
			}
			var begin time.Time
			turnFor(t, r.busLoop, func() {
				time.Sleep(time.Minute)
				begin = time.Now()
				time.Sleep(5 * time.Minute)
			})
			probes := 0
			for i := 2; i <= 9; i++ {
				for _, at := range r.line.Units[byte(i)].Asked() {
					if at.After(begin) {
						probes++
					}
				}
			}
			if used := time.Duration(probes) * 515 * time.Millisecond; used > 5*time.Minute*time.Duration(share)/100+2*time.Second || probes < least {
				t.Errorf("share %v %%: %d probes took %v of 5 min", share, probes, used)
			}
		})
	}
}

// A relay that is to switch waits for one request, not for a block of 60
// registers to be split until the bad one is known.
func TestAnOutputDoesNotWaitForASplitting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 60, time.Minute, func(c *modbus.Config) {
			c.Outputs = []modbus.OutputConfig{{ID: "siren", Unit: 1, Device: "u1", Table: modbus.Coil, Address: 3}}
		})
		u := r.line.Units[1]
		u.Refuse = func(function byte, address, quantity uint16) byte {
			if function == 3 && address <= 29 && address+quantity > 29 {
				return 2
			}
			return 0
		}
		r.lines = []*line{{id: "siren", out: r.bus.Output("siren"), unit: r.units[0]}}
		turnFor(t, r.busLoop, func() {
			for len(u.Asked()) < 4 {
				time.Sleep(time.Millisecond)
			}
			wished, asked := time.Now(), len(u.Asked())
			r.mail.want("siren", true)
			for len(u.Writes()) == 0 {
				time.Sleep(time.Millisecond)
			}
			if n := len(u.Asked()) - asked; n > 2 {
				t.Errorf("the siren was request %d", n)
			}
			if took := u.Writes()[0].At.Sub(wished); took > 200*time.Millisecond {
				t.Errorf("it took %v", took)
			}
			time.Sleep(3 * time.Second)
		})
		good := 0
		for k := range 60 {
			for _, x := range r.c.of(fmt.Sprint("p1.", k)) {
				if x.Quality == drivers.Good {
					good++
				}
			}
		}
		if good != 59 {
			t.Errorf("%d of 59 registers were read", good)
		}
	})
}

// A pause of one unit is kept between any two requests to it, a splitting's and
// a setup's, too, and the others are read meanwhile.
func TestAPauseIsKeptWhileOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pause = 400 * time.Millisecond
		r := newRig(t, 2, 8, 2*time.Second, func(c *modbus.Config) {
			c.Units[0].Pause = pause
			c.Units[0].Setup = []modbus.Write{{Table: modbus.Holding, Address: 90, Value: 1}, {Table: modbus.Coil, Address: 91, Value: 1}}
			c.Units[1].Every = 300 * time.Millisecond
		})
		r.line.Units[1].Refuse = func(_ byte, address, quantity uint16) byte {
			if address <= 5 && address+quantity > 5 {
				return 2
			}
			return 0
		}
		turnFor(t, r.busLoop, func() { time.Sleep(time.Minute) })
		asked := r.line.Units[1].Asked()
		for i := 1; i < len(asked); i++ {
			if gap := asked[i].Sub(asked[i-1]); gap < pause {
				t.Errorf("request %d came %v after the one before", i, gap)
			}
		}
		if len(asked) < 50 {
			t.Errorf("%d requests to the unit with a pause", len(asked))
		}
		if n := len(r.good(2, time.Time{})); n < 198 {
			t.Errorf("the other was read %d times in a minute, want 200", n)
		}
	})
}

// What sets a device up is written before anything is read, when it is first
// heard and when it comes back; what it refuses is told and tried again, and the
// rest is read meanwhile.
func TestSetup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 1, time.Second, func(c *modbus.Config) {
			c.Units[0].Setup = []modbus.Write{{Table: modbus.Holding, Address: 10, Value: 3, Line: 7}, {Table: modbus.Coil, Address: 4, Value: 1, Line: 8}}
		})
		u := r.line.Units[1]
		u.Kill(true)
		var alarms []string
		r.setup = func(unit, why string) { alarms = append(alarms, fmt.Sprint(unit, " ", why != "")) }
		story := func() string {
			var s []string
			for _, w := range u.Writes() {
				s = append(s, fmt.Sprintf("%d/%d=%d", w.Function, w.Address, w.Value))
			}
			return strings.Join(s, " ")
		}
		turnFor(t, r.busLoop, func() {
			time.Sleep(10 * time.Second)
			if len(r.good(1, time.Time{})) > 0 || story() != "" {
				t.Errorf("a dead unit was set up: %s", story())
			}
			u.Kill(false)
			time.Sleep(30 * time.Second)
			first := r.good(1, time.Time{})
			if story() != "6/10=3 5/4=65280" || len(first) == 0 || first[0].Before(u.Writes()[1].At) {
				t.Errorf("at first contact: %s, then read %v", story(), first[0].Sub(u.Writes()[1].At))
			}
			u.Kill(true)
			time.Sleep(20 * time.Second)
			u.Kill(false)
			back := time.Now()
			u.RefuseBy(func(function byte, _, _ uint16) byte {
				if function == 6 {
					return 4
				}
				return 0
			})
			time.Sleep(40 * time.Second)
			if n := len(r.good(1, back)); n < 5 {
				t.Errorf("it refuses its setup, and was read %d times", n)
			}
			if told := (*r.state.Load())[0].Setup; !strings.Contains(told, "line 7") {
				t.Errorf("told: %q", told)
			}
			u.RefuseBy(nil)
			time.Sleep(31 * time.Second)
			if story() != "6/10=3 5/4=65280 6/10=3 5/4=65280" || (*r.state.Load())[0].Setup != "" {
				t.Errorf("after it came back: %s, %+v", story(), (*r.state.Load())[0])
			}
			if got := strings.Join(alarms, ", "); got != "u1 false, u1 true, u1 false" {
				t.Errorf("its alarm: %s", got)
			}
		})
	})
}

// One answer is lost. What it could be mistaken for is not asked, so another
// shape is, and the next cycle is whole again, rather than three seconds later.
func TestALostAnswerCostsOneCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 1, time.Second, nil)
		turnFor(t, r.busLoop, func() {
			time.Sleep(10*time.Second - time.Millisecond)
			r.line.Units[1].Kill(true)
			time.Sleep(600 * time.Millisecond)
			r.line.Units[1].Kill(false)
			time.Sleep(10 * time.Second)
		})
		bad := 0
		for _, x := range r.c.of("p1.0") {
			if x.Quality != drivers.Good {
				bad++
			}
		}
		if bad != 1 || len(r.c.of("p1.0")) != 21 {
			t.Errorf("%d of %d readings are bad", bad, len(r.c.of("p1.0")))
		}
	})
}

// -race: fifty buses at once, each with its loop, an output and a person's read.
func TestFiftyBuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		var rigs []*rig
		for range 50 {
			r := newRig(t, 4, 10, 500*time.Millisecond, func(c *modbus.Config) {
				c.Outputs = []modbus.OutputConfig{{ID: "siren", Unit: 1, Device: "u1", Table: modbus.Coil, Address: 3}}
			})
			r.line.Units[2].Kill(true)
			r.lines = []*line{{id: "siren", out: r.bus.Output("siren"), unit: r.units[0]}}
			rigs = append(rigs, r)
			all.Go(func() { r.run(ctx) })
		}
		for i := range 20 {
			for _, r := range rigs {
				r.mail.want("siren", i%2 == 0)
				reply := make(chan []drivers.Inspection, 1)
				r.mail.ask(ask{ctx: ctx, points: []string{"p3.0"}, reply: reply})
				if is := <-reply; len(is) != 1 || is[0].Quality != drivers.Good {
					t.Errorf("%+v", is)
				}
				_ = r.state.Load()
				_ = r.about.Load()
				_ = r.stands()
			}
			time.Sleep(500 * time.Millisecond)
		}
		cancel()
		all.Wait()
		for _, r := range rigs {
			if n := len(r.good(1, time.Time{})); n < 20 {
				t.Errorf("read %d times", n)
			}
		}
	})
}

// The judge may take its time with readings, and the loop goes on meanwhile: it
// must have them for itself.
func TestReadingsAreTheJudgesOwn(t *testing.T) {
	a := &agent{judge: &judge{in: make(chan []drivers.Reading, 4), free: make(chan []drivers.Reading, 1)}}
	rs := []drivers.Reading{{Point: "a", Value: drivers.NumberValue(1)}}
	for range 3 {
		a.emit(t.Context(), rs)
		rs[0].Value = drivers.NumberValue(2) // the next step's
		got := <-a.judge.in
		if got[0].Value != drivers.NumberValue(1) {
			t.Errorf("the judge sees %v", got[0].Value)
		}
		a.judge.release(got)
		rs[0].Value = drivers.NumberValue(1)
	}
}
