package config

import (
	"errors"
	"fmt"
	"strings"

	"pithead/config/expr"
	"pithead/drivers"
)

// compileState is how far a computed point is.
type compileState uint8

const (
	notCompiled compileState = iota
	compiling
	compiled
)

// env shows the points of the file to an expression. Doubt is set once a point
// was asked for that is wrong itself: what follows from it is not told.
type env struct {
	j     *judge
	doubt bool
}

func (e *env) Points() []string {
	if len(e.j.list) > 500 {
		return nil
	}
	return e.j.points.ids
}

func (e *env) Point(id string) (expr.Info, bool) {
	p, ok := e.j.points.by[id]
	if !ok {
		if m := e.j.top.sub("points"); m == nil || m.has(id) {
			e.doubt = true
			return expr.Info{Kind: drivers.Number}, true
		}
		return expr.Info{}, false
	}
	e.j.compile(p)
	if p.kind == drivers.None {
		e.doubt = true
		return expr.Info{Kind: drivers.Number}, true
	}
	return expr.Info{Kind: p.kind, Unit: p.site.Unit, States: e.j.statesOf(p)}, true
}

// compile makes the expression of a computed point, its inputs' first.
func (j *judge) compile(p *point) {
	if p.source != "value" || p.state == compiled {
		return
	}
	if p.state == compiling {
		j.cycle(p)
		return
	}
	p.state = compiling
	j.stack = append(j.stack, p)
	e := j.expression(p.given("value"))
	j.stack = j.stack[:len(j.stack)-1]
	p.state = compiled
	if e == nil || p.broken("value") {
		return
	}
	p.site.Value, p.kind = e, e.Kind()
	p.site.OnChange = p.kind == drivers.Bool
	j.judgeNumbersOnly(p)
	for _, id := range e.Inputs() {
		if in := j.points.by[id]; in != nil && in.dormant {
			p.dormant = true
		}
	}
	for _, w := range e.Later() {
		p.dormant = true
		j.later = append(j.later, notYet{p.where("value"), p.path + ": value: " + w})
	}
}

// cycle tells of points that are computed from each other, once.
func (j *judge) cycle(p *point) {
	i := len(j.stack) - 1
	for j.stack[i] != p {
		i--
	}
	told := false
	var ids []string
	for _, q := range j.stack[i:] {
		ids = append(ids, q.id)
		told = told || q.broken("value")
	}
	last := j.stack[len(j.stack)-1]
	if !told {
		j.errorf(last.where("value"), "is computed from itself: %s; want one of them without the others", strings.Join(append(ids, p.id), " <- "))
	}
	for _, q := range j.stack[i:] {
		q.vals["value"] = nil
	}
}

// expression compiles a text, or tells what is wrong with it and where.
func (j *judge) expression(v *value) *expr.Expr {
	if v == nil {
		return nil
	}
	env := &env{j: j}
	e, err := expr.Parse(v.text, env)
	if err == nil {
		return e
	}
	var mistake *expr.Error
	switch {
	case env.doubt:
	case errors.As(err, &mistake):
		j.errorf(j.withinText(v, mistake.Col), "%s", mistake.Text)
	default:
		j.errorf(v.place, "%v", err)
	}
	return nil
}

// withinText is the place of a character of a text. Where the file spells the text
// otherwise (escapes, several lines) it is the place of the whole.
func (j *judge) withinText(v *value, col int) place {
	at := v.place
	if at.line < 1 || at.line > len(j.lines) {
		return at
	}
	line := []rune(j.lines[at.line-1])
	start := at.col - 1
	if !v.plain {
		start++
	}
	if n := len([]rune(v.text)); start+n <= len(line) && string(line[start:start+n]) == v.text {
		at.col = start + col
	}
	return at
}

// judgeValues reads the names of a point's values, which need its kind.
func (j *judge) judgeValues(p *point) { j.statesOf(p) }

// statesOf are the names of a point's values; they are judged the first time.
func (j *judge) statesOf(p *point) []expr.State {
	o := p.sub("states")
	if o != nil && p.site.States == nil && p.kind != drivers.None {
		p.site.States = j.readStates(p, o)
	}
	return states(p)
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
