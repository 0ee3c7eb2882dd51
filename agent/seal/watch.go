package seal

import (
	"fmt"
	"math"
	"time"

	"pithead/drivers"
)

// watch is one point as the seal sees it.
type watch struct {
	Watch

	bad      bool // no good sample, since:
	badSince time.Duration
	quality  drivers.Quality // of the newest sample
	last     drivers.Value   // newest good value, of this run or stored before it
	known    bool            // there is one

	away    bool // by good samples it departs, since:
	since   time.Duration
	told    bool // as a breach
	waiting bool // Idle: it runs since, but not yet For
	carried bool // it had departed when it was stored last
	heard   bool // and that was told

	base  float64 // of Still
	based bool

	unseen      bool // Seen is 0, since:
	unseenSince time.Duration
}

// truth is a value as 0 or 1. The state of a supervised loop counts by its
// name: closed is 1, and of a tamper contact all but cut and short is.
func (w *watch) truth(v drivers.Value) bool {
	switch {
	case v.Kind() != drivers.Text:
		return v.Float() != 0
	case w.Role == Tamper:
		return v.Str() != "cut" && v.Str() != "short"
	}
	return v.Str() == "closed"
}

// fits says whether a value can be held against what must be.
func (w *watch) fits(v drivers.Value) bool {
	if v.Kind() == drivers.Text {
		return w.Role == Closed || w.Role == Tamper
	}
	return !math.IsNaN(v.Float())
}

// departs says whether a good value is not as it must be.
func (w *watch) departs(v drivers.Value) bool {
	switch {
	case w.Role == Still:
		return w.based && drivers.Compare(v.Float(), w.base) > 0
	case w.Role == Idle && w.Above != nil:
		return drivers.Compare(v.Float(), *w.Above) >= 0
	case w.Role == Idle:
		return w.truth(v)
	}
	return !w.truth(v)
}

// differs says whether a value that comes back is another than the last one
// before the loss: of a current whether it runs, of what counts the count.
func (w *watch) differs(v drivers.Value) bool {
	if w.Role == Idle && w.Above != nil {
		return w.departs(v) != w.departs(w.last)
	}
	if v.Kind() == drivers.Text || w.last.Kind() == drivers.Text {
		return v != w.last
	}
	return drivers.Compare(v.Float(), w.last.Float()) != 0
}

// counts says that the watch takes part in closing only.
func (w *watch) counts() bool { return w.Role == In || w.Role == Out }

// dark says since when the point is not watched.
func (w *watch) dark() (since time.Duration, dark bool) {
	switch {
	case w.counts():
		return 0, false
	case w.bad:
		return w.badSince, true
	}
	return w.unseenSince, w.unseen
}

// doubt says why nobody can know whether the point departs.
func (w *watch) doubt() error {
	switch {
	case !w.bad:
		return nil
	case w.quality == drivers.Good:
		return fmt.Errorf("%s has not been read since the start", w.Point)
	}
	return fmt.Errorf("%s is bad (%s), so nobody knows what it is", w.Point, w.quality)
}
