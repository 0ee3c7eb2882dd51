package modbus

import (
	"math"

	"pithead/drivers"
)

// A counter makes a total of a register that counts up. The total goes on over
// the register's wrap, over a restart of the device, which begins at 0 again,
// and, what was counted meanwhile included, over one of the agent.
//
// The register and the total's pulses differ by ahead, modulo wraps, as long as
// the device runs: so the total that was stored last says what the register
// showed then.
type counter struct {
	wraps uint64
	each  float64
	total drivers.Total
	sum   uint64 // pulses in the total, those of a stored one included
	raw   uint64 // what the register showed last
	known bool   // raw counts
	step  uint64 // what came last
	ahead uint64 // (sum - raw) modulo wraps
}

func newCounter(c Counter) *counter {
	return &counter{wraps: c.Wraps, each: c.Each, total: drivers.NewTotal(c.Each)}
}

// resume goes on from a stored total.
func (c *counter) resume(total float64) {
	pulses := math.Round(total / c.each)
	if !(pulses >= 0 && pulses < 1<<53) {
		return
	}
	c.total.Set(total)
	c.sum = uint64(pulses)
	c.raw = (c.sum%c.wraps + c.wraps - c.ahead%c.wraps) % c.wraps
	c.known = true
}

// take counts up to what the register shows now; not ok where it can't show that.
func (c *counter) take(raw uint64) (restarted, ok bool) {
	if raw >= c.wraps {
		return false, false
	}
	step := raw
	switch {
	case !c.known || raw < c.raw && !c.wrapped(raw):
		restarted = c.known
	case raw < c.raw:
		step = c.wraps - c.raw + raw
	default:
		step = raw - c.raw
	}
	c.total.Add(step)
	c.sum += step
	if restarted {
		c.ahead = (c.sum%c.wraps + c.wraps - raw) % c.wraps
		step = 0 // says nothing of how fast it counts
	}
	c.raw, c.known, c.step = raw, true, step
	return restarted, true
}

// wrapped says whether a register that shows less than before has wrapped,
// rather than begun again at 0: it must have stood near its end and be near its
// beginning, by a hundredth or by what four steps of late could span. Taken for
// the wrong one of the two, it miscounts by no more than that.
func (c *counter) wrapped(raw uint64) bool {
	near := min(max(c.wraps/100, 4*c.step, 1), c.wraps/2)
	return c.wraps-c.raw <= near && raw <= near
}

// value is the total as a reading's.
func (c *counter) value(limits *[2]float64) (drivers.Value, drivers.Quality) {
	s := drivers.Scale{Decimals: -1, Range: limits}
	return s.Apply(c.total.Value(), 0)
}
