package agent

import (
	"sync"

	"pithead/agent/event"
	"pithead/agent/record"
)

// A queue stands between the judge and the disk, so that a disk that stalls
// holds up neither alarms nor outputs. It is bounded: when it is full the
// oldest readings go and are counted, events never. Any goroutine may use it.
type queue struct {
	wake chan struct{} // holds one: there is an event
	most int           // readings

	mu       sync.Mutex
	readings []record.Reading
	events   []queued
	stats    []record.Stat
	lost     int // readings dropped since taken last
}

// queued is an event that waits for its number.
type queued struct {
	event event.Event
	stamp event.Stamp
}

func newQueue(most int) *queue {
	return &queue{wake: make(chan struct{}, 1), most: most}
}

func (q *queue) addReadings(rs []record.Reading) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if over := len(q.readings) + len(rs) - q.most; over > 0 {
		drop := min(over, len(q.readings))
		q.readings = append(q.readings[:0], q.readings[drop:]...)
		q.lost += drop
	}
	q.readings = append(q.readings, rs...)
}

func (q *queue) addEvent(e event.Event, s event.Stamp) {
	q.mu.Lock()
	q.events = append(q.events, queued{e, s})
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) addStats(ss []record.Stat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats = append(q.stats, ss...)
}

// takeEvents is all events that wait; they are the caller's.
func (q *queue) takeEvents() []queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	es := q.events
	q.events = nil
	return es
}

// swapReadings is all readings that wait, for an empty slice to collect the
// next in, and how many were dropped since the last call.
func (q *queue) swapReadings(empty []record.Reading) (rs []record.Reading, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rs, lost = q.readings, q.lost
	q.readings, q.lost = empty[:0], 0
	return rs, lost
}

func (q *queue) takeStats() []record.Stat {
	q.mu.Lock()
	defer q.mu.Unlock()
	ss := q.stats
	q.stats = nil
	return ss
}

// waiting is how much the queue holds.
func (q *queue) waiting() (readings, events int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.readings), len(q.events)
}
