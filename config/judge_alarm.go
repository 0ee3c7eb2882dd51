package config

import (
	"cmp"
	"slices"
	"time"

	"pithead/agent/alarm"
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
}

// rung is one alarm of a point as the file has it.
type rung struct {
	*object
	cond string // empty where it is wrong
	def  alarm.Def
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
		}
	}
	p.site.Alarms = append(p.site.Alarms, j.faultOf(p, rungs, fault))
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
	j.judgeFormula(o.given("when"))
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
	if to, ok := alarm.ParseLevel(e.text("to")); ok && to <= a.def.Level {
		j.errorf(e.where("to"), "%s is not above the alarm's own level %s; want a higher one", to, a.def.Level)
	}
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
	case "equals":
		a.def.Equal, _ = j.exact(p, c)
	case "fault":
		a.def.For = c.dur()
	case "rise", "fall":
		if !a.has("within") {
			j.keyf(a.object, a.cond, "says not in what time; want within beside it")
		}
	}
}

// clearOf judges the way back of above and below.
func (j *judge) clearOf(p *point, a *rung) {
	v := a.given("clear")
	if v == nil {
		j.reachable(p, a, a.given(a.cond), a.def.Limit[0])
		return
	}
	if v.list != nil {
		j.errorf(v.place, "is a list; want one number")
		return
	}
	limit := a.given(a.cond).text
	switch d := drivers.Compare(v.num, a.def.Limit[0]); {
	case a.cond == "above" && d > 0:
		j.errorf(v.place, "%s is above the threshold %s, so the alarm could never clear; want a value below it", v.text, limit)
	case a.cond == "below" && d < 0:
		j.errorf(v.place, "%s is below the threshold %s, so the alarm could never clear; want a value above it", v.text, limit)
	default:
		a.def.Clear[0] = v.num
		j.reachable(p, a, v, v.num)
	}
}

// reachable refuses a way back that lies where the point has no values.
func (j *judge) reachable(p *point, a *rung, v *value, clear float64) {
	r := p.site.Range
	if r == nil || v == nil {
		return
	}
	if a.cond == "above" && clear <= r[0] {
		j.errorf(v.place, "%s is not inside the range [%s, %s], so the alarm could never clear", v.text, plain(r[0]), plain(r[1]))
	}
	if a.cond == "below" && clear >= r[1] {
		j.errorf(v.place, "%s is not inside the range [%s, %s], so the alarm could never clear", v.text, plain(r[0]), plain(r[1]))
	}
	limit := a.given(a.cond)
	if a.cond == "above" && limit.num > r[1] || a.cond == "below" && limit.num < r[0] {
		j.warnf(limit.place, "%s is beyond the range [%s, %s]; the alarm comes at the range's end already", limit.text, plain(r[0]), plain(r[1]))
	}
}

func (j *judge) clearInside(a *rung, c *value) {
	v := a.given("clear")
	if v == nil {
		return
	}
	if v.list == nil {
		j.errorf(v.place, "is one number; want two, as clear: [%s, %s]", c.list[0].text, c.list[1].text)
		return
	}
	lo, hi := v.list[0].num, v.list[1].num
	switch {
	case lo >= hi:
		j.errorf(v.place, "%s is not below %s; want [least, most]", v.list[0].text, v.list[1].text)
	case drivers.Compare(lo, a.def.Limit[0]) < 0 || drivers.Compare(hi, a.def.Limit[1]) > 0:
		j.errorf(v.place, "[%s, %s] is not inside [%s, %s], so the alarm could clear while it should stand; want it inside",
			v.list[0].text, v.list[1].text, c.list[0].text, c.list[1].text)
	default:
		a.def.Clear = [2]float64{lo, hi}
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
	if seen[name] {
		j.errorf(at, "alarm %s is there twice; want an id of its own", a.def.ID)
	}
	seen[name] = true
}

// ladder refuses alarms of one direction whose higher level comes earlier.
func (j *judge) ladder(rungs []*rung) {
	for _, cond := range []string{"above", "below", "outside"} {
		var same []*rung
		for _, a := range rungs {
			if a.cond == cond && a.def.Condition != 0 && a.def.Level != alarm.NoLevel {
				same = append(same, a)
			}
		}
		slices.SortStableFunc(same, func(a, b *rung) int { return cmp.Compare(a.def.Level, b.def.Level) })
		for i := 1; i < len(same); i++ {
			j.ordered(same[i-1], same[i])
		}
	}
}

func (j *judge) ordered(low, high *rung) {
	v, w := high.given(high.cond), low.given(low.cond)
	if low.def.Level == high.def.Level {
		return
	}
	l, h := low.def.Limit, high.def.Limit
	switch {
	case high.cond == "above" && drivers.Compare(h[0], l[0]) < 0:
		j.errorf(v.place, "%s of level %s is below %s of level %s; want a higher level further up", v.text, high.def.Level, w.text, low.def.Level)
	case high.cond == "below" && drivers.Compare(h[0], l[0]) > 0:
		j.errorf(v.place, "%s of level %s is above %s of level %s; want a higher level further down", v.text, high.def.Level, w.text, low.def.Level)
	case high.cond == "outside" && (drivers.Compare(h[0], l[0]) > 0 || drivers.Compare(h[1], l[1]) < 0):
		j.errorf(v.place, "of level %s is narrower than that of level %s; want a higher level further out", high.def.Level, low.def.Level)
	}
}

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
