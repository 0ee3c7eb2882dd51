package alarm

import (
	"math"
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

// Promise 5: each side of each comparison, for values as they come from a
// device: a float32, a scaled integer, a current loop.
func TestLimitsAsDevicesTellThem(t *testing.T) {
	f32 := func(f float32) drivers.Value { return drivers.NumberValue(float64(f)) }
	scaled := func(mul, add float64, raw uint64) drivers.Value {
		s := drivers.Scale{Linear: true, Mul: mul, Add: add, Decimals: -1}
		v, q := s.Apply(drivers.UintValue(raw), raw)
		if q != drivers.Good {
			t.Fatalf("raw %d is %v", raw, q)
		}
		return v
	}
	loop := func(raw uint64) drivers.Value { return scaled(4.0/16000, -1, raw) } // 4000..20000 is 0..4 %CH4

	type said struct{ above, below, outside verdict }
	under := said{above: isSafe, below: isBeyond, outside: isBeyond}
	on := said{above: isBeyond, below: isBeyond, outside: isSafe}
	over := said{above: isBeyond, below: isSafe, outside: isBeyond}
	for _, c := range []struct {
		story string
		limit float64
		value drivers.Value
		want  said
	}{
		{"f32 1.0", 1.0, f32(1.0), on},
		{"f32 1.1, which is not 1.1", 1.1, f32(1.1), over}, // drivers take the shortest decimal before
		{"f32 1.5", 1.5, f32(1.5), on},
		{"f32 next under 1.0", 1.0, f32(math.Nextafter32(1, 0)), under},
		{"f32 next over 1.5", 1.5, f32(math.Nextafter32(1.5, 2)), over},
		{"0.01 a step: 1.00", 1.0, scaled(0.01, 0, 100), on},
		{"0.01 a step: 0.99", 1.0, scaled(0.01, 0, 99), under},
		{"0.01 a step: 1.01", 1.0, scaled(0.01, 0, 101), over},
		{"0.001 a step: 1.500", 1.5, scaled(0.001, 0, 1500), on},
		{"0.1 a step: 0.3, that binary can't hold", 0.3, scaled(0.1, 0, 3), on},
		{"4-20 mA: 8 mA is 1.00", 1.0, loop(8000), on},
		{"4-20 mA: 10 mA is 1.50", 1.5, loop(10000), on},
		{"4-20 mA: a step under 1.00", 1.0, loop(7999), under},
		{"4-20 mA: a step over 1.50", 1.5, loop(10001), over},
		{"an integer as it is", 3, drivers.IntValue(3), on},
		{"a truth is 1", 1, drivers.BoolValue(true), on},
		{"just within the allowance, under", 1.0, drivers.NumberValue(1 - 0.9e-9), on},
		{"just within the allowance, over", 1.0, drivers.NumberValue(1 + 0.9e-9), on},
		{"just beyond it, under", 1.0, drivers.NumberValue(1 - 1.1e-9), under},
		{"just beyond it, over", 1.0, drivers.NumberValue(1 + 1.1e-9), over},
		{"a large level", 1248.0, drivers.NumberValue(1248.0000001), on},
		{"not a number", 1.0, drivers.NumberValue(math.NaN()), said{}},
		{"a text", 1.0, drivers.TextValue("1.0"), said{}},
		{"no value", 1.0, drivers.Value{}, said{}},
	} {
		t.Run(c.story, func(t *testing.T) {
			s := Sample{Value: c.value}
			ends := [2]float64{c.limit, c.limit}
			got := said{
				New(Def{Condition: Above, Limit: ends, Clear: ends}).judge(s),
				New(Def{Condition: Below, Limit: ends, Clear: ends}).judge(s),
				New(Def{Condition: Outside, Limit: ends, Clear: ends}).judge(s),
			}
			if got != c.want {
				t.Errorf("%v at limit %v: %+v, want %+v", c.value, c.limit, got, c.want)
			}
		})
	}
}

// The clear limit is passed only beyond its allowance.
func TestClearLimits(t *testing.T) {
	d := Def{Limit: [2]float64{1.5, 2.5}, Clear: [2]float64{1.0, 2.0}}
	for _, c := range []struct {
		story     string
		condition Condition
		value     float64
		want      verdict
	}{
		{"above: on the clear limit", Above, 1.0, isBetween},
		{"above: on it, but for the allowance", Above, 1 - 0.9e-9, isBetween},
		{"above: under it", Above, 0.99, isSafe},
		{"outside: on the lower clear limit", Outside, 1.0, isBeyond},
		{"outside: on the upper clear limit", Outside, 2.0, isSafe},
		{"outside: between", Outside, 2.2, isBetween},
		{"outside: on the upper limit", Outside, 2.5, isBetween},
		{"outside: over it", Outside, 2.51, isBeyond},
	} {
		t.Run(c.story, func(t *testing.T) {
			d.Condition = c.condition
			if got := New(d).judge(Sample{Value: drivers.NumberValue(c.value)}); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
	d = Def{Condition: Below, Limit: [2]float64{1}, Clear: [2]float64{1.5}}
	for v, want := range map[float64]verdict{1: isBeyond, 1.2: isBetween, 1.5: isBetween, 1.5 + 1e-9: isBetween, 1.51: isSafe} {
		if got := New(d).judge(Sample{Value: drivers.NumberValue(v)}); got != want {
			t.Errorf("below at %v: verdict %d, want %d", v, got, want)
		}
	}
}

func TestEquals(t *testing.T) {
	big := uint64(1<<63 + 1)
	for _, c := range []struct {
		story       string
		equal, have drivers.Value
		want        verdict
	}{
		{"a truth", drivers.BoolValue(true), drivers.BoolValue(true), isBeyond},
		{"the other truth", drivers.BoolValue(true), drivers.BoolValue(false), isSafe},
		{"a truth that the file calls 1", drivers.NumberValue(1), drivers.BoolValue(true), isBeyond},
		{"false is a value", drivers.NumberValue(0), drivers.BoolValue(false), isBeyond},
		{"a code", drivers.UintValue(3), drivers.UintValue(3), isBeyond},
		{"a code that differs in its last bit", drivers.UintValue(big), drivers.UintValue(big - 1), isSafe},
		{"a code, written as a number", drivers.NumberValue(3), drivers.IntValue(3), isBeyond},
		{"a sum that binary can't hold", drivers.NumberValue(0.3), drivers.NumberValue(0.1 + 0.2), isBeyond},
		{"a text", drivers.TextValue("停"), drivers.TextValue("停"), isBeyond},
		{"another text", drivers.TextValue("停"), drivers.TextValue("运行"), isSafe},
		{"a text against a number", drivers.NumberValue(1), drivers.TextValue("1"), isSilent},
		{"no value is not 0", drivers.NumberValue(0), drivers.Value{}, isSilent},
	} {
		t.Run(c.story, func(t *testing.T) {
			a := New(Def{Condition: Equals, Equal: c.equal})
			if got := a.judge(Sample{Value: c.have}); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
}

func TestWhatAChangeTells(t *testing.T) {
	a := New(above(both(outside, latches)))
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
	if m := a.Memory(); m != (Memory{State: Active, Limit: 10, HasLimit: true}) {
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

// A deadline that nobody ticked is told by the next sample, with its own time.
func TestStepAfterAMissedDeadline(t *testing.T) {
	a := New(above(waits(3 * second)))
	a.Step(Sample{At: 1 * second, Value: drivers.NumberValue(12)})
	c, ok := a.Step(Sample{At: 9 * second, Value: drivers.NumberValue(5)})
	if !ok || c.What != WasRaised || c.At != 4*second || c.Value != drivers.NumberValue(12) {
		t.Fatalf("change %+v (%v), want raised at 4 s by 12", c, ok)
	}
	c, ok = a.Step(Sample{At: 10 * second, Value: drivers.NumberValue(5)})
	if !ok || c.What != IsNormal {
		t.Fatalf("change %+v (%v), want normal", c, ok)
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
		if d.Same(o) {
			t.Errorf("another %s judges alike", story)
		}
	}
	o := d
	o.Line, o.Name, o.Do = 99, "库水位", []string{"siren"}
	if !d.Same(o) {
		t.Error("another line or name makes another alarm")
	}
}

// Promise 8.
func TestStepDoesNotAllocate(t *testing.T) {
	for _, d := range []Def{above(nil), above(both(outside, waits(second))), above(fault(second))} {
		a := New(d)
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
			a := New(d)
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
