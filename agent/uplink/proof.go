package uplink

import (
	"time"

	"pithead/agent/event"
)

// proof is the running hash over the messages of readings of one connection,
// resends included: h is the SHA-256 of the h of the message before it (32 zero
// bytes at the first) and of the message's own bytes up to, not including,
// ,"h":, its last member. An anchor event signs one now and then, and with it
// all messages before it of that connection.
type proof struct {
	h     event.Hash
	acked anchor
	told  anchor
	at    time.Time // when told was
}

// An anchor is the hash of the newest message of readings that arrived.
type anchor struct {
	epoch string
	last  uint64
	h     event.Hash
}

// An Anchor is what an event is to sign: the running hash of an uplink.
type Anchor struct {
	Uplink, Epoch, H string
	Last             uint64
}

const anchorEach = 10 * time.Minute

// add puts the hash into a message of readings, in its own memory.
func (p *proof) add(m message) message {
	if m.kind != dataLane || len(m.payload) == 0 {
		return m
	}
	m.payload, p.h = event.AppendHash(m.payload[:len(m.payload)-1], p.h)
	m.h = p.h
	return m
}

// arrived notes that a message was acknowledged.
func (p *proof) arrived(m sent) {
	if m.h != (event.Hash{}) {
		p.acked = anchor{m.epoch, m.last, m.h}
	}
}

// anchor has an event sign what arrived, every ten minutes and at the end of a
// connection.
func (s *session) anchor(now time.Time, end bool) {
	p := &s.proof
	if p.at.IsZero() {
		p.at = s.began
	}
	if p.acked == p.told || !end && now.Sub(p.at) < anchorEach {
		return
	}
	p.told, p.at = p.acked, now
	s.Anchor(Anchor{Uplink: s.cfg.ID, Epoch: p.acked.epoch, Last: p.acked.last, H: p.acked.h.String()})
}
