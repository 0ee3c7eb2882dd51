package seal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

// plain is a seal as one would say it aloud: it looks at every quarter of a
// second, and knows nothing of deadlines.
type plain struct {
	confirm                       time.Duration
	closed, ends                  bool
	until                         time.Duration
	tampered, breached, unwatched bool
	blind                         bool
	started                       time.Duration
	darkFor                       time.Duration // without a break
	missed                        bool
	briefs                        []time.Duration
	w                             []*plainWatch
	told                          []string
}

type plainWatch struct {
	role              Role
	point             string
	above             float64
	long              time.Duration
	bad               bool
	badFor, unseenFor time.Duration
	value             float64
	known             bool
	ran               time.Duration // idle by value: how long it has run
	runs              bool
	away              bool
	awayFor           time.Duration
	told              bool
	base              float64
	based             bool
	before, heard     bool // it was away when the last run ended; and that was told
}

const quarter = 250 * time.Millisecond

func (m *plain) state() string {
	for _, x := range []struct {
		is   bool
		name string
	}{{m.tampered, "tampered"}, {m.breached, "breached"}, {m.unwatched, "unwatched"}, {m.blind, "blind"}, {!m.closed, "open"}} {
		if x.is {
			return x.name
		}
	}
	return "sealed"
}

func (m *plain) say(what, point string) { m.told = append(m.told, what+" "+point) }

func (m *plain) breach(w *plainWatch) {
	m.breached, w.told = true, true
	m.say("departed", w.point)
	if w.role == Still {
		w.base, w.away, w.told = w.value, false, false
	}
}

// pass lets a quarter of a second go by.
func (m *plain) pass(now time.Duration) {
	dark := false
	for _, w := range m.w {
		if w.bad {
			w.badFor += quarter
		}
		if w.role == Seen && !w.bad && w.value == 0 {
			w.unseenFor += quarter
		}
		dark = dark || w.bad || w.role == Seen && w.value == 0
		if w.away {
			w.awayFor += quarter
		}
		if w.runs {
			w.ran += quarter
		}
	}
	if dark {
		m.darkFor += quarter
	}
	m.judge(now)
}

// judge draws what is due now.
func (m *plain) judge(now time.Duration) {
	if m.ends && now >= m.until {
		m.shut("ended")
	}
	for _, w := range m.w {
		if w.runs && !w.away && w.long > 0 && w.ran >= w.long {
			w.away, w.awayFor = true, w.ran-w.long
		}
		if m.closed && w.away && !w.told && w.role != Tamper && w.awayFor >= m.confirm {
			m.breach(w)
		}
		lasted := w.badFor
		if !w.bad {
			lasted = w.unseenFor
		}
		isDark := w.bad || w.role == Seen && w.value == 0
		if isDark && !m.blind && min(lasted, now-m.started) >= m.confirm {
			m.blind = true
			m.say("blind", w.point)
		}
	}
	if m.closed && m.darkFor > time.Minute && !m.missed && m.isDark() {
		m.unwatched, m.missed = true, true
		m.say("unwatched", "")
	}
}

func (m *plain) isDark() bool {
	for _, w := range m.w {
		if w.bad || w.role == Seen && w.value == 0 {
			return true
		}
	}
	return false
}

func (w *plainWatch) departs(v float64) bool {
	switch w.role {
	case Still:
		return w.based && v > w.base
	case Idle:
		return v >= w.above
	}
	return v == 0
}

func (m *plain) sample(now time.Duration, point string, v float64, good bool) {
	for _, w := range m.w {
		if w.point != point {
			continue
		}
		if !good {
			if !w.bad {
				w.badFor = 0
			}
			w.bad = true
			continue
		}
		differs := w.value != v
		if w.role == Idle && w.long > 0 {
			differs = w.departs(w.value) != w.departs(v)
		}
		if w.bad && w.known && differs {
			m.say("changed", point)
		}
		if w.role == Seen && (w.bad || w.value != v) {
			if w.value != v || !w.known {
				w.unseenFor = 0
			}
		}
		w.bad, w.known, w.value = false, true, v
		if w.role == Still && (!m.closed || !w.based || v < w.base) {
			w.base, w.based = v, true
		}
		m.move(now, w, w.departs(v))
		w.before = false
	}
	if !m.isDark() {
		if m.blind || m.missed && m.darkFor > 0 {
			m.blind = false
			m.say("seen", "")
		}
		m.darkFor, m.missed = 0, false
	}
	m.judge(now)
}

