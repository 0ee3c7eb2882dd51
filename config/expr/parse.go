package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"pithead/drivers"
)

const (
	maxLength = 1000 // characters of an expression
	maxDepth  = 100  // of what calls itself here: about 50 parentheses
)

// parser reads one expression and judges it as it goes. After the first
// mistake the tokens end, so that every rule below comes to its end by itself.
type parser struct {
	src    []rune
	pos    int // of the rune behind tok
	tok    token
	depth  int
	env    Env
	err    *Error
	inputs []string

	windows []window
	scratch int // arguments of medians
	moody   bool
}

// Parse compiles an expression; what env does not know is a mistake. The error
// is an *Error.
func Parse(src string, env Env) (*Expr, error) {
	p := &parser{env: env}
	switch {
	case !utf8.ValidString(src):
		p.fail(1, "an expression must be UTF-8")
	case strings.TrimSpace(src) == "":
		p.fail(1, "the expression is empty")
	case utf8.RuneCountInString(src) > maxLength:
		p.fail(1, "an expression has at most %d characters; give parts of it points of their own", maxLength)
	default:
		p.src = []rune(src)
	}
	p.next()
	root := p.expression()
	p.finish(root)
	if p.err != nil {
		return nil, p.err
	}
	kind := drivers.Number
	if root.typ == truth {
		kind = drivers.Bool
	}
	e := &Expr{source: src, root: guard(root.node), inputs: p.inputs, windows: p.windows, scratch: p.scratch, kind: kind, unit: root.unit, moody: p.moody}
	for _, w := range p.windows {
		e.reach = max(e.reach, w.length)
	}
	return e, nil
}

// finish judges what stands behind the expression, and what it is as a whole.
func (p *parser) finish(root term) {
	switch t := p.tok; {
	case t.kind == sign && t.text == ")":
		p.fail(t.col, "there is no ( for this )")
	case t.kind == word && near(t.text, []string{"and", "or"}) != "":
		p.fail(t.col, "%s is not known here; did you mean %s?", t.text, near(t.text, []string{"and", "or"}))
	case t.kind != end:
		p.fail(t.col, "there is no operator before %s", t)
	case root.typ != numeric && root.typ != truth:
		p.fail(root.col, "the result is a %s, not a number or a truth", root.typ)
	}
}

// fail notes the first mistake and stands for the term that was expected.
func (p *parser) fail(col int, format string, args ...any) term {
	if p.err == nil {
		p.err = &Error{Col: col, Text: fmt.Sprintf(format, args...)}
	}
	p.pos = len(p.src)
	p.tok = token{col: p.pos + 1}
	return term{node: &node{}, typ: numeric, col: col}
}

func (p *parser) is(s string) bool {
	return (p.tok.kind == sign || p.tok.kind == word) && p.tok.text == s
}

// accept takes the token if it is s.
func (p *parser) accept(s string) bool {
	if !p.is(s) {
		return false
	}
	p.next()
	return true
}

// enter counts how deep the rules have called themselves.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(p.tok.col, "this is nested too deep; give parts of it points of their own")
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

func (p *parser) expression() term {
	a := p.conjunction()
	for p.is("or") {
		col := p.tok.col
		p.next()
		a = p.logic(opOr, col, a, p.conjunction())
	}
	return a
}

func (p *parser) conjunction() term {
	a := p.negation()
	for p.is("and") {
		col := p.tok.col
		p.next()
		a = p.logic(opAnd, col, a, p.negation())
	}
	return a
}

func (p *parser) negation() term {
	if !p.is("not") {
		return p.comparison()
	}
	defer p.leave()
	if !p.enter() {
		return term{node: &node{}}
	}
	col := p.tok.col
	p.next()
	return p.logic(opNot, col, p.negation())
}

var comparisons = map[string]op{"==": opEq, "<>": opNe, "<": opLt, "<=": opLe, ">": opGt, ">=": opGe}

func (p *parser) comparison() term {
	a := p.sum()
	o, ok := comparisons[p.tok.text]
	if !ok || p.tok.kind != sign {
		return a
	}
	col := p.tok.col
	p.next()
	b := p.sum()
	if p.tok.kind == sign && comparisons[p.tok.text] != 0 {
		return p.fail(p.tok.col, "comparisons can't be chained; write a < b and b < c")
	}
	return p.compare(o, col, a, b)
}

func (p *parser) sum() term {
	a := p.product()
	for p.is("+") || p.is("-") {
		o := opAdd
		if p.is("-") {
			o = opSub
		}
		p.next()
		b := p.product()
		unit := p.unify(a, b)
		a = p.arithmetic(o, a, b)
		a.unit = unit
	}
	return a
}

// product forgets units: level * 100 may well be what makes centimetres of it.
func (p *parser) product() term {
	a := p.signed()
	for p.is("*") || p.is("/") {
		o := opMul
		if p.is("/") {
			o = opDiv
		}
		p.next()
		a = p.arithmetic(o, a, p.signed())
	}
	return a
}

func (p *parser) signed() term {
	defer p.leave()
	if !p.enter() {
		return term{node: &node{}}
	}
	col := p.tok.col
	if p.accept("-") {
		a := p.signed()
		p.wantNumber(a)
		return term{node: &node{op: opNeg, args: []*node{a.node}}, typ: numeric, unit: a.unit, col: col}
	}
	return p.power()
}

func (p *parser) power() term {
	a := p.primary()
	if p.accept("^") {
		return p.arithmetic(opPow, a, p.signed())
	}
	return a
}

func (p *parser) primary() term {
	t := p.tok
	switch {
	case t.kind == number:
		p.next()
		return term{node: &node{op: opNumber, num: t.num}, typ: numeric, col: t.col}
	case t.kind == duration:
		p.next()
		return term{node: &node{op: opNumber, num: t.num}, typ: span, col: t.col}
	case t.kind == text:
		p.next()
		return term{node: &node{op: opText, text: t.text}, typ: words, col: t.col}
	case t.kind == word:
		return p.name()
	case p.accept("("):
		a := p.expression()
		p.closing(t.col)
		return a
	case t.kind == end:
		return p.fail(t.col, "the expression ends too soon")
	case p.is("["):
		return p.fail(t.col, "a table stands only in %s", functions["interp"].usage)
	}
	return p.fail(t.col, "%s stands where a number or a point should", t)
}

func (p *parser) closing(opened int) {
	if p.accept(")") || p.err != nil {
		return
	}
	if p.tok.kind == end {
		p.fail(p.tok.col, "there is no ) for the ( at column %d", opened)
		return
	}
	p.fail(p.tok.col, "%s stands where a ) or an operator should, for the ( at column %d", p.tok, opened)
}
