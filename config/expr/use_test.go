package expr

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"pithead/drivers"
)

// everything names every function, and every window once.
const everything = "if(pond.level > 1200 and valve == 'open' and mode <> 'closed', round(max(a, b, c) ^ 2, 1), 0) + (plc.text == '运行')" +
	" + sqrt(b) + pow(a, 2) + interp([[0, 1], [9, 2]], a) + avg(a, b) + median(a, b, c) + sum(a, b) + count(fan.run, a > 1)" +
	" + delta(a, 1h) + rate(b, 10m) + since(c, '08:00') + held(a > 1, 5m) + good(gas.ch4, 1) + vote(2, fan.run, fan.main, a > 1)" +
	" + avg(a, 10m) + min(a, 10m) + max(a, 10m) + median(a, 10m)"

// Promise 2.
func TestEvalDoesNotAllocate(t *testing.T) {
	e, err := Parse(everything, mine)
	if err != nil {
		t.Fatal(err)
	}
	u := e.Use()
	held := make([]Sample, len(e.Inputs()))
	for i, id := range e.Inputs() {
		held[i] = now[id]
	}
	get := func(i int) Sample { return held[i] }
	var at time.Duration
	n := testing.AllocsPerRun(5000, func() {
		at += time.Second
		for i := range held {
			held[i].At = at
		}
		u.Eval(Now{At: at, Local: at.Milliseconds(), Known: true, Mode: "running"}, get)
	})
	if n != 0 {
		t.Errorf("%v allocations an evaluation, want none", n)
	}
}

// Promise 2: what a window takes, whatever it is asked for.
func TestWindowsAreSmall(t *testing.T) {
	for _, src := range []string{"delta(a, 366d)", "rate(a, 1ms)", "since(a, '08:00')", "avg(a, 10m)", "median(a, 10m)"} {
		e, err := Parse(src, mine)
		if err != nil {
			t.Fatal(err)
		}
		w := e.Use().windows[0]
		bytes := cap(w.past.marks)*int(unsafe.Sizeof(mark{})) + cap(w.sums)*int(unsafe.Sizeof(sum{})) + cap(w.sorted)*8
		if bytes < 1000 || bytes > 8000 {
			t.Errorf("%s takes %d bytes, want 8 kB at most", src, bytes)
		}
	}
}

// A line of a story: a minute, what a and run hold then (x: bad, -: as before),
// and what the expression comes to (x: bad).
type line struct {
	minute float64
	a, run any
	want   any
}

