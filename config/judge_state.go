package config

import (
	"fmt"
	"strings"

	"pithead/config/expr"
	"pithead/drivers"
)

// judgeValues reads the names of a point's values, which need its kind.
func (j *judge) judgeValues(p *point) { j.statesOf(p) }

// statesOf are the names of a point's values; they are judged the first time.
func (j *judge) statesOf(p *point) []expr.State {
	o := p.sub("states")
	if o != nil && p.site.States == nil && p.kind != drivers.None {
		p.site.States = j.readStates(p, o)
	}
	out := make([]expr.State, len(p.site.States))
	for i, s := range p.site.States {
		out[i] = expr.State{Value: s.Value, Label: s.Label}
	}
	return out
}

func (j *judge) readStates(p *point, o *object) []State {
	out := []State{}
	labels := map[string]bool{}
	for _, k := range o.keys {
		v := o.vals[k]
		if v == nil {
			continue
		}
		n, problem := p.raw(k)
		if problem != "" {
			j.errorf(o.at[k], "%s", problem)
		}
		if labels[v.text] {
			j.errorf(v.place, "%q names two values; want a name of its own for each", v.text)
		}
		labels[v.text] = true
		out = append(out, State{Value: n, Label: v.text})
	}
	return out
}

// raw is a value of the point by its text.
func (p *point) raw(t string) (drivers.Value, string) {
	switch p.kind {
	case drivers.Text:
		if p.has("bands") {
			return drivers.Value{}, fmt.Sprintf("%q is none of its bands", t)
		}
		return drivers.TextValue(t), ""
	case drivers.Bool:
		if n, ok := truths[strings.ToLower(t)]; ok {
			return drivers.BoolValue(n == 1), ""
		}
		if t == "0" || t == "1" {
			return drivers.BoolValue(t == "1"), ""
		}
		return drivers.Value{}, fmt.Sprintf("%q is no value of a point that is 0 or 1; want 0 or 1", t)
	}
	v := value{text: t}
	if problem := number.scan(&v); problem != "" {
		return drivers.Value{}, problem
	}
	if p.scaled() {
		return drivers.NumberValue(v.num), ""
	}
	if problem := p.fits(v.num); problem != "" {
		return drivers.Value{}, t + " " + problem
	}
	return p.exactly(v), ""
}

// scaled says whether the value is another number than the raw one.
func (p *point) scaled() bool {
	return p.has("scale") || p.has("offset") || p.has("map") || p.has("curve")
}

// exactly keeps the digits that a 64-bit integer has beyond a float64.
func (p *point) exactly(v value) drivers.Value {
	switch {
	case p.site.Type == "u64" && v.hex:
		return drivers.UintValue(v.bits)
	case p.site.Type == "u64":
		var u uint64
		if _, err := fmt.Sscan(v.text, &u); err == nil {
			return drivers.UintValue(u)
		}
	case p.site.Type == "i64" && v.hex:
		return drivers.IntValue(int64(v.bits))
	case p.site.Type == "i64":
		var i int64
		if _, err := fmt.Sscan(v.text, &i); err == nil {
			return drivers.IntValue(i)
		}
	}
	return drivers.NumberValue(v.num)
}

// exact is a value of the point by the label of its state or its text.
func (j *judge) exact(p *point, v *value) (drivers.Value, bool) {
	if v == nil || p.kind == drivers.None {
		return drivers.Value{}, false
	}
	var labels []string
	for _, s := range p.site.States {
		if s.Label == v.text {
			return s.Value, true
		}
		labels = append(labels, s.Label)
	}
	n, problem := p.raw(v.text)
	switch {
	case problem == "":
		return n, true
	case p.broken("states"):
	case len(labels) > 0:
		if w := j.near(v.text, labels); w != "" {
			j.errorf(v.place, "%q is no state of %s; did you mean %q?", v.text, p.id, w)
		} else {
			j.errorf(v.place, "%q is no state of %s; want %s", v.text, p.id, orList(labels))
		}
	default:
		j.errorf(v.place, "%s", problem)
	}
	return drivers.Value{}, false
}
