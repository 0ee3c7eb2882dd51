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

// What happened, in a Change.
const (
	WasRaised  = "raised"
	WasAcked   = "acked"
	WasCleared = "cleared" // over, but held by its latch
	WasReset   = "reset"
	IsNormal   = "normal"

	WasEscalated = "escalated"
	WasLowered   = "lowered" // to a lower level
)

// A Change is to be told as an event. From and To are the same where somebody
// acknowledges what is cleared already.
type Change struct {
	At       time.Duration // when the deciding sample came, the delay ended, or somebody asked for it
	What     string
	From, To State
	Acked    bool // somebody knows; at Normal and Cleared: somebody did before it was over
	Level    Level
	Value    drivers.Value   // of the newest sample; none where it was bad
	Quality  drivers.Quality // of the newest sample
	Limit    float64         // the one that was crossed, where HasLimit
	HasLimit bool            // above, below, outside, rise and fall have one

	AcrossGap bool // the value was held against the last before a gap
}

// Memory is what an alarm must not forget over a restart; all of it stands in
// the last event of the alarm. Its zero value is one that was never raised.
type Memory struct {
	State    State
	Acked    bool
	Level    Level
	Raised   time.Duration // when it was raised, on the clock of its samples
	Limit    float64       // the one that was crossed, where HasLimit
	HasLimit bool
}
