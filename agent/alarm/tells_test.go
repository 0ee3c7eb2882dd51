package alarm

import (
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

func TestWhatAChangeTells(t *testing.T) {
	a := newOf(above(both(outside, latches)))
	want := func(c Change, want Change) {
		t.Helper()
		want.Level = Red
		if c != want {
			t.Errorf("\n got %+v\nwant %+v", c, want)
		}
	}
	v := drivers.NumberValue
	c, _ := a.Step(Sample{At: 1, Value: v(5)})
	want(c, Change{At: 1, What: WasRaised, From: Normal, To: Active, Value: v(5), Limit: 6, HasLimit: true})
	c, _ = a.Step(Sample{At: 2, Value: v(7)})
	want(c, Change{At: 2, What: WasCleared, From: Active, To: Cleared, Value: v(7), Limit: 6, HasLimit: true})
	c, _ = a.Ack(3)
	want(c, Change{At: 3, What: WasAcked, From: Cleared, To: Cleared, Acked: true, Value: v(7), Limit: 6, HasLimit: true})
	c, _ = a.Step(Sample{At: 4, Quality: drivers.Over})
	want(c, Change{At: 4, What: WasRaised, From: Cleared, To: Active, Quality: drivers.Over, Limit: 10, HasLimit: true})
	if m := a.Memory(); m != (Memory{State: Active, Level: Red, Raised: 4, Limit: 10, HasLimit: true}) {
		t.Errorf("memory %+v", m)
	}
	c, _ = a.Ack(5)
	want(c, Change{At: 5, What: WasAcked, From: Active, To: Acked, Acked: true, Quality: drivers.Over, Limit: 10, HasLimit: true})
	a.Step(Sample{At: 6, Value: v(8)})
	c, _ = a.Reset(7)
	want(c, Change{At: 7, What: WasReset, From: Cleared, To: Normal, Acked: true, Value: v(8), Limit: 10, HasLimit: true})
	if a.Asks() || a.Acknowledged() {
		t.Error("after the reset it still asks for outputs, or is acknowledged")
	}
}

// Promise 4: a refusal says why.
func TestRefusals(t *testing.T) {
	latched, delayed := above(latches), above(both(latches, waits(2*second)))
	for _, c := range []struct {
		story     string
		def       Def
		in        string // as in a timeline
		ack, rest string // part of the reason; empty: not refused
	}{
		{"normal", latched, ".", "not raised", "not raised"},
		{"active", latched, "^", "", "not over"},
		{"active, under its limit but not clear", latched, "^-", "", "not over"},
		{"acknowledged", latched, "^a", "already", "not over"},
		{"cleared", latched, "^.", "", ""},
		{"cleared and acknowledged", latched, "^.a", "already", ""},
		{"bad", latched, "^.x", "", "pond.level is bad (comm)"},
		{"under test", latched, "^.t", "", "pond.level is bad (test)"},
		{"over its range", delayed, "^^^.o", "", "pond.level is bad (over)"},
		{"beyond again", delayed, "^^^.^", "", "holds again"},
		{"started again", latched, "^.S", "", "has not been read since the start"},
		{"no latch", above(nil), "^", "", "no latch"},
	} {
		t.Run(c.story, func(t *testing.T) {
			a, _ := play(t, c.def, c.in)
			if _, err := a.Reset(99 * second); !refused(err, c.rest) {
				t.Errorf("reset: %v, want %q", err, c.rest)
			}
			a, _ = play(t, c.def, c.in)
			if _, err := a.Ack(99 * second); !refused(err, c.ack) {
				t.Errorf("ack: %v, want %q", err, c.ack)
			}
		})
	}
}

func refused(err error, why string) bool {
	if err == nil || why == "" {
		return err == nil && why == ""
	}
	return strings.Contains(err.Error(), why)
}

// A deadline that nobody ticked is told by the next sample, with its own time;
// what that sample ends is told by Tick, since a door may not move again.
func TestStepAfterAMissedDeadline(t *testing.T) {
	twelve, five := drivers.NumberValue(12), drivers.NumberValue(5)
	a := newOf(above(waits(3 * second)))
	a.Step(Sample{At: 1 * second, Value: twelve})
	c, ok := a.Step(Sample{At: 9 * second, Value: five})
	if !ok || c.What != WasRaised || c.At != 4*second || c.Value != twelve {
		t.Fatalf("change %+v (%v), want raised at 4 s by 12", c, ok)
	}
	if due, ok := a.Due(); !ok || due != 9*second {
		t.Fatalf("due at %v (%v), want at once", due, ok)
	}
	c, ok = a.Tick(10 * second)
	if !ok || c.What != IsNormal || c.At != 9*second || c.Value != five {
		t.Fatalf("change %+v (%v), want normal at 9 s by 5", c, ok)
	}
	if due, ok := a.Due(); ok {
		t.Fatalf("something is due at %v, want nothing", due)
	}
}

// A new sample counts more than an end that nobody has told yet.
func TestBeyondAgainAfterAMissedDeadline(t *testing.T) {
	a := newOf(above(waits(3 * second)))
	for i, v := range []float64{12, 5, 12} {
		a.Step(Sample{At: time.Duration(i) * 9 * second, Value: drivers.NumberValue(v)})
	}
	if c, ok := a.Tick(99 * second); ok || a.State() != Active {
		t.Fatalf("%v by %+v, want active", a.State(), c)
	}
}

func TestWords(t *testing.T) {
	for s := Normal; s <= Cleared; s++ {
		if got, ok := ParseState(s.String()); !ok || got != s {
			t.Errorf("ParseState(%q) = %v, %v", s.String(), got, ok)
		}
	}
	for l := Blue; l <= Red; l++ {
		if got, ok := ParseLevel(l.String()); !ok || got != l {
			t.Errorf("ParseLevel(%q) = %v, %v", l.String(), got, ok)
		}
	}
	if _, ok := ParseState("raised"); ok {
		t.Error("raised is no state")
	}
	if _, ok := ParseLevel(""); ok {
		t.Error("the empty word is no level")
	}
}

func TestSame(t *testing.T) {
	d := above(nil)
	d.Do = []string{"siren"}
	for story, change := range map[string]func(*Def){
		"limit":     func(d *Def) { d.Limit[0] = 11 },
		"for":       waits(second),
		"clear-for": clearsAfter(second),
		"latch":     latches,
		"do":        func(d *Def) { d.Do = []string{"siren", "horn"} },
		"level":     func(d *Def) { d.Level = Orange },
	} {
		o := d
		change(&o)
		if d.Same(&o) {
			t.Errorf("another %s judges alike", story)
		}
	}
	o := d
	o.Line, o.Name, o.Do = 99, "库水位", []string{"siren"}
	if !d.Same(&o) {
		t.Error("another line or name makes another alarm")
	}
}

// Promise 8.
func TestStepDoesNotAllocate(t *testing.T) {
	for _, d := range []Def{above(nil), above(both(outside, waits(second))), above(fault(second))} {
		a := New(&d)
		at := time.Duration(0)
		if n := testing.AllocsPerRun(1000, func() {
			at += second / 3
			s := Sample{At: at, Value: drivers.NumberValue(float64(at % 13))}
			if at%7 == 0 {
				s = Sample{At: at, Quality: drivers.Comm}
			}
			a.Tick(at)
			a.Step(s)
		}); n != 0 {
			t.Errorf("%v: %v allocations a sample, want none", d.Condition, n)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, d := range []Def{above(waits(second)), above(fault(time.Minute))} {
		b.Run(d.Condition.String(), func(b *testing.B) {
			a := New(&d)
			v := [...]drivers.Value{drivers.NumberValue(5), drivers.NumberValue(9), drivers.NumberValue(12)}
			b.ReportAllocs()
			at := time.Duration(0)
			for b.Loop() {
				at += second
				a.Step(Sample{At: at, Value: v[int(at/second)%len(v)]})
			}
		})
	}
}
