//go:build site

package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"
)

// What the platform's side reads, written down from the wire format alone.
type reading struct {
	P string          `json:"p"`
	N uint64          `json:"n"`
	T int64           `json:"t"`
	M int64           `json:"m"`
	V json.RawMessage `json:"v"`
	Q string          `json:"q"`
	X int             `json:"x"`
}

type data struct {
	Epoch    string    `json:"epoch"`
	Boot     int       `json:"boot"`
	Prev     uint64    `json:"prev"`
	Last     uint64    `json:"last"`
	Lost     *loss     `json:"lost"`
	Readings []reading `json:"readings"`
}

// A loss is what was dropped since the disk was full.
type loss struct{ From, To, Count uint64 }

type event struct {
	Epoch string          `json:"epoch"`
	N     uint64          `json:"n"`
	T     int64           `json:"t"`
	Kind  string          `json:"kind"`
	ID    string          `json:"id"`
	State string          `json:"state"`
	Level string          `json:"level"`
	Point string          `json:"point"`
	Value json.RawMessage `json:"value"`
	raw   []byte
}

// A ledger is a platform's book of one gateway: which numbers are covered, what
// each reading said, which events came. What it objects to is in wrong.
type ledger struct {
	part     func(point string) bool // what this platform is sent; nil = everything
	epoch    string
	readings map[uint64]reading
	order    []uint64 // the readings' first arrivals
	first    uint64   // prev of the first message
	last     uint64   // the highest number covered
	previous uint64   // last of the message before, on this connection; 0 = none yet
	fresh    bool     // a connection has begun, and no data came on it yet
	began    bool
	repeats  int
	messages int
	arrived  time.Time     // the newest message of data
	waited   time.Duration // the longest time between two
	online   int
	stopped  int
	offline  int
	events   map[uint64]event
	lastN    uint64 // of events
	lost     []loss
	wrong    []string
}

func newLedger(all []message) *ledger { return newPartLedger(all, nil) }

// newPartLedger is the book of a platform that is sent only some points.
func newPartLedger(all []message, part func(point string) bool) *ledger {
	l := &ledger{part: part, readings: map[uint64]reading{}, events: map[uint64]event{}, fresh: true}
	for _, m := range all {
		l.take(m)
	}
	return l
}

// newCoverage is the book of a platform whose broker may deliver anew, and out
// of order, what its nodes did not know to be delivered when one of them died:
// it keeps covered ranges, and puts events in order by their numbers.
func newCoverage(all []message) *ledger {
	at := func(m message) (n uint64) {
		var x struct{ Prev, N uint64 }
		json.Unmarshal(m.payload, &x)
		return x.Prev + x.N
	}
	sort.SliceStable(all, func(i, j int) bool { return at(all[i]) < at(all[j]) })
	l := newLedger(nil)
	for _, m := range all {
		l.fresh = true
		l.take(m)
	}
	return l
}

