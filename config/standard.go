package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"pithead/agent/alarm"
	"pithead/drivers"
)

// A preset is the numbers of a standard for one kind of place.
type preset struct {
	*object
	id       string // as a site file names it: aq1029.heading-return
	standard string
}

// readStandard reads one standard; a test reads every one, so that here nothing
// can be wrong with it.
func readStandard(name string) (head *object, presets []preset, problem error) {
	file := "standards/" + name + ".yaml"
	src, err := builtin(file)
	if err != nil {
		return nil, nil, err
	}
	own := &problems{file: file}
	n := own.document(src)
	var v *value
	if n != nil {
		if n.Kind != yaml.MappingNode {
			return nil, nil, fmt.Errorf("%s is no mapping", file)
		}
		at := place{line: 1, col: 1, file: file}
		v = newReader(own).read(n, sect("standard"), at, at)
	}
	if v == nil || own.failed() {
		return nil, nil, fmt.Errorf("%v", own.sorted())
	}
	for _, o := range v.obj.entries("presets") {
		presets = append(presets, preset{o, name + "." + o.id("presets"), v.obj.text("standard")})
	}
	return v.obj, presets, nil
}

func standardNames() (names []string) {
	for _, name := range builtins("standards") {
		names = append(names, strings.TrimSuffix(name, ".yaml"))
	}
	return names
}

// preset finds one by its name, or tells what is near.
func (j *judge) preset(v *value) (preset, bool) {
	file, _, _ := strings.Cut(v.text, ".")
	if slices.Contains(standardNames(), file) {
		_, all, _ := readStandard(file)
		if i := slices.IndexFunc(all, func(p preset) bool { return p.id == v.text }); i >= 0 {
			return all[i], true
		}
	}
	var ids []string
	for _, name := range standardNames() {
		_, all, _ := readStandard(name)
		for _, p := range all {
			ids = append(ids, p.id)
		}
	}
	if w := j.near(v.text, ids); w != "" {
		j.errorf(v.place, "no preset %q; did you mean %q?", v.text, w)
	} else if slices.Contains(standardNames(), file) {
		of := slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, file+".") })
		j.errorf(v.place, "no preset %q; want %s", v.text, orList(of))
	} else {
		j.errorf(v.place, "no preset %q; want one of pithead help standards", v.text)
	}
	return preset{}, false
}

// presetAlarms is the alarms of a preset, with ids that are theirs alone.
func (j *judge) presetAlarms(p *point, a *rung, seen map[string]bool) []*rung {
	rungs := j.presetRungs(p, a)
	for _, r := range rungs {
		j.unique(a.place, r.def.ID, seen)
	}
	return rungs
}

// presetRungs is the alarms that a preset comes to on a point.
func (j *judge) presetRungs(p *point, a *rung) []*rung {
	v := a.given("standard")
	if v == nil {
		return nil
	}
	pre, ok := j.preset(v)
	if !ok || !j.presetFits(p, v, pre) {
		return nil
	}
	j.judgeRoles(a, pre)
	var rungs []*rung
	var becomes []string
	unchecked := false
	for _, e := range pre.given("numbers").list {
		r := j.numberRung(p, a, e.obj)
		rungs = append(rungs, r)
		becomes = append(becomes, whatBecomes(e.obj, r, pre.text("unit")))
		if !e.obj.bool("checked") {
			unchecked = true
			j.mayTrip(a, pre, r)
		}
	}
	what := fmt.Sprintf("%s, %s becomes %s", pre.standard, pre.text("clause"), strings.Join(becomes, "; "))
	acc := a.sub("accepted")
	if acc != nil && acc.given("date") != nil {
		if d := acc.given("date"); !dateForm(d.text) {
			j.strictf(d.place, "%q is not a day; want year, month and day, as 2026-03-01", d.text)
		}
	}
	switch {
	case !unchecked:
	case acc != nil && a.given("accepted") != nil:
		what += fmt.Sprintf("; not checked against the printed standard, accepted by %s on %s", acc.text("by"), acc.text("date"))
	default:
		what += fmt.Sprintf("; not checked against the printed standard (checked: no; source: %s)", pre.text("source"))
	}
	j.warnf(v.place, "%s", what)
	return rungs
}

