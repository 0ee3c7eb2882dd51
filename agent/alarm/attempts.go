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
}

func newAttempts(d time.Duration) *attempts {
	return &attempts{width: max(d/2, 1)}
}

// add counts a sample; one under test is no attempt.
func (w *attempts) add(s Sample) {
	if w == nil || s.Quality == drivers.Test {
		return
	}
	slot := int64(s.At / w.width)
	if !w.begun || slot-w.slot >= slots {
		*w = attempts{width: w.width, begun: true, first: s.At, slot: slot}
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
}

// poor says whether under half were good. Before so long has been seen nobody
// can say so: a single failure at the start is not a share.
func (w *attempts) poor(at time.Duration) bool {
	if w == nil || at-w.first < (slots-1)*w.width {
		return false
	}
	var good, all uint64
	for i := range slots {
		good += uint64(w.good[i])
		all += uint64(w.all[i])
	}
	return 2*good < all
}
