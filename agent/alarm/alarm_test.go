package alarm

import (
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

const second = time.Second

// above is the alarm that most stories are about: at 10, clear under 8.
func above(change func(*Def)) Def {
	d := Def{
		ID: "pond.level/red", Point: "pond.level", Level: Red,
		Condition: Above, Limit: [2]float64{10}, Clear: [2]float64{8},
	}
	if change != nil {
		change(&d)
	}
	return d
}

func waits(d time.Duration) func(*Def)       { return func(a *Def) { a.For = d } }
func clearsAfter(d time.Duration) func(*Def) { return func(a *Def) { a.ClearFor = d } }
func latches(a *Def)                         { a.Latch = true }
func both(fs ...func(*Def)) func(*Def) {
	return func(a *Def) {
		for _, f := range fs {
			f(a)
		}
	}
}

func below(a *Def)   { a.Condition, a.Limit[0], a.Clear[0] = Below, 8, 10 }
func outside(a *Def) { a.Condition, a.Limit, a.Clear = Outside, [2]float64{6, 10}, [2]float64{7, 8} }
func fault(d time.Duration) func(*Def) {
	return func(a *Def) { a.Condition, a.For = Fault, d }
}

// A timeline has a column for each second. What goes in:
//
//	v  5      .  7       -  9       ^  12     good values
//	x  bad    o  over    u  under   t  12, under test
//	S  nothing, but the agent is killed and starts again
//	w  when turns false      W  when turns true
//	a  acknowledge       r  reset
//
// and a space for nothing. What comes out: R raised, n normal, c cleared, k
// acked, z reset, E escalated, l lowered; ! refused. A delay that ends in a second ends after what
// went in. A raise whose deadline lies between two samples is drawn there.
type timeline struct {
	story    string
	def      Def
	in, want string
}

var goodValues = map[rune]float64{'v': 5, '.': 7, '-': 9, '^': 12}

func sampleOf(r rune, at time.Duration) (Sample, bool) {
	if v, ok := goodValues[r]; ok {
		return Sample{At: at, Value: drivers.NumberValue(v)}, true
	}
	switch r {
	case 'x':
		return Sample{At: at, Quality: drivers.Comm}, true
	case 'o':
		return Sample{At: at, Quality: drivers.Over}, true
	case 'u':
		return Sample{At: at, Quality: drivers.Under}, true
	case 't':
		return Sample{At: at, Quality: drivers.Test, Value: drivers.NumberValue(12)}, true
	}
	return Sample{}, false
}

var drawn = map[string]byte{WasRaised: 'R', WasAcked: 'k', WasCleared: 'c', WasReset: 'z', IsNormal: 'n', WasEscalated: 'E', WasLowered: 'l'}

// play plays a timeline and draws what came out.
func play(t *testing.T, d Def, in string) (*Alarm, string) {
	t.Helper()
	var last Sample
	var hasLast bool
	var stored []Sample
	out := []byte(strings.Repeat(" ", len(in)))
	mark := func(c Change) {
		i := int(c.At / second)
		if out[i] != ' ' {
			t.Fatalf("two changes in second %d: %c and %s", i, out[i], c.What)
		}
		out[i] = drawn[c.What]
	}
	a := New(&d)
	for i, r := range in {
		at := time.Duration(i) * second
		if s, ok := sampleOf(r, at); ok {
			last, hasLast, stored = s, true, append(stored, s)
			if c, ok := a.Step(s); ok {
				mark(c)
			}
		}
		switch r {
		case 'S':
			m := a.Memory()
			a = New(&d)
			a.Restore(m, last, hasLast)
			for _, s := range stored {
				a.Fill(s, true)
			}
		case 'w', 'W':
			a.SetIdle(r == 'w', at)
		case 'a':
			told(a.Ack(at))(out, i, mark)
		case 'r':
			told(a.Reset(at))(out, i, mark)
		}
		if due, ok := a.Due(); ok && due < at {
			t.Fatalf("second %d: a delay was due at %v and nobody was told", i, due)
		}
		if c, ok := a.Tick(at); ok {
			mark(c)
		}
	}
	return a, strings.TrimRight(string(out), " ")
}

func told(c Change, err error) func([]byte, int, func(Change)) {
	return func(out []byte, i int, mark func(Change)) {
		if err != nil {
			out[i] = '!'
			return
		}
		mark(c)
	}
}

func (l timeline) run(t *testing.T) {
	t.Run(l.story, func(t *testing.T) {
		if _, got := play(t, l.def, l.in); got != l.want {
			t.Errorf("\n  in %q\n got %q\nwant %q", l.in, got, l.want)
		}
	})
}

// Promise 1: every sample is judged; bad quality says nothing but over and under.
func TestConditions(t *testing.T) {
	text := func(a *Def) { a.Condition, a.Equal = Equals, drivers.TextValue("stuck") }
	nine := func(a *Def) { a.Condition, a.Equal = Equals, drivers.NumberValue(9) }
	for _, l := range []timeline{
		{"above comes at its limit and goes under clear", above(nil),
			"..-^^--..^",
			"   R   n R"},
		{"above, and the gauge is past its end", above(nil),
			"..oo.",
			"  R n"},
		{"above, and under its range says nothing", above(nil),
			"..u^u.",
			"   R n"},
		{"above under test is not judged", above(nil),
			"..tt^t.",
			"    R n"},
		{"below comes at its limit and goes over clear", above(below),
			"^^-.v--^.",
			"   R   nR"},
		{"below, and the gauge is under its range", above(below),
			"^^uo^",
			"  R n"},
		{"outside on both sides", above(outside),
			".-^-..v.",
			"  R n Rn"},
		{"outside, over and under", above(outside),
			".o.u.",
			" RnRn"},
		{"equals", above(nine),
			"..-^-x-.",
			"  RnR  n"},
		{"a text and a number are neither equal nor different", above(text),
			".^v",
			""},
	} {
		l.run(t)
	}
}

// Promise 2: the on-delay.
func TestOnDelay(t *testing.T) {
	for _, l := range []timeline{
		{"too short", above(waits(3 * second)),
			".^^..^^-^^.",
			""},
		{"long enough, at its deadline", above(waits(3 * second)),
			".^^^^^.",
			"    R n"},
		{"no sample comes: the timer ends it", above(waits(3 * second)),
			".^      .",
			"    R   n"},
		{"bad samples neither stop nor end it", above(waits(3 * second)),
			".^xx    x.",
			"    R    n"},
		{"a bad sample at the deadline doesn't stop it either", above(waits(3 * second)),
			".^  x",
			"    R"},
		{"a test neither stops nor ends it", above(waits(3 * second)),
			".^ttttt",
			"    R"},
		{"a good sample at the deadline speaks against it", above(waits(3 * second)),
			".^  .  ^   .",
			"          Rn"},
		{"between the limits speaks against it", above(waits(3 * second)),
			".^^-^^^^",
			"       R"},
		{"bad before it begins doesn't begin it", above(waits(3 * second)),
			".xxxx^^^^",
			"        R"},
		{"over begins it", above(waits(3 * second)),
			".o  ^",
			"    R"},
		{"again after it was over", above(waits(2 * second)),
			"^^^.^^^.^.^",
			"  Rn  Rn"},
	} {
		l.run(t)
	}
}

// Promise 3: it clears on good samples only.
func TestClearing(t *testing.T) {
	for _, l := range []timeline{
		{"between the limits it stays", above(nil),
			"^-----.",
			"R     n"},
		{"silence clears nothing", above(clearsAfter(2 * second)),
			"^.          ",
			"R"},
		{"a bad sensor clears nothing", above(nil),
			"^xxxxuutt.",
			"R        n"},
		{"an unbroken run of so long", above(clearsAfter(3 * second)),
			"^.....",
			"R   n"},
		{"few samples, far apart", above(clearsAfter(3 * second)),
			"^.     .",
			"R      n"},
		{"a bad sample begins the run anew", above(clearsAfter(3 * second)),
			"^..x....",
			"R      n"},
		{"so does a test", above(clearsAfter(3 * second)),
			"^..t....",
			"R      n"},
		{"so does a sample between the limits", above(clearsAfter(3 * second)),
			"^..-....",
			"R      n"},
		{"so does one beyond", above(clearsAfter(3 * second)),
			"^..^....",
			"R      n"},
		{"so does over", above(clearsAfter(3 * second)),
			"^..o....",
			"R      n"},
		{"the run of the last time doesn't count", above(clearsAfter(2 * second)),
			"^...^...",
			"R  nR  n"},
		{"acknowledged it clears just so", above(clearsAfter(2 * second)),
			"^a.....",
			"Rk  n"},
	} {
		l.run(t)
	}
}

// Promise 4: latch, reset and acknowledgement.
func TestLatch(t *testing.T) {
	delayed := both(latches, waits(2*second))
	for _, l := range []timeline{
		{"over, but held until reset", above(latches),
			"^.....r.",
			"Rc    z"},
		{"no reset while it is beyond", above(latches),
			"^r.r",
			"R!cz"},
		{"no reset before it has cleared", above(both(latches, clearsAfter(2*second))),
			"^.r..r",
			"R !c z"},
		{"no reset while the quality is bad", above(latches),
			"^.xr.r",
			"Rc ! z"},
		{"no reset under test", above(latches),
			"^.tr.r",
			"Rc ! z"},
		{"no reset while it is over its range", above(delayed),
			"^^^.or.r",
			"  Rc ! z"},
		{"no reset while the condition holds again", above(delayed),
			"^^^.^r.r",
			"  Rc ! z"},
		{"reset between the limits", above(latches),
			"^.-r",
			"Rc z"},
		{"no reset without a latch", above(nil),
			"^r.r",
			"R!n!"},
		{"an acknowledgement resets nothing", above(latches),
			"^a.a....r",
			"Rkc!    z"},
		{"acknowledged when it is over", above(latches),
			"^.aar",
			"Rck!z"},
		{"reset without acknowledgement", above(latches),
			"^.r^a",
			"RczRk"},
		{"raised again while held", above(latches),
			"^a.^a.r",
			"RkcRkcz"},
		{"raised again after its delay", above(delayed),
			"^^^.^^^.",
			"  Rc  Rc"},
		{"not raised again by less", above(delayed),
			"^^^.^^.r",
			"  Rc   z"},
		{"nothing to acknowledge or reset", above(latches),
			".a.r^a.ra",
			" ! !Rkcz!"},
	} {
		l.run(t)
	}
}

// Promise 6: a restart.
func TestRestart(t *testing.T) {
	delayed := above(waits(3 * second))
	for _, l := range []timeline{
		{"raised stays raised, once", above(nil),
			".^S^^S..S",
			" R    n"},
		{"acknowledged stays so", above(nil),
			"^aSa^.",
			"Rk ! n"},
		{"nothing clears by it", above(clearsAfter(2 * second)),
			"^..S.. ",
			"R"},
		{"the run begins anew", above(clearsAfter(2 * second)),
			"^..S...",
			"R     n"},
		{"the latch holds", above(latches),
			"^.S.r",
			"Rc  z"},
		{"no reset before the first sample", above(latches),
			"^.Sr.r",
			"Rc ! z"},
		{"beyond before and after: the delay ran through", delayed,
			".^S^",
			"   R"},
		{"bad in between doesn't matter after it", delayed,
			".^Sxx^",
			"     R"},
		{"good in between does", delayed,
			".^S.^^^^",
			"       R"},
		{"bad before it: the delay begins anew", delayed,
			".^xS^^^^",
			"       R"},
		{"not beyond before it", delayed,
			".^.S^^^^",
			"       R"},
		{"it counts once", delayed,
			".^S^.^^^^",
			"   Rn   R"},
		{"raised, then the delay counts whole", delayed,
			"^^^^S.^^^^",
			"   R n   R"},
		{"no sample ever before", delayed,
			"S^^^^",
			"    R"},
		{"a held alarm raised through a restart", above(both(latches, waits(3*second))),
			"^^^^.^S^",
			"   Rc  R"},
		{"a fault through a restart", above(fault(3 * second)),
			".xSx",
			"   R"},
	} {
		l.run(t)
	}
}

func newOf(d Def) *Alarm { return New(&d) }