func dateForm(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// numberRung is one number of a preset as an alarm of the point. What the site
// file says beside the preset stands instead.
func (j *judge) numberRung(p *point, a *rung, n *object) *rung {
	role := n.text("role")
	r := &rung{object: &object{place: a.place, vals: map[string]*value{}}, def: a.def, when: a.when}
	d := &r.def
	for _, cond := range []string{"above", "below", "outside"} {
		if v := n.given(cond); v != nil {
			here := *v
			here.place = a.where("standard")
			r.cond, r.vals[cond] = cond, &here
			d.Condition = conditionOf[cond]
			d.Limit = [2]float64{v.num, 0}
			if cond == "outside" {
				d.Limit = [2]float64{v.list[0].num, v.list[1].num}
			}
			d.Clear = d.Limit
		}
	}
	if v := n.given("clear"); v != nil {
		d.Clear[0] = v.num
	}
	if v := a.given("clear"); v != nil && role == "alarm" {
		j.presetClear(r, v)
	}
	if d.Level == alarm.NoLevel || role != "alarm" {
		d.Level, _ = alarm.ParseLevel(n.text("level"))
	}
	if !a.has("for") {
		d.For = n.dur("for")
	}
	if !a.has("latch") {
		d.Latch = role == "cutoff"
		if n.has("latch") {
			d.Latch = n.bool("latch")
		}
	}
	if v := a.given("do"); v != nil && v.obj != nil {
		d.Do = nil
		if of := v.obj.given(role); of != nil {
			d.Do = textsOf(of)
		}
	}
	d.ID = p.id + "/" + presetID(a, n)
	j.comes(p, r)
	return r
}

// presetID is what an alarm of a preset is called: by its role, behind the id of
// its own if the site file gives one.
func presetID(a *rung, n *object) string {
	id := n.text("id")
	if !n.has("id") {
		id = n.text("role")
	}
	if own := a.given("id"); own != nil {
		return own.text + "." + id
	}
	return id
}

func textsOf(v *value) (out []string) {
	for _, e := range v.list {
		out = append(out, e.text)
	}
	return out
}

func (j *judge) presetClear(r *rung, v *value) {
	switch {
	case v.list != nil || r.cond == "outside":
		j.errorf(v.place, "can't be said beside this preset; want an alarm of its own")
	case r.cond == "above" && v.num > r.def.Limit[0], r.cond == "below" && v.num < r.def.Limit[0]:
		j.errorf(v.place, "%s is not on the safe side of the preset's %s, so the alarm could never clear", v.text, plain(r.def.Limit[0]))
	default:
		r.def.Clear[0] = v.num
	}
}

// judgeRoles refuses outputs for a role that the preset does not have.
func (j *judge) judgeRoles(a *rung, pre preset) {
	v := a.given("do")
	if v == nil || v.obj == nil {
		return
	}
	var roles []string
	for _, e := range pre.given("numbers").list {
		if r := e.obj.text("role"); !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	for _, k := range v.obj.keys {
		if !slices.Contains(roles, k) {
			j.errorf(v.obj.at[k], "%s has no number for a %s; want %s", pre.id, k, orList(roles))
		}
	}
}

// mayTrip refuses a trip by numbers for which nobody answers.
func (j *judge) mayTrip(a *rung, pre preset, r *rung) {
	if a.given("accepted") != nil || a.broken("accepted") {
		return
	}
	for _, id := range r.def.Do {
		if o := j.outputs.by[id]; o != nil && o.trip {
			j.errorf(a.where("do"), "%s may not drive the trip %q: its numbers were not checked against the printed standard; want accepted: {by: …, date: …} beside it, by who has", pre.id, id)
			return
		}
	}
}

// whatBecomes is one alarm in words.
func whatBecomes(n *object, r *rung, unit string) string {
	d := r.def
	s := n.text("role") + " " + d.Level.String()
	switch r.cond {
	case "above":
		s += " at or above " + plain(d.Limit[0])
	case "below":
		s += " at or below " + plain(d.Limit[0])
	default:
		s += fmt.Sprintf(" outside %s to %s", plain(d.Limit[0]), plain(d.Limit[1]))
	}
	s += " " + unit
	if r.cond != "outside" && drivers.Compare(d.Clear[0], d.Limit[0]) != 0 {
		s += ", over at " + plain(d.Clear[0])
	}
	if d.Latch {
		s += ", until reset"
	}
	return s
}
