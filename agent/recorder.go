package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
)

// The recorder numbers, chains and stores: it is the one that writes to the
// disk. Everything in it belongs to the goroutine of run, but for what is said
// to be shared. Outputs never wait for it.
type recorder struct {
	log     *slog.Logger
	clock   *Clock
	queue   *queue
	buf     *buffer.Log
	events  *buffer.Lane
	stats   *buffer.Lane
	data    *buffer.Lane
	chain   *event.Chain
	fold    *fold
	encoder *record.Encoder
	boot    uint32
	commit  time.Duration
	failed  func(error) // tells the judge that the disk fails, or (nil) works again

	pending  []queued         // events that have no number yet
	readings []record.Reading // that could not be stored yet
	spare    []record.Reading
	stat     []record.Stat
	frame    []byte
	sinceKey int // bytes of data frames since the last key
	err      error
	retry    time.Time

	lost    atomic.Uint64 // shared: readings that were never stored
	offsets atomic.Pointer[map[uint32]int64]
}

const (
	retryDisk  = 5 * time.Second
	positions  = time.Second // how long a position may stay in memory only
	keyLeast   = 256 << 10   // bytes of data between two keys, at least,
	keyShare   = 32          // and this many times the key's own size
	mostEvents = 100_000     // that wait for a disk
)

// run stores until ctx ends, and then what is still there.
func (r *recorder) run(ctx context.Context) {
	commit := time.NewTicker(r.commit)
	defer commit.Stop()
	flush := time.NewTicker(positions)
	defer flush.Stop()
	for {
		select {
		case <-r.queue.wake:
			r.storeEvents()
		case <-commit.C:
			r.store()
		case <-flush.C:
			r.note(r.buf.Flush())
		case <-ctx.Done():
			r.retry = time.Time{}
			r.store()
			r.note(r.buf.Flush())
			return
		}
	}
}

func (r *recorder) store() {
	r.storeEvents()
	r.storeReadings()
	r.storeStats()
}

// ready says whether the disk is to be tried.
func (r *recorder) ready() bool { return r.err == nil || !time.Now().Before(r.retry) }

// note takes in how a write went, and tells when that changes.
func (r *recorder) note(err error) {
	if err != nil {
		r.retry = time.Now().Add(retryDisk)
	}
	if (err == nil) != (r.err == nil) {
		if err != nil {
			r.log.Error("the buffer can't be written", "err", err)
		} else {
			r.log.Info("the buffer is written again")
		}
		r.failed(err)
	}
	r.err = err
}

// storeEvents makes every event that waits durable, one by one.
func (r *recorder) storeEvents() {
	r.pending = append(r.pending, r.queue.takeEvents()...)
	if over := len(r.pending) - mostEvents; over > 0 {
		r.log.Error("events are dropped from memory", "count", over)
		r.pending = r.pending[over:]
	}
	for len(r.pending) > 0 && r.ready() {
		e := r.pending[0]
		e.stamp.Boot = r.boot
		payload := r.chain.Next(e.event, e.stamp)
		err := r.events.Append(payload, 1)
		if errors.Is(err, buffer.ErrTooLong) { // it would stand in the way of all that follow
			r.log.Error("an event is too long to be stored", "kind", e.event.Kind, "id", e.event.ID, "bytes", len(payload))
			r.pending = r.pending[1:]
			continue
		}
		if err == nil {
			r.chain.Commit()
			r.remember(payload)
			r.pending = r.pending[1:]
		}
		r.note(err)
	}
}

// remember keeps the fold true: it is what the next key frame holds.
func (r *recorder) remember(payload []byte) {
	p, err := event.Parse(payload)
	if err != nil { // we made it ourselves
		panic(err)
	}
	r.fold.add(p)
	r.fold.Last = payload
	if p.Kind == "clock" {
		r.shareOffsets()
	}
}

