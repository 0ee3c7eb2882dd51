//go:build site

package site

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
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

// disk has what the disk holds up count as stalled, too: a write that is to be
// durable, each 100 ms.
func (s *stalls) disk(t *testing.T) {
	f, err := os.Create(filepath.Join(folder(t), "probe"))
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer f.Close()
		for {
			began := time.Now()
			_, err := f.WriteAt([]byte(began.String()), 0)
			if err = errors.Join(err, f.Sync()); err != nil {
				t.Error(err)
			}
			if now := time.Now(); now.Sub(began) > 20*time.Millisecond {
				s.mu.Lock()
				s.all = append(s.all, stall{began, now})
				s.mu.Unlock()
			}
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
}

// between is how much of a time was stalled, by the one or the other.
func (s *stalls) between(from, to time.Time) (sum time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.all, func(a, b stall) int { return a.from.Compare(b.from) })
	for _, x := range s.all {
		began, ended := x.from, x.to
		if began.Before(from) {
			began = from
		}
		if ended.After(to) {
			ended = to
		}
		if ended.After(began) {
			sum += ended.Sub(began)
			from = ended // what overlaps counts once
		}
	}
	return sum
}

func TestStallsBetween(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }
	s := &stalls{all: []stall{{at(500), at(600)}, {at(100), at(300)}, {at(120), at(180)}, {at(510), at(600)}, {at(150), at(300)}}}
	for _, c := range []struct{ from, to, want int }{{0, 1000, 300}, {200, 550, 150}, {300, 500, 0}, {120, 180, 60}, {600, 900, 0}} {
		if got := s.between(at(c.from), at(c.to)); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("from %d to %d: %v, want %d ms", c.from, c.to, got, c.want)
		}
	}
}
