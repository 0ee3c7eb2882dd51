package agent

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
)

// A burst bounds what one source may write into the record: so many events at
// once, then one a second. What comes beyond is withheld: of each alarm or output
// the newest state is told as soon as it may, so that what is told last is how it
// stands, and a start that learns from the record is behind by no more than
// what was withheld when the power went. The rest is counted.
type burst struct {
	tokens  float64
	filled  time.Duration
	owed    []owedEvent
	told    map[string]string // the newest state that was told, by what it is of
	held    int               // events since the last burst event
	counted time.Duration     // when that was
}

// owedEvent is the newest of one alarm or output.
type owedEvent struct {
	key   string
	event event.Event
	at    time.Duration
	n     *atomic.Uint64
}

const (
	burstSize  = 20
	burstCount = 10 * time.Second // between two burst events of a source
)

// limited are the kinds that a source can flood the record with by itself.
var limited = [...]string{"alarm", "group", "output", "input", "fault"}

// source is what an event comes from: the device or bus that is gone with it, its point, or what it
// is of; empty for what is never withheld.
func (j *judge) source(e event.Event) string {
	if !slices.Contains(limited[:], e.Kind) {
		return ""
	}
	if s := j.alarm(e.ID); s != nil {
		if c := s.coveredBy(); c != nil && c.root != nil { // whose own events must not wait for what it covers
			return strings.TrimSuffix(c.Def().ID, "/fault")
		}
	}
	if e.Point != "" {
		return e.Point
	}
	return e.ID
}

// withholds says whether an event is not to be told now, and keeps it if so.
func (j *judge) withholds(e event.Event, at time.Duration, n *atomic.Uint64) bool {
	src := j.source(e)
	if src == "" {
		return false
	}
	b := j.bursts[src]
	if b == nil {
		b = &burst{tokens: burstSize, filled: j.now(), counted: -burstCount, told: map[string]string{}}
		j.bursts[src] = b
	}
	b.fill(j.now())
	key := e.Kind + " " + e.ID
	if len(b.owed) == 0 && b.tokens >= 1 {
		b.tokens--
		b.told[key] = stateOf(e)
		return false
	}
	b.held++
	o := owedEvent{key, e, at, n}
	if i := slices.IndexFunc(b.owed, func(o owedEvent) bool { return o.key == key }); i >= 0 {
		if o.n == nil && e.State != alarm.Normal.String() {
			o.n = b.owed[i].n // the raise is told by what followed it
		}
		o.event.More = added(b.owed[i].event, o.event)
		b.owed[i] = o
	} else {
		b.owed = append(b.owed, o)
	}
	return true
}

// added is what an event tells that stands for an earlier one, too: edges that
// were lost add up.
func added(before, e event.Event) []event.Field {
	more := slices.Clone(e.More)
	for i, f := range more {
		for _, g := range before.More {
			n, is := g.Value.(uint64)
			if m, too := f.Value.(uint64); is && too && f.Name == "lost" && g.Name == "lost" {
				more[i].Value = n + m
			}
		}
	}
	return more
}

// stateOf is what of an event a start learns from.
func stateOf(e event.Event) string {
	s := e.State + " " + e.Level
	for _, f := range e.More {
		if f.Name == "acked" && f.Value == true {
			s += " acked"
		}
	}
	return s
}

func (b *burst) fill(now time.Duration) {
	b.tokens = min(b.tokens+max(now-b.filled, 0).Seconds(), burstSize)
	b.filled = max(now, b.filled)
}

// repay tells what was withheld, as far as it may be told now; all of it at a stop.
func (j *judge) repay(all bool) {
	now := j.now()
	for src, b := range j.bursts {
		b.fill(now)
		for len(b.owed) > 0 && (all || b.tokens >= 1) {
			o := b.owed[0]
			b.owed = slices.Delete(b.owed, 0, 1)
			if o.n == nil && o.event.State != "" && b.told[o.key] == stateOf(o.event) {
				continue // it is as it was told last
			}
			b.tokens--
			b.told[o.key] = stateOf(o.event)
			j.add(o.event, o.at, o.n)
			b.held--
		}
		if b.held > 0 && (all || now-b.counted >= burstCount) {
			j.tell(event.Event{Kind: "burst", ID: src, More: []event.Field{{Name: "count", Value: b.held}}}, now)
			b.held, b.counted = 0, now
		}
		if len(b.owed) == 0 && b.held == 0 && b.tokens >= burstSize {
			delete(j.bursts, src)
		}
	}
}
