package agent

import (
	"context"
	"errors"
	"time"
)

// mostWrite is how long a write may take before the disk counts as failing. A
// card may stall for seconds, and be sound.
const mostWrite = 5 * time.Second

var errHung = errors.New("a write to the disk does not come back")

// guard looks after run, which can do nothing while a write hangs: the alarm is
// raised all the same, and events go out without having been stored.
func (r *recorder) guard(ctx context.Context) {
	each := time.NewTicker(time.Second)
	defer each.Stop()
	for {
		select {
		case <-each.C:
			r.lookAfter()
		case <-ctx.Done():
			return
		}
	}
}

func (r *recorder) lookAfter() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pace.waits() < mostWrite {
		return
	}
	if !r.hung {
		r.hung = true
		r.log.Error("the buffer can't be written", "err", errHung)
		why := errHung.Error()
		r.why.Store(&why)
		r.failed(errHung)
	}
	r.send(r.pending)
	r.queue.lookAt(r.send)
}

// cameBack says, once, that a write which hung has come back.
func (r *recorder) cameBack() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.hung
	r.hung = false
	return was
}