func (l *ledger) object(format string, args ...any) {
	if len(l.wrong) < 20 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

// take enters one message into the book, in the order of arrival.
func (l *ledger) take(m message) {
	f := strings.Split(m.topic, "/")
	if len(f) < 5 || f[0] != "pithead" || f[1] != "v1" || f[2] != "mine" || f[3] != "gw-01" {
		l.object("topic %s", m.topic)
		return
	}
	switch f[4] {
	case "data":
		l.takeData(m.payload)
		if l.messages > 1 {
			l.waited = max(l.waited, m.at.Sub(l.arrived))
		}
		l.arrived = m.at
	case "events":
		l.takeEvent(m.payload)
	case "status":
		l.takeStatus(m.payload)
	}
}

func (l *ledger) takeStatus(payload []byte) {
	var s struct{ State, Epoch string }
	if err := json.Unmarshal(payload, &s); err != nil {
		l.object("status: %v", err)
	}
	switch s.State {
	case "online":
		l.online++
		l.fresh = true
		l.sameEpoch(s.Epoch)
	case "stopped":
		l.stopped++
	case "offline":
		l.offline++
	default:
		l.object("status %q", s.State)
	}
}

func (l *ledger) sameEpoch(e string) {
	if l.epoch == "" {
		l.epoch = e
	}
	if e == "" || e != l.epoch {
		l.object("epoch %q after %q", e, l.epoch)
	}
}

func (l *ledger) takeData(payload []byte) {
	var d data
	if err := json.Unmarshal(payload, &d); err != nil {
		l.object("data: %v", err)
		return
	}
	l.sameEpoch(d.Epoch)
	l.messages++
	if d.Lost != nil {
		l.lost = append(l.lost, *d.Lost)
	}
	if !l.began {
		l.first, l.last, l.began = d.Prev, d.Prev, true
	}
	switch {
	case d.Prev > l.last:
		l.object("a hole: nothing covers %d to %d", l.last+1, d.Prev)
	case !l.fresh && d.Prev != l.previous:
		l.object("prev %d after last %d on one connection", d.Prev, l.previous)
	case d.Prev < l.last:
		l.repeats++
	}
	l.fresh, l.previous = false, d.Last
	l.takeReadings(d)
	l.last = max(l.last, d.Last)
}

// takeReadings wants every number of the range that the message covers, rising;
// where only some points are sent, those of the others may be missing.
func (l *ledger) takeReadings(d data) {
	n := d.Prev
	if d.Lost != nil && d.Lost.From == n+1 && d.Lost.Count == d.Lost.To-n {
		n = d.Lost.To
	}
	for _, r := range d.Readings {
		if r.N <= n || r.N != n+1 && l.part == nil || l.part != nil && !l.part(r.P) {
			l.object("reading %d follows %d in a message that covers (%d, %d]", r.N, n, d.Prev, d.Last)
		}
		n = r.N
		l.takeReading(r)
	}
	if n != d.Last {
		l.object("a message that covers (%d, %d] ends with %d", d.Prev, d.Last, n)
	}
}

func (l *ledger) takeReading(r reading) {
	if (r.Q == "") == (len(r.V) == 0) || string(r.V) == "null" {
		l.object("reading %d of %s: value %q with quality %q", r.N, r.P, r.V, r.Q)
	}
	old, held := l.readings[r.N]
	if !held {
		l.readings[r.N] = r
		l.order = append(l.order, r.N)
		return
	}
	if old.P != r.P || old.T != r.T || old.M != r.M || old.Q != r.Q || !bytes.Equal(old.V, r.V) {
		l.object("number %d stands for two readings: %+v and %+v", r.N, old, r)
	}
}

// statistics is how far the statistics among messages reach.
func statistics(ms []message) (last uint64) {
	for _, m := range ms {
		var d data
		if strings.HasSuffix(m.topic, "/stats") && json.Unmarshal(m.payload, &d) == nil {
			last = max(last, d.Last)
		}
	}
	return last
}

func (l *ledger) takeEvent(payload []byte) {
	e := event{raw: payload}
	if err := json.Unmarshal(payload, &e); err != nil {
		l.object("event: %v", err)
		return
	}
	l.sameEpoch(e.Epoch)
	if old, held := l.events[e.N]; held {
		if !bytes.Equal(old.raw, payload) {
			l.object("number %d stands for two events: %s and %s", e.N, old.raw, payload)
		}
		return
	}
	if l.lastN != 0 && e.N != l.lastN+1 {
		l.object("event %d follows %d", e.N, l.lastN)
	}
	l.lastN = e.N
	l.events[e.N] = e
}

// chain is the events in order, one a line, as pithead verify takes them.
func (l *ledger) chain() []byte {
	var b bytes.Buffer
	for _, e := range l.inOrder() {
		b.Write(e.raw)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func (l *ledger) inOrder() []event {
	var all []event
	for _, e := range l.events {
		all = append(all, e)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].N < all[j].N })
	return all
}

// states is the story of one alarm: the states of its events, in order.
func (l *ledger) states(id string) []string {
	var all []string
	for _, e := range l.inOrder() {
		if e.Kind == "alarm" && e.ID == id {
			all = append(all, e.State)
		}
	}
	return all
}

// of is the readings of one point, by number.
func (l *ledger) of(point string) []reading {
	var all []reading
	for _, r := range l.readings {
		if r.P == point {
			all = append(all, r)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].N < all[j].N })
	return all
}

// sameAs wants the readings that this platform and one that is sent everything
// were both told of to be the same, and none of them missing here, as far as this
// one has come.
func (l *ledger) sameAs(t *testing.T, all *ledger) {
	t.Helper()
	for n, r := range all.readings {
		if mine, held := l.readings[n]; n <= l.last && l.part(r.P) && (!held || fmt.Sprint(mine) != fmt.Sprint(r)) {
			t.Errorf("reading %d is %+v for one platform and %+v for the other", n, r, mine)
			return
		}
	}
}

// whole fails the test for whatever the book objects to.
func (l *ledger) whole(t *testing.T) {
	t.Helper()
	for _, w := range l.wrong {
		t.Error(w)
	}
	if l.part != nil {
		return
	}
	if len(l.lost) > 0 {
		t.Errorf("the agent says it lost %+v", l.lost)
	} else if uint64(len(l.readings)) != l.last-l.first {
		t.Errorf("%d readings where (%d, %d] is covered", len(l.readings), l.first, l.last)
	}
}
