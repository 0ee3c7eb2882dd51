package seal

import (
	"slices"
	"time"

	"pithead/drivers"
)

// Step takes a sample of a point. What was due before it comes first.
func (s *Seal) Step(point string, x Sample) []Change {
	s.run(x.At)
	lost := false // told of a change while nobody saw it: once, whatever roles the point has
	for _, w := range s.watches {
		if w.Point != point {
			continue
		}
		switch {
		case x.Quality != drivers.Good:
			w.lose(x.Quality, x.At)
		case !w.fits(x.Value):
			w.lose(drivers.Sensor, x.At)
		default:
			s.good(w, x, &lost)
		}
	}
	s.look(x.At)
	return s.take()
}

func (w *watch) lose(q drivers.Quality, at time.Duration) {
	if !w.bad {
		w.bad, w.badSince = true, at
	}
	w.quality = q
}

// good takes a good sample.
func (s *Seal) good(w *watch, x Sample, lost *bool) {
	back := w.bad
	was, known, since := w.last, w.known, w.badSince
	changed := back && known && w.differs(x.Value)
	w.bad, w.quality, w.last, w.known = false, drivers.Good, x.Value, true
	if changed && !*lost && !w.counts() {
		*lost = true
		s.tell(Change{At: x.At, What: HasChanged, From: s.State(), Was: was, Since: since}, w)
	}
	switch w.Role {
	case In, Out:
	case Seen:
		if away := w.departs(x.Value); away != w.unseen {
			w.unseen, w.unseenSince = away, x.At
		}
	case Tamper:
		s.tamper(w, x)
	case Still:
		s.still(w, x)
	default:
		s.depart(w, x)
	}
	w.carried = false
}

func (s *Seal) tamper(w *watch, x Sample) {
	away := w.departs(x.Value)
	if away && !w.away {
		w.since = x.At
		from := s.State()
		if s.tampered = true; !w.carried || !w.heard {
			s.tell(Change{At: x.At, What: WasTampered, From: from, Since: x.At}, w)
		}
	}
	w.away = away
}

// still holds a count against what it was when the seal was closed.
func (s *Seal) still(w *watch, x Sample) {
	v := x.Value.Float()
	if !s.closed || !w.based || drivers.Compare(v, w.base) < 0 {
		w.base, w.based = v, true
	}
	s.depart(w, x)
}

// depart follows a departure.
func (s *Seal) depart(w *watch, x Sample) {
	switch away := w.departs(x.Value); {
	case !away:
		w.waiting = false
		s.comeBack(w, x.At)
	case w.away:
	case w.carried && s.closed && w.heard:
		w.away, w.told, w.since = true, true, x.At
	case w.carried && s.closed:
		w.away, w.since = true, x.At
		s.breach(w, x.At)
	case w.For > 0 && !w.waiting:
		w.waiting, w.since = true, x.At
	case w.waiting: // until it is due
	default:
		w.away, w.since = true, x.At
	}
}

// comeBack ends a departure; one that was not told was brief.
func (s *Seal) comeBack(w *watch, at time.Duration) {
	if !w.away {
		return
	}
	brief := s.closed && !w.told
	w.away, w.told = false, false
	if !brief {
		return
	}
	s.tell(Change{At: at, What: HasBriefly, From: s.State(), Since: w.since}, w)
	s.briefs = slices.DeleteFunc(append(s.briefs, at), func(b time.Duration) bool { return at-b > hour })
	if len(s.briefs) >= mostBrief {
		from := s.State()
		s.breached, s.briefs = true, nil
		s.tell(Change{At: at, What: TooOften, From: from, Since: w.since}, w)
	}
}

func (s *Seal) breach(w *watch, at time.Duration) {
	from := s.State()
	s.breached, w.told = true, true
	s.tell(Change{At: at, What: HasDeparted, From: from, Since: w.since}, w)
	if w.Role == Still { // the next rise is another
		w.base, w.away, w.told = w.last.Float(), false, false
	}
}

// look follows whether everything is seen.
func (s *Seal) look(at time.Duration) {
	from, dark := s.darkest()
	switch {
	case dark && !s.dark:
		s.dark, s.darkFrom, s.darkTold = true, from, false
	case !dark && s.dark:
		s.dark = false
		was := s.State()
		if told := s.blind || s.darkTold; told {
			s.blind, s.darkTold = false, false
			s.tell(Change{At: at, What: SeesAgain, From: was, Since: s.darkFrom}, nil)
		}
	}
	s.run(at)
}

// darkest is since when something is not watched.
func (s *Seal) darkest() (from time.Duration, dark bool) {
	for _, w := range s.watches {
		if since, is := w.dark(); is && (!dark || since < from) {
			from, dark = since, true
		}
	}
	return from, dark
}
