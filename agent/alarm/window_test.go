package alarm

import (
	"math/rand/v2"
	"testing"
	"time"

	"pithead/drivers"
)

func moves(c Condition, limit float64, within time.Duration) func(*Def) {
	return func(a *Def) { a.Condition, a.Limit[0], a.Within = c, limit, within }
}

func escalates(after time.Duration) func(*Def) {
	return func(a *Def) { a.Level, a.Escalate = Yellow, Escalation{After: after, To: Red} }
}

// Promise 9: v 5, . 7, - 9, ^ 12.
func TestRiseFallAndFlat(t *testing.T) {
	for _, l := range []timeline{
		{"a rise by 4 within 3 s", above(moves(Rise, 4, 3*second)),
			"vv.---^^^^",
			"   R n"},
		{"the same rise, but slower", above(moves(Rise, 4, 3*second)),
			"vvv...----",
			""},
		{"both ends of the window count", above(moves(Rise, 4, 3*second)),
			"v  -",
			"   R"},
		{"bad samples rise by nothing", above(moves(Rise, 4, 3*second)),
			"voxtox.",
			""},
		{"a test is not in the window", above(moves(Rise, 4, 3*second)),
			".t..-",
			""},
		{"nothing clears because it is bad", above(moves(Rise, 4, 3*second)),
			"v-xxxxx     x-",
			" R           n"},
		{"over a gap it is held against the last before", above(moves(Rise, 4, 3*second)),
			"v      --",
			"       Rn"},
		{"a fall by 5", above(moves(Fall, 5, 3*second)),
			"^^^--.....",
			"     Rn"},
		{"a rise that lasts", above(both(moves(Rise, 4, 3*second), waits(2*second))),
			"v-----.-",
			"   Rn"},
		{"flat for 3 s", above(moves(Flat, 0, 3*second)),
			"......v",
			"   R  n"},
		{"flat within the deadband", above(moves(Flat, 2, 3*second)),
			".v.v.v-",
			"   R  n"},
		{"a slow drift is not flat", above(moves(Flat, 2, 4*second)),
			"v.-^-.v.-^",
			""},
		{"bad samples are no proof that it stands still, nor that it moves", above(moves(Flat, 0, 3*second)),
			"..xx.xx.v",
			"    R   n"},
		{"flat over a gap", above(moves(Flat, 0, 3*second)),
			"..      .v",
			"        Rn"},
		{"moved in a gap: it counts from there", above(moves(Flat, 0, 3*second)),
			"..      v   v",
			"            R"},
		{"rise through a restart, filled from what was stored", above(moves(Rise, 4, 9*second)),
			"vvSS.S-",
			"      R"},
		{"flat through a restart", above(moves(Flat, 0, 3*second)),
			"..S.",
			"   R"},
	} {
		l.run(t)
	}
}

func TestAcrossGapIsTold(t *testing.T) {
	a := newOf(above(moves(Rise, 4, 3*second)))
	a.Step(Sample{At: 0, Value: drivers.NumberValue(5)})
	c, _ := a.Step(Sample{At: 4 * second, Value: drivers.NumberValue(9)})
	if c.What != WasRaised || !c.AcrossGap || c.Limit != 4 {
		t.Errorf("%+v", c)
	}
	a.Step(Sample{At: 5 * second, Value: drivers.NumberValue(9)})
	if c, _ = a.Step(Sample{At: 6 * second, Value: drivers.NumberValue(13)}); c.What != WasRaised || c.AcrossGap {
		t.Errorf("%+v", c)
	}
}

// Promise 9: the memory of a window is bounded, however fast its samples come, and
// it never looks back too little: a rise that is there is found.
func TestAFastPointFillsNoWindow(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	d := above(moves(Rise, 40, time.Minute))
	w := newWindow(&d)
	var seen []mark
	v := 0.0
	for i := range 20_000 {
		at := time.Duration(i) * 50 * time.Millisecond
		v += rnd.Float64()*10 - 4.98
		seen = append(seen, mark{at, at, v})
		got := w.judge(Sample{At: at, Value: drivers.NumberValue(v)})
		least := func(back time.Duration) float64 {
			lo := v
			for k := i; k >= 0 && at-seen[k].at <= back; k-- {
				lo = min(lo, seen[k].v)
			}
			return lo
		}
		if v-least(time.Minute) >= 40 && got != isBeyond {
			t.Fatalf("%v: a rise of %v was not seen", at, v-least(time.Minute))
		}
		if slot := time.Minute/windowSlots + time.Millisecond; v-least(time.Minute+slot) < 40 && got == isBeyond {
			t.Fatalf("%v: a rise that was not there", at)
		}
	}
	if cap(w.least.marks) > windowSlots+2 {
		t.Errorf("%d marks", cap(w.least.marks))
	}
}

