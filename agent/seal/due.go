package seal

import (
	"time"

	"pithead/drivers/lent"
)

// Due is when Tick must be called, if nothing comes before.
func (s *Seal) Due() (at time.Duration, ok bool) {
	sooner := func(t time.Duration) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	if s.ends {
		sooner(s.until)
	}
	for _, w := range s.watches {
		if w.waiting {
			sooner(w.since + w.For)
		}
		if s.pending(w) {
			sooner(w.since + s.def.Confirm)
		}
		if t, is := s.blindAt(w); is {
			sooner(t)
		}
	}
	if s.closed && s.dark && !s.darkTold {
		sooner(s.overAt())
	}
	return at, ok
}

// pending says that a departure may become a breach.
func (s *Seal) pending(w *watch) bool {
	return s.closed && w.away && !w.told && w.Role != Tamper
}

// blindAt is when a watch makes the seal blind, if it does.
func (s *Seal) blindAt(w *watch) (time.Duration, bool) {
	since, dark := w.dark()
	return max(since, s.started) + s.def.Confirm, dark && !s.blind
}

// overAt is when a seal without sight is unwatched: over a minute, not after it.
func (s *Seal) overAt() time.Duration { return s.darkFrom + MostBlind + time.Millisecond }

// Tick tells what is due, if that is not after at.
func (s *Seal) Tick(at time.Duration) []Change {
	s.run(at)
	return s.take()
}

// run does all that is due up to a time, each at its own.
func (s *Seal) run(at time.Duration) {
	if lent.On {
		lent.Over(s.told[len(s.told):]) // of the call before
	}
	for due, ok := s.Due(); ok && due <= at; due, ok = s.Due() {
		s.fire(max(due, s.started)) // what was due while the agent was away is so now
	}
}

func (s *Seal) fire(at time.Duration) {
	if s.ends && s.until <= at {
		s.shut(at, HasEnded)
	}
	for _, w := range s.watches {
		if w.waiting && w.since+w.For <= at {
			w.waiting, w.away, w.since = false, true, w.since+w.For
		}
		if s.pending(w) && w.since+s.def.Confirm <= at {
			s.breach(w, at)
		}
		if t, is := s.blindAt(w); is && t <= at {
			from := s.State()
			s.blind = true
			since, _ := w.dark()
			s.tell(Change{At: at, What: WentBlind, From: from, Since: since}, w)
		}
	}
	if s.closed && s.dark && !s.darkTold && s.overAt() <= at {
		s.miss(at)
	}
}

// miss notes that nobody can know what was done.
func (s *Seal) miss(at time.Duration) {
	from := s.State()
	s.unwatched, s.darkTold = true, true
	c := Change{At: at, What: IsUnwatched, From: from, Since: s.darkFrom}
	for _, w := range s.watches {
		if since, dark := w.dark(); dark && since <= s.darkFrom {
			s.tell(c, w)
			return
		}
	}
	s.tell(c, nil)
}
