package config

import (
	"slices"

	"pithead/agent/alarm"
	"pithead/config/expr"
	"pithead/drivers"
)

// alarmOnly says which conditions know a key; keys that are not here are known to all.
var alarmOnly = map[string][]string{
	"clear":     {"above", "below", "outside", "standard"},
	"within":    {"rise", "fall"},
	"for":       {"above", "below", "outside", "equals", "rise", "fall", "flat", "standard"},
	"clear-for": {"above", "below", "outside", "equals", "fault", "rise", "fall", "flat"},
	"accepted":  {"standard"},
	"id":        {"above", "below", "outside", "equals", "rise", "fall", "flat", "standard"},
}

var conditionOf = map[string]alarm.Condition{
	"above": alarm.Above, "below": alarm.Below, "outside": alarm.Outside, "equals": alarm.Equals, "fault": alarm.Fault,
	"rise": alarm.Rise, "fall": alarm.Fall, "flat": alarm.Flat,
}

// rung is one alarm of a point as the file has it.
type rung struct {
	*object
	cond string // empty where it is wrong
	def  alarm.Def
	when *expr.Expr
}

// judgeAlarms judges the alarms of a point against it and each other, and adds
// its fault alarm.
func (j *judge) judgeAlarms(p *point) {
	var rungs []*rung
	var fault *rung
	seen := map[string]bool{}
	v := p.given("alarms")
	if v == nil {
		v = &value{}
	}
	for _, e := range v.list {
		a := j.judgeAlarm(p, e.obj)
		if a.cond == "standard" {
			rungs = append(rungs, j.presetAlarms(p, a, seen)...)
			continue
		}
		j.alarmID(p, a, seen)
		if a.cond == "fault" {
			fault = a
			continue
		}
		rungs = append(rungs, a)
	}
	j.ladder(rungs)
	for _, a := range rungs {
		if a.def.Condition != 0 {
			p.site.Alarms = append(p.site.Alarms, a.def)
			p.suppress(a)
		}
	}
	if fault != nil {
		p.suppress(fault)
	}
	if p.has("prove") && !slices.ContainsFunc(p.site.Alarms, func(d alarm.Def) bool { return d.Condition <= alarm.Equals }) {
		j.keyf(p.object, "prove", "no value could be reached in a test; want an alarm by above, below, outside or equals")
	}
	d := j.faultOf(p, rungs, fault)
	if fault == nil && d.Do == nil {
		p.site.Alarms, p.site.Fault = j.kept(p.site.Alarms), j.usual(d)
		return
	}
	p.site.Alarms = j.kept(append(p.site.Alarms, d))
}

// usual is the site's default for faults, the same for all points that have it.
func (j *judge) usual(d alarm.Def) *alarm.Def {
	if j.fault == nil {
		j.fault = &alarm.Def{Condition: d.Condition, Level: d.Level, For: d.For}
	}
	return j.fault
}

// kept is the same alarms, in memory that they share with those of other points.
func (j *judge) kept(ds []alarm.Def) []alarm.Def {
	if len(ds) == 0 {
		return nil
	}
	if cap(j.defs)-len(j.defs) < len(ds) {
		j.defs = make([]alarm.Def, 0, max(chunk, len(ds)))
	}
	n := len(j.defs)
	j.defs = append(j.defs, ds...)
	return slices.Clip(j.defs[n:])
}

const chunk = 256

// suppress notes what suppresses an alarm while it is false.
func (p *point) suppress(a *rung) {
	if a.when == nil {
		return
	}
	if p.site.When == nil {
		p.site.When = map[string]*expr.Expr{}
	}
	p.site.When[a.def.ID] = a.when
}

