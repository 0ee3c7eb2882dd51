//go:build site

package site

import (
	"sync"
	"testing"
	"time"
)

// Stalls are the times in which the machine did not run who was due: what a test
// measures is held against them, since nothing that runs there is more punctual.
type stalls struct {
	mu  sync.Mutex
	all []stall
}

// A stall began when somebody was to be woken and ended when he was.
type stall struct{ from, to time.Time }

// watchStalls asks to be woken each 10 ms until the test ends.
func watchStalls(t *testing.T) *stalls {
	s, stop, ended := &stalls{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			due := time.Now().Add(10 * time.Millisecond)
			select {
			case <-stop:
				return
			case <-time.After(time.Until(due)):
			}
			if now := time.Now(); now.Sub(due) > 20*time.Millisecond {
				s.mu.Lock()
				s.all = append(s.all, stall{due, now})
				s.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return s
}

// between is how much of a time was stalled.
func (s *stalls) between(from, to time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.all {
		began, ended := x.from, x.to
		if began.Before(from) {
			began = from
		}
		if ended.After(to) {
			ended = to
		}
		sum += max(0, ended.Sub(began))
	}
	return sum
}

func TestStallsBetween(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }
	s := &stalls{all: []stall{{at(100), at(300)}, {at(500), at(600)}}}
	for _, c := range []struct{ from, to, want int }{{0, 1000, 300}, {200, 550, 150}, {300, 500, 0}, {120, 180, 60}, {600, 900, 0}} {
		if got := s.between(at(c.from), at(c.to)); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("from %d to %d: %v, want %d ms", c.from, c.to, got, c.want)
		}
	}
}
