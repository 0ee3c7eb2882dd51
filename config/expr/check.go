package expr

import (
	"slices"
	"strings"

	"pithead/drivers"
)

// typ is what a term is while it is compiled.
type typ uint8

const (
	numeric typ = iota
	truth
	words
	span
)

func (t typ) String() string { return [...]string{"number", "truth", "text", "duration"}[t] }

// A term is a node with what only the compiler needs to know.
type term struct {
	*node
	typ     typ
	unit    string
	states  []State
	name    string // of a point
	literal bool   // true or false
	col     int
}

func (t term) String() string {
	if t.name != "" {
		return t.name
	}
	if t.op == opText {
		return "'" + t.text + "'"
	}
	return "this " + t.typ.String()
}

var modes = []State{
	{drivers.TextValue("running"), "running"}, {drivers.TextValue("maintenance"), "maintenance"},
	{drivers.TextValue("sealed"), "sealed"}, {drivers.TextValue("closed"), "closed"},
}

// name is a word that stands where a value should.
func (p *parser) name() term {
	t := p.tok
	p.next()
	switch t.text {
	case "and", "or", "not":
		return p.fail(t.col, "%s stands where a number or a point should", t)
	case "true":
		return term{node: &node{op: opNumber, num: 1}, typ: truth, literal: true, col: t.col}
	case "false":
		return term{node: &node{op: opNumber}, typ: truth, literal: true, col: t.col}
	case "mode":
		p.moody = true
		return term{node: &node{op: opMode}, typ: words, states: modes, name: "mode", col: t.col}
	}
	if p.is("(") {
		return p.call(t)
	}
	return p.point(t)
}

// input is the place of a point among the inputs.
func (p *parser) input(id string) int {
	i := slices.Index(p.inputs, id)
	if i < 0 {
		i = len(p.inputs)
		p.inputs = append(p.inputs, id)
	}
	return i
}

func (p *parser) point(t token) term {
	info, ok := p.env.Point(t.text)
	if !ok {
		return p.unknownPoint(t)
	}
	a := term{
		node: &node{op: opPoint, input: p.input(t.text)},
		unit: info.Unit, states: info.States, name: t.text, col: t.col,
	}
	switch info.Kind {
	case drivers.Bool:
		a.typ = truth
	case drivers.Text:
		a.typ = words
	}
	return a
}

func (p *parser) unknownPoint(t token) term {
	if f, ok := functions[t.text]; ok {
		return p.fail(t.col, "%s is a function; write %s", t, f.usage)
	}
	candidates := slices.Concat(p.env.Points(), []string{"and", "or", "not", "true", "false", "mode"})
	if n := near(t.text, candidates); n != "" {
		return p.fail(t.col, "unknown point %q; did you mean %s?", t.text, n)
	}
	return p.fail(t.col, "unknown point %q", t.text)
}

func (p *parser) wantNumber(t term) {
	if t.typ == words || t.typ == span {
		p.fail(t.col, "%s can't be calculated with", t)
	}
}

func (p *parser) wantTruth(t term) {
	switch t.typ {
	case numeric:
		p.fail(t.col, "%s is neither true nor false; compare it with something", t)
	case words, span:
		p.fail(t.col, "%s is neither true nor false", t)
	}
}

func (p *parser) logic(o op, col int, terms ...term) term {
	n := &node{op: o}
	for _, t := range terms {
		p.wantTruth(t)
		n.args = append(n.args, t.node)
	}
	return term{node: n, typ: truth, col: col}
}

func (p *parser) arithmetic(o op, a, b term) term {
	p.wantNumber(a)
	p.wantNumber(b)
	return term{node: &node{op: o, args: []*node{a.node, b.node}}, typ: numeric, col: a.col}
}

// unify is the unit that two terms share. What has no unit goes with every one.
func (p *parser) unify(a, b term) string {
	switch {
	case a.unit == "":
		return b.unit
	case b.unit != "" && !SameUnit(a.unit, b.unit):
		p.fail(b.col, "%s in %s doesn't go with %s in %s", b, b.unit, a, a.unit)
	}
	return a.unit
}

// SameUnit says whether two spellings are of one unit.
func SameUnit(a, b string) bool { return plainUnit(a) == plainUnit(b) }

// plainUnit makes the usual spellings of one unit one.
func plainUnit(u string) string {
	return strings.NewReplacer(" ", "", "³", "3", "²", "2", "℃", "°C", "µ", "u", "μ", "u", "％", "%").Replace(u)
}

func (p *parser) compare(o op, col int, a, b term) term {
	if a.op == opText {
		a, b = b, a // only == and <> may follow, which look the same from both sides
	}
	switch {
	case a.typ == span || b.typ == span:
		p.fail(col, "a duration can't be compared")
	case b.op == opText:
		return p.compareText(o, col, a, b)
	case a.typ == words || b.typ == words:
		if a.typ != b.typ {
			p.fail(col, "%s and %s can't be compared: one is a text", a, b)
		}
		return p.sameText(o, col, a, b)
	case a.literal && b.typ != truth || b.literal && a.typ != truth:
		p.fail(col, "a number is neither true nor false")
	}
	p.unify(a, b)
	return term{node: &node{op: o, args: []*node{a.node, b.node}}, typ: truth, col: col}
}

// compareText compares with a text that stands in the expression: the label of
// a state, a mode, or what a text point may hold.
func (p *parser) compareText(o op, col int, a, b term) term {
	switch {
	case a.op == opText:
		return p.fail(col, "two texts that never change can't be compared")
	case len(a.states) == 0 && a.typ != words:
		return p.fail(b.col, "%s has no states, so it can't be compared with %s", a, b)
	case len(a.states) == 0:
		return p.sameText(o, col, a, b)
	}
	i := slices.IndexFunc(a.states, func(s State) bool { return s.Label == b.text })
	if i < 0 {
		return p.fail(b.col, "%s is never %s; %s", a, b, knownStates(b.text, a.states))
	}
	v := a.states[i].Value
	if v.Kind() == drivers.Text {
		b.node = &node{op: opText, text: v.Str()}
		return p.sameText(o, col, a, b)
	}
	return p.equal(o, col, a, &node{op: opNumber, num: v.Float()})
}

func knownStates(s string, states []State) string {
	labels := make([]string, len(states))
	for i, st := range states {
		labels[i] = st.Label
	}
	if n := near(s, labels); n != "" {
		return "did you mean '" + n + "'?"
	}
	return "it is one of '" + strings.Join(labels, "', '") + "'"
}

// equal allows == and <> only, since names have no order.
func (p *parser) equal(o op, col int, a term, b *node) term {
	if o != opEq && o != opNe {
		return p.fail(col, "a text can only be compared by == or <>")
	}
	return term{node: &node{op: o, args: []*node{a.node, b}}, typ: truth, col: col}
}

func (p *parser) sameText(o op, col int, a, b term) term {
	t := p.equal(o, col, a, b.node)
	switch o {
	case opEq:
		t.op = opSame
	case opNe:
		t.op = opOther
	}
	return t
}
