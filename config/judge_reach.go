package config

import (
	"fmt"
	"math"

	"pithead/agent/alarm"
	"pithead/drivers"
)

// A reach is what the values of a register can come to: by its type, by what
// valid and a curve let through, by its scaling and its range. A limit beyond it
// is an alarm that never comes, which nobody would notice before it is missed.
type reach struct {
	lo, hi      float64
	over, under bool // what lies beyond that end is told as Over or Under, and so counts as beyond every limit
}

// reachOf finds what p can come to; nil where nothing bounds it, or where what
// bounds it is wrong.
func (j *judge) reachOf(p *point, s *drivers.Scale) *reach {
	if p.source != "device" || p.kind != drivers.Number || p.rare.Counter != nil || p.broken("type", "hi", "scale", "offset", "map", "curve", "valid", "decimals", "range") {
		return nil
	}
	lo, hi, ok := rawEnds(p)
	if !ok {
		return nil
	}
	r := &reach{lo: lo, hi: hi}
	for _, w := range []struct {
		key  string
		ends *[2]float64
	}{{"valid", s.Valid}, {"curve", curveEnds(s)}} {
		if w.ends != nil && !j.narrow(p, w.key, r, *w.ends, "raw value") {
			return nil
		}
	}
	if r.lo > r.hi || s.Linear && s.Mul == 0 {
		return nil // which has been told
	}
	r.scale(s)
	if s.Range != nil && !j.narrow(p, "range", r, *s.Range, "value") {
		return nil
	}
	return r
}

// rawEnds are the least and the most that the type can hold.
func rawEnds(p *point) (lo, hi float64, ok bool) {
	k, ok := registerKinds[p.site.Type]
	switch {
	case !ok:
		return 0, 0, false
	case p.site.Type == "hi-lo":
		return 0, math.MaxUint16*p.rare.Hi + math.MaxUint16, p.rare.Hi > 0
	case !k.whole():
		return math.Inf(-1), math.Inf(1), true
	}
	return k.lo, k.hi, true
}

func curveEnds(s *drivers.Scale) *[2]float64 {
	n := len(s.Curve)
	if n == 0 {
		return nil
	}
	return &[2]float64{s.Curve[0][0], s.Curve[n-1][0]}
}

// narrow cuts r to what lies in ends, and refuses ends that let nothing through.
func (j *judge) narrow(p *point, k string, r *reach, ends [2]float64, what string) bool {
	if drivers.Compare(ends[0], r.hi) > 0 || drivers.Compare(ends[1], r.lo) < 0 {
		j.strictf(p.object.at[k], "lets no %s through: %s; want another %s, or another type or scaling", what, r.extent(p), k)
		return false
	}
	if ends[0] > r.lo {
		r.lo, r.under = ends[0], true
	}
	if ends[1] < r.hi {
		r.hi, r.over = ends[1], true
	}
	return true
}

// scale turns the ends of the raw value into those of the value.
func (r *reach) scale(s *drivers.Scale) {
	if s.Falling() {
		r.over = r.under
	}
	r.under = false // the end of the broken wire
	switch {
	case len(s.Curve) > 0:
		// Of a curve that rises and falls, all that it comes to.
		r.lo, r.hi = math.Inf(1), math.Inf(-1)
		for _, c := range s.Curve {
			r.lo, r.hi = min(r.lo, c[1]), max(r.hi, c[1])
		}
	case s.Linear:
		a, b := r.lo*s.Mul+s.Add, r.hi*s.Mul+s.Add
		r.lo, r.hi = min(a, b), max(a, b)
	}
	if s.Decimals >= 0 {
		r.lo, r.hi = drivers.Round(r.lo, s.Decimals), drivers.Round(r.hi, s.Decimals)
	}
}

// extent says how far r goes, in words.
func (r *reach) extent(p *point) string {
	how := p.site.Type
	for _, k := range []string{"scale", "offset", "map", "curve"} {
		if p.has(k) {
			how += " by this " + k
			break
		}
	}
	switch {
	case math.IsInf(r.lo, 0) && math.IsInf(r.hi, 0):
		return how + " comes to any number"
	case math.IsInf(r.lo, 0):
		return fmt.Sprintf("%s comes to at most %s", how, plain(r.hi))
	case math.IsInf(r.hi, 0):
		return fmt.Sprintf("%s comes to at least %s", how, plain(r.lo))
	}
	return fmt.Sprintf("%s comes to %s to %s", how, plain(r.lo), plain(r.hi))
}

// comes refuses a limit that no value and no bad reading reaches, and warns of
// one that only a reading beyond the end reaches.
func (j *judge) comes(p *point, a *rung) {
	r, limit := p.reach, a.given(a.cond)
	if r == nil || limit == nil {
		return
	}
	l := a.def.Limit
	high, low := drivers.Compare(l[0], r.hi) > 0, drivers.Compare(l[0], r.lo) < 0
	switch {
	case a.def.Condition == alarm.Above && high && !r.over, a.def.Condition == alarm.Below && low && !r.under:
		j.strictf(limit.place, "%s is out of reach, so the alarm would never come: %s", limit.text, r.extent(p))
	case a.def.Condition == alarm.Above && high && !rangeSays(p, l[0]), a.def.Condition == alarm.Below && low && !rangeSays(p, l[0]):
		j.warnf(limit.place, "%s is out of reach, so the alarm comes only at what lies beyond valid or the curve: %s", limit.text, r.extent(p))
	case a.def.Condition == alarm.Outside && drivers.Compare(l[0], r.lo) <= 0 && drivers.Compare(l[1], r.hi) >= 0 && !r.over && !r.under:
		j.strictf(limit.place, "holds all that the point can be, so the alarm would never come: %s", r.extent(p))
	}
}

// rangeSays: reachable has warned of it already.
func rangeSays(p *point, limit float64) bool {
	return p.site.Range != nil && (limit > p.site.Range[1] || limit < p.site.Range[0])
}

// returns refuses a way back that no value reaches.
func (j *judge) returns(p *point, a *rung, v *value, clear float64) {
	r := p.reach
	if r == nil || v == nil {
		return
	}
	if a.cond == "above" && drivers.Compare(clear, r.lo) <= 0 || a.cond == "below" && drivers.Compare(clear, r.hi) >= 0 {
		if p.site.Range != nil && (clear <= p.site.Range[0] || clear >= p.site.Range[1]) {
			return // reachable has said so
		}
		j.strictf(v.place, "%s is the end of what the point can be, so the alarm could never clear: %s", v.text, r.extent(p))
	}
}
