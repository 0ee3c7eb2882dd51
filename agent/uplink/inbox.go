package uplink

import (
	"bytes"
	"context"
	"slices"
)

// arrived is a message that came from the platform.
type arrived struct {
	topic    string
	retained bool
	payload  []byte
}

// What waits in memory at most. A platform that asks for more at once than can
// be answered is told no more than that it is refused.
const (
	mostOrders  = 16
	mostReplies = 64
)

// topics are what the uplink listens to.
func (u *Uplink) topics() []string {
	topics := []string{u.topic("command")}
	if u.cfg.Template == nil {
		topics = append(topics, u.topic("status"))
	}
	if u.cfg.Receipts {
		topics = append(topics, u.topic("receipt"))
	}
	return topics
}

func (u *Uplink) topic(kind string) string { return Topic(u.Site, u.cfg, kind) }

// hear takes what came, in the client's goroutine, and holds it up for nothing.
func (u *Uplink) hear(m arrived) {
	m.payload = bytes.Clone(m.payload)
	switch {
	case m.topic == u.topic("receipt"), m.topic == u.topic("status") && m.retained:
		select {
		case u.inbox <- m:
		default: // the next one says as much
		}
	case m.topic == u.topic("command") && !m.retained: // whoever asked for what is retained is not there to see it
		select {
		case u.orders <- m.payload:
		default:
			u.Overrun(u.cfg.ID)
		}
	}
}

// obey has commands done, one after the other, until ctx ends.
func (u *Uplink) obey(ctx context.Context) {
	for {
		select {
		case payload := <-u.orders:
			reply, then := u.Command(ctx, u.cfg.ID, payload)
			u.answer(reply)
			then()
		case <-ctx.Done():
			return
		}
	}
}

// answer sends a reply when there is a connection; of too many the oldest go.
func (u *Uplink) answer(payload []byte) {
	u.mu.Lock()
	if u.replies = append(u.replies, payload); len(u.replies) > mostReplies {
		u.replies = slices.Delete(u.replies, 0, 1)
	}
	u.mu.Unlock()
	u.ring()
}

// reply is the oldest reply that waits.
func (u *Uplink) reply() (message, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.replies) == 0 {
		return message{}, false
	}
	m := message{topic: u.topic("reply"), kind: "reply", payload: u.replies[0]}
	u.replies = slices.Delete(u.replies, 0, 1)
	return m, true
}
