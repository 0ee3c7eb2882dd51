package agent

import (
	"sync"
	"sync/atomic"

	"pithead/agent/event"
	"pithead/agent/record"
)

// A queue stands between the judge and the disk, so that a disk that stalls
// holds up neither alarms nor outputs. It is bounded: when it is full the oldest
// go and are counted; of events and statistics that is only where a write hangs
// for days. Any goroutine may use it.
type queue struct {
	wake chan struct{} // holds one: there is an event, or readings that must not wait
	most int           // readings

	mu       sync.Mutex
	readings []record.Reading
	events   []queued
	stats    []stat
	lost     lost // since taken last
	urgent   bool // readings are not to wait for the commit
}

// queued is an event that waits for its number.
type queued struct {
	event event.Event
	stamp event.Stamp
	told  bool           // as one that the disk did not take
	n     *atomic.Uint64 // where its number is left; nil: nobody asks
}

// stat is one point's statistics; the clock says what its times are: since boot
// while unknown, whatever the clock has become when they are stored.
type stat struct {
	record.Stat
	clock record.Clock
}

func newQueue(most int) *queue {
	return &queue{wake: make(chan struct{}, 1), most: most}
}

func (q *queue) addReadings(rs []record.Reading) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if over := len(q.readings) + len(rs) - q.most; over > 0 {
		drop := min(over, len(q.readings))
		q.readings = q.readings[drop:] // not moved: this is the judge's time
		q.lost.readings += drop
	}
	q.readings = append(q.readings, rs...)
	if len(q.readings) >= enough {
		q.ring()
	}
}

// enough readings wait for no commit: a frame of so many has all the advantage that
// being stored together has, and more would only take memory.
const enough = 4096

func (q *queue) addEvent(e event.Event, s event.Stamp) { q.addNumbered(e, s, nil) }

func (q *queue) addNumbered(e event.Event, s event.Stamp, n *atomic.Uint64) {
	q.mu.Lock()
	if len(q.events) >= mostEvents {
		q.events = q.events[1:]
		q.lost.events++
	}
	q.events = append(q.events, queued{event: e, stamp: s, n: n})
	q.mu.Unlock()
	q.ring()
}

// hurry has all readings that wait stored at once.
func (q *queue) hurry() {
	q.mu.Lock()
	q.urgent = true
	q.mu.Unlock()
	q.ring()
}

// hurried says, once, that readings are not to wait.
func (q *queue) hurried() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := q.urgent
	q.urgent = false
	return was
}

func (q *queue) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) addStats(ss []stat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.stats) == 0 {
		q.stats = ss // which is the queue's from here on
	} else {
		q.stats = append(q.stats, ss...)
	}
	if over := len(q.stats) - mostStats; over > 0 {
		q.stats = q.stats[over:]
		q.lost.stats += over
	}
}

// takeEvents is all events that wait, which are the caller's, and how many were
// dropped since the last call.
func (q *queue) takeEvents() (es []queued, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	es, lost = q.events, q.lost.events
	q.events, q.lost.events = nil, 0
	return es, lost
}

// lookAt shows the events that wait, which stay where they are.
func (q *queue) lookAt(see func([]queued)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	see(q.events)
}

// moveReadings moves the oldest readings that wait to the end of rs, at most so
// many; none where fewer than least wait. It also says how many were dropped since
// the last call.
func (q *queue) moveReadings(rs []record.Reading, least, most int) (_ []record.Reading, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	lost, q.lost.readings = q.lost.readings, 0
	if len(q.readings) < least {
		return rs, lost
	}
	n := min(len(q.readings), most)
	rs = append(rs, q.readings[:n]...)
	q.readings = append(q.readings[:0], q.readings[n:]...)
	return rs, lost
}

// swapReadings is all readings that wait, for an empty slice to collect the
// next in, and how many were dropped since the last call.
func (q *queue) swapReadings(empty []record.Reading) (rs []record.Reading, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rs, lost = q.readings, q.lost.readings
	q.readings, q.lost.readings = empty[:0], 0
	return rs, lost
}

func (q *queue) takeStats() (ss []stat, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ss, lost = q.stats, q.lost.stats
	q.stats, q.lost.stats = nil, 0
	return ss, lost
}

// waiting is how much the queue holds.
func (q *queue) waiting() (readings, events int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.readings), len(q.events)
}
