package sim

import (
	"context"
	"sync"
	"time"
)

// output remembers what it was set to, and since when, for what follows it.
type output struct {
	bus *bus

	mu      sync.Mutex
	changes []change // by time; before the first one it is off
}

type change struct {
	at time.Duration
	on bool
}

// kept is how many changes of an output are remembered. What follows it with a
// delay sees one that was switched more often than this meanwhile too late.
const kept = 256

func (o *output) Set(ctx context.Context, on bool) error {
	if err := o.bus.usable(ctx); err != nil {
		return err
	}
	at := o.bus.now()
	o.mu.Lock()
	if n := len(o.changes); on != (n > 0 && o.changes[n-1].on) {
		if n == kept {
			o.changes = append(o.changes[:0], o.changes[1:]...)
		}
		o.changes = append(o.changes, change{at, on})
	}
	o.mu.Unlock()
	o.bus.nudge()
	return nil
}

func (o *output) Get(ctx context.Context) (bool, error) {
	if err := o.bus.usable(ctx); err != nil {
		return false, err
	}
	return o.was(o.bus.now()), nil
}

// was is the state at a time.
func (o *output) was(t time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	on := false
	for _, c := range o.changes {
		if c.at <= t {
			on = c.on
		}
	}
	return on
}

// next is the time of the first change after t.
func (o *output) next(t time.Duration) (time.Duration, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.changes {
		if c.at > t {
			return c.at, true
		}
	}
	return 0, false
}
