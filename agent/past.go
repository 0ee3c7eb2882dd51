package agent

import (
	"time"

	"pithead/agent/record"
	"pithead/buffer"
)

// mostReread bounds the readings that a start looks back over: some seconds of the
// slowest board, whatever a window asks for.
const mostReread = 3_000_000

// A reread is what is stored, read again by a start that has to know the past.
type reread struct {
	lane   *buffer.Lane
	now    Stamp
	boot   uint32           // this one
	shifts map[uint32]int64 // ms to add to the m of an earlier boot to have it on this boot's clock
}

// newReread knows how the clocks of earlier boots lie to this one's. Where one
// of the two is unknown, the time without power is taken for none: a window then
// reaches too far back, rather than not far enough.
func (a *agent) newReread(last map[string]record.Last) *reread {
	r := &reread{lane: a.rec.data, now: a.clock.Now(), boot: a.boot, shifts: map[uint32]int64{a.boot: 0}}
	ends := map[uint32]int64{}
	for _, l := range last {
		ends[l.Boot] = max(ends[l.Boot], l.M)
	}
	for boot, end := range ends {
		if boot != a.boot {
			r.shifts[boot] = -end
		}
	}
	if r.now.Known() {
		for boot, offset := range a.rec.fold.Offsets {
			if boot != a.boot {
				r.shifts[boot] = offset - (r.now.T - r.now.M)
			}
		}
	}
	return r
}

// at is the time of a stored reading on this boot's clock; false if nobody knows.
func (r *reread) at(b record.Batch, m int64) (time.Duration, bool) {
	shift, ok := r.shifts[b.Boot]
	if b.Boot != r.boot && b.Clock != record.Unknown && r.now.Known() {
		shift, ok = b.Offset-(r.now.T-r.now.M), true
	}
	return time.Duration(m+shift) * time.Millisecond, ok
}

// since gives every stored reading that is no older than that, and some that
// are, oldest first.
func (r *reread) since(from time.Duration, each func(x record.Reading, at time.Duration)) {
	parts := r.lane.Parts()
	next, first := r.lane.Next(), uint64(1)
	for i := len(parts) - 1; i >= 0 && next-parts[i].First <= mostReread; i-- {
		first = parts[i].First
		if at, ok := r.begins(first); ok && at < from {
			break
		}
	}
	r.read(first, func(x record.Reading, at time.Duration) bool {
		each(x, at)
		return true
	})
}

// begins is the time of the first reading of a part.
func (r *reread) begins(first uint64) (at time.Duration, ok bool) {
	r.read(first, func(_ record.Reading, t time.Duration) bool {
		at, ok = t, true
		return false
	})
	return at, ok
}

// read reads on from a part's first number. What is damaged is left out: that
// was told when the log was opened.
func (r *reread) read(first uint64, each func(record.Reading, time.Duration) bool) {
	in := r.lane.Reader(first)
	defer in.Close()
	var d record.Decoder
	for {
		f, err := in.Next()
		if _, lost := err.(*buffer.Lost); lost {
			continue
		}
		if err != nil {
			return
		}
		if f.Key {
			_ = d.Key(f.Payload) // without it the frames up to the next are refused
			continue
		}
		b, err := d.Frame(f.Payload)
		if err != nil {
			continue
		}
		for _, x := range b.Readings {
			if at, ok := r.at(b, x.M); ok && !each(x, at) {
				return
			}
		}
	}
}
