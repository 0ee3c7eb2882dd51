// Package expr compiles the expressions of a site file: numbers, points,
// comparisons and a few functions, without loops. It knows neither points nor
// clocks: values and the time come in when it is evaluated.
//
// It promises:
//
//  1. An expression is bad while any point that it names is not good, whether
//     its value would be used or not; so is all that is infinite or not a
//     number. Only good and vote look at quality themselves: good takes its
//     fallback where the point is not good; vote counts what is known, and is
//     bad only where what is not known could turn it.
//  2. An evaluation costs a bounded number of steps: a few a character of the
//     source, and for each window (delta, rate, since, held, and avg, min, max,
//     median over a time) at most a look at each of its 128 slots. A window
//     takes at most 8 kB, however long it is and however fast its samples come.
//     Evaluation does not allocate.
//  3. A window is measured from the newest good sample of its point. What it says
//     of the past is so at a time that is at most 1/128 of its length and one
//     sample before the time asked for, never after it. Of what is older than
//     anything that was seen it says the oldest: a rise in 24 h is at least what
//     was seen of it. Over a gap longer than itself it compares with the last
//     good sample before.
//  4. held is true only of an unbroken run of samples that hold: one that is
//     bad begins it anew.
//  5. A window that is filled from stored samples, by evaluating them with
//     their times, is no different from one that saw them.
package expr

import (
	"strconv"
	"time"

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
	At      time.Duration // when, on the clock of Now.At; windows go by it
}

// Now is the moment of an evaluation.
type Now struct {
	At    time.Duration // since boot; it never goes back
	Local int64         // ms since 1970 by the site's wall clock, if Known
	Known bool
	Mode  string // of the site
}

// An Error is the first mistake in an expression.
type Error struct {
	Col  int // in characters (runes) of the source, from 1
	Text string
}

func (e *Error) Error() string { return "column " + strconv.Itoa(e.Col) + ": " + e.Text }

// An Expr is a compiled expression. It keeps no state; what windows remember is
// in its Uses.
type Expr struct {
	source  string
	root    *node
	inputs  []string
	windows []window
	scratch int // arguments of its medians
	reach   time.Duration
	kind    drivers.Kind
	unit    string
	moody   bool
}

// String is the source text; Inputs are the points it needs, each once, in
// order of appearance.
func (e *Expr) String() string   { return e.source }
func (e *Expr) Inputs() []string { return e.inputs }

// Kind is what it evaluates to: drivers.Number or drivers.Bool.
func (e *Expr) Kind() drivers.Kind { return e.kind }

// Unit is what its points and functions make of the units in it; empty where
// that can't be told, as of a product.
func (e *Expr) Unit() string { return e.unit }

// Reach is how far back its windows look; 0 = it has none.
func (e *Expr) Reach() time.Duration { return e.reach }

// Moody says that the site's mode is in it.
func (e *Expr) Moody() bool { return e.moody }
