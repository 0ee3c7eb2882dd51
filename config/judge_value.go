package config

import (
	"errors"
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
		if m := e.j.top.sub("points"); m == nil || m.has(id) || e.j.maybe(id) {
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
	if u := p.site.Unit; u != "" && e.Unit() != "" && !expr.SameUnit(u, e.Unit()) {
		j.warnf(p.where("value"), "is in %s, but the point's unit is %s; want a factor, or the same unit", e.Unit(), u)
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

// condition is an expression that is true or false.
func (j *judge) condition(v *value) *expr.Expr {
	e := j.expression(v)
	if e != nil && e.Kind() == drivers.Number {
		j.strictf(v.place, "a number is neither true nor false; want it compared, as \"%s > 0\"", v.text)
	}
	return e
}

// withinText is the place of a character of a text. Where the file spells the text
// otherwise (escapes, several lines) it is the place of the whole.
func (j *judge) withinText(v *value, col int) place {
	at := v.place
	lines := j.lines[at.file]
	if at.line < 1 || at.line > len(lines) {
		return at
	}
	line := []rune(lines[at.line-1])
	start := at.col - 1
	if !v.plain {
		start++
	}
	if n := len([]rune(v.text)); start+n <= len(line) && string(line[start:start+n]) == v.text {
		at.col = start + col
	}
	return at
}
