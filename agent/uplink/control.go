package uplink

import (
	"context"
	"time"
)

const (
	healthEach   = time.Minute
	behindAfter  = time.Minute      // an uplink whose oldest reading is older is behind
	snapshotSoon = 20 * time.Second // between two snapshots while it is
	// snapshotSlack is how long a snapshot holds beyond the next one's time.
	snapshotSlack = time.Minute
	askTime       = 2 * time.Second  // for the judge to say what is true now
	askAgain      = 10 * time.Second // where it didn't
)

// control is the gateway's own messages: what has no number and is not stored,
// but is made when it is sent.
type control struct {
	*Uplink
	queue    []message
	snapshot time.Time // the last one
	health   time.Time // the next one
	greeted  bool      // the status was sent
	epoch    string    // that it told
}

// begin is what every connection begins with, and every epoch.
func (c *control) begin(now time.Time) {
	c.epoch = c.Log.Epoch()
	c.queue = append(c.queue, c.status("online"))
	c.queue = append(c.queue, c.parts("meta", Meta(c.Site, c.cfg, c.Log.Epoch()))...)
	c.health = now
}

// urgent is what waits for nobody once the status was sent: events that could
// not be stored, then replies.
func (c *control) urgent() (message, bool) {
	if !c.greeted {
		return message{}, false
	}
	select {
	case payload := <-c.unstored:
		return message{topic: c.topic("events"), kind: "events", payload: payload}, true
	default:
		return c.reply()
	}
}

// next is what is due, one message at a time.
func (c *control) next(ctx context.Context, now time.Time, behind bool) (message, bool) {
	if m, ok := c.urgent(); ok {
		return m, true
	}
	c.greeted = true
	if len(c.queue) == 0 {
		c.prepare(ctx, now, behind)
	}
	if len(c.queue) == 0 {
		return message{}, false
	}
	m := c.queue[0]
	c.queue[0] = message{} // nobody keeps a snapshot until the next
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
	return m, true
}

func (c *control) prepare(ctx context.Context, now time.Time, behind bool) {
	if c.epoch != "" && c.epoch != c.Log.Epoch() {
		c.begin(now)
		return
	}
	if at := c.snapshotDue(behind); c.asked.Swap(false) || !at.IsZero() && !now.Before(at) && !c.spent.over("snapshot") {
		c.snapshot = now
		c.queue = append(c.queue, c.ask(ctx, now)...)
	}
	if c.cfg.Health && !now.Before(c.health) {
		c.health = now.Add(healthEach)
		c.queue = append(c.queue, message{topic: c.topic("health"), kind: "health", payload: c.healthMessage(), packs: true})
	}
}

// ask is the snapshot, in as many messages as it takes.
func (c *control) ask(ctx context.Context, now time.Time) []message {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	snap, err := c.Snapshot(ctx)
	if err != nil {
		c.log.Warn("no snapshot", "error", err)
		c.snapshot = now.Add(askAgain - c.period(false))
		return nil
	}
	return c.parts("snapshot", c.snapshotMessages(snap))
}

// parts are retained messages of one kind: one under its plain topic, several
// under kind/0, kind/1 and so on. What an earlier, longer one left under other
// topics, in a run before this one, too, is taken back by empty messages: how
// many there were is noted beside the positions.
func (c *control) parts(kind string, payloads [][]byte) []message {
	note := Position(kind, c.cfg.ID)
	was, _ := c.Log.Position(note)
	is := uint64(len(payloads))
	if was != is {
		c.Log.SetPosition(note, is)
	}
	var ms []message
	for i, p := range payloads {
		ms = append(ms, message{topic: c.partTopic(kind, is, i), kind: kind, retained: true, payload: p, packs: true})
	}
	for i := range int(was) {
		if topic := c.partTopic(kind, was, i); was != is && (i >= len(payloads) || topic != ms[i].topic) {
			ms = append(ms, message{topic: topic, kind: kind, retained: true})
		}
	}
	return ms
}

// partTopic is where one of so many parts goes.
func (c *control) partTopic(kind string, of uint64, i int) string {
	if of == 1 {
		return c.topic(kind)
	}
	return partTopic(c.topic(kind), i)
}

// period is the time between two snapshots.
func (c *control) period(behind bool) time.Duration {
	if behind {
		return min(snapshotSoon, c.cfg.Snapshot)
	}
	return c.cfg.Snapshot
}

// snapshotDue is when the next snapshot is; zero: never.
func (c *control) snapshotDue(behind bool) time.Time {
	switch {
	case c.cfg.Snapshot <= 0:
		return time.Time{}
	case c.snapshot.IsZero():
		return time.Unix(0, 1) // the first of a connection, at once
	}
	return c.snapshot.Add(c.period(behind))
}

// due is when next will have something, if nothing happens before.
func (c *control) due(behind bool) time.Time {
	at := c.snapshotDue(behind)
	if c.cfg.Health && (at.IsZero() || c.health.Before(at)) {
		at = c.health
	}
	return at
}