const (
	bad  = "x"
	same = "-"
)

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		story, src string
		lines      []line
	}{
		{"a rise in an hour", "delta(a, 1h)", []line{
			{0, 10, 0, 0}, {20, 11, 0, 1}, {40, 13, 0, 3}, {60, 14, 0, 4}, {80, 14, 0, 3}, {100, 14, 0, 1}, {120, 14, 0, 0}}},
		{"a fall", "delta(a, 1h)", []line{{0, 10, 0, 0}, {30, 8, 0, -2}, {61, 7, 0, -3}, {91, 7, 0, -1}}},
		{"a rise is measured from the last good sample", "delta(a, 1h)", []line{
			{0, 10, 0, 0}, {30, bad, 0, bad}, {50, 12, 0, 2}, {50, same, 0, 2}}},
		{"over a gap longer than the window it compares with before", "delta(a, 1h)", []line{
			{0, 10, 0, 0}, {10, bad, 0, bad}, {300, 17, 0, 7}, {330, 18, 0, 8}, {360, 18, 0, 1}}},
		{"a sample of something else moves no window", "delta(a, 1h) + 0 * fan.run", []line{
			{0, 10, 0, 0}, {30, 11, 1, 1}, {100, same, 0, 1}, {101, 12, 0, 1}}},
		{"a rate is per hour", "rate(a, 10m)", []line{{0, 10, 0, 0}, {5, 11, 0, 6}, {10, 12, 0, 12}, {15, 12, 0, 6}, {20, 12, 0, 0}}},
		{"a rate over a gap is by its true length", "rate(a, 10m)", []line{{0, 10, 0, 0}, {60, 22, 0, 12}}},
		{"held", "held(fan.run, 5m)", []line{
			{0, 0, 0, no}, {1, 0, 1, no}, {5.9, 0, 1, no}, {6, 0, 1, yes}, {9, 0, 1, yes}, {10, 0, 0, no}, {11, 0, 1, no}, {16, 0, 1, yes}}},
		{"a bad sample begins held anew", "held(fan.run, 5m)", []line{
			{0, 0, 1, no}, {4, 0, bad, bad}, {4.1, 0, 1, no}, {6, 0, 1, no}, {9.1, 0, 1, yes}}},
		{"held of a rise", "held(delta(a, 10m) >= 2, 5m)", []line{
			{0, 0, 0, no}, {2, 2, 0, no}, {4, 2, 0, no}, {7, 4, 0, yes}, {10, 4, 0, yes}, {12.1, 4, 0, yes}, {17.1, 4, 0, no}}},
		{"held is looked at where it is not needed", "fan.run and held(a > 1, 5m)", []line{{0, 2, 0, no}, {6, 2, 1, yes}}},
		{"a window behind a fallback goes on", "good(a, delta(fan.run, 1h))", []line{{0, bad, 0, 0}, {1, bad, 1, 1}, {2, 5, 1, 5}, {3, bad, 1, 1}}},
		{"a bad window counts as unknown in a vote", "vote(1, delta(a, 1h) > 1, fan.run)", []line{{0, bad, 0, bad}, {1, bad, 1, yes}, {2, 5, 0, no}}},
		{"a mean of ten minutes", "avg(a, 10m)", []line{{0, 10, 0, 10}, {5, 20, 0, 15}, {9.9, 30, 0, 20}, {10, 40, 0, 30}, {30, 7, 0, 7}}},
		{"the least", "min(a, 10m)", []line{{0, 10, 0, 10}, {5, 20, 0, 10}, {10, 30, 0, 20}, {12, 15, 0, 15}}},
		{"the most", "max(a, 10m)", []line{{0, 30, 0, 30}, {5, 20, 0, 30}, {10, 10, 0, 20}}},
		{"a median lets one spike pass", "median(a, 10m)", []line{{0, 10, 0, 10}, {1, 11, 0, 10.5}, {2, 99, 0, 11}, {3, 11, 0, 11}, {20, 5, 0, 5}}},
		// The stories begin at 07:00 by the site's clock.
		{"rain of the day", "since(a, '08:00')", []line{
			{0, 100, 0, 0}, {59, 101, 0, 1}, {61, 103, 0, 2}, {500, 110, 0, 9}, {60 + 1439, 120, 0, 19}, {60 + 1440, 121, 0, 0}, {60 + 1441, 123, 0, 2}}},
		{"the sample that comes with the hour begins it", "since(a, '08:00')", []line{{0, 100, 0, 0}, {60, 101, 0, 0}, {61, 103, 0, 2}}},
		{"a sample of something else turns the day", "since(a, '08:00') + 0 * fan.run", []line{{0, 100, 0, 0}, {59, 104, 0, 4}, {60, same, 0, 0}, {90, 105, 0, 1}}},
		{"a shift that began yesterday", "since(a, '22:00')", []line{{0, 5, 0, 0}, {60, 7, 0, 2}, {15 * 60, 8, 0, 0}, {15*60 + 1, 9, 0, 1}}},
		{"what came over the turn while blind is of the new day", "since(a, '08:00')", []line{{0, 100, 0, 0}, {30, bad, 0, bad}, {90, 108, 0, 8}}},
	} {
		t.Run(c.story, func(t *testing.T) {
			e, err := Parse(c.src, mine)
			if err != nil {
				t.Fatal(err)
			}
			u := e.Use()
			held := map[string]Sample{}
			for _, l := range c.lines {
				at := time.Duration(l.minute * float64(time.Minute))
				hold(held, "a", l.a, at)
				hold(held, "fan.run", l.run, at)
				local := (7*time.Hour + at).Milliseconds()
				v, q := u.Eval(Now{At: at, Local: local, Known: true}, func(i int) Sample { return held[e.Inputs()[i]] })
				if got := v; (l.want == bad) != (q != drivers.Good) || q == drivers.Good && drivers.Compare(got.Float(), value(l.want).Float()) != 0 {
					t.Errorf("minute %v: %v (%v), want %v", l.minute, v, q, l.want)
				}
			}
		})
	}
}

