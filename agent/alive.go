package agent

import (
	"time"

	"pithead/config"
)

// beat toggles a line for an external relay that drops when the agent dies: the
// judge wants it, so the judge moves; the board's loop writes it; and it is not
// wanted while any other loop stands still.
func (j *judge) beat(a config.Alive, moving func() bool) {
	t, on := &timer{}, false
	t.fire = func(at time.Duration) {
		if moving() {
			on = !on
			j.wants(a.Bus, config.AliveID, on)
		}
		j.timers.set(t, max(at+a.Period, j.now()), true)
	}
	j.timers.set(t, j.now()+a.Period, true)
}

// moving says whether every bus loop turns.
func (a *agent) moving() bool {
	for _, b := range a.loops {
		if b.stands() > late+time.Minute { // an idle loop turns once a minute
			return false
		}
	}
	return true
}
