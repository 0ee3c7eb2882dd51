package seal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pithead/drivers"
)

// Open lets people in for some time. The error says why not.
func (s *Seal) Open(at, long time.Duration) ([]Change, error) {
	switch {
	case long <= 0:
		return nil, errors.New("it says not for how long; want for, at most " + mostOpenText)
	case long > MostOpen:
		return nil, fmt.Errorf("%s is too long; want at most %s", long, mostOpenText)
	}
	s.run(at)
	from := s.State()
	s.closed, s.ends, s.until = false, true, at+long
	for _, w := range s.watches {
		w.told = false
		if w.Role == Still {
			w.away = false
		}
	}
	s.tell(Change{At: at, What: WasOpened, From: from, Until: s.until}, nil)
	return s.take(), nil
}

// Close seals. The error says why that can't be.
func (s *Seal) Close(at time.Duration) ([]Change, error) {
	s.run(at)
	if err := s.closable(); err != nil {
		return s.take(), err
	}
	s.shut(at, WasClosed)
	return s.take(), nil
}

func (s *Seal) closable() error {
	if s.closed {
		return fmt.Errorf("it is closed already; it is %s", s.State())
	}
	for _, w := range s.watches {
		if w.quality == drivers.Test {
			return fmt.Errorf("%s is under test", w.Point)
		}
		if err := w.doubt(); err != nil && w.counts() {
			return err
		}
	}
	if n, known := s.inside(); known && n != 0 {
		return fmt.Errorf("%s more went in than came out", drivers.NumberValue(n))
	}
	return nil
}

// inside is how much more went in than came out; false if nobody knows.
func (s *Seal) inside() (n float64, known bool) {
	sum, sides := 0.0, 0
	for _, w := range s.watches {
		if !w.counts() || !w.known {
			continue
		}
		sides++
		if w.Role == In {
			sum += w.last.Float()
		} else {
			sum -= w.last.Float()
		}
	}
	n = drivers.Round(sum-s.zero, 9)
	return n, sides == 2
}

// shut seals, and judges at once what is known.
func (s *Seal) shut(at time.Duration, what string) {
	from := s.State()
	s.closed, s.ends = true, false
	var away []*watch
	for _, w := range s.watches {
		w.told = false
		if w.Role == Still {
			w.based, w.away = w.known, false
			w.base = w.last.Float()
		}
		if w.away && w.Role != Tamper {
			away = append(away, w)
		}
	}
	s.darkFrom, s.darkTold = at, false
	n, known := s.inside()
	s.breached = s.breached || len(away) > 0 || known && n != 0
	s.tell(Change{At: at, What: what, From: from}, nil)
	for _, w := range away {
		s.breach(w, at)
	}
	if known && n != 0 {
		i := slices.IndexFunc(s.watches, func(w *watch) bool { return w.Role == In })
		s.tell(Change{At: at, What: NotBalanced, From: s.State(), Since: at}, s.watches[i])
		s.told[len(s.told)-1].Value = drivers.NumberValue(n)
	}
}

// Reset makes good what was tampered with, breached or unwatched, once a person
// has looked. The error says why that can't be.
func (s *Seal) Reset(at time.Duration) ([]Change, error) {
	s.run(at)
	if err := s.resettable(); err != nil {
		return s.take(), err
	}
	from := s.State()
	s.tampered, s.breached, s.unwatched, s.briefs = false, false, false, nil
	s.darkFrom, s.darkTold = at, false // seen by a person up to now
	if n, known := s.inside(); known && s.closed {
		s.zero += n
	}
	s.tell(Change{At: at, What: WasReset, From: from}, nil)
	return s.take(), nil
}

func (s *Seal) resettable() error {
	if !s.tampered && !s.breached && !s.unwatched {
		return fmt.Errorf("there is nothing to reset; it is %s", s.State())
	}
	for _, w := range s.watches {
		if w.counts() || w.Role == Seen || !s.closed && w.Role != Tamper {
			continue
		}
		if w.away {
			return fmt.Errorf("%s is %s, and must not be (%s)", w.Point, w.last, w.Role)
		}
		if err := w.doubt(); err != nil {
			return err
		}
	}
	return nil
}
