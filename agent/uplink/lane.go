package uplink

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"pithead/agent/event"
	"pithead/buffer"
)

// The lanes of the buffer that an uplink sends.
const (
	eventLane = "events"
	statsLane = "stats"
	dataLane  = "data"
)

// Position is the name under which the buffer keeps how far an uplink is in a
// lane: last of the last message that was acknowledged, which is prev of the
// next one, in this run or another. What the uplink's points leave out moves no
// position: where they match nothing for long, a restart reads that stretch
// again, and if it was dropped meanwhile, it is told as lost.
func Position(lane, uplink string) string { return lane + "/" + uplink }

// A lane is one lane of the buffer on its way out.
type lane interface {
	// next is the lane's next message, if one is ready; hurry says not to wait for
	// more to go with it. errMore asks to be called again.
	next(now time.Time, hurry bool) (message, bool, error)
	// done is the number up to which there is nothing left to send; false while
	// the lane was not read to its end, or holds something back.
	done() (uint64, bool)
	close()
}

// errMore says that a lane was read for long enough without anything to send.
var errMore = errors.New("more to read")

// mostFrames is how many frames are read in one go before others get a turn: an
// uplink of few points may have to pass over days of others.
const mostFrames = 64

// batches is the lane of readings or of statistics.
type batches struct {
	topic  string
	kind   string // of message
	name   string // of the lane; empty: it moves no position
	feed   *feed
	cut    cutter
	within time.Duration
	held   item         // read last; where holds, it is for the message after the one that was cut
	gone   *buffer.Lost // likewise for the next message
	holds  bool
	ended  bool // read to the present end
}

func (u *Uplink) readings(after uint64) *batches {
	c := &readings{u: u, index: map[string]int32{}, over: func() bool { return u.spent.over(dataLane) }}
	c.dec.IDs = func(place int) string { // a key has the points as the site file has them
		if place < len(u.Site.Points) {
			return u.Site.Points[place].ID
		}
		return ""
	}
	if u.cfg.Thin > 0 {
		c.thin = newThinner(u)
	}
	b := u.batches(dataLane, "readings", after, c)
	b.cut.thins = u.cfg.Thin > 0 || u.cfg.Budget > 0
	return b
}

func (u *Uplink) statistics(after uint64) *batches {
	b := u.batches(statsLane, "stats", after, &statistics{u: u, over: func() bool { return u.spent.over(statsLane) }})
	b.cut.thins = u.cfg.Budget > 0
	return b
}

func (u *Uplink) batches(name, list string, after uint64, c codec) *batches {
	return &batches{
		topic: Topic(u.Site, u.cfg, name), kind: name, name: name, feed: u.feed(name, after+1, c), within: u.cfg.Within,
		cut: cutter{list: list, most: max(u.cfg.Batch, 1), limit: u.cfg.Max, prev: after},
	}
}

func (b *batches) next(now time.Time, hurry bool) (message, bool, error) {
	for b.ended = false; ; {
		if b.cut.full() {
			return b.message(), true, nil
		}
		if fits, err := b.take(now); err != nil {
			b.ended = errors.Is(err, io.EOF)
			if b.ended && !b.cut.empty() && (hurry || now.Sub(b.cut.since) >= b.wait()) {
				return b.message(), true, nil
			}
			if b.ended {
				err = nil
			}
			return message{}, false, err
		} else if !fits {
			return b.message(), true, nil
		}
	}
}

// take moves one item from the feed into the message that is being made.
func (b *batches) take(now time.Time) (fits bool, err error) {
	if !b.holds && b.gone == nil {
		err = b.feed.next(&b.held)
		if b.holds = err == nil; !b.holds && !errors.As(err, &b.gone) {
			return false, err
		}
	}
	if b.gone != nil {
		if fits = b.cut.miss(b.gone, b.feed.u.present(b.gone.Epoch), now); fits {
			b.gone = nil
		}
		return fits, nil
	}
	if b.held.left {
		b.holds = !b.cut.leave(b.held.n, *b.held.era, now)
	} else {
		b.holds = !b.cut.add(&b.held, now)
	}
	return !b.holds, nil
}

func (b *batches) message() message {
	items, epoch := b.cut.items, b.cut.era.epoch
	payload, last, first := b.cut.cut()
	return message{topic: b.topic, kind: b.kind, payload: payload, lane: b.name, last: last, first: first, items: items, epoch: epoch, packs: true}
}

// due is when time alone makes a message ready; zero if it doesn't.
func (b *batches) due() time.Time {
	if b.cut.empty() {
		return time.Time{}
	}
	return b.cut.since.Add(b.wait())
}

// tellLeft is how long it may take that nothing but what was left out is told.
const tellLeft = time.Minute

// wait is how long what was collected may wait for more.
func (b *batches) wait() time.Duration {
	if b.cut.items == 0 && b.cut.lost.count == 0 {
		return max(b.within, tellLeft)
	}
	return b.within
}

func (b *batches) close() {
	_ = b.feed.reader.Close()
	if r, ok := b.feed.codec.(*readings); ok {
		r.thin.close()
	}
}

