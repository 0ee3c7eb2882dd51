package alarm

import (
	"errors"
	"fmt"
	"time"

	"pithead/drivers"
)

// An Alarm judges one point. Step is given every sample of it, in order; Due
// says when a delay ends, and Tick is called then. Neither asks a clock.
type Alarm struct {
	def      Def
	state    State
	acked    bool
	limit    float64
	hasLimit bool

	seen    bool // there was a sample in this run
	last    Sample
	verdict verdict // on last

	waiting bool // the on-delay runs, since:
	beyond  time.Duration
	carried bool // the last sample before a restart was beyond; holds until one is judged

	clearing bool // the newest samples are all safe, since:
	safe     time.Duration
	over     bool // the newest sample ended it, but its change was the raise that Tick owed

	attempts *attempts // of a fault
}

// New is an alarm in Normal.
func New(d Def) *Alarm {
	a := &Alarm{def: d}
	if d.Condition == Fault && d.For > 0 {
		a.attempts = newAttempts(d.For)
	}
	return a
}

// Step judges a sample. Where a deadline has passed before it and Tick was not
// called, the change is the raise of that deadline; if the sample ends the
// alarm at once, Due and Tick tell that next.
func (a *Alarm) Step(s Sample) (Change, bool) {
	var owed Change
	late := a.waiting && s.At > a.deadline()
	if late {
		owed = a.raise(a.deadline())
	}
	a.attempts.add(s)
	a.last, a.seen, a.verdict = s, true, a.judge(s)
	a.over = false
	switch {
	case late:
		a.over = a.ending(s.At)
		return owed, true
	case a.state == Active || a.state == Acked:
		if a.ending(s.At) {
			return a.clear(s.At), true
		}
	case a.beginning(s.At):
		return a.raise(s.At), true
	}
	return Change{}, false
}

// beginning follows the on-delay, and says whether it is over.
func (a *Alarm) beginning(at time.Duration) bool {
	switch a.verdict {
	case isSafe, isBetween:
		a.waiting, a.carried = false, false
	case isBeyond:
		if !a.waiting {
			a.waiting, a.beyond = true, at
		}
		return a.carried || at >= a.deadline()
	}
	return a.verdict == isPoor
}

// ending follows the run of safe samples, and says whether it is long enough.
func (a *Alarm) ending(at time.Duration) bool {
	if a.verdict != isSafe {
		a.clearing = false
		return false
	}
	if !a.clearing {
		a.clearing, a.safe = true, at
	}
	return at-a.safe >= a.def.ClearFor
}

func (a *Alarm) deadline() time.Duration { return a.beyond + a.def.For }

// Due is when Tick must be called, if no sample comes before.
func (a *Alarm) Due() (time.Duration, bool) {
	if a.over {
		return a.last.At, true
	}
	return a.deadline(), a.waiting
}

// Tick tells what is due, if that is not after at.
func (a *Alarm) Tick(at time.Duration) (Change, bool) {
	due, ok := a.Due()
	switch {
	case !ok || at < due:
		return Change{}, false
	case a.over:
		return a.clear(due), true
	}
	return a.raise(due), true
}

func (a *Alarm) raise(at time.Duration) Change {
	if a.verdict != isPoor {
		a.attempts.told()
	}
	a.waiting, a.carried, a.acked = false, false, false
	return a.become(Active, WasRaised, at)
}

func (a *Alarm) clear(at time.Duration) Change {
	a.clearing, a.over = false, false
	if a.def.Latch {
		return a.become(Cleared, WasCleared, at)
	}
	c := a.become(Normal, IsNormal, at)
	a.acked = false
	return c
}

func (a *Alarm) become(to State, what string, at time.Duration) Change {
	c := Change{
		At: at, What: what, From: a.state, To: to, Acked: a.acked, Level: a.def.Level,
		Value: a.last.Value, Quality: a.last.Quality, Limit: a.limit, HasLimit: a.hasLimit,
	}
	a.state = to
	return c
}

// Ack notes that somebody knows. The error says why there is nothing to know.
func (a *Alarm) Ack(at time.Duration) (Change, error) {
	switch {
	case a.state == Normal:
		return Change{}, errors.New("it is not raised")
	case a.acked:
		return Change{}, errors.New("it is acknowledged already")
	}
	a.acked = true
	if a.state == Active {
		return a.become(Acked, WasAcked, at), nil
	}
	return a.become(a.state, WasAcked, at), nil
}

// Reset lets a latched alarm go. The error says why it can't go.
func (a *Alarm) Reset(at time.Duration) (Change, error) {
	switch {
	case a.state == Normal:
		return Change{}, errors.New("it is not raised")
	case !a.def.Latch:
		return Change{}, errors.New("it has no latch: it ends by itself when its condition is over")
	case a.state != Cleared:
		return Change{}, errors.New("its condition is not over")
	case !a.seen:
		return Change{}, fmt.Errorf("%s has not been read since the start", a.def.Point)
	case a.last.Quality != drivers.Good:
		return Change{}, fmt.Errorf("%s is bad (%s), so nobody knows whether its condition is over", a.def.Point, a.last.Quality)
	case a.verdict != isSafe && a.verdict != isBetween:
		return Change{}, errors.New("its condition holds again")
	}
	c := a.become(Normal, WasReset, at)
	a.acked = false
	return c, nil
}

// Def is what the alarm was made from.
func (a *Alarm) Def() Def { return a.def }

// State is where it stands.
func (a *Alarm) State() State { return a.state }

// Acknowledged says whether somebody knows of it; in Cleared it tells the two
// kinds apart.
func (a *Alarm) Acknowledged() bool { return a.acked }

// Asks says whether it wants its outputs on: active, acked or held by its latch.
func (a *Alarm) Asks() bool { return a.state != Normal }

// Safe says whether the newest sample of this run was good, and on the side
// where the alarm clears.
func (a *Alarm) Safe() bool { return a.seen && a.verdict == isSafe }

// Memory is what Restore needs to go on after a restart.
func (a *Alarm) Memory() Memory {
	return Memory{State: a.state, Acked: a.acked, Limit: a.limit, HasLimit: a.hasLimit}
}

// Restore puts a new alarm where another run left it. Last is the point's last
// stored sample before the restart; its time doesn't matter.
func (a *Alarm) Restore(m Memory, last Sample, hasLast bool) {
	up := m.State == Active || m.State == Acked
	a.carried = hasLast && !up && a.judge(last) == isBeyond
	if up {
		a.attempts.doubt()
	}
	a.state, a.acked, a.limit, a.hasLimit = m.State, m.Acked, m.Limit, m.HasLimit
}
