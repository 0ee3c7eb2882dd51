package agent

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/drivers"
)

// A trip that was on, and whose alarm has a delay, is not let go by the first
// good sample when that one lies beyond the limit.
func TestAHeldTripStaysWhileADelayRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points[0].Alarms[0].For = 3 * time.Second
		b := newBench(t, site, newFold(), nil)
		b.good("feed", 0)
		b.good("ch4", 2)
		if !b.outs["cutoff"] {
			t.Fatal("a sample beyond the limit released the trip")
		}
		time.Sleep(3100 * time.Millisecond)
		b.want("output:cutoff=on ch4/cut=active")
		b.good("ch4", 0.2)
		if err := b.do(func() error { return b.reset("ch4/cut", "me", "") }); err != nil {
			t.Fatal(err)
		}
		b.want("ch4/cut=cleared ch4/cut=normal output:cutoff=off")
	})
}

// A person may let go of what no alarm can release any more, but not in the
// place of an alarm whose sensor has said nothing.
func TestAPersonLetsGoOfAStuckTripOnlyOnceItsOtherAlarmsAreOver(t *testing.T) {
	f := newFold()
	f.Outputs["cutoff"] = switchedTo{On: true, Stuck: "ch4/old"}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), f, nil)
		reset := func() error { return b.do(func() error { return b.reset("cutoff", "me", "") }) }
		if reset() == nil || !b.outs["cutoff"] {
			t.Error("let go before its sensor was read")
		}
		b.bad("ch4", drivers.Comm)
		if reset() == nil || !b.outs["cutoff"] {
			t.Error("let go while its sensor is silent")
		}
		b.good("ch4", 0.2)
		if !b.outs["cutoff"] {
			t.Error("a good sample let go of a trip that is stuck")
		}
		if err := reset(); err != nil || b.outs["cutoff"] {
			t.Errorf("its alarms are over on a good sample, a person resets it, and: %v", err)
		}
	})
}

func TestATripThatNoAlarmNamesIsForAPersonToRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points[0].Alarms = nil
		b := newBench(t, site, newFold(), nil)
		b.good("ch4", 0.2)
		b.good("feed", 0)
		time.Sleep(time.Minute)
		if !b.outs["cutoff"] {
			t.Fatal("on-start: on, no alarm names it, and it was released")
		}
		if err := b.do(func() error { return b.reset("cutoff", "me", "") }); err != nil || b.outs["cutoff"] {
			t.Errorf("a person can't release it: %v", err)
		}
	})
}

// Both alarms that name a trip must have spoken, not one of them.
func TestATripIsHeldUntilEachOfItsAlarmsHasSpoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points[1].Alarms[0].Do = []string{"cutoff"}
		b := newBench(t, site, newFold(), nil)
		b.good("ch4", 0.2)
		if !b.outs["cutoff"] {
			t.Fatal("released although level was not read yet")
		}
		b.good("level", 3)
		if b.outs["cutoff"] {
			t.Error("held although both have spoken")
		}
	})
}

func TestARestartDoesNotClearAnOutputsFault(t *testing.T) {
	f := newFold()
	f.Outputs["siren"] = switchedTo{}
	f.Alarms["output:siren/fault"] = remembered{State: alarm.Active.String(), Boot: 1}
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points, site.Outputs = nil, site.Outputs[1:2]
		b := newBench(t, site, f, nil)
		b.want("output:siren/fault=normal") // the bench's bus has just written it
	})
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points, site.Outputs = nil, site.Outputs[1:2]
		b := newDeadBench(t, site, f)
		time.Sleep(time.Minute)
		b.want("")
		b.done <- switched{Output: "siren", Err: errors.New("no answer")}
		b.want("")
		b.done <- switched{Output: "siren"}
		b.want("output:siren/fault=normal")
	})
}

// A bus loop that hangs, or has no such output, is no reason to be silent.
func TestAnOutputThatNobodyWritesIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points, site.Outputs = nil, site.Outputs[1:2]
		b := newDeadBench(t, site, newFold())
		time.Sleep(4 * time.Second)
		b.want("")
		time.Sleep(2 * time.Second)
		b.want("output:siren/fault=active")
	})
}

// A report on an older wish says nothing of the one that stands.
func TestAnOlderReportIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points, site.Outputs = nil, site.Outputs[1:2]
		b := newDeadBench(t, site, newFold())
		b.done <- switched{Output: "siren", On: true}
		time.Sleep(6 * time.Second)
		b.want("output:siren/fault=active")
	})
}

// A state file that can't be read does not release a trip: on-start is for a
// first start.
func TestALostStateReleasesNoTrip(t *testing.T) {
	for _, c := range []struct {
		story string
		lost  bool
		do    func(*bench)
		want  string // what was written: nothing, on or off
	}{
		{"a first start", false, func(*bench) {}, "off"},
		{"nothing was read yet", true, func(b *bench) { b.sleep(2 * time.Second) }, ""},
		{"the sensor is bad", true, func(b *bench) { b.bad("ch4", drivers.Comm); b.sleep(5 * time.Second) }, ""},
		{"it is bad for longer than its fault takes", true, func(b *bench) { b.bad("ch4", drivers.Comm); b.sleep(15 * time.Second) }, "on"},
		{"a sample between the limits", true, func(b *bench) { b.good("ch4", 1.2) }, ""},
		{"a sample beyond the limit", true, func(b *bench) { b.good("ch4", 2) }, "on"},
		{"a good sample on the safe side", true, func(b *bench) { b.good("ch4", 0.2) }, "off"},
	} {
		synctest.Test(t, func(t *testing.T) {
			site := pit()
			no := false
			site.Outputs[0].OnStart = &no
			site.Outputs[0].Verify.Else = new(drivers.NumberValue(1))
			b := startBench(t, &bench{t: t, lost: c.lost}, site, newFold(), nil)
			b.good("feed", 0) // as it is while the cut-off is on
			c.do(b)
			b.settled()
			got := ""
			if on, written := b.outs["cutoff"]; written {
				got = onOff(on)
			}
			if got != c.want {
				t.Errorf("%s: written %q, want %q", c.story, got, c.want)
			}
		})
	}
}
