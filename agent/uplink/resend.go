package uplink

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// A resend is readings that a platform asked for again: those of this uplink's
// points with numbers from to to. It moves no position.
type resend struct {
	id       string // of the command
	from, to uint64
}

// mostResends is how many may wait.
const mostResends = 16

// Resend sends readings again, as soon as there is a connection, beside what is
// new. The error says why it can't.
func (u *Uplink) Resend(id string, from, to uint64) error {
	l := u.Log.Lane(dataLane)
	next := l.Next()
	switch {
	case !u.cfg.Data:
		return errors.New("this uplink sends no readings")
	case from == 0 || to < from:
		return fmt.Errorf("from %d to %d is no range; want from 1 and to not below it", from, to)
	case from >= next:
		return fmt.Errorf("reading %d is not there yet: the newest is %d", from, next-1)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.resends) >= mostResends {
		return fmt.Errorf("%d are asked for already; want to wait for them", mostResends)
	}
	u.resends = append(u.resends, resend{id, from, min(to, next-1)})
	u.ring()
	return nil
}

// SnapshotNow sends a snapshot as soon as there is a connection.
func (u *Uplink) SnapshotNow() {
	u.asked.Store(true)
	u.ring()
}

// resent takes note of what the broker has of a resend: a lost connection goes
// on from there.
func (u *Uplink) resent(id string, last uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range u.resends {
		if u.resends[i].id != id {
			continue
		}
		if u.resends[i].from = last + 1; last >= u.resends[i].to {
			u.resends = append(u.resends[:i], u.resends[i+1:]...)
		}
		return
	}
}

// resending is a resend on its way out.
type resending struct {
	*batches
	resend
	over bool // all of it is out, if not yet acknowledged
}

// repeat is the next message of what was asked for again.
func (s *session) repeat(now time.Time) (message, bool) {
	if s.again != nil && s.again.over {
		if s.waits(s.again.id) {
			return message{}, false
		}
		s.again.close()
		s.again = nil
	}
	if s.again == nil {
		s.mu.Lock()
		waits := s.resends
		s.mu.Unlock()
		if len(waits) == 0 {
			return message{}, false
		}
		s.again = s.newResending(waits[0])
	}
	s.again.cut.limit = s.heft.limit
	return s.read(s.again, now, true)
}

// waits says whether a resend is not acknowledged yet.
func (u *Uplink) waits(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.resends {
		if r.id == id {
			return true
		}
	}
	return false
}

// newResending begins one. It gives also what thin left out: who asks for
// numbers wants them, and what thin waits for would end it too early.
func (u *Uplink) newResending(r resend) *resending {
	b := u.readings(r.from - 1)
	b.name, b.feed.until, b.cut.again = "", r.to, r.id
	b.feed.codec.(*readings).thin = nil
	return &resending{batches: b, resend: r}
}

// next is the next message; the last one covers all to the end of what was
// asked for, whatever it holds.
func (r *resending) next(now time.Time, _ bool) (message, bool, error) {
	if r.over {
		return message{}, false, nil
	}
	for {
		fits, err := r.take(now)
		switch {
		case errors.Is(err, io.EOF) || err == nil && fits && r.feed.at > r.to:
			r.over = true
			r.cut.cover(r.to, r.feed.u.present(r.feed.u.Log.Epoch()))
		case err != nil:
			return message{}, false, err
		}
		if r.over || !fits || r.cut.full() {
			m := r.message()
			m.resend = r.id
			return m, true, nil
		}
	}
}
