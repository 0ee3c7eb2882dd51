package config

import (
	"slices"
	"time"

	"pithead/agent/alarm"
)

// faultOf is the alarm of a point for its own bad quality: what the file says,
// and for what it leaves out the site's default; where another alarm of the
// point trips an output it is that alarm's level and output, since who can't
// see must act as if it were so.
func (j *judge) faultOf(p *point, rungs []*rung, own *rung) alarm.Def {
	d := alarm.Def{ID: p.id + "/fault", Point: p.id, Name: p.site.Name, Condition: alarm.Fault, Level: alarm.Blue, For: time.Minute, Line: p.line}
	if s := j.top.sub("defaults"); s != nil {
		if f := s.sub("fault"); f != nil {
			d.For = f.dur("for")
			d.Level, _ = alarm.ParseLevel(f.text("level"))
		}
	}
	if trips, l := j.tripsOf(rungs); len(trips) > 0 {
		d.Level, d.Do, d.For = l, trips, max(3*j.cycleOf(p), 10*time.Second)
	}
	if own == nil {
		return d
	}
	if own.def.Condition != 0 {
		d.For = own.def.For
	}
	if own.has("level") {
		d.Level = own.def.Level
	}
	if own.has("do") {
		d.Do = own.def.Do
	}
	d.ClearFor, d.Latch, d.Line = own.def.ClearFor, own.def.Latch, own.def.Line
	d.When, d.Escalate = own.def.When, own.def.Escalate
	return d
}

// tripsOf are the trips that alarms ask for, and the highest level that does.
func (j *judge) tripsOf(rungs []*rung) (ids []string, highest alarm.Level) {
	for _, a := range rungs {
		for _, id := range a.def.Do {
			if !j.outputs.by[id].trip {
				continue
			}
			highest = max(highest, a.def.Level)
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids, highest
}

// cycleOf is how often a point has a value: of a computed one as often as the
// slowest of what it is made from.
func (j *judge) cycleOf(p *point) time.Duration {
	if p.site.Every > 0 || p.site.Value == nil {
		return p.site.Every
	}
	if p.slowest == 0 {
		for _, id := range p.site.Value.Inputs() {
			if in := j.points.by[id]; in != nil {
				p.slowest = max(p.slowest, j.cycleOf(in))
			}
		}
	}
	return p.slowest
}
