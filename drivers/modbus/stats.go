package modbus

import (
	"time"

	"pithead/drivers"
)

// tally counts what became of requests.
type tally struct {
	drivers.Counts
	answers drivers.Times
}

// count notes one request that ended with err.
func (c *tally) count(t trace, err error) {
	f := (*drivers.Fault)(nil)
	if err != nil {
		f = drivers.FaultOf(err)
	}
	if f != nil && !f.Until.IsZero() {
		c.Held++
		return
	}
	c.Requests++
	took := time.Duration(0)
	if !t.sent.IsZero() && !t.done.IsZero() {
		took = t.done.Sub(t.sent)
	}
	c.Busy += took
	switch {
	case f == nil:
		c.Good++
		c.answers.Add(took)
	case f.Quality == drivers.Exception:
		c.Exceptions++
		c.answers.Add(took)
	case f.Quality == drivers.Protocol:
		c.Protocol++
	default:
		c.Comm++
	}
}

// Counts are those of a unit, or of the whole line where it is not named.
// Outputs of units that have no points count for the line only.
func (b *Bus) Counts(unit string) drivers.Counts {
	t := &b.line
	for _, u := range b.units {
		if unit != "" && u.id == unit {
			t = &u.counts
		}
	}
	c := t.Counts
	c.P50, c.P99 = t.answers.Of(0.5), t.answers.Of(0.99)
	return c
}
