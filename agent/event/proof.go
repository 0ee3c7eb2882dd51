package event

import (
	"fmt"
	"sort"
)

// A reach is how far an epoch's readings go, and how far they are proven.
type reach struct {
	messages        []message // by their numbers
	covered, proven []span
	anchored        uint64            // the last one that an anchor of their uplink names
	missed          map[uint64]anchor // those that sign no message here, by that number
	fit             int               // how many do
}

// Covered is what a record holds of an epoch's readings.
type Covered struct {
	Epoch    string `json:"epoch"`
	Messages int    `json:"messages"`
	First    uint64 `json:"first"` // numbers that are covered, but for what findings tell
	Last     uint64 `json:"last"`
	Anchors  int    `json:"anchors"` // that sign some of them
	Proven   uint64 `json:"proven"`  // how many numbers are
	Newer    uint64 `json:"newer"`   // how many are behind the last anchor: the next one will
}

// readings judges what the messages of readings cover, and what anchors prove of
// it.
func (v *verifier) readings() {
	if len(v.data.all) == 0 {
		return
	}
	reaches := make([]reach, len(v.rep.Epochs))
	if !v.fit(reaches) {
		v.rep.add(Finding{What: Unproven, Text: fmt.Sprintf("of %s here none signs any of the messages of readings", count(len(v.anchors), "anchor", "anchors"))})
	}
	for i, m := range v.data.all {
		if i == 0 && m.before == loose {
			continue // the record begins within a run: nothing can show what its first message was
		}
		r, s := &reaches[m.epoch], span{m.prev + 1, m.last}
		r.messages = append(r.messages, m)
		r.covered = cover(r.covered, s)
		if m.proven {
			r.proven = cover(r.proven, s)
		}
		if m.bent {
			v.tellReadings(m, Altered, s, "its hash is not the one that the next message follows; its readings are as they were sent")
		}
	}
	for i := range reaches {
		if len(reaches[i].messages) > 0 {
			v.judge(i, &reaches[i])
		}
	}
}

// fit finds the message that each anchor names; false where no anchor names any.
// Those of uplinks of which none fits are about what others got.
func (v *verifier) fit(reaches []reach) bool {
	mine := map[string]bool{}
	good := v.anchors[:0]
	for _, a := range v.anchors {
		if e, ok := v.find(a.epoch, a.n); !ok || e.bad || e.hash != a.event {
			continue
		}
		good = append(good, a)
		i, ok := v.data.byH[a.h]
		if !ok || v.data.all[i].last != a.last || v.rep.Epochs[v.data.all[i].epoch].Name != a.of {
			continue
		}
		v.data.prove(i)
		mine[a.uplink] = true
		reaches[v.data.all[i].epoch].fit++
	}
	v.anchors = good
	for _, a := range v.anchors {
		ep, ok := v.epochs[a.of]
		if !ok || !mine[a.uplink] {
			continue
		}
		r := &reaches[ep]
		if r.missed == nil {
			r.missed = map[uint64]anchor{}
		}
		if _, fits := v.data.byH[a.h]; !fits {
			r.missed[a.last] = a
		}
		r.anchored = max(r.anchored, a.last)
	}
	return len(mine) > 0
}

// judge tells what is missing of an epoch's readings, and what is not proven
// although what comes later is.
func (v *verifier) judge(epoch int, r *reach) {
	sort.SliceStable(r.messages, func(i, j int) bool { return r.messages[i].prev < r.messages[j].prev })
	first, last := r.covered[0].from, r.covered[len(r.covered)-1].to
	shown := append([]span(nil), r.proven...)
	for _, h := range holes(r.covered, span{first, max(last, r.anchored)}) {
		shown = cover(shown, h)
		m, text := message{epoch: epoch}, "missing before this line"
		if i := r.from(h.to); h.from > last {
			text = "the tail is missing: an anchor names a later message"
		} else if i < len(r.messages) {
			m = r.messages[i]
		}
		v.tellReadings(m, Removed, h, text)
	}
	for _, u := range holes(shown, span{first, r.anchored}) {
		v.unproven(r, u)
	}
	for _, m := range r.messages {
		if m.before == loose && m.last > r.anchored && m.joins {
			v.tellReadings(m, Altered, span{m.prev + 1, m.last}, "does not follow the message before it: one of the two was altered")
		}
	}
	c := Covered{Epoch: v.rep.Epochs[epoch].Name, Messages: len(r.messages), First: first, Last: last, Anchors: r.fit}
	for _, p := range r.proven {
		c.Proven += p.to - p.from + 1
	}
	if last > r.anchored {
		c.Newer = last - max(r.anchored, first-1)
	}
	v.rep.Readings = append(v.rep.Readings, c)
}

// unproven tells of numbers that are here, and that no anchor reaches. Where a
// message of them does not follow the one before it, or is not the one that an
// anchor signs, something was altered; else what comes behind them is gone.
func (v *verifier) unproven(r *reach, u span) {
	at := r.from(u.from - 1)
	m := message{epoch: r.messages[0].epoch}
	if at < len(r.messages) {
		m = r.messages[at]
	}
	for _, x := range r.messages[at:] {
		if x.prev >= u.to {
			break
		}
		a, signed := r.missed[x.last]
		switch {
		case x.before == loose && x.joins:
			v.tellReadings(x, Altered, u, "the message here does not follow the one before it: one of those with these numbers was altered")
			return
		case signed:
			v.tellReadings(m, Altered, u, fmt.Sprintf("event %d signs other messages up to %d", a.n, a.last))
			return
		}
	}
	v.tellReadings(m, Unproven, u, "no anchor reaches them: ask for them again")
}

// from is the place of the first message whose numbers begin behind n or later.
func (r *reach) from(n uint64) int {
	return sort.Search(len(r.messages), func(i int) bool { return r.messages[i].prev >= n })
}

func (v *verifier) tellReadings(m message, what What, s span, text string) {
	v.rep.add(Finding{Line: m.line, Epoch: v.rep.Epochs[m.epoch].Name, What: what, Readings: true, From: s.from, To: s.to, Text: text})
}