func (m *plain) move(now time.Duration, w *plainWatch, away bool) {
	switch {
	case w.role == Seen:
	case w.role == Tamper:
		if away && !w.away {
			m.tampered = true
			if !w.before || !w.heard {
				m.say("tampered", w.point)
			}
		}
		w.away = away
	case !away:
		w.runs, w.ran = false, 0
		if w.away && m.closed && !w.told {
			m.say("brief", w.point)
			m.briefs = append(m.briefs, now)
			n := 0
			for _, b := range m.briefs {
				if now-b <= time.Hour {
					n++
				}
			}
			if n >= 3 {
				m.breached, m.briefs = true, nil
				m.say("too-often", w.point)
			}
		}
		w.away, w.told = false, false
	case w.away:
	case w.before && m.closed:
		w.away, w.awayFor = true, 0
		if w.heard {
			w.told = true
			return
		}
		m.breach(w)
	case w.long > 0:
		if !w.runs {
			w.runs, w.ran = true, 0
		}
	default:
		w.away, w.awayFor = true, 0
	}
}

func (m *plain) open(now, long time.Duration) {
	m.closed, m.ends, m.until = false, true, now+long
	for _, w := range m.w {
		w.told = false
		if w.role == Still {
			w.away = false
		}
	}
	m.say("opened", "")
}

func (m *plain) shut(what string) {
	m.closed, m.ends, m.darkFor, m.missed = true, false, 0, false
	m.say(what, "")
	for _, w := range m.w {
		w.told = false
		if w.role == Still {
			w.base, w.based, w.away = w.value, w.known, false
		}
		if w.away && w.role != Tamper {
			m.breach(w)
		}
	}
}

func (m *plain) reset() bool {
	if !m.tampered && !m.breached && !m.unwatched {
		return false
	}
	for _, w := range m.w {
		if w.role != Seen && (m.closed || w.role == Tamper) && (w.away || w.bad) {
			return false
		}
	}
	m.tampered, m.breached, m.unwatched, m.briefs, m.darkFor, m.missed = false, false, false, nil, 0, false
	m.say("reset", "")
	return true
}

// restart forgets what a restart forgets: what is now so, until it is read again.
func (m *plain) restart(now, gone time.Duration, known bool) {
	m.started, m.blind, m.missed, m.darkFor = now, false, false, gone
	for _, w := range m.w {
		w.heard = w.away && (w.told || w.role == Tamper)
		w.before = w.known && w.departs(w.value)
		w.bad, w.badFor, w.unseenFor, w.away, w.told, w.runs, w.ran = true, gone, 0, false, false, false, 0
		if w.role == Still && w.known && !m.closed {
			w.base, w.based = w.value, true
		}
	}
	if m.closed && !known {
		m.unwatched, m.missed, m.darkFor = true, true, 0
		m.say("unwatched", "")
	}
}

func walkDef() Def {
	five := 5.0
	return Def{ID: "shaft1", Confirm: time.Second, Watches: []Watch{
		{Role: Closed, Point: "door"}, {Role: Closed, Point: "bolt"}, {Role: Tamper, Point: "lid"},
		{Role: Idle, Point: "amps", Above: &five, For: 2 * time.Second}, {Role: Run, Point: "fan"},
		{Role: Still, Point: "people"}, {Role: Seen, Point: "cam"},
	}}
}

