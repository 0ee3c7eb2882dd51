package uplink

import (
	"math"
	"time"

	"pithead/buffer"
)

// A cutter collects readings, or statistics, into messages. Each message covers
// (prev, last], and the next one begins where it ended. The first of an epoch
// begins at 0: nothing of that epoch is before it.
type cutter struct {
	list  string // readings or stats
	most  int    // items a message
	limit int    // bytes a message

	told  string // the epoch of the message before
	prev  uint64 // last of the message before
	last  uint64 // the newest item, or the end of what was lost
	lost  lost
	era   era
	items int
	body  []byte
	head  int // bytes of the message besides body, at most
	first mark
	since time.Time // when the first item came
}

// lost is a range that no one can have any more. What it held of points that
// the uplink leaves out can't be known, so it counts all.
type lost struct{ from, to, count uint64 }

func (c *cutter) empty() bool { return c.items == 0 && c.lost.count == 0 }

// full says that a message of another item would be too much, in number.
func (c *cutter) full() bool { return c.items >= c.most }

// add takes an item unless it can't go into this message: the caller then cuts,
// and adds it to the next.
func (c *cutter) add(it item, now time.Time) bool {
	if c.items > 0 && (it.era != c.era || c.full() || c.head+len(c.body)+len(",")+len(it.json) > c.limit) {
		return false
	}
	if !c.empty() && it.era.epoch != c.era.epoch {
		return false
	}
	if c.empty() {
		c.since = now
	}
	if c.items == 0 {
		c.era, c.first = it.era, it.first
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

// widest is what the message takes without its items, whichever is its last.
func (c *cutter) widest() int {
	w := *c
	w.last = math.MaxUint64
	return len(w.append(nil))
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
	if c.lost.count > 0 {
		b = append(appendName(b, "lost"), '{')
		b = appendUint(b, "from", c.lost.from)
		b = appendUint(b, "to", c.lost.to)
		b = append(appendUint(b, "count", c.lost.count), '}')
	}
	return append(appendName(b, c.list), "[]}"...)
}

// cut is the message of what was collected, with which the next one begins.
func (c *cutter) cut() (payload []byte, last uint64, first mark) {
	head := c.append(nil)
	end := len(head) - len("]}")
	payload = make([]byte, 0, len(head)+len(c.body))
	payload = append(append(append(payload, head[:end]...), c.body...), head[end:]...)
	last, first = c.last, c.first
	c.told = c.era.epoch
	c.prev, c.lost, c.items, c.body, c.first = c.last, lost{}, 0, c.body[:0], mark{}
	return payload, last, first
}
