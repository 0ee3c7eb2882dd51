package agent

import (
	"slices"
	"strings"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/config"
	"pithead/drivers"
)

// A group is points, and groups, that warn together: its level is the highest of
// its members', or the one that its ladder makes of them (GB 39496-2020, 5.5.4).
type group struct {
	*standing
	cfg    *config.Group
	points []*point
	inner  []*group
	outer  []*group
	trips  bool // it asks for a trip at some level
	dirty  bool
}

// addGroup stands a group; those that are its members stand already.
func (j *judge) addGroup(c *config.Group) {
	d := alarm.Def{ID: "group:" + c.ID, Name: c.Name, Condition: alarm.Ranked, For: c.For, Latch: c.Latch, DoBy: &c.Do, Line: c.Line}
	g := &group{cfg: c, dirty: true}
	for _, do := range c.Do {
		d.Do = append(d.Do, do...)
		for _, id := range do {
			o, ok := j.byName[id]
			g.trips = g.trips || ok && o.cfg.Trip
		}
	}
	g.standing = j.stand(&d)
	g.standing.bond().group = g
	for _, id := range c.Points {
		if p := j.find(id); p != nil {
			g.points = append(g.points, p)
			p.tie().groups = append(p.groups, g)
		}
	}
	for _, id := range c.Groups {
		if s, ok := j.apart["group:"+id]; ok {
			g.inner = append(g.inner, s.group)
			s.group.outer = append(s.group.outer, g)
		}
	}
	j.groups = append(j.groups, g)
}

// soil marks the groups that an alarm counts for.
func (j *judge) soil(s *standing) {
	if s.group != nil {
		for _, g := range s.group.outer {
			g.dirty = true
		}
	}
	if s.of != nil {
		for _, g := range s.of.groups {
			g.dirty = true
		}
	}
}

// regroup brings groups up to date whose members have changed, inner ones first.
func (j *judge) regroup() {
	for _, g := range j.groups {
		if !g.dirty {
			continue
		}
		g.dirty = false
		j.step(g.standing, alarm.Sample{At: j.now(), Value: drivers.NumberValue(float64(g.level()))})
	}
}

// level is what its members come to now. One that asks for a trip does not fall
// because a member is suppressed, out of service or under test: no trip is
// released by that.
func (g *group) level() alarm.Level {
	l := g.cfg.Come(g.members(false))
	if g.trips && g.up() {
		l = max(l, min(g.Level(), g.cfg.Come(g.members(true))))
	}
	return l
}

// members are the levels of those that stand at one; all of them, or those alone
// that count.
func (g *group) members(all bool) (ls []alarm.Level) {
	for _, p := range g.points {
		if l := p.level(all); l > alarm.NoLevel {
			ls = append(ls, l)
		}
	}
	for _, in := range g.inner {
		if in.up() {
			ls = append(ls, in.Level())
		}
	}
	return ls
}

// level is the highest at which the point stands; its fault counts for nothing.
// One that is bad keeps its alarms, and so its level.
func (p *point) level(all bool) (l alarm.Level) {
	if p.test != nil && !all {
		return alarm.NoLevel
	}
	for _, s := range p.standing() {
		if s.Def().Condition != alarm.Fault && s.up() && (all || !s.Idle()) {
			l = max(l, s.Level())
		}
	}
	return l
}

// heard says that every alarm of every member has spoken for itself since the
// start, on a good sample on the side where it clears.
func (g *group) heard() bool {
	for _, p := range g.points {
		for _, s := range p.standing() {
			if _, delayed := s.Due(); s.Def().Condition != alarm.Fault && (delayed || !s.Safe()) {
				return false
			}
		}
	}
	for _, in := range g.inner {
		if !in.heard() {
			return false
		}
	}
	return g.Safe()
}

// does is what the group asks for at a level.
func (g *group) does(at alarm.Level) (do []string) {
	for l := alarm.Blue; l <= at; l++ {
		for _, id := range g.cfg.Do[l] {
			if !slices.Contains(do, id) {
				do = append(do, id)
			}
		}
	}
	return do
}

// asked says whether an alarm asks for an output where it stood when the run
// before ended, as the site file has it now.
func (s *standing) asked(output string, was remembered) bool {
	if s.group == nil { // a seal, too, asks at whatever rank
		return slices.Contains(s.Def().Do, output)
	}
	level, _ := alarm.ParseLevel(was.Level)
	return s.namesAt(output, level)
}

// hollow says that a group which asked for an output when the run before ended
// has lost those of its members that made it: they have left the site file, or
// the group. A latch holds it all the same.
func (s *standing) hollow(output string, was remembered, f *fold) bool {
	if s.group == nil || was.Latch {
		return false
	}
	for l := alarm.Blue; l <= alarm.Red; l++ {
		if slices.Contains(s.group.cfg.Do[l], output) {
			level, _ := alarm.ParseLevel(was.Level)
			return level >= l && s.group.remembered(f) < l
		}
	}
	return false
}

// remembered is what the members that there are now came to when the run before
// ended.
func (g *group) remembered(f *fold) alarm.Level {
	var ls []alarm.Level
	for _, p := range g.points {
		high := alarm.NoLevel
		for _, s := range p.standing() {
			d := s.Def()
			m := f.Alarms[d.ID].memory(d)
			if d.Condition != alarm.Fault && (m.State == alarm.Active || m.State == alarm.Acked) {
				high = max(high, m.Level, d.Level)
			}
		}
		if high > alarm.NoLevel {
			ls = append(ls, high)
		}
	}
	for _, in := range g.inner {
		l := in.remembered(f)
		if r := f.Alarms[in.Def().ID]; r.Latch {
			l = max(l, r.memory(in.Def()).Level)
		}
		if l > alarm.NoLevel {
			ls = append(ls, l)
		}
	}
	return g.cfg.Come(ls)
}

// tell adds to a group's event who makes its level.
func (g *group) tell() event.Field {
	type member struct {
		ID    string `json:"id"`
		Level string `json:"level"`
	}
	ms := []member{}
	for _, p := range g.points {
		if l := p.level(false); l > alarm.NoLevel && len(ms) < mostListed {
			ms = append(ms, member{p.cfg.ID, l.String()})
		}
	}
	for _, in := range g.inner {
		if in.up() && len(ms) < mostListed {
			ms = append(ms, member{in.Def().ID, in.Level().String()})
		}
	}
	return event.Field{Name: "members", Value: ms}
}

// mostListed bounds what an event lists.
const mostListed = 50

// kind is what its events are called.
func (s *standing) kind() string {
	if strings.HasPrefix(s.Def().ID, "group:") {
		return "group"
	}
	return "alarm"
}
