package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

// Not even where no fault alarm names the trip.
func TestABadSampleIsNoWordForATrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points[0].Alarms = site.Points[0].Alarms[:1]
		b := newBench(t, site, newFold(), nil)
		for _, q := range []drivers.Quality{drivers.Comm, drivers.Sensor, drivers.Under, drivers.Stale, drivers.Test} {
			b.bad("ch4", q)
			if !b.outs["cutoff"] {
				t.Fatalf("a sample of quality %v released the trip", q)
			}
		}
	})
}

// A latch that a restart has carried over holds its trip against a person, too.
func TestAPersonCantLetGoOfATripThatALatchHolds(t *testing.T) {
	f := newFold()
	f.Outputs["cutoff"] = switchedTo{On: true}
	f.Alarms["ch4/cut"] = remembered{State: alarm.Cleared.String()}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), f, nil)
		b.good("ch4", 0.2)
		if err := b.do(func() error { return b.reset("cutoff", "me", "") }); err == nil {
			t.Error("let go of")
		}
		b.want("")
	})
}

func TestALatchThatLeftTheFileIsNotForEver(t *testing.T) {
	f := newFold()
	f.Outputs["cutoff"] = switchedTo{On: true}
	f.Alarms["ch4/cut"] = remembered{State: alarm.Cleared.String()}
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points[0].Alarms[0].Latch = false
		b := newBench(t, site, f, nil)
		b.bad("ch4", drivers.Comm)
		b.want("")
		b.good("ch4", 0.2)
		b.want("ch4/cut=normal output:cutoff=off")
	})
}

func TestAnAcknowledgementOutlivesARestart(t *testing.T) {
	for _, cleared := range []bool{false, true} {
		f, site := newFold(), pit()
		site.Points[1].Alarms[0].For, site.Points[1].Alarms[0].Latch = 0, true
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, site, newFold(), nil)
			b.good("level", 11)
			if cleared {
				b.good("level", 3)
			}
			if err := b.do(func() error { return b.ack("level/high", "me", "") }); err != nil {
				t.Fatal(err)
			}
			b.settled()
			foldIn(t, f, b.events)
		})
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, site, f, nil)
			if b.outs["horn"] || !b.outs["siren"] {
				t.Errorf("cleared %v: %v", cleared, b.outs)
			}
		})
	}
}

// Only a restart makes two violations a delay; after a reload it begins anew
// where the definition changed.
func TestAnEditedAlarmWaitsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		before := alarm.New(&site.Points[1].Alarms[0])
		site.Points[1].Alarms[0].Limit, site.Points[1].Alarms[0].Clear = [2]float64{12}, [2]float64{9}
		last := map[string]record.Last{"level": {Reading: record.Reading{Point: "level", Value: drivers.NumberValue(13)}}}
		b := startBench(t, &bench{t: t, carried: map[string]*alarm.Alarm{"level/high": before}}, site, newFold(), last)
		b.story()
		b.good("level", 13)
		b.good("feed", 0)
		b.want("")
		time.Sleep(2500 * time.Millisecond)
		b.good("level", 13)
		b.good("feed", 0)
		b.want("")
		time.Sleep(2600 * time.Millisecond)
		if got := b.story(); got != "level/high=active output:siren=on output:horn=on" {
			t.Errorf("told %q", got)
		}
	})
}

func TestWhatIsStored(t *testing.T) {
	num := func(v float64) drivers.Reading { return drivers.Reading{Value: drivers.NumberValue(v)} }
	exc := func(code uint8) drivers.Reading { return drivers.Reading{Quality: drivers.Exception, Code: code} }
	for _, c := range []struct {
		story string
		cfg   config.Point
		came  []drivers.Reading
		want  []bool
	}{
		{"no deadband: every sample", config.Point{Common: &config.Common{}, Own: &config.Own{}}, []drivers.Reading{num(1), num(1)}, []bool{true, true}},
		{"a deadband counts from what was stored", config.Point{Common: &config.Common{Deadband: 1}, Own: &config.Own{}}, []drivers.Reading{num(1), num(1.6), num(2), num(2.2)}, []bool{true, false, true, false}},
		{"on change", config.Point{Common: &config.Common{OnChange: true}, Own: &config.Own{}}, []drivers.Reading{num(1), num(1), num(2)}, []bool{true, false, true}},
		{"another exception", config.Point{Common: &config.Common{OnChange: true}, Own: &config.Own{}}, []drivers.Reading{exc(2), exc(2), exc(4), num(0), num(0)}, []bool{true, false, true, true, false}},
	} {
		s := point{cfg: &c.cfg, storedAt: -1}
		var got []bool
		for _, r := range c.came {
			w := s.wants(r, 0)
			if got = append(got, w); w {
				s.keep(r, 0)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.story, got)
		}
	}
}

