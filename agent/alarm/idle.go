package alarm

import "time"

// SetIdle keeps an alarm from raising, or lets it raise again: then its on-delay
// begins anew at that time if its condition holds, and Due says when it ends.
// What stands goes on as ever: nothing clears by this.
func (a *Alarm) SetIdle(on bool, at time.Duration) {
	if on == a.idle {
		return
	}
	a.idle = on
	switch {
	case on:
		a.waiting, a.carried = false, false
	case a.ranks == nil && !a.up() && a.seen && (a.verdict == isBeyond || a.verdict == isPoor):
		a.waiting, a.beyond = true, max(at, a.last.At)
	}
}

// escalates is when nobody will have acknowledged it for so long that it gets a
// higher level.
func (a *Alarm) escalates() (time.Duration, bool) {
	e := a.def.Escalate
	return a.raised + e.After, e.To > a.level && a.state != Normal && !a.acked
}
