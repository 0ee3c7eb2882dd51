package expr

import "time"

// A function is known, and how it is called judged, even where this version
// does not evaluate it yet.
type function struct {
	usage string
	// args has a letter for each argument: n a number or a truth, b a truth,
	// p a point with a number or a truth, d a duration, s a text, t a time of
	// day, k a whole number that is written out. Those from need on may be left
	// out; with more, the last one repeats.
	args string
	need int
	more bool

	op     op
	truth  bool // the result is a truth
	follow bool // the result is a truth where all of n and p are
	unit   bool // all of n and p, and the result, share a unit
}

var functions = map[string]function{
	"if":    {usage: "if(condition, then, else)", args: "bnn", need: 3, op: opIf, follow: true, unit: true},
	"abs":   {usage: "abs(x)", args: "n", need: 1, op: opAbs, unit: true},
	"min":   {usage: "min(x, y, ...)", args: "nn", need: 2, more: true, op: opMin, unit: true},
	"max":   {usage: "max(x, y, ...)", args: "nn", need: 2, more: true, op: opMax, unit: true},
	"round": {usage: "round(x) or round(x, decimals)", args: "nk", need: 1, op: opRound, unit: true},

	"sqrt":   {usage: "sqrt(x)", args: "n", need: 1, op: opLater},
	"pow":    {usage: "pow(x, y)", args: "nn", need: 2, op: opLater},
	"interp": {usage: "interp('table', x)", args: "sn", need: 2, op: opLater},
	"avg":    {usage: "avg(x, y, ...)", args: "n", need: 1, more: true, op: opLater, unit: true},
	"median": {usage: "median(x, y, ...)", args: "n", need: 1, more: true, op: opLater, unit: true},
	"sum":    {usage: "sum(x, y, ...)", args: "n", need: 1, more: true, op: opLater, unit: true},
	"count":  {usage: "count(a, b, ...)", args: "b", need: 1, more: true, op: opLater},
	"delta":  {usage: "delta(point, 1h)", args: "pd", need: 2, op: opLater, unit: true},
	"rate":   {usage: "rate(point, 10m)", args: "pd", need: 2, op: opLater},
	"held":   {usage: "held(condition, 5m)", args: "bd", need: 2, op: opLater, truth: true},
	"since":  {usage: "since(point, '08:00')", args: "pt", need: 2, op: opLater, unit: true},
	"good":   {usage: "good(point, fallback)", args: "pn", need: 2, op: opLater, follow: true, unit: true},
	"vote":   {usage: "vote(2, a, b, c)", args: "kbb", need: 3, more: true, op: opLater, truth: true},
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
		args = append(args, p.expression())
		if !p.accept(",") {
			break
		}
		if p.is(")") {
			p.fail(p.tok.col, "there is nothing behind the last comma")
		}
	}
	p.closing(opened)
	if len(args) < f.need || len(args) > len(f.args) && !f.more {
		return p.fail(name.col, "%s has %d arguments here; write %s", name, len(args), f.usage)
	}
	if f.op == opLater {
		p.later = note(p.later, name.text)
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
	result.unit = shared.unit
	if n := args[0].num; name.text == "vote" && (n < 1 || n > float64(len(args)-1)) {
		p.fail(args[0].col, "%g of %d is no vote", n, len(args)-1)
	}
	return result
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
		}
	case 's', 't':
		if a.op != opText {
			p.fail(a.col, "a text in single quotes must stand here; write %s", f.usage)
		} else if _, err := time.Parse("15:04", a.text); letter == 't' && err != nil {
			p.fail(a.col, "%s is no time of day such as '08:00'", a)
		}
	case 'k':
		if a.op != opNumber || a.typ != numeric || a.num != float64(int(a.num)) || a.num > maxDecimals {
			p.fail(a.col, "a whole number from 0 to %d must stand here; write %s", maxDecimals, f.usage)
		}
	}
}

// maxDecimals bounds round; a float64 has no more than 15 sure digits.
const maxDecimals = 15
