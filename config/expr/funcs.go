package expr

import "time"

// A function is known, with how it is called.
type function struct {
	usage string
	// args has a letter for each argument: n a number or a truth, b a truth,
	// p a point with a number or a truth, d a duration, t a time of day, k a
	// whole number that is written out, T a table. Those from need on may be
	// left out; with more, the last one repeats.
	args string
	need int
	more bool

	op     op
	window windowKind // of opWindow
	over   windowKind // what it is of one point over a time, as avg(p, 10m); 0 = it can't be

	truth  bool   // the result is a truth
	follow bool   // the result is a truth where all of n and p are
	unit   bool   // all of n and p, and the result, share a unit
	per    string // behind the unit of the result
}

var functions = map[string]function{
	"if":    {usage: "if(condition, then, else)", args: "bnn", need: 3, op: opIf, follow: true, unit: true},
	"abs":   {usage: "abs(x)", args: "n", need: 1, op: opAbs, unit: true},
	"min":   {usage: "min(x, y, ...) or min(point, 10m)", args: "nn", need: 2, more: true, op: opMin, over: wMin, unit: true},
	"max":   {usage: "max(x, y, ...) or max(point, 10m)", args: "nn", need: 2, more: true, op: opMax, over: wMax, unit: true},
	"round": {usage: "round(x) or round(x, decimals)", args: "nk", need: 1, op: opRound, unit: true},

	"sqrt":   {usage: "sqrt(x)", args: "n", need: 1, op: opSqrt},
	"pow":    {usage: "pow(x, y)", args: "nn", need: 2, op: opPow},
	"interp": {usage: "interp([[x1, y1], [x2, y2], ...], x)", args: "Tn", need: 2, op: opInterp},
	"avg":    {usage: "avg(x, y, ...) or avg(point, 10m)", args: "n", need: 1, more: true, op: opAvg, over: wAvg, unit: true},
	"median": {usage: "median(x, y, ...) or median(point, 10m)", args: "n", need: 1, more: true, op: opMedian, over: wMedian, unit: true},
	"sum":    {usage: "sum(x, y, ...)", args: "n", need: 1, more: true, op: opSum, unit: true},
	"count":  {usage: "count(a, b, ...)", args: "b", need: 1, more: true, op: opCount},
	"delta":  {usage: "delta(point, 1h)", args: "pd", need: 2, op: opWindow, window: wDelta, unit: true},
	"rate":   {usage: "rate(point, 10m)", args: "pd", need: 2, op: opWindow, window: wRate, unit: true, per: "/h"},
	"held":   {usage: "held(condition, 5m)", args: "bd", need: 2, op: opWindow, window: wHeld, truth: true},
	"since":  {usage: "since(point, '08:00')", args: "pt", need: 2, op: opWindow, window: wSince, unit: true},
	"good":   {usage: "good(point, fallback)", args: "pn", need: 2, op: opGood, follow: true, unit: true},
	"vote":   {usage: "vote(2, a, b, c)", args: "kbb", need: 3, more: true, op: opVote, truth: true},
}

// call is a function with its arguments; its name has been taken.
func (p *parser) call(name token) term {
	opened := p.tok.col
	f, ok := functions[name.text]
	if !ok {
		return p.unknownFunction(name)
	}
	p.next()
	var args []term
	for !p.is(")") && p.err == nil {
		if len(args) == 0 && f.args[0] == 'T' {
			args = append(args, p.pairs(f))
		} else {
			args = append(args, p.expression())
		}
		if !p.accept(",") {
			break
		}
		if p.is(")") {
			p.fail(p.tok.col, "there is nothing behind the last comma")
		}
	}
	p.closing(opened)
	if f.over != 0 && len(args) == 2 && args[1].typ == span {
		f = function{usage: f.usage, args: "pd", need: 2, op: opWindow, window: f.over, unit: true}
	}
	if len(args) < f.need || len(args) > len(f.args) && !f.more {
		return p.fail(name.col, "%s has %d arguments here; write %s", name, len(args), f.usage)
	}
	return p.apply(name, f, args)
}

func (p *parser) unknownFunction(name token) term {
	names := make([]string, 0, len(functions))
	for n := range functions {
		names = append(names, n)
	}
	if n := near(name.text, names); n != "" {
		return p.fail(name.col, "unknown function %q; did you mean %s?", name.text, functions[n].usage)
	}
	return p.fail(name.col, "unknown function %q", name.text)
}

