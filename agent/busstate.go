package agent

import (
	"context"
	"fmt"
	"math"
	"time"

	"pithead/agent/uplink"
	"pithead/drivers"
)

// A BusState is one bus as people and platforms see it.
type BusState struct {
	Bus    string
	Down   string // why the line itself is not there; empty = it is, or nothing was asked yet
	Missed int    // cycles that passed without a read
	Share  float64
	drivers.Counts
	Bad []BadPoint // points that alone are bad, though their unit answers
}

// UnitState is one unit likewise.
type UnitState struct {
	Bus, Unit string
	Life      Life
	Missed    int     // cycles that passed without a read
	Asked     int     // polls of this minute and the one before that made a request
	Answered  int     // of those
	Share     float64 // of the bus's time that its requests took of late, 0 to 1
	Setup     string  // why it can't be set up
	drivers.Counts
}

// A BadPoint is a point that is bad for a reason of its own.
type BadPoint struct {
	Point string
	Line  int // in the site file
	Why   string
}

// busy is how much time requests had taken at two moments of late, from which
// comes a share of it.
type busy struct {
	at   [2]time.Time
	took [2]time.Duration
}

// share is that of the time since the older of two moments, which are a minute apart.
func (b *busy) share(now time.Time, took time.Duration) float64 {
	if b.at[0].IsZero() {
		b.at, b.took = [2]time.Time{now, now}, [2]time.Duration{took, took}
	}
	if now.Sub(b.at[0]) >= time.Minute {
		b.at, b.took = [2]time.Time{now, b.at[0]}, [2]time.Duration{took, b.took[0]}
	}
	span := now.Sub(b.at[1])
	if span <= 0 {
		return 0
	}
	return min(1, float64(took-b.took[1])/float64(span))
}

// publish leaves what is known of the bus and its units where others may read
// it, once a second.
func (b *busLoop) publish(now time.Time) {
	if now.Sub(b.told) < time.Second && b.state.Load() != nil {
		return
	}
	b.told = now
	stats, _ := b.bus.(drivers.Statistics)
	about := &BusState{Bus: b.id, Down: b.down, Bad: b.badPoints()}
	is := make([]UnitState, len(b.units))
	for i, u := range b.units {
		u.count.roll(now)
		is[i] = UnitState{Bus: b.id, Unit: u.ID, Life: u.life, Setup: u.setErr,
			Asked: u.count.asked[0] + u.count.asked[1], Answered: u.count.answered[0] + u.count.answered[1]}
		for _, p := range u.polls {
			is[i].Missed += p.missed
		}
		about.Missed += is[i].Missed
		if stats != nil {
			is[i].Counts = stats.Counts(u.ID)
			is[i].Share = u.busy.share(now, is[i].Busy)
		}
	}
	if stats != nil {
		about.Counts = stats.Counts("")
		about.Share = b.busy.share(now, about.Busy)
	}
	b.state.Store(&is)
	b.about.Store(about)
}

// badPoints are those that have a reason of their own, in the order of the units.
func (b *busLoop) badPoints() (bad []BadPoint) {
	if len(b.whys) == 0 {
		return nil
	}
	for _, u := range b.units {
		for _, p := range u.polls {
			for _, id := range p.Points {
				if why := b.whys[id]; why != "" {
					bad = append(bad, BadPoint{id, b.where(id), why})
				}
			}
		}
	}
	return bad
}

// apiBuses is every bus and unit with what became of its requests.
func (a *agent) apiBuses(context.Context) (any, error) {
	return map[string]any{"buses": a.apiBusList(), "units": a.apiUnits()}, nil
}

func (a *agent) apiBusList() []apiBus {
	bs := []apiBus{}
	for _, b := range a.loops {
		if about := b.about.Load(); about != nil {
			x := apiBus{Bus: b.id, Down: about.Down, Missed: about.Missed, apiCounts: apiCountsOf(about.Counts, about.Share)}
			for _, bad := range about.Bad {
				x.Bad = append(x.Bad, apiBad(bad))
			}
			bs = append(bs, x)
		}
	}
	return bs
}

func (a *agent) apiUnits() []apiUnit {
	us := []apiUnit{}
	for _, b := range a.loops {
		if states := b.state.Load(); states != nil {
			for _, u := range *states {
				us = append(us, apiUnit{u.Bus, u.Unit, u.Life.String(), u.Missed, u.Asked, u.Answered, u.Setup, apiCountsOf(u.Counts, u.Share)})
			}
		}
	}
	return us
}

func apiCountsOf(c drivers.Counts, share float64) apiCounts {
	return apiCounts{Requests: c.Requests, Comm: c.Comm, Protocol: c.Protocol, Exceptions: c.Exceptions, Held: c.Held,
		P50: ms(c.P50), P99: ms(c.P99), Share: math.Round(share*1000) / 1000}
}

func ms(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond).Microseconds()) / 1000 }

// health is the bus as platforms see it, with the points that are bad for a
// reason of their own.
func (s *BusState) health() (uplink.BusHealth, []uplink.PointHealth) {
	h := uplink.BusHealth{ID: s.Bus, Down: s.Down, Requests: s.Requests, Comm: s.Comm, Protocol: s.Protocol, Exceptions: s.Exceptions,
		P50: ms(s.P50), P99: ms(s.P99), Share: math.Round(s.Share*1000) / 1000, Missed: s.Missed}
	var ps []uplink.PointHealth
	for _, b := range s.Bad {
		ps = append(ps, uplink.PointHealth{ID: b.Point, Line: b.Line, Why: b.Why})
	}
	return h, ps
}

// metrics is the bus and its units as Prometheus reads them.
func (b *busLoop) metrics(put func(name, labels string, v any)) {
	about, units := b.about.Load(), b.state.Load()
	if about == nil || units == nil {
		return
	}
	labels := fmt.Sprintf("{bus=%q}", b.id)
	put("bus_up", labels, one(about.Down == ""))
	putCounts(put, "bus", labels, about.Counts, about.Share)
	for _, u := range *units {
		labels := fmt.Sprintf("{bus=%q,unit=%q}", u.Bus, u.Unit)
		put("unit_online", labels, one(u.Life != Offline))
		put("cycles_missed_total", labels, u.Missed)
		putCounts(put, "unit", labels, u.Counts, u.Share)
	}
}

func putCounts(put func(name, labels string, v any), what, labels string, c drivers.Counts, share float64) {
	if c.Requests == 0 {
		return
	}
	put(what+"_requests_total", labels, c.Requests)
	for _, f := range []struct {
		cause string
		n     uint64
	}{{"comm", c.Comm}, {"protocol", c.Protocol}, {"exception", c.Exceptions}} {
		put(what+"_failures_total", labels[:len(labels)-1]+fmt.Sprintf(",cause=%q}", f.cause), f.n)
	}
	put(what+"_busy_ratio", labels, share)
	for _, q := range []struct {
		name string
		d    time.Duration
	}{{"0.5", c.P50}, {"0.99", c.P99}} {
		if q.d > 0 {
			put(what+"_answer_seconds", labels[:len(labels)-1]+fmt.Sprintf(",quantile=%q}", q.name), q.d.Seconds())
		}
	}
}
