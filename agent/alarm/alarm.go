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
	def      *Def // shared with whoever made it; nobody changes it
	state    State
	acked    bool
	level    Level // its own, what it was escalated to, or its rank
	hasLimit bool  // limit counts
	gap      bool  // what it was raised by compares across a gap
	idle     bool  // it does not raise: suppressed, or out of service

	seen     bool    // there was a sample in this run
	verdict  verdict // on last
	waiting  bool    // the on-delay runs, since beyond
	carried  bool    // the last sample before a restart was beyond; holds until one is judged
	clearing bool    // the newest samples are all safe, since safe
	over     bool    // the newest sample ended it, but its change was the raise that Tick owed

	limit  float64
	raised time.Duration // the newest time, for its escalation
	last   Sample
	beyond time.Duration
	safe   time.Duration

	attempts *attempts // of a fault
	window   *window   // of rise, fall and flat
	ranks    *ranks    // of ranked
}

// New is an alarm in Normal. It keeps d, which must not change any more.
func New(d *Def) *Alarm {
	a := &Alarm{def: d, level: d.Level}
	switch {
	case d.Condition == Fault && d.For > 0:
		a.attempts = newAttempts(d.For)
	case d.Condition == Rise, d.Condition == Fall, d.Condition == Flat:
		a.window = newWindow(d)
	case d.Condition == Ranked:
		a.ranks = &ranks{}
	}
	return a
}

// Step judges a sample. Where a deadline has passed before it and Tick was not
// called, the change is the raise of that deadline; if the sample ends the
// alarm at once, Due and Tick tell that next.
func (a *Alarm) Step(s Sample) (Change, bool) {
	if a.ranks != nil {
		return a.stepRanked(s)
	}
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
	case a.up():
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
	if a.idle {
		a.waiting, a.carried = false, false
		return false
	}
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
	at, ok := a.changes()
	if up, escalates := a.escalates(); escalates && (!ok || up < at) {
		return up, true
	}
	return at, ok
}

// changes is when its state changes by itself.
func (a *Alarm) changes() (time.Duration, bool) {
	switch {
	case a.ranks != nil:
		return a.nextRank()
	case a.over:
		return a.last.At, true
	}
	return a.deadline(), a.waiting
}

// Tick tells what is due, if that is not after at.
func (a *Alarm) Tick(at time.Duration) (Change, bool) {
	due, ok := a.Due()
	up, escalates := a.escalates()
	switch {
	case !ok || at < due:
		return Change{}, false
	case escalates && up == due:
		a.level = a.def.Escalate.To
		return a.become(a.state, WasEscalated, due), true
	case a.ranks != nil:
		return a.follow(due)
	case a.over:
		return a.clear(due), true
	}
	return a.raise(due), true
}

func (a *Alarm) raise(at time.Duration) Change {
	if a.verdict != isPoor {
		a.attempts.told()
	}
	a.waiting, a.carried, a.acked, a.raised = false, false, false, at
	return a.become(Active, WasRaised, at)
}

func (a *Alarm) clear(at time.Duration) Change {
	a.clearing, a.over, a.gap = false, false, false
	if a.def.Latch {
		return a.become(Cleared, WasCleared, at)
	}
	return a.end(IsNormal, at)
}

// end makes it normal, where its level is its own again. That of one with ranks
// is told as it was.
func (a *Alarm) end(what string, at time.Duration) Change {
	if a.ranks == nil {
		a.level = a.def.Level
	}
	c := a.become(Normal, what, at)
	a.acked, a.level = false, a.def.Level
	return c
}

func (a *Alarm) become(to State, what string, at time.Duration) Change {
	c := Change{
		At: at, What: what, From: a.state, To: to, Acked: a.acked, Level: a.level,
		Value: a.last.Value, Quality: a.last.Quality, Limit: a.limit, HasLimit: a.hasLimit, AcrossGap: a.gap,
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
	if a.ranks == nil {
		a.level = a.def.Level // an escalation ends with it
	}
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
	return a.end(WasReset, at), nil
}

// Def is what the alarm was made from, and not to be changed.
func (a *Alarm) Def() *Def { return a.def }

// State is where it stands.
func (a *Alarm) State() State { return a.state }

// Level is how bad it is now: its own, or what it was escalated to, or its rank.
func (a *Alarm) Level() Level { return a.level }

// Idle says whether it is kept from raising.
func (a *Alarm) Idle() bool { return a.idle }

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
	return Memory{State: a.state, Acked: a.acked, Level: a.level, Raised: a.raised, Limit: a.limit, HasLimit: a.hasLimit}
}

// Restore puts a new alarm where another run left it. Last is the point's last
// stored sample before the restart; its time doesn't matter. Windows are for Fill.
func (a *Alarm) Restore(m Memory, last Sample, hasLast bool) {
	up := m.State == Active || m.State == Acked
	if a.window == nil && a.ranks == nil {
		a.carried = hasLast && !up && a.judge(last) == isBeyond
	}
	if up {
		a.attempts.doubt()
	}
	a.state, a.acked, a.raised, a.limit, a.hasLimit = m.State, m.Acked, m.Raised, m.Limit, m.HasLimit
	if m.Level > a.level && m.State != Normal && (a.ranks != nil || m.Level == a.def.Escalate.To && !m.Acked) {
		a.level = m.Level
	}
}

// Fill puts a stored sample of before the restart into the alarm's window, in
// their order; others than rise, fall and flat have none. Carry says that the
// on-delay counts as run through if the last of them was beyond.
func (a *Alarm) Fill(s Sample, carry bool) {
	if a.window == nil {
		return
	}
	beyond := a.window.judge(s) == isBeyond
	a.carried = carry && beyond && !a.up()
}

// Reach is how far back its window looks; 0 = it has none.
func (a *Alarm) Reach() time.Duration {
	if a.window == nil {
		return 0
	}
	return a.def.Within
}

func (a *Alarm) up() bool { return a.state == Active || a.state == Acked }