// judgeAlarm judges one alarm by itself. Its Condition stays 0 where this
// version does not act on it.
func (j *judge) judgeAlarm(p *point, o *object) *rung {
	a := &rung{object: o}
	cond, sure := j.only(o, conditions, "condition")
	if cond == "" && sure && !o.strange {
		j.errorf(o.place, "has no condition; want %s", orList(conditions))
	}
	a.cond = cond
	if cond != "" {
		j.misplaced(o, alarmOnly, cond, cond)
		j.judgeDoForm(o, cond)
	}
	if cond != "" && cond != "fault" && cond != "standard" && !o.has("level") {
		j.errorf(o.place, "\"level\" is missing; want %s", level.wanted())
	}
	l, _ := alarm.ParseLevel(o.text("level"))
	a.def = alarm.Def{
		Point: p.id, Name: p.site.Name, Level: l, For: o.dur("for"), ClearFor: o.dur("clear-for"), Latch: o.bool("latch"),
		Do: j.judgeDo(o.given("do")), Line: o.line,
	}
	if a.when = j.condition(o.given("when")); a.when != nil {
		a.def.When = a.when.String()
	}
	j.judgeEscalation(a)
	j.judgeCondition(p, a)
	return a
}

// judgeDoForm: roles are a standard's, and a list is everybody else's.
func (j *judge) judgeDoForm(o *object, cond string) {
	v := o.given("do")
	switch {
	case v == nil:
	case v.obj != nil && cond != "standard":
		j.errorf(v.place, "outputs by role belong to a standard; want a list")
		o.vals["do"] = nil
	case v.obj != nil:
		for _, k := range v.obj.keys {
			j.judgeDo(v.obj.given(k))
		}
	}
}

func (j *judge) judgeEscalation(a *rung) {
	e := a.sub("escalate")
	if e == nil || a.given("escalate") == nil {
		return
	}
	to, ok := alarm.ParseLevel(e.text("to"))
	if ok && to <= a.def.Level {
		j.errorf(e.where("to"), "%s is not above the alarm's own level %s; want a higher one", to, a.def.Level)
		return
	}
	a.def.Escalate = alarm.Escalation{After: e.dur("after"), To: to}
}

// judgeCondition fills in limits, and says what can't be of this point.
func (j *judge) judgeCondition(p *point, a *rung) {
	c := a.given(a.cond)
	if c == nil {
		return
	}
	numeric := a.cond != "equals" && a.cond != "fault" && a.cond != "standard"
	if numeric && p.kind != drivers.Number && p.kind != drivers.None {
		j.keyf(a.object, a.cond, "belongs to numbers; %s is none", whatIs(p.kind))
		return
	}
	a.def.Condition = conditionOf[a.cond]
	switch a.cond {
	case "above", "below":
		a.def.Limit[0], a.def.Clear[0] = c.num, c.num
		j.clearOf(p, a)
	case "outside":
		a.def.Limit = [2]float64{c.list[0].num, c.list[1].num}
		a.def.Clear = a.def.Limit
		if c.list[0].num >= c.list[1].num {
			j.errorf(c.place, "%s is not below %s; want [least, most]", c.list[0].text, c.list[1].text)
			return
		}
		j.clearInside(a, c)
		j.comes(p, a)
	case "equals":
		a.def.Equal, _ = j.exact(p, c)
	case "fault":
		a.def.For = c.dur()
	case "rise", "fall":
		if !a.has("within") {
			j.keyf(a.object, a.cond, "says not in what time; want within beside it")
		}
		a.def.Limit[0], a.def.Within = c.num, a.dur("within")
	case "flat":
		a.def.Limit[0], a.def.Within = p.site.Deadband, c.dur()
	}
}

// alarmID gives an alarm its id, which must be its own.
func (j *judge) alarmID(p *point, a *rung, seen map[string]bool) {
	name, at := a.text("id"), a.where("id")
	switch {
	case a.cond == "fault":
		name, at = "fault", a.where("fault")
	case a.broken("id") || a.cond == "":
		return
	case name == "fault":
		j.errorf(at, "fault is the alarm of the point's own bad quality; want another id")
		return
	case name == "prove" && p.has("prove"):
		j.errorf(at, "prove is the alarm of a bump test that is overdue; want another id")
		return
	case name == "":
		name, at = a.text("level"), a.place
		if v := a.given("level"); v != nil {
			at = v.place
		}
	}
	if name == "" {
		return
	}
	a.def.ID = p.id + "/" + name
	j.unique(at, a.def.ID, seen)
}

// unique refuses an id that another alarm of the point has.
func (j *judge) unique(at place, id string, seen map[string]bool) {
	if seen[id] {
		j.errorf(at, "alarm %s is there twice; want an id of its own", id)
	}
	seen[id] = true
}