func hold(held map[string]Sample, id string, v any, at time.Duration) {
	switch {
	case v == same:
	case v == bad:
		held[id] = Sample{Quality: drivers.Comm, At: at}
	case id == "fan.run":
		held[id] = Sample{Value: drivers.BoolValue(v == 1), At: at}
	default:
		held[id] = Sample{Value: value(v), At: at}
	}
}

func value(v any) drivers.Value {
	switch v := v.(type) {
	case int:
		return num(float64(v))
	case float64:
		return num(v)
	case drivers.Value:
		return v
	}
	return none
}

// What changes although nobody measures anything is told beforehand.
func TestDue(t *testing.T) {
	e, err := Parse("held(a > 1, 5m) or held(fan.run, 2m)", mine)
	if err != nil {
		t.Fatal(err)
	}
	u := e.Use()
	for _, c := range []struct {
		minute, a int
		run       bool
		due       int // 0: nothing is due
	}{{1, 0, false, 0}, {2, 2, false, 7}, {3, 2, true, 5}, {4, 2, true, 5}, {5, 2, true, 7}, {7, 2, true, 0}, {8, 0, true, 0}} {
		at := time.Duration(c.minute) * time.Minute
		u.Eval(Now{At: at}, func(i int) Sample {
			return Sample{Value: []drivers.Value{num(float64(c.a)), drivers.BoolValue(c.run)}[i], At: at}
		})
		if due, ok := u.Due(); ok != (c.due > 0) || ok && due != time.Duration(c.due)*time.Minute {
			t.Errorf("minute %d: due %v %v, want minute %d", c.minute, due, ok, c.due)
		}
	}
}

// The clock of a board without one: unknown at first, then known, then set.
func TestSinceWithoutAClock(t *testing.T) {
	e, err := Parse("since(a, '08:00')", mine)
	if err != nil {
		t.Fatal(err)
	}
	u := e.Use()
	at := func(minute int, v float64, local string) string {
		n := Now{At: time.Duration(minute) * time.Minute}
		if local != "" {
			l, _ := time.Parse("15:04", local)
			n.Known, n.Local = true, l.UnixMilli()+1e14
			n.Local = n.Local/dayMS*dayMS + int64(l.Hour()*60+l.Minute())*60_000
		}
		r, q := u.Eval(n, func(int) Sample { return Sample{Value: num(v), At: n.At} })
		if q != drivers.Good {
			return q.String()
		}
		return r.String()
	}
	for _, c := range []struct {
		story  string
		minute int
		v      float64
		local  string
		want   string
	}{
		{"unknown", 0, 100, "", "input"},
		{"still", 30, 102, "", "input"},
		{"known: 08:00 was 40 minutes ago, before the 102", 60, 104, "08:40", "4"},
		{"on it goes", 70, 105, "08:50", "5"},
		{"the clock was 15 minutes fast", 80, 106, "08:45", "4"},
		{"gone again", 90, 107, "", "input"},
		{"and back", 100, 108, "09:05", "6"},
	} {
		if got := at(c.minute, c.v, c.local); got != c.want {
			t.Errorf("%s: %s, want %s", c.story, got, c.want)
		}
	}
}

