// Package conform is the test that every kind of bus passes. It knows no kind:
// it holds a drivers.Bus to what the interface promises, so that the loop above
// may rely on it whatever is on the other end of the wire.
//
//  1. Opening touches no hardware: a bus that is not there opens like any other.
//  2. Read returns one reading for each point of its poll, whatever happened.
//  3. A bad reading carries no value, a good one does.
//  4. At lies between the call and its return, and carries the monotonic clock.
//  5. Where nothing answers, all readings are bad and the error says why.
//  6. A cancelled context ends a call promptly.
//  7. An output that is not on the bus is nil; what is set can be read back.
//  8. Closing twice is no error, and after it nothing reads good.
package conform

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

// prompt is how long a call may take after its context has ended, at one of
// several tries on a busy machine: shorter than any timeout of a device. What ends
// only once must end within patience.
const (
	prompt   = 400 * time.Millisecond
	tries    = 10
	patience = time.Minute
)

// A Subject is a kind of bus as its package sets it up. Each function opens a
// new bus from a configuration and lets what it started end with the test.
type Subject struct {
	// Open opens a bus whose points all read good and whose outputs switch.
	Open func(t *testing.T) drivers.Bus
	// Dead opens the same bus where nothing answers; nil where a kind has no
	// such state.
	Dead func(t *testing.T) drivers.Bus
	// Outputs are the ids of the outputs on it.
	Outputs []string
}

// Check runs all tests. It must not be called within a synctest bubble.
func Check(t *testing.T, s Subject) {
	t.Helper()
	t.Run("units are whole", func(t *testing.T) { checkUnits(t, s.Open(t)) })
	t.Run("every point reads", func(t *testing.T) { checkReads(t, s.Open(t)) })
	t.Run("a cancelled read returns", func(t *testing.T) { checkCancelled(t, s.Open(t)) })
	t.Run("outputs switch", func(t *testing.T) { checkOutputs(t, s.Open(t), s.Outputs) })
	t.Run("close is final", func(t *testing.T) { checkClose(t, s.Open(t)) })
	t.Run("watch ends", func(t *testing.T) { checkWatch(t, s.Open(t)) })
	if s.Dead == nil {
		return
	}
	t.Run("nothing answers", func(t *testing.T) { checkDead(t, s.Dead(t), s.Outputs) })
	t.Run("a cancelled read of nothing returns", func(t *testing.T) { checkCancelled(t, s.Dead(t)) })
	t.Run("watching nothing ends", func(t *testing.T) { checkWatch(t, s.Dead(t)) })
	t.Run("nothing closes", func(t *testing.T) { checkClose(t, s.Dead(t)) })
}

func checkUnits(t *testing.T, b drivers.Bus) {
	defer shut(t, b)
	ids, points := map[string]bool{}, map[string]bool{}
	for _, u := range b.Units() {
		if u.ID == "" || ids[u.ID] {
			t.Errorf("unit %q: every unit has an id of its own", u.ID)
		}
		ids[u.ID] = true
		for _, p := range u.Polls {
			if p.Every <= 0 || p.Driver == nil || len(p.Points) == 0 {
				t.Errorf("unit %s: a poll has a period, a driver and points: %+v", u.ID, p)
			}
			for _, id := range p.Points {
				if points[id] {
					t.Errorf("point %s is in two polls", id)
				}
				points[id] = true
			}
		}
	}
	if len(points) == 0 {
		t.Error("a bus to check needs points")
	}
}

func checkReads(t *testing.T, b drivers.Bus) {
	defer shut(t, b)
	for round := range 2 {
		eachPoll(b, func(u drivers.Unit, p drivers.Poll) {
			if round > 0 {
				time.Sleep(u.Pause)
			}
			rs, err := read(t, t.Context(), p)
			if err != nil {
				t.Errorf("unit %s: %v", u.ID, err)
			}
			for _, r := range rs {
				if r.Quality != drivers.Good {
					t.Errorf("%s reads %v", r.Point, r.Quality)
				}
			}
		})
	}
}

func checkDead(t *testing.T, b drivers.Bus, outputs []string) {
	defer shut(t, b)
	eachPoll(b, func(u drivers.Unit, p drivers.Poll) {
		rs, err := read(t, t.Context(), p)
		if err == nil {
			t.Errorf("unit %s: nothing answered, and no error says so", u.ID)
		}
		if f := drivers.FaultOf(err); err != nil && f.Quality == drivers.Good {
			t.Errorf("unit %s: a fault can't be good: %v", u.ID, f)
		}
		allBad(t, rs)
	})
	for _, id := range outputs {
		if o := b.Output(id); o == nil {
			t.Errorf("output %s is nil", id)
		} else if err := o.Set(t.Context(), true); err == nil {
			t.Errorf("output %s: nothing is there, yet Set says it is done", id)
		} else if _, err := o.Get(t.Context()); err == nil {
			t.Errorf("output %s: nothing is there, yet Get has an answer", id)
		}
	}
}

