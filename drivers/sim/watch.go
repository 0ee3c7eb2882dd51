package sim

import (
	"context"
	"errors"
	"time"

	"pithead/drivers"
)

// Watch hands on the steps of the board's truths as edges, each with the time
// of its step, and what follows an output when it follows. Counters and all
// that is polled come by Read.
func (b *bus) Watch(ctx context.Context, emit func([]drivers.Reading)) error {
	start := b.start()
	seen := b.now() // edges up to here have been handed on
	shown := map[*point]bool{}
	b.edges(shown, seen, start)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if err := b.usable(ctx); errors.Is(err, errClosed) {
			return err
		}
		now := b.now()
		for at, ok := b.nextEdge(seen); ok && at < now; at, ok = b.nextEdge(seen) {
			hand(emit, b.edges(shown, at, start))
			seen = at
		}
		hand(emit, b.edges(shown, now, start))
		seen = now
		wait := time.Hour
		if at, ok := b.nextEdge(seen); ok {
			wait = at - b.now()
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-b.changed:
		case <-timer.C:
		}
	}
}

func hand(emit func([]drivers.Reading), rs []drivers.Reading) {
	if len(rs) > 0 {
		emit(rs)
	}
}

// nextEdge is the first time after t at which a truth of the board may change.
func (b *bus) nextEdge(t time.Duration) (first time.Duration, found bool) {
	for _, p := range b.inputs {
		if !p.Truth {
			continue
		}
		if at, ok := p.signal.next(t, b.outputs); ok && (!found || at < first) {
			first, found = at, true
		}
	}
	return first, found
}

// edges are the truths of the board that differ at t from what was shown last.
func (b *bus) edges(shown map[*point]bool, t time.Duration, start time.Time) []drivers.Reading {
	var rs []drivers.Reading
	for _, p := range b.inputs {
		if _, dropped := p.signal.dropped(t); !p.Truth || dropped {
			continue
		}
		truth := p.signal.at(t, b.outputs) >= 0.5
		was, known := shown[p]
		shown[p] = truth
		if known && was != truth {
			rs = append(rs, drivers.Reading{Point: p.ID, At: start.Add(t), Value: drivers.BoolValue(truth)})
		}
	}
	return rs
}