// Promise 3, against a plain model that keeps every sample.
func TestWindowsAgainstAModel(t *testing.T) {
	const length = 10 * time.Minute
	e, err := Parse("delta(a, 10m)", mine)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		u := e.Use()
		var all []mark
		var at time.Duration
		for range 3000 {
			step := time.Duration(r.Int64N(int64(12 * time.Second)))
			if r.IntN(200) == 0 {
				step = time.Duration(r.Int64N(int64(time.Hour)))
			}
			at += 1 + step
			s := Sample{Value: num(float64(r.IntN(1000))), At: at}
			if r.IntN(10) == 0 {
				s.Quality = drivers.Comm
			} else {
				all = append(all, mark{at, s.Value.Float()})
			}
			v, q := u.Eval(Now{At: at}, func(int) Sample { return s })
			if q != drivers.Good {
				continue
			}
			// The base is a sample that was there: the newest not after the time
			// asked for, or one before it by no more than a slot.
			base := slices.IndexFunc(all, func(m mark) bool { return m.at > at-length }) - 1
			ok := false
			for i := max(base, 0); i >= 0 && !ok; i-- {
				ok = s.Value.Float()-all[i].v == v.Float()
				if all[max(base, 0)].at-all[i].at > length/slots {
					break
				}
			}
			if !ok {
				t.Fatalf("seed %d, %v: delta %v comes from no sample within a slot of %v", seed, at, v, at-length)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"1250.0 - pond.level", "if(feed.face == '有电', a ^ -b, round(c, 2))", "not (a >= 1e3 or fan.run) and mode = 'sealed'",
		"held(a > 1, 5m) or vote(2, fan.run, fan.main, true)", "since(a, '08:00')", "min（a，b）", "a<>b=c", "'", "((", "1.e5.x", everything,
		"held(held(delta(a, 1ms) > 1, 1h) or rate(a, 7d) < 2, 5m)", "interp([[-1e300, 1e300], [1e300, -1e300]], a)", "median(a, median(b, c, a), b) + median(a, 1s)",
	} {
		f.Add(s, 1.5, int64(time.Minute))
	}
	f.Fuzz(func(t *testing.T, src string, x float64, step int64) {
		e, err := Parse(src, mine)
		var mistake *Error
		if errors.As(err, &mistake) {
			if mistake.Col < 1 || mistake.Col > utf8.RuneCountInString(src)+1 || mistake.Text == "" || !utf8.ValidString(mistake.Text) {
				t.Fatalf("mistake %+v", *mistake)
			}
			return
		}
		u := e.Use()
		var at time.Duration
		for i := range 300 {
			at += time.Duration(step & math.MaxInt64 >> 8)
			if at < 0 || at > math.MaxInt64/2 {
				at = math.MaxInt64 / 2
			}
			v, q := u.Eval(Now{At: at, Local: step * int64(i), Known: i%7 != 0, Mode: "running"}, func(in int) Sample {
				s := now[e.Inputs()[in]]
				if s.Value.Kind() == drivers.Number {
					s.Value = num(x * float64(i%5))
				}
				if (i+in)%11 == 0 {
					s = Sample{Quality: drivers.Comm}
				}
				s.At = at
				return s
			})
			if q == drivers.Good {
				if f := v.Float(); v.Kind() != e.Kind() || math.IsInf(f, 0) || math.IsNaN(f) {
					t.Fatalf("value %v of kind %v, want a finite %v", v, v.Kind(), e.Kind())
				}
			} else if q != drivers.Input || v != none {
				t.Fatalf("bad by %v with value %v", q, v)
			}
		}
	})
}

func BenchmarkEval(b *testing.B) {
	for name, src := range map[string]string{
		"plain": "if(pond.level > 1200 and valve == 'open', 1250.0 - pond.level, 0)", "delta": "delta(a, 1h)", "everything": everything,
	} {
		b.Run(name, func(b *testing.B) {
			e, err := Parse(src, mine)
			if err != nil {
				b.Fatal(err)
			}
			held := make([]Sample, len(e.Inputs()))
			for i, id := range e.Inputs() {
				held[i] = now[id]
			}
			u, get := e.Use(), func(i int) Sample { return held[i] }
			var at time.Duration
			b.ReportAllocs()
			for b.Loop() {
				at += time.Second
				for i := range held {
					held[i].At = at
				}
				u.Eval(Now{At: at, Known: true, Mode: "running"}, get)
			}
		})
	}
}
