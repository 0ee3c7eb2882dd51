package modbus

import (
	"fmt"
	"math"

	"pithead/drivers"
)

// A counter makes a total of a register that counts up. The total goes on over
// the register's wrap, over a restart of the device, which begins at 0 again,
// and, what was counted meanwhile included, over one of the agent.
//
// The total's pulses and the register differ by ahead, modulo wraps, from the
// beginning of the counter or the last restart of its device on. So the total
// that was stored last says what the register showed then, but only if ahead is
// known to hold for it: a total of another register, or with pulses of another
// worth, is gone on from, and what came meanwhile is not made up.
type counter struct {
	point string
	form  string // the register, and what its pulses are worth
	wraps uint64
	each  float64

	total drivers.Total
	sum   uint64 // pulses in the total, those of a stored one included
	going bool   // the total goes on from a stored one
	raw   uint64 // what the register showed last
	known bool   // raw counts
	step  uint64 // what came last
	ahead uint64 // (sum - raw) modulo wraps
	sure  bool   // ahead was told by the run before
}

func newCounter(p *PointConfig) *counter {
	c := p.rare().Counter
	return &counter{
		point: p.ID, form: fmt.Sprintf("%s %d of %d, %v each", p.Table, p.Address, c.Wraps, c.Each),
		wraps: c.Wraps, each: c.Each, total: drivers.NewTotal(c.Each),
	}
}

// resume goes on from a stored total.
func (c *counter) resume(total float64) {
	pulses := math.Round(total / c.each)
	if !(pulses >= 0 && pulses < 1<<53) {
		return
	}
	c.total.Set(total)
	c.sum, c.going = uint64(pulses), true
	if c.sure {
		c.raw, c.known = c.behind(c.ahead), true
	}
}

// behind is sum less so much, modulo wraps.
func (c *counter) behind(n uint64) uint64 { return (c.sum%c.wraps + c.wraps - n%c.wraps) % c.wraps }

// take counts up to what the register shows now, and says whether it begins
// anew; not ok where it can't show that.
func (c *counter) take(raw uint64) (began, ok bool) {
	if raw >= c.wraps {
		return false, false
	}
	step := raw
	switch {
	case !c.known && c.going:
		began, step = true, 0
	case !c.known || raw < c.raw && !c.wrapped(raw):
		began = true
	case raw < c.raw:
		step = c.wraps - c.raw + raw
	default:
		step = raw - c.raw
	}
	c.total.Add(step)
	c.sum += step
	if began {
		c.ahead = c.behind(raw)
		step = 0 // says nothing of how fast it counts
	}
	c.raw, c.known, c.step = raw, true, step
	return began, true
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

// count is the total of a point whose register shows v.
func (u *unit) count(c *counter, v drivers.Value, limits *[2]float64) (drivers.Value, drivers.Quality) {
	raw := v.Bits()
	if v.Kind() == drivers.Number {
		raw = uint64(max(0, v.Float()))
	}
	if v.Float() < 0 {
		return drivers.Value{}, drivers.Sensor
	}
	restarted := c.known
	began, ok := c.take(raw)
	if !ok {
		return drivers.Value{}, drivers.Sensor
	}
	if began {
		u.bus.began = append(u.bus.began, drivers.CounterStart{Point: c.point, Form: c.form, Ahead: c.ahead, Again: restarted})
	}
	return c.value(limits)
}

func (b *Bus) counter(point string) *counter {
	for _, u := range b.units {
		if c := u.counters[point]; c != nil {
			return c
		}
	}
	return nil
}

// SetTotal makes a counter go on from a stored total.
func (b *Bus) SetTotal(point string, total float64) {
	if c := b.counter(point); c != nil {
		c.resume(total)
	}
}

// Resume says how a counter of the run before began. It comes before SetTotal.
func (b *Bus) Resume(s drivers.CounterStart) {
	if c := b.counter(s.Point); c != nil && c.form == s.Form && s.Ahead < c.wraps {
		c.ahead, c.sure = s.Ahead, true
	}
}

// Began is a counter that began, or whose device was seen to have restarted,
// since it was asked last; not ok where there is none.
func (b *Bus) Began() (s drivers.CounterStart, ok bool) {
	if len(b.began) == 0 {
		return s, false
	}
	s, b.began = b.began[0], b.began[1:]
	return s, true
}