func (b *batches) done() (uint64, bool) {
	return b.feed.at - 1, b.ended && b.cut.empty() && !b.holds && b.gone == nil
}

// oldest is when the oldest reading was taken that is no message yet.
func (b *batches) oldest() mark {
	switch {
	case b.cut.items > 0:
		return b.cut.first
	case b.holds, !b.ended:
		return b.held.first() // the next one is no older
	}
	return mark{}
}

// events is the lane of events: one a message, its bytes as they were signed.
type events struct {
	u      *Uplink
	reader *buffer.Reader
	after  uint64
	last   []byte // event after, where it was read
	gap    *Gap   // that the next event ends
	epoch  string // of the event that was read last
	ended  bool
}

// A Gap is numbers that an uplink can't have any more. Of events there are the
// hashes on both sides, as far as they are known: of the event before the first
// and of the last one that is gone.
type Gap struct {
	Uplink, Lane string
	buffer.Lost
	Before, Last string
}

func (u *Uplink) events(after uint64) *events {
	return &events{u: u, reader: u.Log.Lane(eventLane).Reader(after + 1), after: after}
}

func (e *events) next(time.Time, bool) (message, bool, error) {
	payload, err := e.wanted()
	if e.ended = errors.Is(err, io.EOF); e.ended {
		return message{}, false, nil
	}
	if err != nil {
		return message{}, false, err
	}
	kind := eventLane
	if e.u.late(payload) {
		kind += "/late"
	}
	return message{topic: Topic(e.u.Site, e.u.cfg, kind), kind: kind, payload: payload, lane: eventLane, last: e.after, epoch: e.epoch}, true, nil
}

// wanted is the next event of the uplink's levels.
func (e *events) wanted() ([]byte, error) {
	for range mostFrames {
		payload, err := e.read()
		if err != nil || e.u.wants(payload) {
			return payload, err
		}
	}
	return nil, errMore
}

// wants says whether an event is of the uplink's levels, or proves its readings:
// an anchor of them, or a key that signs such.
func (u *Uplink) wants(payload []byte) bool {
	if len(u.cfg.Levels) == 0 {
		return true
	}
	var e told
	if json.Unmarshal(payload, &e) != nil {
		return true
	}
	return slices.Contains(u.cfg.Levels, e.Level) || e.Kind == "anchor" && e.ID == "uplink:"+u.cfg.ID || e.Kind == "key"
}

// read is the next event's bytes.
func (e *events) read() ([]byte, error) {
	for {
		fr, err := e.reader.Next()
		var gone *buffer.Lost
		switch {
		case errors.As(err, &gone):
			e.missing(gone)
		case err != nil:
			return nil, err
		case !fr.Key && fr.First >= e.after:
			sent := fr.First == e.after
			e.after, e.last, e.epoch = fr.First, bytes.Clone(fr.Payload), fr.Epoch
			if !sent {
				e.endGap()
				return e.last, nil
			}
		}
	}
}

// missing notes a gap, which may come in several parts.
func (e *events) missing(gone *buffer.Lost) {
	if e.gap == nil {
		e.gap = &Gap{Uplink: e.u.cfg.ID, Lane: eventLane, Lost: *gone}
		e.gap.From = max(gone.From, e.after+1)
		if p, err := event.Parse(e.last); err == nil && p.N+1 == e.gap.From {
			e.gap.Before = p.Hash().String()
		}
	}
	e.gap.To, e.gap.Damage = gone.To, cmp.Or(e.gap.Damage, gone.Damage)
	e.after = max(e.after, gone.To)
}

// endGap tells of a gap, now that the event behind it says how it ended.
func (e *events) endGap() {
	if e.gap == nil {
		return
	}
	if p, err := event.Parse(e.last); err == nil && p.N == e.gap.To+1 {
		e.gap.Last = p.Chain
	}
	e.u.Gap(*e.gap)
	e.gap = nil
}

func (e *events) close()               { _ = e.reader.Close() }
func (e *events) done() (uint64, bool) { return e.after, e.ended }

// lateAfter is how old an event may be before its topic says that it is: nobody
// should sound a siren for last week.
const lateAfter = time.Minute

// told is what of an event matters to its delivery.
type told struct {
	Boot  uint32 `json:"boot"`
	M     int64  `json:"m"`
	T     *int64 `json:"t"`
	Level string `json:"level"`
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Point string `json:"point"`
}

// late says whether an event is older than lateAfter, or as good as: one of
// another boot whose time nobody knows.
func (u *Uplink) late(payload []byte) bool {
	var e told
	if json.Unmarshal(payload, &e) != nil {
		return false // it goes out as it is
	}
	k := mark{set: true, boot: e.Boot, m: e.M}
	if e.T != nil {
		k.t, k.known = *e.T, true
	} else if off, ok := u.Offset(e.Boot); ok {
		k.t, k.known = e.M+off, true
	}
	age, ok := k.age(u.Now(), u.Boot)
	// One that is to happen yet carries a time of a clock that was set back since.
	return !ok || age.Abs() > lateAfter
}
