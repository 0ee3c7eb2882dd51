package seal

import (
	"slices"
	"time"

	"pithead/drivers"
)

// Memory is where another run left a seal.
type Memory struct {
	Closed                        bool
	Tampered, Breached, Unwatched bool
	Until                         time.Duration // of an opening; already over: at the first Tick
	Ends                          bool
	Briefs                        []time.Duration
	Still                         map[string]float64 // what counts were when it was closed
	Zero                          float64
	Told                          []string // points whose departure stands and was told
}

// Memory is what Restore needs to go on after a restart.
func (s *Seal) Memory() Memory {
	m := Memory{Closed: s.closed, Tampered: s.tampered, Breached: s.breached, Unwatched: s.unwatched,
		Until: s.until, Ends: s.ends, Briefs: s.briefs, Zero: s.zero}
	for _, w := range s.watches {
		if w.away && (w.told || w.Role == Tamper) {
			m.Told = append(m.Told, w.Point)
		}
		if w.Role == Still && w.based {
			if m.Still == nil {
				m.Still = map[string]float64{}
			}
			m.Still[w.Point] = w.base
		}
	}
	return m
}

// Restore puts a new seal where another run left it, which watched until from;
// if nobody knows when that was, what was done since can't be known either. Last
// is the last good value of a point that is stored.
func (s *Seal) Restore(m Memory, last func(point string) (drivers.Value, bool), from time.Duration, known bool) []Change {
	s.closed, s.tampered, s.breached, s.unwatched = m.Closed, m.Tampered, m.Breached, m.Unwatched
	s.until, s.ends, s.briefs, s.zero = m.Until, m.Ends && !m.Closed, m.Briefs, m.Zero
	if known {
		s.darkFrom = min(from, s.started)
	}
	for _, w := range s.watches {
		w.badSince = s.darkFrom
		if w.last, w.known = last(w.Point); !w.known || !w.fits(w.last) {
			w.last, w.known = drivers.Value{}, false
			continue
		}
		if w.Role == Still {
			w.base, w.based = w.last.Float(), true
			if base, ok := m.Still[w.Point]; ok && m.Closed {
				w.base = base
			}
		}
		w.carried, w.heard = w.departs(w.last), slices.Contains(m.Told, w.Point) && w.Role != Still
	}
	if s.closed && !known {
		s.miss(s.started)
	}
	return s.take()
}
