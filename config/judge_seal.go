package config

import (
	"slices"

	"pithead/agent/seal"
	"pithead/drivers"
)

// sealRoles are the lists of a seal, in the order in which they are named to people.
var sealRoles = []struct {
	key  string
	role seal.Role
}{{"closed", seal.Closed}, {"tamper", seal.Tamper}, {"run", seal.Run}, {"still", seal.Still}, {"seen", seal.Seen}}

// judgeSeal holds a seal against the points that it watches.
func (j *judge) judgeSeal(o *object) {
	d := seal.Def{ID: o.id("seals"), Name: o.text("name"), Confirm: o.dur("confirm"), Do: j.judgeDo(o.given("do")), Line: o.line}
	any := o.has("idle") || o.strange
	for _, l := range sealRoles {
		any = any || o.has(l.key)
		seen := map[string]bool{}
		for _, e := range entriesIn(o.given(l.key)) {
			if seen[e.text] {
				j.errorf(e.place, "%q is named twice", e.text)
			}
			seen[e.text] = true
			if p, ok := find(j, e, &j.points, "points", "point"); ok && j.suits(p, e.place, l.role) {
				d.Watches = append(d.Watches, seal.Watch{Role: l.role, Point: p.id})
			}
		}
	}
	for _, e := range entriesIn(o.given("idle")) {
		j.judgeIdle(&d, e)
	}
	if b := o.sub("balance"); b != nil && o.given("balance") != nil {
		j.judgeBalance(&d, b)
	}
	switch {
	case !any:
		j.errorf(o.place, "watches nothing; want closed, tamper, idle, run, still or seen")
	case !j.commanded("seal.close"), !j.commanded("seal.reset"):
		j.warnf(o.place, "no key may close and reset it; want one under commands of an uplink, with seal.close and seal.reset")
	}
	j.site.Seals = append(j.site.Seals, d)
}

// suits says whether a point can have a role.
func (j *judge) suits(p *point, at place, role seal.Role) bool {
	counts := role == seal.Still || role == seal.In || role == seal.Out
	switch {
	case p.dormant:
		j.warnf(at, "this version can't read %s, and so does not watch it", p.id)
		return false
	case p.kind == drivers.None:
		return false
	case counts && p.kind != drivers.Number:
		j.errorf(at, "%q is %s; want a point that counts", p.id, whatIs(p.kind))
	case p.kind == drivers.Number && !counts:
		j.errorf(at, "%q is a number; want a point that is 0 or 1", p.id)
	case p.kind == drivers.Text:
		return j.suitsLoop(p, at, role)
	}
	return true
}

// suitsLoop is about supervised loops, whose bands say what the wire is.
func (j *judge) suitsLoop(p *point, at place, role seal.Role) bool {
	has := func(label string) bool {
		return slices.ContainsFunc(p.site.States, func(s State) bool { return s.Label == label })
	}
	switch {
	case !p.has("bands") || role != seal.Closed && role != seal.Tamper:
		j.errorf(at, "%q is a text; want a point that is 0 or 1", p.id)
	case role == seal.Closed && !has("closed"):
		j.errorf(at, "%q has no band called closed, so it would never be so", p.id)
	case role == seal.Tamper && !has("cut") && !has("short"):
		j.errorf(at, "%q has neither a band called cut nor one called short, so nothing would be seen", p.id)
	}
	return true
}

func (j *judge) judgeIdle(d *seal.Def, e *value) {
	if e.obj == nil {
		if p, ok := find(j, e, &j.points, "points", "point"); ok && p.kind == drivers.Number {
			j.errorf(e.place, "%q is a number; want {point: %s, above: …}, or a point that is 0 or 1", p.id, p.id)
		} else if ok && j.suits(p, e.place, seal.Idle) {
			d.Watches = append(d.Watches, seal.Watch{Role: seal.Idle, Point: p.id})
		}
		return
	}
	p, ok := find(j, e.obj.given("point"), &j.points, "points", "point")
	if !ok || p.kind == drivers.None {
		return
	}
	if p.kind != drivers.Number {
		j.errorf(e.obj.where("above"), "belongs to numbers; %s is %s", p.id, whatIs(p.kind))
		return
	}
	if j.suits(p, e.place, seal.In) { // any number will do
		above := e.obj.num("above")
		d.Watches = append(d.Watches, seal.Watch{Role: seal.Idle, Point: p.id, Above: &above, For: e.obj.dur("for")})
	}
}

func (j *judge) judgeBalance(d *seal.Def, b *object) {
	for _, s := range []struct {
		key  string
		role seal.Role
	}{{"in", seal.In}, {"out", seal.Out}} {
		v := b.given(s.key)
		if p, ok := find(j, v, &j.points, "points", "point"); ok && j.suits(p, v.place, s.role) {
			d.Watches = append(d.Watches, seal.Watch{Role: s.role, Point: p.id})
		}
	}
}

// commanded says whether any key may give a command.
func (j *judge) commanded(op string) bool {
	for _, u := range j.site.Uplinks {
		for _, c := range u.Commands {
			if slices.Contains(c.Allow, op) {
				return true
			}
		}
	}
	return false
}
