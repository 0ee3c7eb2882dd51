package agent

import (
	"cmp"
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
	log      *slog.Logger
	clock    *Clock
	queue    *queue
	buf      *buffer.Log
	events   *buffer.Lane
	stats    *buffer.Lane
	data     *buffer.Lane
	chain    *event.Chain
	fold     *fold
	encoder  *record.Encoder
	boot     uint32
	commit   time.Duration
	key      *event.Key
	unstored func(payload []byte) // tells the uplinks of an event that the disk did not take
	failed   func(error)          // tells the judge that the disk fails, or (nil) works again

	pending  []queued         // events that have no number yet
	readings []record.Reading // that could not be stored yet
	spare    []record.Reading
	stat     []stat
	frame    []byte
	sinceKey int // blocks of data frames since the last key
	keySize  int // bytes of that key
	troubles [4]trouble
	failing  bool // failed was told so
	untold   lost // told once the disk takes what waits

	lost    atomic.Uint64 // shared: readings that were never stored
	offsets atomic.Pointer[map[uint32]int64]
}

const (
	retryDisk  = 5 * time.Second
	positions  = time.Second // how long a position may stay in memory only
	keyShare   = 24          // a key is written after this many times its own blocks
	block      = 4 << 10     // what a frame is filled up to on the disk
	mostEvents = 100_000     // that wait for a disk
	mostStats  = 20_000      // likewise
)

// A trouble is what one kind of write met last. Each has its own: a disk that is
// full still takes what fits into a segment that is there.
type trouble struct {
	err   error
	retry time.Time
}

const (
	ofEvents = iota
	ofReadings
	ofStats
	ofPositions
)

// lost counts what was dropped from memory.
type lost struct{ readings, events, stats int }

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
			r.flush()
		case <-ctx.Done():
			for i := range r.troubles {
				r.troubles[i].retry = time.Time{}
			}
			r.store()
			r.storeEvents() // what store had to tell
			r.flush()
			return
		}
	}
}

func (r *recorder) store() {
	r.storeEvents()
	r.storeReadings()
	r.storeStats()
	if !r.failing {
		r.tellLost()
	}
}

func (r *recorder) flush() {
	if r.ready(ofPositions) {
		r.note(ofPositions, r.buf.Flush())
	}
}

// ready says whether the disk is to be tried.
func (r *recorder) ready(of int) bool {
	t := &r.troubles[of]
	return t.err == nil || !time.Now().Before(t.retry)
}

// note takes in how a write went, and tells when the disk begins to fail, and
// when all of it works again.
func (r *recorder) note(of int, err error) {
	r.troubles[of] = trouble{err, time.Now().Add(retryDisk)}
	for _, t := range r.troubles {
		err = cmp.Or(err, t.err)
	}
	if (err != nil) == r.failing {
		return
	}
	if r.failing = err != nil; r.failing {
		r.log.Error("the buffer can't be written", "err", err)
	} else {
		r.log.Info("the buffer is written again")
	}
	r.failed(err)
}

// storeEvents makes every event that waits durable, one by one.
func (r *recorder) storeEvents() {
	es, dropped := r.queue.takeEvents()
	r.pending = append(r.pending, es...)
	if over := len(r.pending) - mostEvents; over > 0 {
		dropped += over
		r.pending = r.pending[over:]
	}
	r.untold.events += dropped
	for len(r.pending) > 0 && r.ready(ofEvents) {
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
		r.note(ofEvents, err)
	}
	r.tellUnstored()
}

// tellUnstored sends what the disk does not take, so that an alarm is not
// silent for a disk: once, without a number, and again with one when it can join
// the chain.
func (r *recorder) tellUnstored() {
	i := len(r.pending)
	for i > 0 && !r.pending[i-1].told && i > len(r.pending)-mostUnstored {
		i--
	}
	for ; i < len(r.pending); i++ {
		q := &r.pending[i]
		q.told, q.stamp.Boot = true, r.boot
		r.unstored(event.Unstored(r.key, r.buf.Epoch(), q.event, q.stamp))
	}
}

// mostUnstored is how many of the newest are sent so at once.
const mostUnstored = 256

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
	r.drop(dropped)
	for most := mostInFrame; len(r.readings) > 0 && r.ready(ofReadings); {
		n := min(len(r.readings), most)
		err := r.storeBatch(r.readings[:n])
		if errors.Is(err, buffer.ErrTooLong) && n > 1 { // the lane is small
			most = n / 2
			continue
		}
		if r.note(ofReadings, err); err != nil {
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
		r.drop(len(rs))
		return nil
	}
	r.frame = frame
	if err := r.data.Append(frame, len(rs)); err != nil {
		return err
	}
	r.encoder.Commit()
	r.sinceKey += blocks(len(frame))
	return nil
}

// keyIfDue writes a key frame when enough has come since the last: what follows
// a damaged frame can't be decoded before the next key, and a start reads from
// the newest one on. Keys take a twenty-fifth of the lane.
func (r *recorder) keyIfDue() error {
	if r.sinceKey < keyShare*blocks(r.keySize) {
		return nil
	}
	return r.data.AppendKey(r.dataKey())
}

func blocks(bytes int) int { return bytes/block + 1 }

// dataKey is what the buffer asks for when a segment begins; nothing while a
// start has not yet learnt where the points stand.
func (r *recorder) dataKey() []byte {
	if r.encoder == nil {
		return nil
	}
	key := r.encoder.Key()
	r.sinceKey, r.keySize = 0, len(key)
	return key
}

func (r *recorder) storeStats() {
	ss, dropped := r.queue.takeStats()
	r.stat = append(r.stat, ss...)
	if over := len(r.stat) - mostStats; over > 0 {
		dropped += over
		r.stat = append(r.stat[:0], r.stat[over:]...)
	}
	r.untold.stats += dropped
	for len(r.stat) > 0 && r.ready(ofStats) {
		b := record.StatBatch{Boot: r.boot, Clock: r.stat[0].clock}
		for _, s := range r.stat[:min(len(r.stat), statsInFrame)] {
			if s.clock != b.Clock {
				break
			}
			b.Stats = append(b.Stats, s.Stat)
		}
		n := len(b.Stats)
		err := r.stats.Append(record.AppendStats(nil, b), n)
		r.note(ofStats, err)
		if err == nil {
			r.stat = append(r.stat[:0], r.stat[n:]...)
		}
	}
}

const statsInFrame = 2_000

// left is what was not stored at the end: events that wait, and how much else
// goes with this run. It is for after run.
func (r *recorder) left() ([]queued, lost) {
	l := r.untold
	l.readings += len(r.readings)
	l.stats += len(r.stat)
	return r.pending, l
}

// drop counts readings that no platform will ever see.
func (r *recorder) drop(readings int) {
	r.lost.Add(uint64(readings))
	r.untold.readings += readings
}

// tellLost tells what was dropped, all at once when the disk has caught up: an
// event each second of a dead disk would in the end drop alarms from memory.
func (r *recorder) tellLost() {
	if r.untold == (lost{}) {
		return
	}
	e := event.Event{Kind: "lost", ID: "agent/buffer", Why: "the disk did not take them in time"}
	for _, l := range []struct {
		name  string
		count int
	}{{"count", r.untold.readings}, {"events", r.untold.events}, {"stats", r.untold.stats}} {
		if l.count > 0 {
			e.More = append(e.More, event.Field{Name: l.name, Value: l.count})
		}
	}
	r.untold = lost{}
	s := r.clock.Now()
	r.queue.addEvent(e, event.Stamp{M: s.M, T: s.T, Known: s.Known()})
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
