package agent

import (
	"container/heap"
	"time"
)

// timers are the delays that end by themselves, soonest first, in time since
// boot. They belong to the judge.
type timers struct{ heap timerHeap }

// A timer is one delay; its zero value is not running.
type timer struct {
	at    time.Duration
	place int // in the heap, from 1; 0 = not running
	fire  func(at time.Duration)
}

// set starts, moves or (on false) ends a timer.
func (ts *timers) set(t *timer, at time.Duration, on bool) {
	switch {
	case !on && t.place > 0:
		heap.Remove(&ts.heap, t.place-1)
	case !on:
	case t.place > 0 && t.at != at:
		t.at = at
		heap.Fix(&ts.heap, t.place-1)
	case t.place == 0:
		t.at = at
		heap.Push(&ts.heap, t)
	}
}

// next is when the soonest one ends.
func (ts *timers) next() (time.Duration, bool) {
	if len(ts.heap) == 0 {
		return 0, false
	}
	return ts.heap[0].at, true
}

// run fires what ended up to now, each at its own time.
func (ts *timers) run(now time.Duration) {
	for len(ts.heap) > 0 && ts.heap[0].at <= now {
		t := ts.heap[0]
		ts.set(t, 0, false)
		t.fire(t.at)
	}
}

type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	*h = append(*h, t)
	t.place = len(*h)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.place = 0
	return t
}
