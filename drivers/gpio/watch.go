package gpio

import (
	"context"
	"time"

	"pithead/drivers"
)

const (
	// pace is how often a total is told at most: each pulse of a fast counter
	// would be a reading otherwise.
	pace = 100 * time.Millisecond
	// most is how many edges wait for Watch at most.
	most = 4096
)

// Watch hands on each change of a level with the kernel's time of it, and
// totals at most every 100 ms. It sees the lines that Read has asked for. When
// the hardware fails it says so by a reading of each input and an error, once;
// called again it waits until Read has found the hardware.
func (b *bus) Watch(ctx context.Context, emit func([]drivers.Reading)) error {
	b.mu.Lock()
	b.watched = true
	b.mu.Unlock()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		rs, wait, err := b.collect(time.Now())
		if len(rs) > 0 {
			emit(rs)
		}
		if err != nil {
			return err
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-b.wake:
		case <-timer.C:
		}
	}
}

// collect takes what is to be told now, and says how long nothing else will be
// unless an edge comes.
func (b *bus) collect(now time.Time) (rs []drivers.Reading, wait time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait = time.Hour
	for _, in := range b.inputs {
		if in.settle(now); in.pending {
			wait = min(wait, in.nextAt.Add(in.Debounce).Sub(now))
		}
	}
	rs, b.queue = b.queue, nil
	for _, in := range b.inputs {
		if !in.fresh {
			continue
		}
		if left := in.told.Add(pace).Sub(now); left > 0 && b.news == nil {
			wait = min(wait, left)
			continue
		}
		in.fresh, in.told = false, now
		rs = append(rs, in.reading(in.last))
	}
	if b.ended {
		return rs, 0, errClosed
	}
	// If a Read has found the hardware meanwhile, its readings are the newer ones.
	if err, b.news = b.news, nil; err != nil && b.down {
		for _, in := range b.inputs {
			rs = append(rs, drivers.Bad(in.ID, now, drivers.Comm))
		}
	}
	return rs, wait, err
}

// keep holds a reading for Watch. If nobody takes them the oldest go, and count
// as lost edges. The caller holds b.mu.
func (b *bus) keep(r drivers.Reading) {
	if !b.watched {
		return
	}
	if len(b.queue) == most {
		for _, other := range b.inputs {
			if other.ID == b.queue[0].Point {
				other.lost++
			}
		}
		b.queue = b.queue[1:]
	}
	b.queue = append(b.queue, r)
}

// fail notes that the hardware is gone; the next Read begins anew. The caller
// holds b.mu.
func (b *bus) fail(err error) {
	if b.failed == nil {
		b.failed, b.news, b.down = err, err, true
	}
	b.nudge()
}

func (b *bus) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
