package uplink

import (
	"math"
	"slices"
	"time"

	"pithead/agent/event"
	"pithead/buffer"
	"pithead/drivers/lent"
)

// A cutter collects readings, or statistics, into messages. Each message covers
// (prev, last], and the next one begins where it ended. The first of an epoch
// begins at 0: nothing of that epoch is before it.
type cutter struct {
	list  string // readings or stats
	most  int    // items a message
	limit int    // bytes a message
	again string // the command that asked for what is sent again

	told  string // the epoch of the message before
	prev  uint64 // last of the message before
	last  uint64 // the newest item, or the end of what was lost
	lost  lost
	left  lost // what the uplink gets no more of than this: thin, budget
	thins bool // there may be such
	era   era
	items int
	body  []byte
	head  int    // bytes of the message besides body, at most
	heads []byte // memory for it
	first mark
	since time.Time // when the first item came
	out   []byte    // the memory of the message before: by now it has left
}

// lost is a range that no one can have any more. What it held of points that
// the uplink leaves out can't be known, so it counts all.
type lost struct{ from, to, count uint64 }

func (c *cutter) empty() bool { return c.items == 0 && c.lost.count == 0 && c.left.count == 0 }

// full says that a message of another item would be too much, in number.
func (c *cutter) full() bool { return c.items >= c.most }

// add takes an item unless it can't go into this message: the caller then cuts,
// and adds it to the next.
func (c *cutter) add(it *item, now time.Time) bool {
	if c.items > 0 && (*it.era != c.era || c.full() || c.head+len(c.body)+len(",")+len(it.json) > c.limit) {
		return false
	}
	if !c.empty() && it.era.epoch != c.era.epoch {
		return false
	}
	if c.empty() {
		c.since = now
	}
	if c.items == 0 {
		c.era, c.first = *it.era, it.first()
		c.head = c.widest()
	} else {
		c.body = append(c.body, ',')
	}
	c.body = append(c.body, it.json...)
	c.items++
	c.last = it.n
	return true
}

// miss takes note of what was lost, which a message tells beside its prev and
// so only before its first item.
func (c *cutter) miss(l *buffer.Lost, e era, now time.Time) bool {
	if c.items > 0 || !c.empty() && e.epoch != c.era.epoch {
		return false
	}
	if c.empty() {
		c.since = now
	}
	if c.lost.count == 0 {
		c.lost.from = l.From
	}
	c.lost.to, c.last, c.era = l.To, l.To, e
	c.lost.count += l.To - l.From + 1
	return true
}

// leave takes note of an item of this uplink's that is not sent.
func (c *cutter) leave(n uint64, e era, now time.Time) bool {
	if !c.empty() && e.epoch != c.era.epoch {
		return false
	}
	if c.empty() {
		c.since = now
	}
	if c.items == 0 {
		c.era = e
	}
	if c.left.count == 0 {
		c.left.from = n
	}
	c.left.to, c.last = n, n
	c.left.count++
	return true
}

// cover lets the message reach to n, behind its last item, where nothing for
// this uplink is between; e is for a message without items.
func (c *cutter) cover(n uint64, e era) {
	if c.empty() {
		c.era = e
	}
	c.last = max(c.last, n)
}

// widest is what the message takes without its items, whichever is its last.
func (c *cutter) widest() int {
	w := *c
	w.last = math.MaxUint64
	if w.thins {
		w.left = lost{math.MaxUint64, math.MaxUint64, math.MaxUint64}
	}
	c.heads = w.append(c.heads[:0])
	return len(c.heads) + event.HashBytes
}

// append appends the message without its items.
func (c *cutter) append(b []byte) []byte {
	b = appendUint(append(b, '{'), "v", 1)
	b = appendText(b, "epoch", c.era.epoch)
	b = c.era.append(b)
	prev := c.prev
	if c.told != "" && c.told != c.era.epoch {
		prev = 0
	}
	b = appendUint(b, "prev", prev)
	b = appendUint(b, "last", c.last)
	b = c.lost.append(b, "lost")
	b = c.left.append(b, "thinned")
	b = appendText(b, "resend", c.again)
	return append(appendName(b, c.list), "[]}"...)
}

func (l lost) append(b []byte, name string) []byte {
	if l.count == 0 {
		return b
	}
	b = appendUint(append(appendName(b, name), '{'), "from", l.from)
	b = appendUint(b, "to", l.to)
	return append(appendUint(b, "count", l.count), '}')
}

// cut is the message of what was collected, with which the next one begins. It is
// good until the next cut, which a session makes no sooner than the client has
// written this one.
func (c *cutter) cut() (payload []byte, last uint64, first mark) {
	c.heads = c.append(c.heads[:0])
	head := c.heads
	end := len(head) - len("]}")
	if lent.On {
		c.out = lent.Again(c.out)
	}
	payload = slices.Grow(c.out[:0], len(head)+len(c.body)+event.HashBytes)
	payload = append(append(append(payload, head[:end]...), c.body...), head[end:]...)
	c.out = payload
	last, first = c.last, c.first
	c.told = c.era.epoch
	c.prev, c.lost, c.left, c.items, c.body, c.first = c.last, lost{}, lost{}, 0, c.body[:0], mark{}
	return payload, last, first
}
