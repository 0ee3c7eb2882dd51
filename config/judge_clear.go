package config

import (
	"cmp"
	"slices"

	"pithead/agent/alarm"
	"pithead/drivers"
)

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
	j.comes(p, a)
	j.returns(p, a, v, clear)
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

// ladder refuses alarms of one direction whose higher level comes earlier.
func (j *judge) ladder(rungs []*rung) {
	for _, cond := range []string{"above", "below", "outside", "rise", "fall"} {
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
	case high.cond == "rise" || high.cond == "fall":
		if low.def.Within == high.def.Within && drivers.Compare(h[0], l[0]) < 0 {
			j.errorf(v.place, "%s of level %s is less than %s of level %s; want more for a higher level", v.text, high.def.Level, w.text, low.def.Level)
		}
	case high.cond == "above" && drivers.Compare(h[0], l[0]) < 0:
		j.errorf(v.place, "%s of level %s is below %s of level %s; want a higher level further up", v.text, high.def.Level, w.text, low.def.Level)
	case high.cond == "below" && drivers.Compare(h[0], l[0]) > 0:
		j.errorf(v.place, "%s of level %s is above %s of level %s; want a higher level further down", v.text, high.def.Level, w.text, low.def.Level)
	case high.cond == "outside" && (drivers.Compare(h[0], l[0]) > 0 || drivers.Compare(h[1], l[1]) < 0):
		j.errorf(v.place, "of level %s is narrower than that of level %s; want a higher level further out", high.def.Level, low.def.Level)
	}
}
