package agent

import (
	"fmt"

	"pithead/agent/event"
	"pithead/agent/uplink"
	"pithead/buffer"
)

// damage is what was told of the disk in this run. Several uplinks come by the
// same place, and each again after a reconnection. It belongs to the judge.
type damage map[string]bool

// mostDamage bounds it: on a disk with more bad places one more event each day
// is the least of worries.
const mostDamage = 1000

func (d damage) fresh(what string) bool {
	if d[what] {
		return false
	}
	if len(d) >= mostDamage {
		clear(d)
	}
	d[what] = true
	return true
}

// damaged tells of a place on the disk that can't be read, once.
func (a *agent) damaged(f buffer.Fault) {
	if !a.damage.fresh(fmt.Sprint(f.Segment, f.Offset)) {
		return
	}
	a.Log.Error("buffer", "fault", f)
	e := event.Event{Kind: "fault", ID: agentBuffer, Why: f.What, More: []event.Field{
		{Name: "segment", Value: f.Segment}, {Name: "offset", Value: f.Offset}}}
	if f.Last >= f.First {
		e.More = append(e.More, event.Field{Name: "from", Value: f.First}, event.Field{Name: "to", Value: f.Last})
	}
	a.judge.tell(e, a.judge.now())
}

// tellGap records what an uplink can't have any more. Of readings and
// statistics its messages say which; a hole in the chain of events needs an
// event, with the hashes on both sides. One that has grown since, as it can
// between two connections, is told again with its new end.
func (a *agent) tellGap(g uplink.Gap) {
	a.later(func() {
		if g.Damage != nil {
			a.damaged(*g.Damage)
		}
		if g.Lane != laneEvents || g.To < g.From || !a.damage.fresh(fmt.Sprint(g.Uplink, " ", g.From, " ", g.To)) {
			return
		}
		e := event.Event{Kind: "lost", ID: agentBuffer, Why: "dropped for space", More: []event.Field{
			{Name: "uplink", Value: g.Uplink}, {Name: "lane", Value: g.Lane}, {Name: "of", Value: g.Epoch},
			{Name: "from", Value: g.From}, {Name: "to", Value: g.To}}}
		if g.Damage != nil {
			e.Why = "damaged on the disk"
		}
		for _, h := range []event.Field{{Name: "before", Value: g.Before}, {Name: "last", Value: g.Last}} {
			if h.Value != "" {
				e.More = append(e.More, h)
			}
		}
		a.judge.tell(e, a.judge.now())
	})
}

// later has the judge do something, unless its run is over.
func (a *agent) later(f func()) {
	select {
	case a.judge.calls <- f:
	case <-a.judge.ended:
	}
}
