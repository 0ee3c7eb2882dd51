// Package expr compiles the expressions of a site file: numbers, points,
// comparisons and a few functions, without loops and with bounded cost. It
// knows neither points nor clocks: values come in when it is evaluated.
package expr

import (
	"strconv"

	"pithead/drivers"
)

// Env tells what a name is while an expression is compiled.
type Env interface {
	Point(id string) (Info, bool)
	// Points are the ids of all points, in any order, to find the one that a
	// misspelt name may have meant.
	Points() []string
}

// Info is what an expression needs to know of a point.
type Info struct {
	Kind   drivers.Kind // Number, Uint and Int are numbers; Bool; Text
	Unit   string       // empty: goes with every unit
	States []State      // names of values, which may be compared by name
}

// A State names a value of a point that has few.
type State struct {
	Value drivers.Value
	Label string
}

// A Sample is what a point holds when an expression is evaluated.
type Sample struct {
	Value   drivers.Value
	Quality drivers.Quality
}

// An Error is the first mistake in an expression.
type Error struct {
	Col  int // in characters (runes) of the source, from 1
	Text string
}

func (e *Error) Error() string { return "column " + strconv.Itoa(e.Col) + ": " + e.Text }

// An Expr is a compiled expression. It keeps no state and may be evaluated by
// several goroutines.
type Expr struct {
	source string
	root   *node
	inputs []string
	later  []string
	kind   drivers.Kind
}

// String is the source text; Inputs are the points it needs, each once, in
// order of appearance.
func (e *Expr) String() string   { return e.source }
func (e *Expr) Inputs() []string { return e.inputs }

// Later names the functions in it that this version judges but does not
// evaluate yet, each once. With any of them Eval is always bad.
func (e *Expr) Later() []string { return e.later }

// Kind is what it evaluates to: drivers.Number or drivers.Bool.
func (e *Expr) Kind() drivers.Kind { return e.kind }
