package alarm

import (
	"math"
	"time"
)

// ranks follows the value of a ranked alarm: each level that it reaches has an
// on-delay of its own.
type ranks struct {
	value Level
	since [Red + 1]time.Duration // of the levels up to value: when they were reached
}

// take takes in a new value.
func (r *ranks) take(v Level, at time.Duration) {
	for l := r.value + 1; l <= v; l++ {
		r.since[l] = at
	}
	r.value = v
}

// stands is the highest level that has lasted for so long.
func (r *ranks) stands(at, least time.Duration) Level {
	for l := r.value; l > NoLevel; l-- {
		if at-r.since[l] >= least {
			return l
		}
	}
	return NoLevel
}

func (a *Alarm) stepRanked(s Sample) (Change, bool) {
	v := Level(0)
	if f := s.Value.Float(); !math.IsNaN(f) {
		v = Level(min(max(f, 0), float64(Red)))
	}
	a.ranks.take(v, s.At)
	a.last, a.seen = s, true
	if a.verdict = isSafe; v > NoLevel {
		a.verdict = isBeyond
	}
	return a.follow(s.At)
}

// follow makes of the value what is due.
func (a *Alarm) follow(at time.Duration) (Change, bool) {
	stands := a.ranks.stands(at, a.def.For)
	switch {
	case stands > NoLevel && (!a.up() || stands > a.level):
		a.level = max(stands, a.level) // what a latch holds
		return a.raise(at), true
	case !a.up():
		return Change{}, false
	case a.ranks.value == NoLevel:
		return a.clear(at), true
	}
	if low := max(stands, min(a.level, a.ranks.value)); low < a.level && !a.def.Latch {
		a.level = low
		return a.become(a.state, WasLowered, at), true
	}
	return Change{}, false
}

// nextRank is when the next higher level will have lasted long enough.
func (a *Alarm) nextRank() (time.Duration, bool) {
	from := NoLevel
	if a.up() {
		from = a.level
	}
	if a.ranks.value <= from {
		return 0, false
	}
	return a.ranks.since[from+1] + a.def.For, true
}