// Promise 10.
func TestWhatIsSuppressedRaisesNothingAndClearsAsEver(t *testing.T) {
	for _, l := range []timeline{
		{"no raise while when is false", above(nil),
			".w^^^.^.",
			""},
		{"beyond when it becomes true", above(nil),
			".w^^W^.",
			"    R n"},
		{"the delay begins with it", above(waits(2 * second)),
			".w^^^W  ^.",
			"       R n"},
		{"a delay that runs ends with it", above(waits(3 * second)),
			".^^w  W^^^",
			"         R"},
		{"what stands neither clears nor falls silent by it", above(nil),
			".^w^^-xx.^W",
			" R      n R"},
		{"a latch holds", above(latches),
			".^w..W.r",
			" R c   z"},
		{"bad meanwhile: the next good sample judges", above(nil),
			".w^xW^",
			"     R"},
		{"a fault", above(fault(2 * second)),
			".wxxxxWxx",
			"        R"},
	} {
		l.run(t)
	}
}

// Promise 11.
func TestWhatNobodyAcknowledgesEscalates(t *testing.T) {
	for _, l := range []timeline{
		{"after so long, once", above(escalates(3 * second)),
			".^^^^^^.^",
			" R  E  nR"},
		{"acknowledged in time", above(escalates(3 * second)),
			".^^a^^^.",
			" R k   n"},
		{"over in time", above(escalates(3 * second)),
			".^^...",
			" R n"},
		{"while nothing can be read", above(escalates(3 * second)),
			".^xxx",
			" R  E"},
		{"held by its latch, and nobody knows", above(both(escalates(3*second), latches)),
			".^....r",
			" Rc E z"},
		{"over a restart it escalates no second time", above(escalates(3 * second)),
			".^^^^S^^^a",
			" R  E    k"},
		{"a restart does not begin anew", above(escalates(3 * second)),
			".^S^^",
			" R  E"},
	} {
		l.run(t)
	}
	a := newOf(above(escalates(second)))
	a.Step(Sample{At: 0, Value: drivers.NumberValue(12)})
	if c, _ := a.Tick(second); c.Level != Red || a.Level() != Red {
		t.Errorf("escalated to %v", c.Level)
	}
	if c, _ := a.Ack(2 * second); c.Level != Yellow || a.Level() != Yellow {
		t.Errorf("acknowledged at %v, want its own", c.Level)
	}
}

// Promise 12. A digit is the rank, at its second.
func TestRanks(t *testing.T) {
	for _, l := range []struct {
		story    string
		wait     time.Duration
		latch    bool
		in, want string
	}{
		{"up and down", 0, false,
			"0124310",
			" 1243l0"},
		{"each level waits", 2 * second, false,
			"0111144010",
			"   1   0"},
		{"long enough", 2 * second, false,
			"0111144440",
			"   1   4 0"},
		{"with a latch it stays as it was", 0, true,
			"02a4100r",
			" 2k4 c z"},
		{"up again while held", 0, true,
			"0400100r",
			" 4c 4c z"},
		{"acknowledged, then higher", 0, false,
			"02a24",
			" 2k 4"},
	} {
		d := Def{ID: "group:x", Condition: Ranked, For: l.wait, Latch: l.latch}
		a, out := New(&d), []byte{}
		for i, r := range l.in {
			at, mark := time.Duration(i)*second, byte(' ')
			draw := func(c Change, ok bool) {
				if !ok {
					return
				}
				switch c.What {
				case WasRaised:
					mark = '0' + byte(c.Level)
				case WasLowered:
					mark = 'l'
					if c.Level == Orange {
						mark = '3'
					}
				case IsNormal:
					mark = '0'
				default:
					mark = drawn[c.What]
				}
			}
			switch r {
			case 'a':
				c, err := a.Ack(at)
				draw(c, err == nil)
			case 'r':
				c, err := a.Reset(at)
				draw(c, err == nil)
			default:
				draw(a.Step(Sample{At: at, Value: drivers.NumberValue(float64(r - '0'))}))
			}
			draw(a.Tick(at))
			out = append(out, mark)
		}
		for len(out) > 0 && out[len(out)-1] == ' ' {
			out = out[:len(out)-1]
		}
		if string(out) != l.want {
			t.Errorf("%s\n  in %q\n got %q\nwant %q", l.story, l.in, out, l.want)
		}
	}
}