// shareOffsets leaves the boots' offsets where the uplinks read them.
func (r *recorder) shareOffsets() {
	m := make(map[uint32]int64, len(r.fold.Offsets))
	for b, o := range r.fold.Offsets {
		m[b] = o
	}
	r.offsets.Store(&m)
}

// offsetOf is what turns m of a boot into t, if that boot's clock ever became known.
func (r *recorder) offsetOf(boot uint32) (int64, bool) {
	m := r.offsets.Load()
	if m == nil {
		return 0, false
	}
	o, ok := (*m)[boot]
	return o, ok
}

// storeReadings makes the readings of one commit durable as one frame.
func (r *recorder) storeReadings() {
	rs, dropped := r.queue.swapReadings(r.spare)
	r.readings = append(r.readings, rs...)
	r.spare = rs
	if over := len(r.readings) - r.queue.most; over > 0 {
		dropped += over
		r.readings = append(r.readings[:0], r.readings[over:]...)
	}
	if dropped > 0 {
		r.tellLost(dropped)
	}
	for most := mostInFrame; len(r.readings) > 0 && r.ready(); {
		n := min(len(r.readings), most)
		err := r.storeBatch(r.readings[:n])
		if errors.Is(err, buffer.ErrTooLong) && n > 1 { // the lane is small
			most = n / 2
			continue
		}
		if r.note(err); err != nil {
			return
		}
		r.readings = append(r.readings[:0], r.readings[n:]...)
	}
}

// mostInFrame bounds a frame to far less than the buffer takes.
const mostInFrame = 20_000

func (r *recorder) storeBatch(rs []record.Reading) error {
	now := r.clock.Now()
	b := record.Batch{Boot: r.boot, Clock: now.Clock, Readings: rs}
	if now.Known() {
		b.Offset = now.T - now.M
	}
	if err := r.keyIfDue(); err != nil {
		return err
	}
	frame, err := r.encoder.Append(r.frame[:0], b)
	if err != nil {
		r.log.Error("readings can't be encoded", "err", err)
		r.tellLost(len(rs))
		return nil
	}
	r.frame = frame
	if err := r.data.Append(frame, len(rs)); err != nil {
		return err
	}
	r.encoder.Commit()
	r.sinceKey += len(frame)
	return nil
}

// keyIfDue writes a key frame when enough has come since the last, so that
// damage costs little and a start is quick.
func (r *recorder) keyIfDue() error {
	if r.sinceKey < keyLeast {
		return nil
	}
	key := r.dataKey()
	if r.sinceKey < keyShare*len(key) {
		return nil
	}
	return r.data.AppendKey(key)
}

// dataKey is what the buffer asks for when a segment begins.
func (r *recorder) dataKey() []byte {
	r.sinceKey = 0
	return r.encoder.Key()
}

func (r *recorder) storeStats() {
	r.stat = append(r.stat, r.queue.takeStats()...)
	for len(r.stat) > 0 && r.ready() {
		n := min(len(r.stat), mostStats)
		now := r.clock.Now()
		b := record.StatBatch{Boot: r.boot, Clock: now.Clock, Stats: r.stat[:n]}
		err := r.stats.Append(record.AppendStats(nil, b), n)
		r.note(err)
		if err == nil {
			r.stat = append(r.stat[:0], r.stat[n:]...)
		}
	}
}

const mostStats = 2_000

// tellLost counts readings that no platform will ever see.
func (r *recorder) tellLost(count int) {
	r.lost.Add(uint64(count))
	s := r.clock.Now()
	r.queue.addEvent(event.Event{Kind: "lost", ID: "agent/buffer", More: []event.Field{{Name: "count", Value: count}},
		Why: "the disk did not take them in time"}, event.Stamp{M: s.M, T: s.T, Known: s.Known()})
}

// resume makes the chain go on where the events end.
func (r *recorder) resume() error {
	next := r.events.Next()
	if next == 1 {
		return nil
	}
	if r.fold.Last == nil {
		return fmt.Errorf("event %d, the last one, can't be read", next-1)
	}
	return r.chain.Resume(next-1, r.fold.Last)
}
