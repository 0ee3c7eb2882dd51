package uplink

import (
	"context"
	"errors"
	"time"
)

// A State is how an uplink stands, for people and for health.
type State struct {
	Connected bool
	Since     time.Time // of that, or of its absence
	URL       string    // of the broker that it is, or was last, connected to
	LastAck   time.Time // zero: none in this run
	Expires   time.Time // the first of the uplink's certificates to do so; zero: it has none

	LastReceipt time.Time // confirm: platform; zero: none in this run
	LastError   string    // why the last connection ended or was not made; empty once one holds
	Fault       string    // what a person must see to
	Published   uint64    // messages in this run
	Acked       uint64    // of those

	Events uint64 // backlog: events that are not acknowledged
	Stats  uint64 // statistics, likewise
	Data   uint64 // readings, likewise; those that its points leave out count until they are passed over

	// Behind is the age of the oldest reading that is not acknowledged, 0 if there
	// is none or it can't be known; Oldest is its time in Unix ms, likewise.
	Behind time.Duration
	Oldest int64
}

// State is how the uplink stands now.
func (u *Uplink) State() State {
	now := u.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.state
	s.Events, s.Stats, s.Data = u.backlog(eventLane), u.backlog(statsLane), u.backlog(dataLane)
	if u.old.set && s.Data > 0 {
		if age, ok := u.old.age(now, u.Boot); ok {
			s.Behind = max(age, 0)
		}
		if u.old.known {
			s.Oldest = u.old.t
		}
	}
	return s
}

// backlog needs u.mu.
func (u *Uplink) backlog(lane string) uint64 {
	done, sent := u.done[lane]
	if !sent {
		return 0
	}
	next := u.Log.Lane(lane).Next()
	return max(next, done+1) - done - 1
}

func (u *Uplink) note(f func(*State)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f(&u.state)
}

func (u *Uplink) connected(url string) {
	u.log.Info("connected", "broker", url)
	u.note(func(s *State) { s.Connected, s.Since, s.URL = true, time.Now(), url })
}

// failed notes a try that led to no connection. The same failure again and
// again is worth one line.
func (u *Uplink) failed(err error) {
	again := false
	var m mistake
	u.note(func(s *State) {
		again = s.LastError == err.Error()
		s.LastError = err.Error()
		if errors.As(err, &m) {
			s.Fault = err.Error()
		}
	})
	if again {
		u.log.Debug("still not connected", "error", err)
		return
	}
	u.log.Warn("not connected", "error", err)
}

// lost notes the end of a connection; err is nil where we ended it, fault empty
// where it is no more than that.
func (u *Uplink) lost(err error, fault string) {
	u.note(func(s *State) {
		s.Connected, s.Since = false, time.Now()
		if err != nil {
			s.LastError = err.Error()
		}
		if fault != "" {
			s.Fault = fault
		}
	})
	switch {
	case err == nil:
		u.log.Info("disconnected")
	case fault != "":
		u.log.Error("connection lost again at once: "+fault, "error", err, "client-id", u.cfg.ClientID)
	default:
		u.log.Warn("connection lost", "error", err)
	}
}

// acked notes the oldest message's acknowledgement.
func (u *Uplink) acked(lane string, last uint64) {
	if lane != "" && !u.cfg.Receipts {
		u.move(lane, last)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.state.Acked++
	u.state.LastAck = time.Now()
}

// move moves a lane's position: what is up to there has arrived.
func (u *Uplink) move(lane string, n uint64) {
	u.at[lane] = n
	u.Log.SetPosition(Position(lane, u.cfg.ID), n)
	u.passed(lane, n)
}

// passed notes that nothing up to n is left to send of a lane, though the last
// that was sent may be before it: the points leave out the rest.
func (u *Uplink) passed(lane string, n uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done[lane] = max(u.done[lane], n)
}

// oldest notes the oldest reading that is not acknowledged.
func (u *Uplink) oldest(k mark) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.old = k
}

// behind says whether the oldest unacknowledged reading is older than a minute,
// or as good as: it is of another boot, and nobody knows its time.
func (u *Uplink) behind() bool {
	u.mu.Lock()
	k := u.old
	u.mu.Unlock()
	if !k.set {
		return false
	}
	age, ok := k.age(u.Now(), u.Boot)
	return !ok || age > behindAfter
}

// peek finds the oldest reading that waits while there is no connection.
func (u *Uplink) peek(ctx context.Context) {
	if !u.cfg.Data {
		return
	}
	b := u.readings(u.at[dataLane])
	defer b.close()
	for ctx.Err() == nil {
		var it item
		err := b.feed.next(&it)
		if errors.Is(err, errMore) {
			continue
		}
		if err == nil {
			u.oldest(it.first())
		}
		return
	}
}
