package agent

import (
	"context"
	"math"
	"time"

	"pithead/drivers"
)

// A curve is the last hour of a point for the page: the last good value of each
// minute. What was not measured is a gap. Only the first mostCurves points of a
// site have one: a page that draws more shows nobody anything.
type curve struct {
	minute int64                 // of the newest value, since boot
	values [curveMinutes]float32 // by minute modulo the length; NaN is a gap
}

const (
	curveMinutes = 60
	mostCurves   = 1000
)

// put notes a value; NaN where there was none.
func (c *curve) put(at time.Duration, v float64, good bool) {
	minute := int64(at / time.Minute)
	c.advance(minute)
	if good {
		c.values[minute%curveMinutes] = float32(v)
	}
}

// advance empties the minutes that have passed since the newest value.
func (c *curve) advance(minute int64) {
	for m := max(c.minute+1, minute-curveMinutes+1); m <= minute; m++ {
		c.values[m%curveMinutes] = float32(math.NaN())
	}
	c.minute = max(c.minute, minute)
}

// newCurve is one without a value.
func newCurve() *curve {
	c := &curve{minute: -1}
	c.advance(curveMinutes - 1)
	c.minute = 0
	return c
}

// last is the values up to a minute, oldest first; nil is a gap.
func (c *curve) last(minute int64) []*float32 {
	c.advance(minute)
	out := make([]*float32, curveMinutes)
	for i := range out {
		if v := c.values[(minute+1+int64(i))%curveMinutes]; !math.IsNaN(float64(v)) {
			out[i] = &v
		}
	}
	return out
}

// draw puts a reading into the curve of a point that has numbers.
func (j *judge) draw(p *point, r drivers.Reading, at time.Duration) {
	if !p.drawn {
		return
	}
	v := r.Value.Float()
	if p.curve == nil {
		if math.IsNaN(v) {
			return
		}
		p.curve = newCurve()
	}
	p.curve.put(at, v, r.Quality == drivers.Good && !math.IsNaN(v))
}

// apiCurves is the last hour of every point that has numbers, by its id.
func (a *agent) apiCurves(ctx context.Context) (any, error) {
	out := map[string][]*float32{}
	err := a.judge.ask(ctx, func() {
		for _, p := range a.judge.points {
			if p.curve != nil {
				out[p.cfg.ID] = p.curve.last(int64(a.judge.now() / time.Minute))
			}
		}
	})
	return map[string]any{"each": time.Minute.Milliseconds(), "curves": out}, err
}
