package config

import "pithead/drivers"

// bandsOf are the states of a supervised loop. The point is then a state by
// its name, stored on change.
func (j *judge) bandsOf(p *point) []drivers.Band {
	o := p.sub("bands")
	if p.given("bands") == nil || o == nil {
		return nil
	}
	var out []drivers.Band
	for i, k := range o.keys {
		v := o.vals[k]
		if v == nil {
			continue
		}
		if v.list[0].num > v.list[1].num {
			j.errorf(v.place, "%s is above %s; want [least, most]", v.list[0].text, v.list[1].text)
		}
		for _, l := range o.keys[:i] {
			if w := o.vals[l]; w != nil && v.list[0].num <= w.list[1].num && w.list[0].num <= v.list[1].num {
				j.errorf(v.place, "overlaps %q; want bands apart from each other", l)
			}
		}
		out = append(out, drivers.Band{Low: v.list[0].num, High: v.list[1].num, Label: k})
		p.site.States = append(p.site.States, State{Value: drivers.TextValue(k), Label: k})
	}
	if p.has("states") {
		j.keyf(p.object, "states", "the bands name the states already; leave it out")
	}
	p.kind, p.site.Type, p.site.OnChange, p.site.Deadband = drivers.Text, "state", true, 0
	return out
}