// A feedback that can't be read is no feedback.
func TestACutOffWhoseFeedbackIsBadIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.good("ch4", 0.4)
		b.good("feed", 0)
		b.story()
		b.good("ch4", 1.6)
		b.give(drivers.Reading{Point: "feed", At: time.Now(), Quality: drivers.Test, Value: drivers.NumberValue(0)})
		time.Sleep(5100 * time.Millisecond)
		if got := b.story(); got != "ch4/cut=active output:cutoff=on output:cutoff/fault=active" {
			t.Errorf("told %q", got)
		}
	})
}

func TestAPointOnAGridIsNotComputedWithEachSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		p := computed(t, "free", "20 - level", "level")
		p.Every = 10 * time.Second
		site.Points = append(site.Points, p, computed(t, "twice", "2 * free", "free"))
		b := newBench(t, site, newFold(), nil)
		for range 21 {
			b.good("level", 3)
			time.Sleep(time.Second)
		}
		n := map[string]int{}
		for _, r := range b.stored {
			n[r.Point]++
		}
		if n["free"] != 2 || n["twice"] != 2 {
			t.Errorf("computed %v times in 21 s", n)
		}
	})
}

// Inputs before outputs, whatever their order in the file; each once a batch.
func TestComputedPointsFollowTheirInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points = append(site.Points, computed(t, "twice", "2 * free", "free"), computed(t, "free", "20 - level", "level"))
		b := newBench(t, site, newFold(), nil)
		b.good("level", 3)
		b.good("level", 4)
		if r := b.latest("twice"); r.Value.Float() != 32 {
			t.Errorf("twice is %v", r)
		}
		n := 0
		for _, r := range b.stored {
			if r.Point == "twice" {
				n++
			}
		}
		if n != 2 {
			t.Errorf("computed %d times for two samples", n)
		}
	})
}

// An offline unit's points are told as comm each cycle, and all at once when it goes.
func TestAnOfflineUnitIsCommEachCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "a", timeout: 500 * time.Millisecond, dead: true}
		du := u.unit(time.Second)
		du.Polls = append(du.Polls, drivers.Poll{Every: time.Hour, Points: []string{"slow"}, Driver: &fakeUnit{id: "slow", cost: time.Millisecond}})
		c := &collect{}
		turnFor(t, loopOf(&fakeBus{units: []drivers.Unit{du}}, c), func() { time.Sleep(2 * time.Minute) })
		if n := len(c.of("a")); n < 110 {
			t.Errorf("told %d times in 2 min", n)
		}
		if rs := c.of("slow"); len(rs) < 2 || rs[1].Quality != drivers.Comm || rs[1].At.Sub(rs[0].At) > 10*time.Second {
			t.Errorf("its other poll, due each hour: %v", rs)
		}
	})
}

func TestAUnitThatIsBackIsReadAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "a", cost: time.Millisecond, timeout: 500 * time.Millisecond, dead: true}
		du := u.unit(time.Second)
		slow := &fakeUnit{id: "slow", cost: time.Millisecond}
		du.Polls = append(du.Polls, drivers.Poll{Every: time.Hour, Points: []string{"slow"}, Driver: slow})
		c := &collect{}
		turnFor(t, loopOf(&fakeBus{units: []drivers.Unit{du}}, c), func() {
			time.Sleep(time.Minute)
			u.kill(false)
			time.Sleep(31 * time.Second)
		})
		if rs := c.of("slow"); rs[len(rs)-1].Quality != drivers.Good {
			t.Errorf("what is read each hour waits for it: %v", rs)
		}
	})
}

