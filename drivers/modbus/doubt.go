package modbus

import (
	"bytes"
	"slices"
	"time"
)

// A debt is an answer that may still come: the unit was asked and gave none in time.
type debt struct {
	ask   ask
	until time.Time // it is believed never to come from here on
}

// doubt is what the units of one line owe. RTU frames carry no transaction id,
// so the answer to one request passes for the answer to another of the same
// unit, function and length. A unit answers in the order in which it was asked:
// what it answers beyond doubt pays all that it owed before.
type doubt map[byte][]debt

// forget drops what is too old to come.
func (d doubt) forget(unit byte, now time.Time) {
	for len(d[unit]) > 0 && !now.Before(d[unit][0].until) {
		d[unit] = d[unit][1:]
	}
}

// holds says until when the ask must not be sent, since an answer owed to
// another could be taken for its own. A write may repeat one that is owed,
// whichever of the two is answered then, unless something else was written
// there since.
func (d doubt) holds(a ask, now time.Time) (until time.Time, held bool) {
	d.forget(a.unit(), now)
	debts := d[a.unit()]
	for i, o := range debts {
		if a.mistakes(o.ask) && (a.reads() || slices.ContainsFunc(debts[i:], a.undoneBy)) {
			until, held = o.until, true
		}
	}
	return until, held
}

// undoneBy says that the debt is for writing something else to the same place.
func (a ask) undoneBy(o debt) bool {
	return bytes.Equal(a[:4], o.ask[:4]) && a != o.ask
}

// owe notes that the answer to a may still come until then.
func (d doubt) owe(a ask, until time.Time) {
	d[a.unit()] = append(d[a.unit()], debt{a, until})
}

// owes says whether the frame, whole and checked, may be an answer that is
// owed. It pays nothing: only what can't be mistaken does.
func (d doubt) owes(frame []byte, now time.Time) bool {
	d.forget(frame[0], now)
	return slices.ContainsFunc(d[frame[0]], func(o debt) bool { return o.ask.begins(frame) })
}

// any says whether any unit of the line owes anything.
func (d doubt) any(now time.Time) bool {
	for unit := range d {
		if d.forget(unit, now); len(d[unit]) > 0 {
			return true
		}
	}
	return false
}

// answered settles what a unit owes when it has answered a. Where a repeats a
// write that is owed, as many answers as before are still to come.
func (d doubt) answered(a ask) {
	debts := d[a.unit()]
	for i, o := range debts {
		if o.ask == a {
			d[a.unit()] = debts[i:]
			return
		}
	}
	delete(d, a.unit())
}
