package alarm

import (
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

// Promise 7: quality itself.
func TestFault(t *testing.T) {
	f, short := above(fault(4*second)), above(fault(2*second))
	for _, l := range []timeline{
		{"bad for so long", f,
			"..xxxxxx.",
			"      R n"},
		{"by timer, from the first bad sample", f,
			"..x       .",
			"      R   n"},
		{"a good sample ends it", f,
			"..xxx.xxx.xxx.",
			""},
		{"over and under are bad", f,
			".o  u ",
			"     R"},
		{"a test is neither", f,
			".x ttt t..tttttt",
			"     R  n"},
		{"many tests are no fault", f,
			"tttttttttttt",
			""},
		{"no delay: at the first", above(fault(0)),
			"..x.x.",
			"  RnRn"},
		{"two in three bad, once ten times so long has been seen", short,
			"xx.xx.xx.xx.xx.xx.xx.xx......................",
			"                     R         n"},
		{"not before, and a restart forgets what was seen", short,
			"xx.xx.xx.xx.xx.xx.Sxx.xx.xx.xx.xx.xx.xx.x",
			"                                        R"},
		{"one in three bad", short,
			"..x..x..x..x..x..x..x..x..x..x..x..x..x..x..x",
			""},
		{"every other bad is one fault, not twenty", short,
			"x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.",
			"                    R"},
		{"a restart doesn't clear it: good for so long first", f,
			"xxxxxS......",
			"    R     n"},
		{"a restart doesn't clear a poor share", short,
			"xx.xx.xx.xx.xx.xx.xx.xx.S.xx.xx.xx.xx.xx.xx.xx.",
			"                     R"},
		{"a restart, and asked seldom: the second good one", short,
			"xxxS.                        .",
			"  R                          n"},
		{"the first after a long pause is no share", short,
			".                    x.",
			""},
		{"asked so seldom that there is no share", short,
			".                      x.                      x.                       x.",
			""},
	} {
		l.run(t)
	}
}

// Promise 7: an outage that was told is not told twice.
func TestOutage(t *testing.T) {
	f, short := above(fault(4*second)), above(fault(2*second))
	for _, l := range []timeline{
		{"back after a long time: good at once, and told once", f,
			"...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..................................",
			"       R                                 n"},
		{"silent since before the start", f,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx....................",
			"    R                                                   n"},
		{"back after a short time", short,
			"................................xxxxxx...",
			"                                  R   n"},
		{"one sample, then silence", f,
			"...x                                       ..................",
			"       R                                   n"},
		{"clear-for counts from the first good one", above(both(fault(4*second), clearsAfter(3*second))),
			"...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.................",
			"       R                                    n"},
		{"a failure within clear-for doesn't bring it back", above(both(fault(4*second), clearsAfter(3*second))),
			"...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.x..........x....",
			"       R                                      n"},
		{"held by its latch, not raised again", above(both(fault(4*second), latches)),
			"...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..........r......",
			"       R                                 c         z"},
		{"a test in the middle", f,
			"...xxxxxxxxxxxttttttttxxxxxxxxxxxxxxxxtttt...........",
			"       R                                  n"},
		{"each outage is told", f,
			"..xxxxxxxxxxxxxxxxxxxxxxxxx.....xxxxxxxxxxxx....",
			"      R                    n        R       n"},
		{"short failures after it count anew", short,
			"xxxxxxxxxxxxxxxxxxxxxxxxx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx",
			"  R                      n                   R"},
		{"it ends what the share had raised", short,
			"xx.xx.xx.xx.xx.xx.xx.xx.xxxxxx............",
			"                     R        n"},
		{"good at every deadline is no outage, but a share", f,
			"xxxx.xxxx.xxxx.xxxx.xxxx.xxxx.xxxx.xxxx.xxxx.xxxx",
			"                                        R"},
		{"recovery doesn't raise what failures had nearly raised", short,
			"xx.xx.xx.xx.xx.xx.xx...........",
			""},
		{"a restart in the middle", f,
			"...xxxxxxxxxxxxSxxxxxxxxxxxxxxxxxxxx.......................",
			"       R                            n"},
		{"a restart towards its end: good for so long first", f,
			"...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxSxx......................",
			"       R                             n"},
		{"a restart before it was told", f,
			"...xxSxxx......................",
			"      R  n"},
		{"what a restart cut in two was told, too", short,
			"xSx.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.",
			"  Rn                    R"},
		{"a restart after it", f,
			"...xxxxxxxxxxxxxxxxxxxxxxxxxx.S........................",
			"       R                     n"},
	} {
		l.run(t)
	}
}

// Promise 7, for outages of all lengths, sampled at all speeds, with a restart
// at any moment or none: raised once, cleared once, and never by the recovery.
func TestAnOutageIsToldOnce(t *testing.T) {
	for _, d := range []time.Duration{1, 3 * second, 5 * second, 7 * second / 2} {
		for _, every := range []time.Duration{d/7 + 1, d/2 + 1, d, 3 * d} {
			for length := 2 * d; length < 40*d; length += 3*d/2 + 1 {
				for _, restart := range []time.Duration{-1, 20*d + d/3, 20*d + length/2, 20*d + length - 1, 20*d + length + every} {
					once(t, above(fault(d)), every, length, restart)
				}
			}
		}
	}
}

// once lives through one outage that begins at twenty times its alarm's duration.
func once(t *testing.T, d Def, every, length, restart time.Duration) {
	a := New(&d)
	var told []string
	tell := func(c Change, ok bool) {
		if ok {
			told = append(told, c.What)
		}
		if ok && c.What == WasRaised && c.Quality == drivers.Good {
			t.Errorf("for %v, every %v, %v long, restart %v: a good sample raised it", d.For, every, length, restart)
		}
	}
	var last Sample
	begin, restarted := 20*d.For, false
	for at := time.Duration(0); at < begin+length+30*d.For+10*every; at += every {
		if restart >= 0 && at >= restart && !restarted {
			tell(a.Tick(restart))
			m := a.Memory()
			a, restarted = New(&d), true
			a.Restore(m, last, true)
		}
		tell(a.Tick(at))
		last = Sample{At: at, Value: drivers.NumberValue(1)}
		if at >= begin && at < begin+length {
			last = Sample{At: at, Quality: drivers.Comm}
		}
		tell(a.Step(last))
		tell(a.Tick(at))
	}
	// Of a single bad sample whose delay a restart cuts short there is nothing to tell.
	cut := restarted && length < 2*every && len(told) == 0
	if got := strings.Join(told, ", "); got != "raised, normal" && !cut {
		t.Errorf("for %v, every %v, %v long, restart %v: %s", d.For, every, length, restart, got)
	}
}

// Promise 7: a count that is full is halved, and says the same; what is forgotten
// takes no memory.
func TestAttemptsWithoutNumberKeepTheirShare(t *testing.T) {
	w := newAttempts(2 * time.Hour) // slots of an hour
	at := time.Duration(0)
	run := func(d time.Duration, bad func(i int) bool) {
		for i, end := 0, at+d; at < end; i++ {
			s := Sample{At: at, Value: drivers.NumberValue(1)}
			if bad(i) {
				s = Sample{At: at, Quality: drivers.Sensor}
			}
			w.add(s)
			at += 20 * time.Millisecond // 180,000 in a slot
		}
	}
	run(22*time.Hour, func(i int) bool { return i%5 < 2 })
	if share := float64(w.poorly) / float64(w.all); w.poor || share < 0.399 || share > 0.401 {
		t.Errorf("poor %v, %.4f of them bad, want 0.4", w.poor, share)
	}
	run(20*time.Hour, func(i int) bool { return i%5 < 3 })
	if share := float64(w.poorly) / float64(w.all); !w.poor || share < 0.58 || share > 0.601 {
		t.Errorf("poor %v, %.4f of them bad, want nearly 0.6", w.poor, share)
	}
	run(22*time.Hour, func(int) bool { return false })
	if w.poor || w.poorly != 0 || w.failed != nil {
		t.Errorf("poor %v, %d bad", w.poor, w.poorly)
	}
}
