package drivers

import (
	"math/bits"
	"time"
)

// Statistics is a Bus that counts what became of its requests: of one unit, or
// with no id of the whole line. Like the rest of a Bus it is for its owner.
type Statistics interface {
	Counts(unit string) Counts
}

// Counts are what became of requests since the bus was opened. Requests that
// were never sent, since an owed answer could have been mistaken for theirs, are
// Held and nothing else.
type Counts struct {
	Requests   uint64 // sent, or meant to be sent on a line that was not there
	Good       uint64
	Comm       uint64 // no answer, no line
	Protocol   uint64 // broken answers
	Exceptions uint64
	Held       uint64
	Busy       time.Duration // from the first byte of requests to the last of answers, or to the end of the wait
	P50, P99   time.Duration // to the last byte of the answer, of those of late; 0 = there were none
}

// Times is how long answers took of late: the newest hundreds, in buckets an
// eighth of an octave wide, so that a figure is within 9 % of the truth.
type Times struct {
	now, before [timesBuckets]uint16
	n           int // in now
}

const (
	timesBuckets = 8 * 22                // up to a minute
	timesUnit    = 16 * time.Microsecond // below it, times are one
	timesTurn    = 500                   // answers, after which the older half is forgotten
)

// Add takes in one answer.
func (t *Times) Add(d time.Duration) {
	if t.n == timesTurn {
		t.before, t.now, t.n = t.now, [timesBuckets]uint16{}, 0
	}
	t.n++
	t.now[bucket(d)]++
}

// bucket is the place of a time: eight to an octave, by its leading bits.
func bucket(d time.Duration) int {
	u := uint64(max(d, 0) / timesUnit)
	if u < 8 {
		return int(u)
	}
	octave := bits.Len64(u) - 4 // u is in [8<<octave, 16<<octave)
	return min(8+8*octave+int(u>>octave)-8, timesBuckets-1)
}

// upTo is the longest time of a bucket.
func upTo(i int) time.Duration {
	if i < 8 {
		return time.Duration(i+1) * timesUnit
	}
	octave := (i - 8) / 8
	return time.Duration(uint64((i-8)%8+9)<<octave) * timesUnit
}

// Of is the time within which that share of the answers came; 0 without any.
func (t *Times) Of(share float64) time.Duration {
	total := 0
	for i := range t.now {
		total += int(t.now[i]) + int(t.before[i])
	}
	want, got := max(1, int(share*float64(total)+0.999999)), 0
	for i := range t.now {
		if got += int(t.now[i]) + int(t.before[i]); got >= want && total > 0 {
			return upTo(i)
		}
	}
	return 0
}
