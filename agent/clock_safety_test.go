package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/drivers"
)

func TestTheNumberOfABoot(t *testing.T) {
	of := func(boots ...uint32) (ls []record.Last) {
		for _, b := range boots {
			ls = append(ls, record.Last{Boot: b})
		}
		return ls
	}
	for _, c := range []struct {
		story  string
		boot   uint32
		id     string
		now    string
		stored []record.Last
		want   uint32
	}{
		{"the first start", 0, "", "a", nil, 1},
		{"a restart within a boot", 4, "a", "a", of(3, 4), 4},
		{"another boot", 4, "a", "b", of(4), 5},
		{"a kernel that doesn't say", 4, "", "", of(4), 5},
		{"another boot, and its start event was lost", 4, "a", "b", of(4, 5), 6},
		{"the same boot, and its start event was lost", 4, "a", "a", of(5), 6},
	} {
		if got := nextBoot(&fold{Boot: c.boot, BootID: c.id}, c.now, c.stored); got != c.want {
			t.Errorf("%s: boot %d, want %d", c.story, got, c.want)
		}
	}
}

// Any event of a boot shows that its number is taken.
func TestAFoldKnowsABootByAnyEvent(t *testing.T) {
	f := newFold()
	f.add(event.Parsed{Event: event.Event{Kind: "start"}, Stamp: event.Stamp{Boot: 3}})
	f.add(event.Parsed{Event: event.Event{Kind: "output", ID: "output:x", State: "on"}, Stamp: event.Stamp{Boot: 4}})
	if f.Boot != 4 {
		t.Errorf("boot %d", f.Boot)
	}
}

func TestAClockIsUnknownSyncedAndFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(0, false)
		now := time.Now()
		c.least = now.UnixMilli()
		if c.Check(wall{now, now.UnixMilli(), true}) || c.Now().Clock != record.Synced || c.Now().T != now.UnixMilli() {
			t.Errorf("synced: %+v", c.Now())
		}
		off := c.offset.Load()
		if !c.Check(wall{now, now.Add(-time.Hour).UnixMilli(), true}) || c.Now().Known() || c.Now().T != 0 {
			t.Errorf("set back behind what is known to have been: %+v", c.Now())
		}
		if c.offset.Load() != off {
			t.Error("a time that can't be moves the offset by which others still reckon")
		}
		if !c.Check(wall{now, now.UnixMilli(), false}) || c.Now().Clock != record.Free {
			t.Errorf("known again, and not told: %+v", c.Now())
		}
		if !c.Check(wall{now, now.Add(10 * time.Minute).UnixMilli(), false}) {
			t.Error("a step of ten minutes, and not told")
		}
		if !c.Check(wall{now, now.UnixMilli(), false}) || c.Now().Known() || !c.TLS().Equal(time.UnixMilli(now.Add(10*time.Minute).UnixMilli())) {
			t.Errorf("set back by somebody: %+v, certificates are judged by %v", c.Now(), c.TLS())
		}
		if !c.Check(wall{now, now.UnixMilli(), true}) || c.Now().Clock != record.Synced || c.Now().T != now.UnixMilli() {
			t.Errorf("the kernel knows better: %+v", c.Now())
		}
		c.Check(wall{now, now.Add(time.Minute).UnixMilli(), true})
		if c.Check(wall{now, now.Add(time.Minute - 200*time.Millisecond).UnixMilli(), false}) || c.Now().Clock != record.Free {
			t.Errorf("a fifth of a second is no step: %+v", c.Now())
		}
		c.Check(wall{now, now.UnixMilli(), true})
		m := c.Now().M
		time.Sleep(5 * time.Second)
		if got := c.Now(); got.M != m+5000 || got.T != now.UnixMilli()+5000 {
			t.Errorf("after five seconds: %+v", got)
		}
	})
}

func TestTheNewestStoredReadingBoundsTheClock(t *testing.T) {
	last := map[string]record.Last{
		"a": {Reading: record.Reading{M: 10}, Clock: record.Synced, Offset: 1000},
		"b": {Reading: record.Reading{M: 5000}, Clock: record.Unknown},
	}
	if got := newest(last); got != 1010 {
		t.Errorf("%d", got)
	}
}

func TestALoopThatHangsIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "a", timeout: 5 * time.Minute, dead: true}
		b := loopOf(&fakeBus{units: []drivers.Unit{u.unit(time.Second)}}, &collect{})
		turnFor(t, b, func() {
			time.Sleep(2 * time.Minute)
			if b.stands() < 2*time.Minute-time.Second {
				t.Errorf("it stands for %v", b.stands())
			}
			u.kill(false)
			time.Sleep(10 * time.Minute)
			if b.stands() > time.Minute {
				t.Errorf("it turns again, and is said to stand for %v", b.stands())
			}
		})
	})
}
