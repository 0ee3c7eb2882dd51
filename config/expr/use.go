package expr

import (
	"time"

	"pithead/drivers"
)

// A Use is an expression at work: what its windows remember. It belongs to one
// goroutine.
type Use struct {
	e       *Expr
	windows []windowState
	scratch []float64
	now     Now
	get     func(input int) Sample
}

// Use begins with empty windows.
func (e *Expr) Use() *Use {
	u := &Use{e: e, scratch: make([]float64, e.scratch), windows: make([]windowState, len(e.windows))}
	for i := range e.windows {
		u.windows[i].begin(&e.windows[i])
	}
	return u
}

// Eval is the value of the expression now, of its Kind, or none and
// drivers.Input; get is what the input of that place in Inputs holds. To fill
// windows it is called for the past, in order.
func (u *Use) Eval(now Now, get func(input int) Sample) (drivers.Value, drivers.Quality) {
	u.now, u.get = now, get
	for i := range u.windows { // the inner ones come first
		u.windows[i].look(u)
	}
	f, ok := u.e.root.eval(u)
	u.get = nil
	switch {
	case !ok:
		return drivers.Value{}, drivers.Input
	case u.e.kind == drivers.Bool:
		return drivers.BoolValue(f != 0), drivers.Good
	}
	return drivers.NumberValue(f + 0), drivers.Good // -0 + 0 is 0
}

// Due is when the expression may change although no input does: the soonest time
// at which something will have held for long enough. Eval tells it.
func (u *Use) Due() (at time.Duration, ok bool) {
	for i := range u.windows {
		w := &u.windows[i]
		if w.kind != wHeld || !w.on || w.age >= w.length {
			continue
		}
		if due := w.from + w.length; !ok || due < at {
			at, ok = due, true
		}
	}
	return at, ok
}
