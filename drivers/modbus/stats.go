package modbus

import (
	"math/bits"
	"time"

	"pithead/drivers"
)

// Stats are counts since the line was opened from the site file.
type Stats struct {
	Line  Counts            // all units together
	Units map[string]Counts // by device id; outputs of other units count for the line only
}

// Counts are what became of requests. Requests that were never sent, since an
// owed answer could have been mistaken for theirs, are Held and nothing else.
type Counts struct {
	Requests   uint64 // sent, or meant to be sent on a line that was not there
	Good       uint64
	Comm       uint64 // no answer, no line
	Protocol   uint64
	Exceptions uint64
	Held       uint64
	Busy       time.Duration // from the first byte of requests to the last of answers, or to the end of the wait
	Answer     Times         // of requests that were answered
}

// Times says how long answers took, in buckets by powers of two.
type Times struct {
	Count   uint64
	Sum     time.Duration
	Max     time.Duration
	Buckets [16]uint64 // bucket i: under 2^i ms; the last takes the rest
}

func (t *Times) add(d time.Duration) {
	t.Count++
	t.Sum += d
	t.Max = max(t.Max, d)
	t.Buckets[min(bits.Len64(uint64(d.Milliseconds())), len(t.Buckets)-1)]++
}

// count notes one request that ended with err.
func (c *Counts) count(t trace, err error) {
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
		c.Answer.add(took)
	case f.Quality == drivers.Exception:
		c.Exceptions++
		c.Answer.add(took)
	case f.Quality == drivers.Protocol:
		c.Protocol++
	default:
		c.Comm++
	}
}