// apply judges the arguments and makes the node.
func (p *parser) apply(name token, f function, args []term) term {
	result := term{node: &node{op: f.op}, col: name.col}
	if f.truth || f.follow {
		result.typ = truth
	}
	shared := result // the first that has a unit
	for i, a := range args {
		letter := f.args[min(i, len(f.args)-1)]
		p.argument(f, letter, a)
		result.args = append(result.args, a.node)
		if letter != 'n' && letter != 'p' {
			continue
		}
		if f.follow && a.typ != truth {
			result.typ = numeric
		}
		if !f.unit {
			continue
		}
		p.unify(shared, a)
		if shared.unit == "" {
			shared = a
		}
	}
	if result.unit = shared.unit; result.unit != "" {
		result.unit += f.per
	}
	if n := args[0].num; f.op == opVote && (n < 1 || n > float64(len(args)-1)) {
		p.fail(args[0].col, "%g of %d is no vote", n, len(args)-1)
	}
	if p.err == nil {
		p.finishCall(result.node, f)
	}
	return result
}

// finishCall gives those functions what they need that are more than their
// arguments' values.
func (p *parser) finishCall(n *node, f function) {
	switch n.op {
	case opGood:
		n.args[1] = guard(n.args[1])
	case opVote:
		n.num = n.args[0].num
		n.args = n.args[1:]
		for i, a := range n.args {
			n.args[i] = guard(a)
		}
	case opMedian:
		n.input = p.scratch
		p.scratch += len(n.args)
	case opInterp:
		n.table = n.args[0].table
		n.args = n.args[1:]
	case opWindow:
		p.window(n, f)
	}
}

// window makes one of a call like delta(p, 1h); its node keeps the first
// argument, whose inputs it needs.
func (p *parser) window(n *node, f function) {
	what, length := n.args[0], n.args[1]
	w := window{kind: f.window, input: what.input, length: time.Duration(length.num)}
	switch f.window {
	case wHeld:
		w.cond = guard(what)
	case wSince:
		t, _ := time.Parse("15:04", length.text) // argument has judged it
		w.tod = int64(t.Hour()*60+t.Minute()) * time.Minute.Milliseconds()
		w.length = dayMS * time.Millisecond
	}
	n.args, n.input = n.args[:1], len(p.windows)
	p.windows = append(p.windows, w)
}

func (p *parser) argument(f function, letter byte, a term) {
	switch letter {
	case 'n':
		p.wantNumber(a)
	case 'b':
		p.wantTruth(a)
	case 'p':
		if a.op != opPoint || a.typ == words {
			p.fail(a.col, "a point with a number must stand here; write %s", f.usage)
		}
	case 'd':
		if a.typ != span {
			p.fail(a.col, "a duration such as 10m must stand here; write %s", f.usage)
		} else if a.num > float64(longest) {
			p.fail(a.col, "longer than a year, which is more than a window may look back")
		}
	case 't':
		if a.op != opText {
			p.fail(a.col, "a text in single quotes must stand here; write %s", f.usage)
		} else if _, err := time.Parse("15:04", a.text); err != nil {
			p.fail(a.col, "%s is no time of day such as '08:00'", a)
		}
	case 'k':
		if a.op != opNumber || a.typ != numeric || a.num != float64(int(a.num)) || a.num > maxDecimals {
			p.fail(a.col, "a whole number from 0 to %d must stand here; write %s", maxDecimals, f.usage)
		}
	}
}

// longest a window may be.
const longest = 366 * 24 * time.Hour

// maxDecimals bounds round; a float64 has no more than 15 sure digits.
const maxDecimals = 15

// pairs is a table as it stands in interp, in the form of a point's curve.
func (p *parser) pairs(f function) term {
	t := term{node: &node{op: opNumber}, col: p.tok.col}
	if !p.accept("[") {
		return p.fail(t.col, "a table must stand here; write %s", f.usage)
	}
	for p.err == nil {
		at := p.tok.col
		if !p.accept("[") {
			return p.fail(p.tok.col, "a pair such as [0, 25.5] must stand here; write %s", f.usage)
		}
		x := p.constant()
		if !p.accept(",") {
			p.fail(p.tok.col, "a comma and a second number must stand here; write %s", f.usage)
		}
		y := p.constant()
		if n := len(t.table); n > 0 && x <= t.table[n-2] {
			p.fail(at, "%g is not above %g; the first numbers of a table must rise", x, t.table[n-2])
		}
		t.table = append(t.table, x, y)
		p.closeBracket(at)
		if !p.accept(",") {
			break
		}
	}
	p.closeBracket(t.col)
	if len(t.table) < 4 {
		p.fail(t.col, "a table has two pairs or more; write %s", f.usage)
	}
	return t
}

func (p *parser) closeBracket(opened int) {
	if !p.accept("]") {
		p.fail(p.tok.col, "there is no ] for the [ at column %d", opened)
	}
}

// constant is a number with its sign.
func (p *parser) constant() float64 {
	sign := 1.0
	if p.accept("-") {
		sign = -1
	}
	t := p.tok
	if t.kind != number {
		p.fail(t.col, "a number must stand here")
	}
	p.next()
	return sign * t.num
}
