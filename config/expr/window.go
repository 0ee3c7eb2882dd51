package expr

import (
	"time"

	"pithead/drivers"
)

// windowKind is what a window is asked for.
type windowKind uint8

const (
	wDelta windowKind = iota
	wRate
	wSince
	wHeld
	wAvg
	wMin
	wMax
	wMedian
)

// A window is how far an expression looks back at something.
type window struct {
	kind   windowKind
	input  int // not of wHeld
	length time.Duration
	tod    int64 // of wSince: the time of day, ms after midnight
	cond   *node // of wHeld
}

// slots is how finely a window remembers: promises 2 and 3.
const slots = 128

const dayMS = 24 * 60 * 60 * 1000

// windowState is what one window remembers.
type windowState struct {
	*window
	past ring // of wDelta, wRate, wSince
	sums []sum
	head int // of sums: the newest, if any
	any  bool
	last mark // the newest good sample

	base     mark // of wSince
	boundary time.Duration
	day      int64

	bad  bool // of wHeld: its condition can't be told; of wSince: the clock can't
	on   bool // of wHeld, since:
	from time.Duration
	age  time.Duration

	sorted []float64 // room for a median
}

// A mark is a value at a time.
type mark struct {
	at time.Duration
	v  float64
}

func (w *windowState) begin(d *window) {
	w.window = d
	switch d.kind {
	case wDelta, wRate, wSince:
		w.past.marks = make([]mark, slots+2)
	case wAvg, wMin, wMax:
		w.sums = make([]sum, slots+1)
	case wMedian:
		w.sums = make([]sum, slots+1)
		w.sorted = make([]float64, 0, slots+1)
	}
}

// look takes in what is so now.
func (w *windowState) look(u *Use) {
	if w.kind == wHeld {
		w.lookHeld(u)
		return
	}
	s := u.get(w.input)
	f, ok := finite(s.Value.Float())
	fresh := ok && s.Quality == drivers.Good && s.Value.Kind() != drivers.None && (!w.any || s.At > w.last.at)
	if w.kind == wSince {
		w.lookSince(u.now, fresh, mark{s.At, f})
		return
	}
	if fresh {
		w.take(mark{s.At, f})
	}
}

func (w *windowState) take(m mark) {
	w.any, w.last = true, m
	if w.sums != nil {
		w.addSum(m)
		return
	}
	w.past.add(m, w.length)
}

func (w *windowState) lookHeld(u *Use) {
	f, ok := w.cond.eval(u)
	w.bad = !ok
	switch {
	case !ok || f == 0:
		w.on = false
	case !w.on:
		w.on, w.from = true, u.now.At
	}
	w.age = u.now.At - w.from
}

// lookSince keeps the value that the day or shift began with.
func (w *windowState) lookSince(now Now, fresh bool, m mark) {
	w.bad = !now.Known
	if w.bad {
		if fresh {
			w.take(m)
		}
		return
	}
	day := floorDiv(now.Local-w.tod, dayMS)
	boundary := now.At - time.Duration(now.Local-w.tod-day*dayMS)*time.Millisecond
	moved := boundary - w.boundary
	turned := !w.any || day != w.day || moved.Abs() > time.Second // the clock was set, too
	before := m.at <= boundary
	if fresh && (before || !w.any) {
		w.take(m)
	}
	if turned && w.any {
		w.day, w.boundary = day, boundary
		w.base = w.at(boundary)
	}
	if fresh && !before {
		w.take(m)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// at is the newest mark that is not after t, or the oldest there is.
func (w *windowState) at(t time.Duration) mark {
	if w.last.at <= t {
		return w.last
	}
	return w.past.at(t)
}

// value is what the window says; nothing before its first good sample.
func (w *windowState) value() (float64, bool) {
	switch w.kind {
	case wHeld:
		held, _ := fromBool(w.on && w.age >= w.length)
		return held, !w.bad
	case wSince:
		return w.last.v - w.base.v, w.any && !w.bad
	case wDelta:
		return w.last.v - w.past.at(w.last.at-w.length).v, w.any
	case wRate:
		b := w.past.at(w.last.at - w.length)
		return (w.last.v - b.v) / max(w.length, w.last.at-b.at).Hours(), w.any
	}
	return w.summed()
}

// A ring keeps at most one mark a slot, those of a window and the newest before it.
type ring struct {
	marks []mark
	first int
	n     int
}

func (r *ring) get(i int) *mark { return &r.marks[(r.first+i)%len(r.marks)] }

func (r *ring) add(m mark, length time.Duration) {
	if r.n > 0 && m.at-r.get(r.n-1).at < length/slots {
		return
	}
	for r.n > 1 && r.get(1).at <= m.at-length || r.n == len(r.marks) {
		r.first, r.n = (r.first+1)%len(r.marks), r.n-1
	}
	r.n++
	*r.get(r.n - 1) = m
}

// at is the newest mark that is not after t, or the oldest.
func (r *ring) at(t time.Duration) mark {
	lo, hi := 0, r.n // the one wanted is before hi, unless hi is 0
	for lo < hi {
		mid := (lo + hi) / 2
		if r.get(mid).at <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return *r.get(max(lo-1, 0))
}
