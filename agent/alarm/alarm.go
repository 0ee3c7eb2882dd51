package alarm

import (
	"time"

	"pithead/drivers"
)

// State is where an alarm stands; its String is the word that events carry.
type State uint8

const (
	Normal  State = iota
	Active        // unacknowledged
	Acked         // its condition holds, and somebody knows
	Cleared       // its condition is over, but a latch holds it
)

var stateNames = [...]string{"normal", "active", "acked", "cleared"}

func (s State) String() string { return stateNames[s] }

// ParseState is the inverse of String.
func ParseState(s string) (State, bool) {
	for i, n := range stateNames {
		if n == s {
			return State(i), true
		}
	}
	return Normal, false
}

// A Sample is one reading of the alarm's point. At is monotonic time since any
// fixed moment, the same for all calls of one Alarm.
type Sample struct {
	At      time.Duration
	Value   drivers.Value
	Quality drivers.Quality
}

// A Change is a step from one state to another, to be told as an event.
type Change struct {
	At       time.Duration // when the deciding sample came or the delay ended
	From, To State
	Acked    bool // somebody had acknowledged it by then
	Level    Level
	Value    drivers.Value   // of the newest sample; none where it was bad
	Quality  drivers.Quality // of the newest sample
	Limit    float64         // the one that was crossed, where HasLimit
	HasLimit bool
	What     string // raised, raised again, acked, cleared, normal, normal unacknowledged, reset
}

// Memory is what an alarm must not forget over a restart. Its zero value is an
// alarm that was never raised.
type Memory struct {
	State    State
	Acked    bool
	Limit    float64 // the limit that was crossed, where HasLimit
	HasLimit bool
}
