package expr

import (
	"math"

	"pithead/drivers"
)

type op uint8

const (
	opNone op = iota
	opNumber
	opText
	opPoint
	opNeg
	opAdd
	opSub
	opMul
	opDiv
	opPow
	opEq
	opNe
	opLt
	opLe
	opGt
	opGe
	opSame // of two texts
	opOther
	opNot
	opAnd
	opOr
	opIf
	opAbs
	opMin
	opMax
	opRound
	opLater
)

// A node is one step of an evaluation. A truth is 0 or 1.
type node struct {
	op   op
	args []*node
	num  float64 // of opNumber
	text string  // of opText; of opPoint its id
}

// Eval is the value of the expression, of its Kind, or none and drivers.Input
// while an input is not good or anything that is calculated on the way is
// infinite or not a number; what if, and, or leave out is not calculated. It
// does not allocate.
func (e *Expr) Eval(get func(id string) Sample) (drivers.Value, drivers.Quality) {
	if len(e.later) > 0 {
		return drivers.Value{}, drivers.Input
	}
	for _, id := range e.inputs {
		if get(id).Quality != drivers.Good {
			return drivers.Value{}, drivers.Input
		}
	}
	f, ok := e.root.eval(get)
	switch {
	case !ok:
		return drivers.Value{}, drivers.Input
	case e.kind == drivers.Bool:
		return drivers.BoolValue(f != 0), drivers.Good
	}
	return drivers.NumberValue(f + 0), drivers.Good // -0 + 0 is 0
}

// eval says false where there is no finite value.
func (n *node) eval(get func(string) Sample) (float64, bool) {
	switch n.op {
	case opNumber:
		return n.num, true
	case opPoint:
		return finite(get(n.text).Value.Float())
	case opSame, opOther:
		return n.evalText(get)
	case opAnd, opOr, opIf:
		return n.evalLazy(get)
	case opMin, opMax:
		return n.evalExtreme(get)
	}
	if len(n.args) == 0 {
		return 0, false
	}
	a, ok := n.args[0].eval(get)
	if !ok {
		return 0, false
	}
	if len(n.args) == 1 {
		return n.evalOne(a)
	}
	b, ok := n.args[1].eval(get)
	if !ok {
		return 0, false
	}
	return n.evalTwo(a, b)
}

func (n *node) evalOne(a float64) (float64, bool) {
	switch n.op {
	case opNeg:
		return -a, true
	case opNot:
		return 1 - a, true
	case opAbs:
		return math.Abs(a), true
	case opRound:
		return drivers.Round(a, 0), true
	}
	return 0, false
}

func (n *node) evalTwo(a, b float64) (float64, bool) {
	switch n.op {
	case opAdd:
		return finite(a + b)
	case opSub:
		return finite(a - b)
	case opMul:
		return finite(a * b)
	case opDiv:
		return finite(a / b)
	case opPow:
		return finite(math.Pow(a, b))
	case opRound:
		return drivers.Round(a, int(b)), true
	}
	return n.evalCompare(drivers.Compare(a, b))
}

func (n *node) evalCompare(c int) (float64, bool) {
	switch n.op {
	case opEq:
		return fromBool(c == 0)
	case opNe:
		return fromBool(c != 0)
	case opLt:
		return fromBool(c < 0)
	case opLe:
		return fromBool(c <= 0)
	case opGt:
		return fromBool(c > 0)
	case opGe:
		return fromBool(c >= 0)
	}
	return 0, false
}

// evalLazy leaves out what the first argument decides, so that
// if(x == 0, 0, 1/x) has a value at 0.
func (n *node) evalLazy(get func(string) Sample) (float64, bool) {
	a, ok := n.args[0].eval(get)
	switch {
	case !ok:
		return 0, false
	case n.op == opAnd && a == 0, n.op == opOr && a != 0:
		return a, true
	case n.op == opIf && a == 0:
		return n.args[2].eval(get)
	}
	return n.args[1].eval(get)
}

func (n *node) evalExtreme(get func(string) Sample) (float64, bool) {
	var best float64
	for i, arg := range n.args {
		f, ok := arg.eval(get)
		if !ok {
			return 0, false
		}
		if i == 0 || n.op == opMin && f < best || n.op == opMax && f > best {
			best = f
		}
	}
	return best, true
}

func (n *node) evalText(get func(string) Sample) (float64, bool) {
	a, ok := n.args[0].str(get)
	if !ok {
		return 0, false
	}
	b, ok := n.args[1].str(get)
	if !ok {
		return 0, false
	}
	return fromBool((a == b) == (n.op == opSame))
}

func (n *node) str(get func(string) Sample) (string, bool) {
	if n.op == opText {
		return n.text, true
	}
	v := get(n.text).Value
	return v.Str(), v.Kind() == drivers.Text
}

func finite(f float64) (float64, bool) {
	return f, !math.IsInf(f, 0) && !math.IsNaN(f)
}

func fromBool(b bool) (float64, bool) {
	if b {
		return 1, true
	}
	return 0, true
}
