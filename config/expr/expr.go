// Package expr compiles the expressions of a site file: numbers, points,
// comparisons and a few functions, without loops and with bounded cost. It
// knows neither points nor clocks: values come in when it is evaluated.
package expr

import "pithead/drivers"

// An Expr is a compiled expression. It keeps no state and may be evaluated by
// several goroutines.
type Expr struct {
	source string
	inputs []string
}

// String is the source text; Inputs are the points it needs, each once, in
// order of appearance.
func (e *Expr) String() string   { return e.source }
func (e *Expr) Inputs() []string { return e.inputs }

// A Sample is what a point holds when an expression is evaluated.
type Sample struct {
	Value   drivers.Value
	Quality drivers.Quality
}
