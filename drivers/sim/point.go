package sim

import (
	"hash/fnv"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"pithead/drivers"
)

// point is one simulated point as it goes along.
type point struct {
	InputConfig
	signal Signal
	shape  drivers.Scale // what of the scale applies to a value that is already in the point's unit
	noise  *rand.Rand

	total   drivers.Total
	counted time.Duration // up to here its pulses are in the total
	part    float64       // of a pulse
	last    time.Duration // of the newest pulse that counted; below 0 = none yet
	refused atomic.Uint64 // pulses that came sooner than Least after that
}

func newPoint(c InputConfig, s Signal, seed int64) *point {
	h := fnv.New64a()
	h.Write([]byte(c.ID))
	return &point{
		InputConfig: c,
		signal:      s,
		shape:       drivers.Scale{Decimals: c.Scale.Decimals, Range: c.Scale.Range, Bands: c.Scale.Bands},
		noise:       rand.New(rand.NewPCG(uint64(seed), h.Sum64())),
		total:       drivers.NewTotal(c.Counts),
		last:        -1,
	}
}

// read is the reading at t, which is the time at on the clock.
func (p *point) read(t time.Duration, at time.Time, outputs map[string]*output) drivers.Reading {
	if q, ok := p.signal.dropped(t); ok {
		r := drivers.Bad(p.ID, at, q)
		if q == drivers.Exception {
			r.Code = 4 // the device says that it failed
		}
		return r
	}
	v, q := p.value(t, outputs)
	return drivers.Reading{Point: p.ID, At: at, Value: v, Quality: q}
}

func (p *point) value(t time.Duration, outputs map[string]*output) (drivers.Value, drivers.Quality) {
	if p.Counts != 0 {
		p.count(t, outputs)
		// Rounding a total would make it drift at every restart.
		whole := drivers.Scale{Decimals: -1, Range: p.Scale.Range}
		return whole.Apply(p.total.Value(), 0)
	}
	v := p.signal.at(t, outputs)
	if p.Truth {
		return drivers.BoolValue(v >= 0.5), drivers.Good
	}
	if p.signal.Noise != 0 {
		v += p.signal.Noise * (2*p.noise.Float64() - 1)
	}
	if p.Text {
		return drivers.TextValue(drivers.NumberValue(v).String()), drivers.Good
	}
	return p.shape.Apply(drivers.NumberValue(v), 0)
}

// tick is how finely a rate of pulses is followed.
const tick = 10 * time.Millisecond

// count adds the pulses up to t. It walks a grid of its own, so that the total
// does not depend on when it is read.
func (p *point) count(t time.Duration, outputs map[string]*output) {
	for p.counted+tick <= t {
		p.part += max(0, p.signal.at(p.counted, outputs)) * tick.Seconds()
		p.counted += tick
		// A hundred hundredths are a whole, although their sum is a little less.
		if n := uint64(p.part + 1e-9); n > 0 {
			p.pulses(n)
			p.part -= float64(n)
		}
	}
}

// pulses counts those of the tick that has just passed, evenly spread over it.
func (p *point) pulses(n uint64) {
	if p.Least == 0 {
		p.total.Add(n)
		return
	}
	for i := range n {
		at := p.counted - tick + tick*time.Duration(i+1)/time.Duration(n)
		if p.last >= 0 && at-p.last < p.Least {
			p.refused.Add(1)
			continue
		}
		p.total.Add(1)
		p.last = at
	}
}
