package uplink

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"pithead/buffer"
)

// around is how long before and after an alarm's change every reading of its
// point is sent, whatever thin says.
const around = 10 * time.Second

// A thinner says which readings of a thinned uplink go: one of each point in
// its time, and those around an alarm's change. Since what comes before a change
// counts too, a reading waits for as long until it is judged; the events lane is
// read along, which is in the same order of time.
type thinner struct {
	u       *Uplink
	sent    map[string]mark   // by point: the last that went
	changes map[string][]mark // by point: of the time around what is being judged, oldest first
	events  *buffer.Reader    // nil: not begun
	ahead   *change           // read, and later than what was asked for
}

type change struct {
	point string
	at    mark
}

func newThinner(u *Uplink) *thinner {
	return &thinner{u: u, sent: map[string]mark{}, changes: map[string][]mark{}}
}

// ready says whether all that could speak for a reading is stored by now.
func (t *thinner) ready(at mark) bool {
	now := t.u.Now()
	return at.boot != t.u.Boot || time.Duration(now.M-at.m)*time.Millisecond >= around
}

// keeps says whether a reading goes. It is asked in order.
func (t *thinner) keeps(point string, at mark) bool {
	t.read(at)
	last, any := t.sent[point]
	keep := !any || last.boot != at.boot || at.m-last.m >= t.u.cfg.Thin.Milliseconds() || at.m < last.m
	for _, c := range t.changes[point] {
		keep = keep || c.boot == at.boot && c.m-at.m <= around.Milliseconds() && at.m-c.m <= around.Milliseconds()
	}
	if keep {
		t.sent[point] = at
	}
	return keep
}

// read takes in the changes up to around after a reading, and forgets those
// that are as long ago.
func (t *thinner) read(at mark) {
	if t.events == nil {
		t.begin(at)
	}
	later := func(c mark) bool {
		return c.boot > at.boot || c.boot == at.boot && c.m > at.m+around.Milliseconds()
	}
	for t.ahead == nil || !later(t.ahead.at) {
		if t.ahead != nil {
			t.changes[t.ahead.point] = append(t.changes[t.ahead.point], t.ahead.at)
			t.ahead = nil
		}
		if t.ahead = t.next(); t.ahead == nil {
			break
		}
	}
	for point, cs := range t.changes {
		for len(cs) > 0 && (cs[0].boot < at.boot || cs[0].boot == at.boot && cs[0].m < at.m-around.Milliseconds()) {
			cs = cs[1:]
		}
		if t.changes[point] = cs; len(cs) == 0 {
			delete(t.changes, point)
		}
	}
}

// begin finds where the events begin that are around a reading: in the newest
// part of the lane whose first is before that. One that holds none yet, as after
// a start, says nothing.
func (t *thinner) begin(at mark) {
	l := t.u.Log.Lane(eventLane)
	parts := l.Parts()
	for i := len(parts) - 1; ; i-- {
		first := uint64(1)
		if i >= 0 {
			first = parts[i].First
		}
		t.events = l.Reader(first)
		if i <= 0 {
			return
		}
		c := t.any()
		if c != nil && (c.at.boot < at.boot || c.at.boot == at.boot && c.at.m < at.m-around.Milliseconds()) {
			_ = t.events.Close()
			t.events = l.Reader(first)
			return
		}
		_ = t.events.Close()
	}
}

// next is the next change of an alarm; nil where there is none yet.
func (t *thinner) next() *change {
	for {
		c := t.any()
		if c == nil || c.point != "" {
			return c
		}
	}
}

// any is the next event; its point is empty where it is no change of an alarm.
func (t *thinner) any() *change {
	for {
		fr, err := t.events.Next()
		var gone *buffer.Lost
		switch {
		case errors.As(err, &gone):
			continue
		case errors.Is(err, io.EOF) || err != nil:
			return nil
		case fr.Key:
			continue
		}
		var e told
		if json.Unmarshal(fr.Payload, &e) != nil {
			continue
		}
		if e.Kind != "alarm" {
			e.Point = ""
		}
		return &change{e.Point, mark{set: true, boot: e.Boot, m: e.M}}
	}
}

func (t *thinner) close() {
	if t != nil && t.events != nil {
		_ = t.events.Close()
	}
}
