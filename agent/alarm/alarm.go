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

// An Alarm judges one point. Step is given every sample of it, in order; Due
// says when a delay ends, and Tick is called then. Neither asks a clock.
type Alarm struct {
	def   Def
	state State
	acked bool
}

func New(d Def) *Alarm { return &Alarm{def: d} }

func (a *Alarm) Step(s Sample) (Change, bool) { return Change{}, false }

// Due is when Tick must be called, if nothing comes before.
func (a *Alarm) Due() (time.Duration, bool) { return 0, false }

func (a *Alarm) Tick(at time.Duration) (Change, bool) { return Change{}, false }

// Ack notes that somebody knows. The error says why it can't be acknowledged.
func (a *Alarm) Ack(at time.Duration) (Change, error) { return Change{}, nil }

// Reset lets a latched alarm go. The error says why it can't go.
func (a *Alarm) Reset(at time.Duration) (Change, error) { return Change{}, nil }

func (a *Alarm) Def() Def           { return a.def }
func (a *Alarm) State() State       { return a.state }
func (a *Alarm) Acknowledged() bool { return a.acked }

// Asks says whether it wants its outputs on: active, acked or held by its latch.
func (a *Alarm) Asks() bool { return a.state != Normal }

// Memory is what Restore needs to go on after a restart.
func (a *Alarm) Memory() Memory { return Memory{State: a.state, Acked: a.acked} }

// Restore puts a new alarm where another run left it. Last is the point's last
// stored sample before the restart.
func (a *Alarm) Restore(m Memory, last Sample, hasLast bool) {}
