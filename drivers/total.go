package drivers

import (
	"math"
	"strconv"
	"strings"
)

// A Total is what a counting point has counted: pulses in integers, each worth
// the same, on top of a total that was stored. So no rounding adds up, however
// long it counts. The zero Total counts pulses of nothing; see NewTotal.
type Total struct {
	each, base float64
	decimals   int
	pulses     uint64
}

// NewTotal counts pulses of which each is worth so much.
func NewTotal(each float64) Total {
	return Total{each: each, decimals: decimals(each)}
}

// Set makes the total go on from a stored one. What is no finite number is
// passed over: a total that can't be true must not stand for all time.
func (t *Total) Set(total float64) {
	if !finite(total) {
		return
	}
	t.base, t.pulses = total, 0
	// Each may have been another when the total was stored.
	t.decimals = max(decimals(t.each), decimals(total))
}

// Add counts pulses.
func (t *Total) Add(pulses uint64) { t.pulses += pulses }

// Value is the total, with no more decimals than what it is made of.
func (t *Total) Value() Value {
	sum := float64(float64(t.pulses)*t.each) + t.base
	return NumberValue(round(sum, math.Abs(sum), t.decimals))
}

// decimals is how many decimals the shortest decimal of f has, at most 15.
func decimals(f float64) int {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if _, after, ok := strings.Cut(s, "."); ok {
		return min(len(after), len(powers)-1)
	}
	return 0
}
