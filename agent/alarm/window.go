package alarm

import (
	"time"

	"pithead/drivers"
)

// windowSlots is how finely a window remembers (promise 9).
const windowSlots = 64

// window is what rise, fall and flat look back at.
type window struct {
	condition Condition
	limit     float64
	length    time.Duration
	least     extremes // of rise and flat
	greatest  extremes // of fall and flat

	any   bool
	last  mark          // the newest good sample
	since time.Duration // from here on all that moved is known
	gap   bool          // the newest verdict compares across one
}

func newWindow(d *Def) *window {
	w := &window{condition: d.Condition, limit: d.Limit[0], length: d.Within, least: extremes{sign: 1}, greatest: extremes{sign: -1}}
	if d.Condition != Fall {
		w.least.marks = make([]mark, windowSlots+2)
	}
	if d.Condition != Rise {
		w.greatest.marks = make([]mark, windowSlots+2)
	}
	return w
}

// judge takes a sample in, and says what it makes of the condition.
func (w *window) judge(s Sample) verdict {
	v, ok := number(s)
	if !ok {
		return isSilent
	}
	if !w.any {
		w.since, w.last.v = s.At, v
	}
	w.gap = w.any && s.At-w.last.at > w.length
	before := w.last.v
	w.any, w.last = true, mark{s.At, s.At, v}
	w.least.add(w.last, w.length)
	w.greatest.add(w.last, w.length)
	lo, hi := min(before, v), max(before, v)
	if !w.gap {
		lo, hi = w.least.value(), w.greatest.value()
	}
	return w.weigh(v, lo, hi)
}

// weigh judges v against the least and the greatest of the window. What has not
// yet been seen for all of it can't clear: a start that finds nothing stored must
// end no alarm.
func (w *window) weigh(v, lo, hi float64) verdict {
	var beyond, moved bool
	switch w.condition {
	case Rise:
		beyond = drivers.Compare(v, lo+w.limit) >= 0
	case Fall:
		beyond = drivers.Compare(v, hi-w.limit) <= 0
	case Flat:
		if moved = drivers.Compare(hi, lo+w.limit) > 0; moved && w.gap {
			w.since = w.last.at // and nobody saw when
		}
		beyond = !moved && w.last.at-w.since >= w.length
	}
	switch {
	case beyond:
		return isBeyond
	case moved, w.condition != Flat && w.last.at-w.since >= w.length:
		return isSafe
	}
	return isBetween
}

// A mark is a value that was so from one time to another.
type mark struct {
	from, at time.Duration
	v        float64
}

// extremes keeps the least of a window (sign 1) or the greatest (sign -1): the
// samples that no later one has outdone, which so grow from the first to the
// last, in a ring. Two of them lie a slot apart at least: what comes sooner makes
// the one before it count longer instead.
type extremes struct {
	sign  float64
	marks []mark // nil: nobody asks
	first int
	n     int
}

func (x *extremes) get(i int) *mark { return &x.marks[(x.first+i)%len(x.marks)] }

// value is the extreme; 0 where nobody asks.
func (x *extremes) value() float64 {
	if x.n == 0 {
		return 0
	}
	return x.get(0).v
}

func (x *extremes) add(m mark, length time.Duration) {
	if x.marks == nil {
		return
	}
	for x.n > 0 && x.get(0).at < m.at-length {
		x.first, x.n = (x.first+1)%len(x.marks), x.n-1
	}
	for x.n > 0 && x.sign*x.get(x.n-1).v >= x.sign*m.v {
		x.n--
	}
	if x.n > 0 && (m.at-x.get(x.n-1).from)*windowSlots < length || x.n == len(x.marks) {
		x.get(x.n - 1).at = m.at
		return
	}
	x.n++
	*x.get(x.n - 1) = m
}