func checkCancelled(t *testing.T, b drivers.Bus) {
	defer shut(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	eachPoll(b, func(u drivers.Unit, p drivers.Poll) {
		inTime(t, "Read of "+u.ID, func() { _, _ = read(t, ctx, p) })
		if u.Probe != nil {
			inTime(t, "Probe of "+u.ID, func() { _ = u.Probe(ctx) })
		}
	})
}

func checkOutputs(t *testing.T, b drivers.Bus, ids []string) {
	defer shut(t, b)
	if o := b.Output("no.such.output"); o != nil {
		t.Errorf("an output that is not there is %#v, want nil", o)
	}
	for _, id := range ids {
		o := b.Output(id)
		if o == nil {
			t.Errorf("output %s is nil", id)
			continue
		}
		for _, on := range []bool{true, true, false, true, false} {
			if err := o.Set(t.Context(), on); err != nil {
				t.Fatalf("output %s: Set(%v): %v", id, on, err)
			}
			got, err := o.Get(t.Context())
			if errors.Is(err, errors.ErrUnsupported) {
				continue
			}
			if err != nil || got != on {
				t.Errorf("output %s: set %v, read back %v, %v", id, on, got, err)
			}
		}
	}
}

func checkClose(t *testing.T, b drivers.Bus) {
	eachPoll(b, func(_ drivers.Unit, p drivers.Poll) { _, _ = read(t, t.Context(), p) })
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	eachPoll(b, func(_ drivers.Unit, p drivers.Poll) {
		rs, _ := read(t, t.Context(), p)
		allBad(t, rs)
	})
	if err := b.Close(); err != nil {
		t.Errorf("Close after a Read: %v", err)
	}
}

func checkWatch(t *testing.T, b drivers.Bus) {
	w, ok := b.(drivers.Watcher)
	if !ok {
		b.Close()
		t.Skip("not a Watcher")
	}
	defer shut(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- w.Watch(ctx, func(rs []drivers.Reading) {
			for _, r := range rs {
				sound(t, r)
			}
		})
	}()
	eachPoll(b, func(_ drivers.Unit, p drivers.Poll) { _, _ = read(t, t.Context(), p) })
	cancel()
	select {
	case <-done: // with an error where the bus is not there
	case <-time.After(patience):
		t.Errorf("Watch goes on after its context has ended")
	}
}

// read reads one poll and holds what comes to promises 2 to 4.
func read(t *testing.T, ctx context.Context, p drivers.Poll) ([]drivers.Reading, error) {
	t.Helper()
	before := time.Now()
	rs, err := p.Driver.Read(ctx)
	after := time.Now()
	left := map[string]bool{}
	for _, id := range p.Points {
		left[id] = true
	}
	for _, r := range rs {
		if !left[r.Point] {
			t.Errorf("a reading of %q, which is none of the poll's points or came before", r.Point)
		}
		delete(left, r.Point)
		sound(t, r)
		if r.At.Before(before) || r.At.After(after) {
			t.Errorf("%s is of %v, read between %v and %v", r.Point, r.At, before, after)
		}
	}
	for id := range left {
		t.Errorf("no reading of %s", id)
	}
	return rs, err
}

func sound(t *testing.T, r drivers.Reading) {
	t.Helper()
	carries := r.Quality == drivers.Good || r.Quality == drivers.Test
	if carries != (r.Value.Kind() != drivers.None) {
		t.Errorf("%s is %v with the value %v", r.Point, r.Quality, r.Value)
	}
	if !strings.Contains(r.At.String(), " m=") {
		t.Errorf("%s: time %v has no monotonic part", r.Point, r.At)
	}
}

func allBad(t *testing.T, rs []drivers.Reading) {
	t.Helper()
	for _, r := range rs {
		if r.Quality == drivers.Good {
			t.Errorf("%s reads good: %v", r.Point, r.Value)
		}
	}
}

func eachPoll(b drivers.Bus, do func(drivers.Unit, drivers.Poll)) {
	for _, u := range b.Units() {
		for _, p := range u.Polls {
			do(u, p)
		}
	}
}

func inTime(t *testing.T, what string, do func()) {
	t.Helper()
	best := patience
	for i := 0; i < tries && best > prompt; i++ {
		start := time.Now()
		do()
		best = min(best, time.Since(start))
	}
	if best > prompt {
		t.Errorf("%s took %v after its context had ended", what, best)
	}
}

func shut(t *testing.T, b drivers.Bus) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
