package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/uplink"
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
	forks    chan uplink.Fork     // what platforms have of this gateway; shared
	failed   func(error)          // tells the judge that the disk fails, or (nil) works again
	renew    func() error         // puts what is kept beside the log there again

	mu      sync.Mutex // guards these two, for guard
	pending []queued   // events that have no number yet
	hung    bool       // a write does not come back, and that was told

	readings []record.Reading // that could not be stored yet
	stat     []stat
	frame    []byte
	sinceKey int // blocks of data frames since the last key
	keySize  int // bytes of that key
	troubles [5]trouble
	failing  bool // failed was told so
	untold   lost // told once the disk takes what waits

	uplinks map[string]bool // of the site file
	swept   time.Time       // when positions were looked through
	cramped bool            // the file system is full, and that was told
	refused uint64          // writes that failed, and that was told

	lost    atomic.Uint64          // shared: readings that were never stored
	waiting atomic.Int64           // readings that are in neither the queue nor the buffer
	why     atomic.Pointer[string] // the disk fails; nil where it doesn't
	pace    pace
	offsets atomic.Pointer[map[uint32]int64]
}

const (
	retryDisk  = 5 * time.Second
	positions  = time.Second // how long a position may stay in memory only
	keyShare   = 20          // a key is written after this many times its own blocks
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
	ofFolder
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
			r.storeReadings(r.queue.hurried())
		case <-commit.C:
			before := r.data.Next()
			r.store()
			if r.data.Next() > before { // positions went along: their second begins anew
				flush.Reset(positions)
				r.flush()
			}
		case <-flush.C:
			r.flush()
		case f := <-r.forks:
			r.fork(f)
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
	r.storeReadings(true)
	r.storeStats()
	if !r.failing {
		r.tellLost()
		r.tellFailed()
	}
	r.tellCramped()
}

func (r *recorder) flush() {
	if now := time.Now(); now.Sub(r.swept) >= time.Hour {
		r.swept = now
		forget(r.buf, r.uplinks, r.clock.Now())
	}
	r.look()
	if r.ready(ofPositions) {
		r.note(ofPositions, r.pace.took(r.buf.Flush))
	}
}

// look finds files that somebody removed under the run. The buffer begins anew in
// their place, and what else the agent keeps in the folder is put there again.
func (r *recorder) look() {
	if !r.ready(ofFolder) {
		return
	}
	err := r.pace.took(r.buf.Look)
	if errors.Is(err, buffer.ErrRemoved) {
		err = errors.Join(err, r.renew())
	}
	r.note(ofFolder, err)
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
	if hung := r.cameBack(); (err != nil) == r.failing && !hung {
		return
	}
	if r.failing = err != nil; r.failing {
		r.log.Error("the buffer can't be written", "err", err)
		why := err.Error()
		r.why.Store(&why)
	} else {
		r.log.Info("the buffer is written again")
		r.why.Store(nil)
	}
	r.failed(err)
}

// storeEvents makes every event that waits durable, one by one.
func (r *recorder) storeEvents() {
	r.untold.events += r.fetch()
	for len(r.pending) > 0 && r.ready(ofEvents) {
		e := r.pending[0]
		e.stamp.Boot = r.boot
		payload := r.chain.Next(e.event, e.stamp)
		err := r.pace.took(func() error { return r.events.Append(payload, 1) })
		if errors.Is(err, buffer.ErrTooLong) { // it would stand in the way of all that follow
			r.log.Error("an event is too long to be stored", "kind", e.event.Kind, "id", e.event.ID, "bytes", len(payload))
			r.done()
			continue
		}
		if err == nil {
			r.chain.Commit()
			if p := r.remember(payload); e.n != nil {
				e.n.Store(p.N)
			}
			r.done()
		}
		r.note(ofEvents, err)
	}
	r.tellUnstored()
}

// fetch takes the events that wait in the queue, and says how many were dropped.
func (r *recorder) fetch() (dropped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	es, dropped := r.queue.takeEvents()
	r.pending = append(r.pending, es...)
	if over := len(r.pending) - mostEvents; over > 0 {
		dropped += over
		r.pending = r.pending[over:]
	}
	return dropped
}

func (r *recorder) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = r.pending[1:]
}

// tellUnstored sends what the disk does not take, so that an alarm is not
// silent for a disk: once, without a number, and again with one when it can join
// the chain.
func (r *recorder) tellUnstored() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send(r.pending)
}

// send sends the newest of these that were not sent so yet, oldest first.
func (r *recorder) send(es []queued) {
	i := len(es)
	for i > 0 && !es[i-1].told && i > len(es)-mostUnstored {
		i--
	}
	for ; i < len(es); i++ {
		q := &es[i]
		q.told, q.stamp.Boot = true, r.boot
		r.unstored(event.Unstored(r.key, r.buf.Epoch(), q.event, q.stamp))
	}
}

// mostUnstored is how many of the newest are sent so at once.
const mostUnstored = 256

// remember keeps the fold true: it is what the next key frame holds.
func (r *recorder) remember(payload []byte) event.Parsed {
	p, err := event.Parse(payload)
	if err != nil { // we made it ourselves
		panic(err)
	}
	r.fold.add(p)
	r.fold.Last = payload
	if p.Kind == "clock" {
		r.shareOffsets()
	}
	return p
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
