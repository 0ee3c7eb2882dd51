package alarm

import (
	"math"
	"time"

	"pithead/drivers"
)

// slots is how many counts the attempts of a fault are kept in: ten times its
// duration in steps of half of it, and the step that has only begun.
const slots = 21

// attempts follows how well a point can be read, for its fault. Its nil keeps
// no count and is never poor.
type attempts struct {
	least time.Duration // the fault's duration
	run
	share
}

// run is the newest attempts, as far as they are all bad.
type run struct {
	since  time.Duration
	bad    bool
	outage bool // the alarm was raised for it
}

// share counts how often a point was read well over ten times the duration of
// its fault, and up to half of it more, since whole slots are forgotten.
type share struct {
	first  time.Duration  // of the first attempt that counts
	slot   int64          // of the newest attempt, its time in slots
	counts [slots]uint16  // attempts
	failed *[slots]uint16 // of them; nil: none, as with nearly every point
	all    uint32         // the sum of counts
	poorly uint32         // the sum of failed
	begun  bool

	// poor says that under half were good, and since then never three in five:
	// a sensor that fails every other time is one fault, not a hundred.
	poor bool
	// unsure says that poor only stands for what an earlier run may have seen;
	// it ends no sooner than the fault's duration after the first attempt.
	unsure bool
}

func newAttempts(d time.Duration) *attempts { return &attempts{least: d} }

// width is how long a slot is.
func (w *attempts) width() time.Duration { return max(w.least/2, 1) }

// add takes a sample; one under test is no attempt. The count begins anew after
// a gap longer than all slots, and with the good sample that ends an outage:
// that was told as one, so the share must not tell it a second time.
func (w *attempts) add(s Sample) {
	if w == nil || s.Quality == drivers.Test {
		return
	}
	slot := int64(max(s.At, 0) / w.width())
	switch {
	case w.endsOutage(s), w.begun && slot-w.slot >= slots:
		w.share = share{begun: true, first: s.At, slot: slot}
	case !w.begun:
		w.begun, w.first, w.slot = true, s.At, slot
	}
	for w.slot < slot {
		w.slot++
		w.forget(w.slot % slots)
	}
	w.count(w.slot%slots, s.Quality != drivers.Good)
	w.weigh(s)
}

// forget empties a slot.
func (w *share) forget(i int64) {
	w.all, w.counts[i] = w.all-uint32(w.counts[i]), 0
	if w.failed == nil {
		return
	}
	w.poorly, w.failed[i] = w.poorly-uint32(w.failed[i]), 0
	if w.poorly == 0 {
		w.failed = nil
	}
}

// count adds an attempt to a slot. One that is full halves them all: it is their
// share that counts.
func (w *share) count(i int64, bad bool) {
	if w.counts[i] == math.MaxUint16 {
		w.halve()
	}
	w.counts[i]++
	w.all++
	if !bad {
		return
	}
	if w.failed == nil {
		w.failed = new([slots]uint16)
	}
	w.failed[i]++
	w.poorly++
}

func (w *share) halve() {
	w.all, w.poorly = 0, 0
	for i := range w.counts {
		w.counts[i] /= 2
		w.all += uint32(w.counts[i])
		if w.failed != nil {
			w.failed[i] /= 2
			w.poorly += uint32(w.failed[i])
		}
	}
}

// endsOutage follows the run, and says whether s ends one that the alarm was
// raised for, or would have been if it were not up already.
func (w *attempts) endsOutage(s Sample) bool {
	if s.Quality == drivers.Good {
		was := w.run
		w.run = run{}
		return was.outage || was.bad && s.At-was.since > w.least
	}
	if !w.bad {
		w.run = run{bad: true, since: s.At}
	}
	return false
}

// weigh judges the share. Before so long has been seen nobody can: a single
// failure at the start is not a share. No good sample makes it poor, though a
// better one may just have been forgotten.
func (w *attempts) weigh(s Sample) {
	good, all := w.all-w.poorly, w.all
	switch seen := s.At - w.first; {
	case 5*good >= 3*all && (!w.unsure || seen >= w.least):
		w.poor, w.unsure = false, false
	case s.Quality != drivers.Good && 2*good < all && seen >= (slots-1)*w.width():
		w.poor = true
	}
}

// told says that the alarm was raised for the run: for one that a restart cut
// in two, the run's own times don't show that.
func (w *attempts) told() {
	if w != nil {
		w.outage = w.bad
	}
}

// doubt makes a count that has not begun unsure.
func (w *attempts) doubt() {
	if w != nil {
		w.poor, w.unsure = true, true
	}
}

func (w *attempts) arePoor() bool { return w != nil && w.poor }
