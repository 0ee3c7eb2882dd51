package uplink

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pithead/agent/event"
)

// A receipt is a platform's word that it has everything up to its numbers.
// With confirm: platform only that moves a position: over MQTT 3.1.1 a broker
// acknowledges what it then drops, because an access list forbids it or nobody
// listens.
type receipt struct {
	Epoch string `json:"epoch"`
	Last  uint64 `json:"last"`
	Stats uint64 `json:"stats"`
	Event uint64 `json:"event"`
	H     string `json:"h"` // sha256 of that event
	T     int64  `json:"t"` // Unix ms, by the platform's clock
}

const (
	noReceipt = 2 * time.Minute // from the broker's word to the platform's, before all is sent again,
	longest1  = time.Hour       // and doubling to this
)

// receipts is what a session knows of them.
type receipts struct {
	lanes   map[string]*owing            // each by itself: a platform may get events, and no readings
	reached map[string]map[string]uint64 // by lane and epoch: the last number that was published
}

// owing is how one lane stands.
type owing struct {
	since   time.Time     // the broker has more than the platform says; zero: no more
	patient time.Duration // how long that may be, once it was too long; 0: it was not
}

func (r *receipts) lane(name string) *owing {
	if r.lanes == nil {
		r.lanes = map[string]*owing{}
	}
	if r.lanes[name] == nil {
		r.lanes[name] = &owing{}
	}
	return r.lanes[name]
}

// waits says whether a receipt is owed; overdue that it has been for too long.
func (r *receipts) waits() (owed, overdue bool) {
	for _, o := range r.lanes {
		owed = owed || !o.since.IsZero()
		overdue = overdue || o.patient > 0
	}
	return owed, overdue
}

// sent takes note of what was published.
func (r *receipts) sent(m message) {
	if m.lane == "" {
		return
	}
	if r.reached == nil {
		r.reached = map[string]map[string]uint64{}
	}
	if r.reached[m.lane] == nil {
		r.reached[m.lane] = map[string]uint64{}
	}
	r.reached[m.lane][m.epoch] = max(r.reached[m.lane][m.epoch], m.last)
}

// receipted takes a receipt.
func (s *session) receipted(payload []byte) {
	if err := s.takeReceipt(payload); err != nil {
		s.log.Warn("a receipt is not taken", "why", err)
		s.note(func(st *State) { st.LastError = "receipt: " + err.Error() })
	}
}

func (s *session) takeReceipt(payload []byte) error {
	var keys []ed25519.PublicKey
	for _, c := range s.cfg.Commands {
		keys = append(keys, c.Key)
	}
	signed := len(keys) > 0
	if signed && !event.Sealed(payload, keys...) {
		return errors.New("none of the keys of commands signed it")
	}
	var r receipt
	if err := json.Unmarshal(payload, &r); err != nil {
		return err
	}
	lanes := map[string]uint64{dataLane: r.Last, statsLane: r.Stats, eventLane: r.Event}
	for lane, n := range lanes {
		if reach := s.reach(lane, r.Epoch); n > reach {
			if signed && r.Epoch == s.Log.Epoch() && lane != statsLane { // nobody's word begins an epoch
				s.Fork(Fork{Uplink: s.cfg.ID, Epoch: r.Epoch, Event: r.Event, Last: r.Last})
			}
			return fmt.Errorf("%s %d of epoch %.40q was never sent: %d was", lane, n, r.Epoch, reach)
		}
	}
	if r.Event > 0 && r.H != "" {
		if err := s.same(r.Epoch, r.Event, r.H); err != nil {
			if signed && r.Epoch == s.Log.Epoch() {
				s.Fork(Fork{Uplink: s.cfg.ID, Epoch: r.Epoch, Event: r.Event, Hash: r.H})
			}
			s.note(func(st *State) { st.Fault = err.Error() })
			return err
		}
	}
	moved := false
	for lane, n := range lanes {
		if at, sent := s.at[lane]; sent && n > at {
			s.move(lane, n)
			*s.receipts.lane(lane) = owing{}
			moved = true
		}
	}
	if moved {
		_, overdue := s.receipts.waits()
		s.note(func(st *State) {
			st.LastReceipt = time.Now()
			if !overdue {
				st.Fault = ""
			}
		})
	}
	if signed && r.T > 0 {
		s.Heard(r.T)
	}
	return nil
}

// reach is the last number of a lane that a platform may know of.
func (s *session) reach(lane, epoch string) uint64 {
	if epoch == s.Log.Epoch() {
		return s.Log.Lane(lane).Next() - 1
	}
	return s.receipts.reached[lane][epoch]
}

// same says whether the platform holds the event that is here.
func (s *session) same(epoch string, n uint64, hash string) error {
	e := s.Uplink.events(n - 1)
	defer e.close()
	payload, err := e.read()
	if err != nil || e.after != n || e.epoch != epoch {
		return nil // it is here no more
	}
	p, err := event.Parse(payload)
	if h := p.Hash().String(); err == nil && hash != h && "sha256:"+hash != h {
		return fmt.Errorf("the platform holds another event %d: two histories of one gateway", n)
	}
	return nil
}

// owes keeps note of how long the platform has owed a receipt, and has all sent
// again that is without one when that is too long: the broker may have dropped it.
func (s *session) owes(now time.Time) {
	late := time.Duration(0)
	for lane, at := range s.at {
		behind := false
		for _, last := range s.receipts.reached[lane] {
			behind = behind || last > at
		}
		o := s.receipts.lane(lane)
		switch {
		case !s.cfg.Receipts || !behind:
			o.since = time.Time{}
		case o.since.IsZero():
			o.since = now
		case now.Sub(o.since) >= max(o.patient, noReceipt):
			late = max(late, o.patient, noReceipt)
			o.since, o.patient = now, min(2*max(o.patient, noReceipt), longest1)
		}
	}
	if late > 0 {
		s.log.Warn("no receipt: sending again what has none", "after", late)
		s.note(func(st *State) { st.Fault = "the platform confirms nothing: it gets nothing, or sends no receipts" })
		s.begin()
	}
}
