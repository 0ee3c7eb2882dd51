package expr

import (
	"math"
	"slices"

	"pithead/drivers"
)

type op uint8

const (
	opNone op = iota
	opNumber
	opText
	opPoint
	opMode

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
	opSqrt
	opInterp
	opAvg
	opMedian
	opSum
	opCount
	opGood
	opVote
	opGuard  // its argument, if what that needs is good
	opWindow // what a window says
)

// A node is one step of an evaluation. A truth is 0 or 1.
type node struct {
	op    op
	args  []*node
	num   float64 // of opNumber; of opVote how many
	text  string  // of opText
	input int     // of opPoint; of opWindow which window; of opMedian where its scratch begins
	needs []int   // of opGuard: inputs
	table []float64
}

// guard is what its argument comes to, if the inputs are good that it can't do
// without.
func guard(n *node) *node {
	g := &node{op: opGuard, args: []*node{n}}
	g.need(n)
	return g
}

func (g *node) need(n *node) {
	switch n.op {
	case opGood, opVote: // judge quality themselves
	case opPoint:
		if !slices.Contains(g.needs, n.input) {
			g.needs = append(g.needs, n.input)
		}
	default:
		for _, a := range n.args {
			g.need(a)
		}
	}
}

// eval says false where there is no finite value.
func (n *node) eval(u *Use) (float64, bool) {
	switch n.op {
	case opNumber:
		return n.num, true
	case opPoint:
		return finite(u.get(n.input).Value.Float())
	case opWindow:
		return finiteIf(u.windows[n.input].value())
	case opSame, opOther:
		return n.evalText(u)
	case opAnd, opOr, opIf:
		return n.evalLazy(u)
	case opGuard, opGood, opVote:
		return n.evalQuality(u)
	case opMin, opMax, opAvg, opSum, opCount, opMedian:
		return n.evalMany(u)
	}
	if len(n.args) == 0 {
		return 0, false
	}
	a, ok := n.args[0].eval(u)
	if !ok {
		return 0, false
	}
	if len(n.args) == 1 {
		return n.evalOne(a)
	}
	b, ok := n.args[1].eval(u)
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
	case opSqrt:
		return finite(math.Sqrt(a))
	case opInterp:
		return interpolate(n.table, a)
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
func (n *node) evalLazy(u *Use) (float64, bool) {
	a, ok := n.args[0].eval(u)
	switch {
	case !ok:
		return 0, false
	case n.op == opAnd && a == 0, n.op == opOr && a != 0:
		return a, true
	case n.op == opIf && a == 0:
		return n.args[2].eval(u)
	}
	return n.args[1].eval(u)
}

// evalQuality is of those that look at quality.
func (n *node) evalQuality(u *Use) (float64, bool) {
	switch n.op {
	case opVote:
		return n.evalVote(u)
	case opGood:
		if u.get(n.args[0].input).Quality == drivers.Good {
			if f, ok := n.args[0].eval(u); ok {
				return f, true
			}
		}
		return n.args[1].eval(u)
	}
	for _, i := range n.needs {
		if u.get(i).Quality != drivers.Good {
			return 0, false
		}
	}
	return n.args[0].eval(u)
}

// evalVote is true or false as soon as what is bad can't change it.
func (n *node) evalVote(u *Use) (float64, bool) {
	var yes, unknown float64
	for _, a := range n.args {
		f, ok := a.eval(u)
		switch {
		case !ok:
			unknown++
		case f != 0:
			yes++
		}
	}
	if yes < n.num && yes+unknown >= n.num {
		return 0, false
	}
	return fromBool(yes >= n.num)
}

// evalMany is of functions with any number of arguments.
func (n *node) evalMany(u *Use) (float64, bool) {
	var sum, best float64
	for i, arg := range n.args {
		f, ok := arg.eval(u)
		if !ok {
			return 0, false
		}
		sum += f
		if i == 0 || n.op == opMin && f < best || n.op == opMax && f > best {
			best = f
		}
		if n.op == opMedian {
			u.scratch[n.input+i] = f
		}
	}
	switch n.op {
	case opMin, opMax:
		return best, true
	case opAvg:
		return finite(sum / float64(len(n.args)))
	case opMedian:
		return finite(median(u.scratch[n.input : n.input+len(n.args)]))
	}
	return finite(sum)
}

// median sorts what it is given; of an even number it is the mean of the two in
// the middle.
func median(fs []float64) float64 {
	for i := range fs { // at most 500, of a window 128: the binary has no sort for them alone
		for j := i; j > 0 && fs[j] < fs[j-1]; j-- {
			fs[j], fs[j-1] = fs[j-1], fs[j]
		}
	}
	m := len(fs) / 2
	if len(fs)%2 == 1 {
		return fs[m]
	}
	return (fs[m-1] + fs[m]) / 2
}

// interpolate is straight between the pairs of a table, and nothing beyond its
// ends: nobody has measured there.
func interpolate(table []float64, x float64) (float64, bool) {
	if x < table[0] || x > table[len(table)-2] {
		return 0, false
	}
	i := 2
	for i < len(table)-2 && x > table[i] {
		i += 2
	}
	x0, y0, x1, y1 := table[i-2], table[i-1], table[i], table[i+1]
	if x == x1 {
		return y1, true
	}
	return finite(y0 + (y1-y0)*(x-x0)/(x1-x0))
}

func (n *node) evalText(u *Use) (float64, bool) {
	a, ok := n.args[0].str(u)
	if !ok {
		return 0, false
	}
	b, ok := n.args[1].str(u)
	if !ok {
		return 0, false
	}
	return fromBool((a == b) == (n.op == opSame))
}

func (n *node) str(u *Use) (string, bool) {
	switch n.op {
	case opText:
		return n.text, true
	case opMode:
		return u.now.Mode, u.now.Mode != ""
	}
	v := u.get(n.input).Value
	return v.Str(), v.Kind() == drivers.Text
}

func finite(f float64) (float64, bool) {
	return f, !math.IsInf(f, 0) && !math.IsNaN(f)
}

func finiteIf(f float64, ok bool) (float64, bool) {
	if !ok {
		return 0, false
	}
	return finite(f)
}

func fromBool(b bool) (float64, bool) {
	if b {
		return 1, true
	}
	return 0, true
}