// A line that is never idle still gives the dead no more than their share.
func TestTheDeadOnABusyLineTakeNoMoreThanTheirShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		living := &fakeUnit{id: "living", cost: 80 * time.Millisecond}
		units := []drivers.Unit{living.unit(100 * time.Millisecond)}
		for i := range 15 {
			u := &fakeUnit{id: string(rune('a' + i)), timeout: 500 * time.Millisecond, dead: true}
			units = append(units, u.unit(time.Minute))
		}
		turnFor(t, loopOf(&fakeBus{units: units}, &collect{}), func() {
			time.Sleep(10 * time.Minute) // all are offline
			before := living.asked()
			time.Sleep(5 * time.Minute)
			if n := living.asked() - before; n < 3000*85/100 {
				t.Errorf("the living was read %d times of 3000", n)
			}
		})
	})
}

func (u *fakeUnit) asked() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.reads)
}

// A contact that does not follow is no success.
func TestAnOutputThatReadsBackOtherwiseIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := loopOf(&fakeBus{}, &collect{})
		b.lines = []*line{{id: "welded", out: welded{}}}
		var told []error
		b.report = func(s switched) { told = append(told, s.Err) }
		turnFor(t, b, func() { b.mail.want("welded", true); time.Sleep(time.Second) })
		if len(told) != 1 || told[0] == nil {
			t.Errorf("told %v", told)
		}
	})
}

// welded takes every wish and is off.
type welded struct{}

func (welded) Set(context.Context, bool) error          { return nil }
func (welded) Get(context.Context) (on bool, err error) { return false, nil }

// What the judge has just asked for goes before what is only tried again.
func TestAFreshWishGoesBeforeRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := loopOf(&fakeBus{}, &collect{})
		for _, id := range []string{"a", "b", "c", "d"} {
			o := &slowOutput{cost: 500 * time.Millisecond}
			o.fail = errors.New("no answer")
			b.lines = append(b.lines, &line{id: id, out: o})
			b.mail.want(id, true)
		}
		out := &fakeOutput{}
		b.lines = append(b.lines, &line{id: "cutoff", out: out})
		turnFor(t, b, func() {
			for i := range 20 {
				time.Sleep(1700 * time.Millisecond)
				out.mu.Lock()
				out.sets = nil
				out.mu.Unlock()
				b.mail.want("cutoff", i%2 == 0)
				wished := time.Now()
				time.Sleep(2 * time.Second)
				out.mu.Lock()
				if len(out.sets) == 0 || out.sets[0].Sub(wished) > 500*time.Millisecond {
					t.Errorf("wished at %v, switched %v", wished, out.sets)
				}
				out.mu.Unlock()
			}
		})
	})
}

func TestTwoWishesGoBeforeThePolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, v := &fakeUnit{id: "a", cost: 400 * time.Millisecond}, &fakeUnit{id: "b", cost: 400 * time.Millisecond}
		siren, cutoff := &fakeOutput{}, &fakeOutput{}
		b := loopOf(&fakeBus{units: []drivers.Unit{u.unit(100 * time.Millisecond), v.unit(100 * time.Millisecond)}}, &collect{})
		b.lines = []*line{{id: "cutoff", out: cutoff}, {id: "siren", out: siren}}
		var wished time.Time
		turnFor(t, b, func() {
			time.Sleep(10100 * time.Millisecond)
			wished = time.Now()
			b.mail.want("siren", true)
			b.mail.want("cutoff", true)
			time.Sleep(time.Second)
		})
		if took := siren.sets[0].Sub(wished); took > 400*time.Millisecond || cutoff.sets[0].After(siren.sets[0]) {
			t.Errorf("switched after %v", took)
		}
	})
}

func TestAFoldKnowsTheNewestTimeAndTheOffsets(t *testing.T) {
	f := newFold()
	for _, at := range []event.Stamp{{Boot: 1, M: 10, T: 1010, Known: true}, {Boot: 1, M: 20}, {Boot: 1, M: 30, T: 1005, Known: true}} {
		f.add(event.Parsed{Event: event.Event{Kind: "clock"}, Stamp: at})
	}
	if f.Newest != 1010 || f.Offsets[1] != 975 {
		t.Errorf("%+v", f)
	}
	for b := range uint32(2 * boots) {
		f.add(event.Parsed{Event: event.Event{Kind: "clock"}, Stamp: event.Stamp{Boot: b + 2, T: 1, Known: true}})
	}
	if _, newest := f.Offsets[2*boots+1]; len(f.Offsets) != boots || !newest {
		t.Errorf("%d offsets, of the newest boot: %v", len(f.Offsets), newest)
	}
}
