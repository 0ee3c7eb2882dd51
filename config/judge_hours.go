package config

import "pithead/drivers"

// withHours adds to each point that counts its hours the point that tells them:
// pump.run with hours: true is beside itself pump.run.hours.
func (j *judge) withHours() {
	for _, p := range j.points.all {
		if !p.bool("hours") {
			continue
		}
		o := &object{place: p.place, section: p.section, vals: map[string]*value{}, defs: p.defs, at: map[string]place{}}
		o.path += ".hours"
		id := p.id + ".hours"
		if _, taken := j.points.by[id]; taken {
			j.keyf(p.object, "hours", "makes a point %q, which is there already; want another id for that one", id)
			continue
		}
		j.points.add(id, &point{object: o, id: id, hoursOf: p, site: Point{Common: &Common{}, Own: &Own{}}})
	}
}

// hoursPoint is the hours of another point. That comes first in the file, and
// so is judged by now, but for a computed one.
func (j *judge) hoursPoint(p *point) {
	of := p.hoursOf
	p.source, p.kind, p.dormant = "hours", drivers.Number, of.dormant
	p.site.Name, p.site.Unit, p.site.Type, p.site.Decimals = of.site.Name, "h", "counter", 4
	p.site.Every, p.site.OnChange, p.site.HoursOf = 0, true, of.id
}

// judgeHours holds hours against what they are of.
func (j *judge) judgeHours(p *point) {
	if p.hoursOf != nil && p.hoursOf.kind != drivers.Bool && p.hoursOf.kind != drivers.None {
		j.keyf(p.hoursOf.object, "hours", "counts how long a point is 1; %s is not 0 or 1", p.hoursOf.id)
	}
}