// Ten thousand steps at random against the plain model. Promises 1 to 7.
func TestWalk(t *testing.T) {
	for seed := range uint64(2) {
		if err := walk(seed, 10_000, func(s *Seal) {}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// The walk bites: it finds each of these faults.
func TestTheWalkFindsFaults(t *testing.T) {
	for name, spoil := range map[string]func(*Seal){
		"a departure is told late":         func(s *Seal) { s.def.Confirm = 1250 * time.Millisecond },
		"an opening never ends":            func(s *Seal) { s.ends = false },
		"a breach is forgotten":            func(s *Seal) { s.breached = false },
		"a tamper is forgotten":            func(s *Seal) { s.tampered = false },
		"brief ones are not counted":       func(s *Seal) { s.briefs = nil },
		"blindness is not followed":        func(s *Seal) { s.dark = false },
		"the minute begins anew":           func(s *Seal) { s.darkFrom = max(s.darkFrom, s.started+1) },
		"what has risen is the new ground": func(s *Seal) { s.watches[5].base = s.watches[5].last.Float() },
		"a bad sample ends a departure":    func(s *Seal) { s.watches[0].away = s.watches[0].away && !s.watches[0].bad },
		"what came back is not compared":   func(s *Seal) { s.watches[1].known = s.watches[1].known && !s.watches[1].bad },
	} {
		var err error
		for seed := range uint64(4) {
			if err == nil {
				err = walk(seed, 10_000, spoil)
			}
		}
		if err == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

func walk(seed uint64, steps int, spoil func(*Seal)) error {
	rnd := rand.New(rand.NewPCG(seed, 7))
	def := walkDef()
	s, now := New(def, 0), time.Duration(0)
	m := &plain{confirm: def.Confirm}
	for _, w := range def.Watches {
		pw := &plainWatch{role: w.Role, point: w.Point, long: w.For, bad: true}
		if w.Above != nil {
			pw.above = *w.Above
		}
		m.w = append(m.w, pw)
	}
	people, done := 0.0, ""
	for i := range steps {
		var told []Change
		wait := time.Duration(rnd.IntN(7)) * quarter
		if rnd.IntN(60) == 0 {
			wait = time.Duration(rnd.IntN(280)) * quarter
		}
		for range wait / quarter {
			now += quarter
			m.pass(now)
		}
		told = append(told, s.Tick(now)...)
		switch op := rnd.IntN(100); {
		case op < 80:
			w := def.Watches[rnd.IntN(len(def.Watches))]
			good, v := rnd.IntN(12) > 0, 1.0
			switch {
			case w.Role == Still:
				if rnd.IntN(8) == 0 {
					people += float64(rnd.IntN(4) - 1)
				}
				v = people
			case w.Role == Idle:
				v = float64(rnd.IntN(6))
			case rnd.IntN(8) == 0:
				v = 0
			}
			x := Sample{At: now, Value: drivers.NumberValue(v)}
			if !good {
				x = Sample{At: now, Quality: drivers.Comm}
			}
			done = fmt.Sprintf("%s=%v %v", w.Point, v, good)
			told = append(told, s.Step(w.Point, x)...)
			m.sample(now, w.Point, v, good)
		case op < 84:
			long := time.Duration(1+rnd.IntN(80)) * quarter
			cs, err := s.Open(now, long)
			if err != nil {
				return err
			}
			told = append(told, cs...)
			m.open(now, long)
			done = "open"
		case op < 90:
			cs, err := s.Close(now)
			told = append(told, cs...)
			if (err == nil) == m.closed {
				return fmt.Errorf("step %d: close: %v", i, err)
			}
			if err == nil {
				m.shut("closed")
			}
			done = "close"
		case op < 98:
			cs, err := s.Reset(now)
			told = append(told, cs...)
			if ok := m.reset(); ok != (err == nil) {
				return fmt.Errorf("step %d at %v: reset: %v, the model says %v", i, now, err, ok)
			}
			done = "reset"
		default:
			gone, known := time.Duration(rnd.IntN(300))*quarter, rnd.IntN(4) > 0
			from := now
			if !known {
				gone = 0
			}
			now += gone
			mem, old := s.Memory(), s
			s = New(def, now)
			told = append(told, s.Restore(mem, func(p string) (drivers.Value, bool) {
				for _, w := range old.watches {
					if w.Point == p && w.known {
						return w.last, true
					}
				}
				return drivers.Value{}, false
			}, from, known)...)
			m.restart(now, gone, known)
			m.judge(now)
			told = append(told, s.Tick(now)...)
			done = fmt.Sprintf("restart after %v, known %v", gone, known)
		}
		var words []string
		for _, c := range told {
			p := c.Point
			if c.What == IsUnwatched {
				p = ""
			}
			words = append(words, c.What+" "+p)
		}
		slices.Sort(words) // the model knows no order within a quarter of a second
		slices.Sort(m.told)
		got, want := s.State().String()+": "+strings.Join(words, ", "), m.state()+": "+strings.Join(m.told, ", ")
		if m.told = nil; got != want {
			return fmt.Errorf("step %d at %v, %s:\n  got  %s\n  want %s", i, now, done, got, want)
		}
		spoil(s)
	}
	return nil
}
