package agent

import (
	"slices"
	"strings"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/config"
	"pithead/drivers"
)

// A root is a device or a bus as the one cause of what its points lack: when none
// of them answers any more it raises one alarm, which covers theirs; when all do
// again it clears. What their own alarms ask of outputs is as ever.
type root struct {
	*standing
	points []*point
	gone   int // points that nobody answers for
	timer  timer
	lead   time.Duration // by which it is told before what it covers
}

type roots []*root

// noRoots are those of a point that nobody else goes with. Nobody changes them.
var noRoots roots

// partly is how long a root that is back in part may stay up: by then what is
// still missing is missing by itself.
const partly = 30 * time.Second

// addRoots stands the alarms of devices, and of buses that have more than one
// device, or points of their own.
func (j *judge) addRoots(site *config.Site) {
	devices, buses, boards := map[string][]*point{}, map[string][]*point{}, map[string]bool{}
	several := map[string]map[string]bool{}
	for _, p := range j.points {
		bus := p.cfg.Bus
		switch {
		case bus == "":
			continue
		case p.cfg.Device == "":
			boards[bus] = true
		default:
			devices[p.cfg.Device] = append(devices[p.cfg.Device], p)
			if several[bus] == nil {
				several[bus] = map[string]bool{}
			}
			several[bus][p.cfg.Device] = true
		}
		buses[bus] = append(buses[bus], p)
	}
	for _, b := range site.Buses {
		if ps := buses[b.ID]; boards[b.ID] || len(several[b.ID]) > 1 {
			j.addRoot("bus:"+b.ID, b.ID, b.Line, ps)
		}
	}
	for _, d := range site.Devices {
		if ps := devices[d.ID]; len(ps) > 0 {
			j.addRoot("device:"+d.ID, d.Name, d.Line, ps)
		}
	}
}

func (j *judge) addRoot(id, name string, line int, ps []*point) {
	d := &alarm.Def{ID: id + "/fault", Name: name, Condition: alarm.Equals, Equal: drivers.BoolValue(true), Line: line}
	d.Level = alarm.Blue
	for _, p := range ps {
		if f := p.fault(); f != nil {
			d.Level = max(d.Level, f.Level)
		}
	}
	r := &root{standing: j.stand(d), points: ps, lead: time.Millisecond}
	if strings.HasPrefix(id, "bus:") {
		r.lead *= 2
	}
	r.standing.bond().root = r
	r.timer.fire = func(at time.Duration) { j.decideRoot(r, at) }
	// What covers the device covers the point as well, and comes first. All points
	// of a device are on one bus, so they share the list.
	outer := *ps[0].roots
	for _, o := range outer {
		r.standing.bond().outer = append(r.standing.outer, o.standing)
	}
	all := append(slices.Clip(outer), r)
	for _, p := range ps {
		p.roots = &all
	}
}

// fault is the alarm of the point for its own bad quality, the last of its own.
func (p *point) fault() *alarm.Def {
	if p.cfg.Fault != nil {
		return p.cfg.Fault
	}
	if all := p.standing(); len(all) > 0 && all[len(all)-1].Def().Condition == alarm.Fault {
		return all[len(all)-1].Def()
	}
	return nil
}

// lives follows whether anybody answers for a point.
func (j *judge) lives(p *point, q drivers.Quality, at time.Duration, first bool) {
	if q == drivers.Good || q == drivers.Test {
		p.badSince = -1
	} else if p.badSince < 0 || first {
		p.badSince = at
	}
	gone := q == drivers.Comm || q == drivers.Stale
	if gone == p.gone && !first {
		return
	}
	for _, r := range *p.roots {
		switch {
		case gone && !p.gone:
			r.gone++
		case p.gone && !gone:
			r.gone--
		}
		j.weigh(r, at)
	}
	p.gone = gone
}

// weigh sees when a root is to be decided: once all are gone, a moment before the
// first of their own alarms; once all are back, at once; and if only some are,
// after a while.
func (j *judge) weigh(r *root, at time.Duration) {
	switch {
	case r.gone == len(r.points):
		due := at + 24*time.Hour
		for _, p := range r.points {
			if f := p.fault(); f != nil {
				due = min(due, p.badSince+f.For)
			}
		}
		if !r.up() {
			j.timers.set(&r.timer, max(due-r.lead, at), true)
			return
		}
		j.timers.set(&r.timer, 0, false)
	case !r.up():
		j.timers.set(&r.timer, 0, false)
	case r.gone == 0:
		j.decideRoot(r, at)
	default:
		j.timers.set(&r.timer, at+partly, true)
	}
}

func (j *judge) decideRoot(r *root, at time.Duration) {
	j.timers.set(&r.timer, 0, false)
	j.step(r.standing, alarm.Sample{At: max(at, j.now()), Value: drivers.BoolValue(r.gone == len(r.points)), Quality: drivers.Good})
}

// tell lists the points that are gone with it.
func (r *root) tell() []event.Field {
	ids := []string{}
	for _, p := range r.points {
		if len(ids) < mostListed {
			ids = append(ids, p.cfg.ID)
		}
	}
	return []event.Field{{Name: "points", Value: ids}, {Name: "count", Value: len(r.points)}}
}
