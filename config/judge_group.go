package config

import (
	"slices"

	"pithead/agent/alarm"
)

// groups of a site file as they are judged: those of groups need their members'
// first.
type group struct {
	*object
	id    string
	site  Group
	state compileState
}

// judgeGroup finds a group's members.
func (j *judge) judgeGroup(g *group) {
	g.site = Group{ID: g.id, Name: g.text("name"), For: g.dur("for"), Latch: g.bool("latch"), Line: g.line}
	for _, e := range entriesIn(g.given("of")) {
		if inner, ok := j.groups.by[e.text]; ok && j.points.by[e.text] == nil {
			if !slices.Contains(g.site.Groups, inner.id) {
				g.site.Groups = append(g.site.Groups, inner.id)
			}
			continue
		}
		j.judgePattern(e)
		for _, id := range j.points.ids {
			if matches(e.text, id) && !slices.Contains(g.site.Points, id) && !j.points.by[id].dormant {
				g.site.Points = append(g.site.Points, id)
			}
		}
	}
	if do := g.sub("do"); do != nil {
		for _, k := range do.keys {
			l, _ := alarm.ParseLevel(k)
			g.site.Do[l] = j.judgeDo(do.given(k))
		}
	}
	j.judgeLadder(g)
}

// judgeLadder reads how many make it one level higher.
func (j *judge) judgeLadder(g *group) {
	o := g.sub("ladder")
	if o == nil {
		return
	}
	members := len(g.site.Points) + len(g.site.Groups)
	for _, k := range o.keys {
		v := o.given(k)
		if v == nil {
			continue
		}
		l, _ := alarm.ParseLevel(k)
		g.site.Ladder[l] = int(v.n)
		if int(v.n) > members && members > 0 {
			j.warnf(v.place, "the group has %d members, so never %s of them", members, v.text)
		}
	}
}

// orderGroups puts groups behind those that are their members, and refuses
// groups of themselves.
func (j *judge) orderGroups() {
	var visit func(g *group)
	visit = func(g *group) {
		if g.state == compiled {
			return
		}
		g.state = compiling
		for i, id := range g.site.Groups {
			if inner := j.groups.by[id]; inner.state == compiling {
				j.errorf(g.where("of"), "%q is a member of itself by way of %q; want one of them without the other", inner.id, g.id)
				g.site.Groups = slices.Delete(slices.Clone(g.site.Groups), i, i+1)
				break
			} else {
				visit(inner)
			}
		}
		g.state = compiled
		j.site.Groups = append(j.site.Groups, g.site)
	}
	each(j.groups.all, visit)
}
