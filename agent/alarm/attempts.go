package alarm

import (
	"time"

	"pithead/drivers"
)

// slots is how many counts the attempts of a fault are kept in: ten times its
// duration in steps of half of it, and the step that has only begun.
const slots = 21

// attempts counts how often a point was read well over ten times the duration
// of its fault, and up to half of it more, since whole slots are forgotten. Its
// nil keeps no count and is never poor.
type attempts struct {
	width     time.Duration // of a slot
	begun     bool
	first     time.Duration // of the first attempt without a gap to the newest
	slot      int64         // of the newest attempt, its time in widths
	good, all [slots]uint32

	// poor says that under half were good, and since then never three in five:
	// a sensor that fails every other time is one fault, not a hundred.
	poor bool
	// unsure says that poor only stands for what an earlier run may have seen;
	// it ends no sooner than the fault's duration after the first attempt.
	unsure bool
}

func newAttempts(d time.Duration) *attempts {
	return &attempts{width: max(d/2, 1)}
}

// add counts a sample; one under test is no attempt. After a gap longer than
// all slots the count begins anew.
func (w *attempts) add(s Sample) {
	if w == nil || s.Quality == drivers.Test {
		return
	}
	slot := int64(max(s.At, 0) / w.width)
	if !w.begun || slot-w.slot >= slots {
		unsure := w.unsure && !w.begun
		*w = attempts{width: w.width, begun: true, first: s.At, slot: slot, poor: unsure, unsure: unsure}
	}
	for w.slot < slot {
		w.slot++
		w.good[w.slot%slots], w.all[w.slot%slots] = 0, 0
	}
	i := w.slot % slots
	w.all[i]++
	if s.Quality == drivers.Good {
		w.good[i]++
	}
	w.weigh(s.At)
}

// weigh judges the share. Before so long has been seen nobody can: a single
// failure at the start is not a share.
func (w *attempts) weigh(at time.Duration) {
	var good, all uint64
	for i := range slots {
		good += uint64(w.good[i])
		all += uint64(w.all[i])
	}
	switch {
	case 5*good >= 3*all && (!w.unsure || at-w.first >= 2*w.width):
		w.poor = false
	case 2*good < all && at-w.first >= (slots-1)*w.width:
		w.poor = true
	}
}

// doubt makes a count that has not begun unsure.
func (w *attempts) doubt() {
	if w != nil {
		w.poor, w.unsure = true, true
	}
}

func (w *attempts) arePoor() bool { return w != nil && w.poor }
