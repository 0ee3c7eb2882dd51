package alarm

import (
	"math"
	"time"
)

// Slept is the alarm of a fault whose point was read well n times, from first to
// last, one as long after the other: what New and as many Steps make of that. So
// the faults of ten thousand points that fare well need not be there until one of
// them is read badly.
func Slept(d *Def, first time.Duration, n uint32, last Sample) *Alarm {
	a := New(d)
	if n == 0 {
		return a
	}
	a.seen, a.last = true, last
	if a.attempts != nil {
		a.attempts.spread(first, last.At, int(n))
	}
	a.verdict = a.judge(last)
	return a
}

// Lapsed says whether so much time lies between two attempts that a fault's count
// of them begins anew with the second.
func Lapsed(d *Def, was, at time.Duration) bool {
	w := attempts{least: d.For}
	return int64(max(at, 0)/w.width())-int64(max(was, 0)/w.width()) >= slots
}

// spread counts n good attempts.
func (w *attempts) spread(first, last time.Duration, n int) {
	width := w.width()
	w.begun, w.first, w.slot = true, first, int64(max(last, 0)/width)
	before := func(t time.Duration) int {
		switch {
		case t <= first:
			return 0
		case t > last:
			return n
		}
		return int(math.Ceil(float64(t-first) * float64(n-1) / float64(last-first)))
	}
	for i := range int64(slots) {
		slot := w.slot - i
		from := time.Duration(slot) * width
		count := before(from+width) - before(from)
		for count > math.MaxUint16 {
			w.halve()
			count /= 2
		}
		if slot >= 0 {
			w.counts[slot%slots] = uint16(count)
			w.all += uint32(count)
		}
	}
}
