// Package form writes messages in a platform's own form: templates in the
// syntax of text/template, over values as encoding/json decodes them. It knows
// no message and no network. It is an engine of its own because text/template
// keeps every method of the program alive, which costs 1.9 MB; so there are no
// methods here, only members of objects, and the functions of funcs.go.
//
// Promises, which the tests cite by number:
//
//  1. No template and no value make it panic or run for ever: a form runs for a
//     bounded number of steps and writes a bounded number of bytes.
//  2. What is wrong with a template is told when it is read, with its line, as
//     far as that can be known without a value.
//
// Known are text, {{/* comments */}}, {{- trimming -}}, pipelines with functions,
// strings, numbers, true, false, nil, .members, $variables and parentheses, and
// if, else if, else, range, with, define, template, break, continue.
package form

import (
	"errors"
	"fmt"
)

// A Form is a template that was read.
type Form struct {
	root    []node
	defined map[string][]node
	funcs   Funcs
}

// Funcs are functions by name: all of a form's own are Builtins.
type Funcs map[string]func(args []any) (any, error)

// Bounds of one run.
const (
	mostSteps = 2_000_000
	mostDepth = 100
	mostText  = 1 << 20 // bytes, of one value
)

// state is one run of a form.
type state struct {
	form  *Form
	out   []byte
	most  int
	steps int
	depth int
	vars  []variable
	top   any // $
}

type variable struct {
	name  string
	value any
}

// A node is one piece of a template: it writes, or does something.
type node func(s *state, dot any) error

// An expr is something that has a value.
type expr func(s *state, dot any) (any, error)

var (
	errBreak    = errors.New("break outside of range")
	errContinue = errors.New("continue outside of range")
)

// Run writes the form of a value, of at most so many bytes.
func (f *Form) Run(value any, most int) ([]byte, error) {
	s := &state{form: f, most: most, top: value}
	err := s.all(f.root, value)
	return s.out, err
}

func (s *state) all(nodes []node, dot any) error {
	mark := len(s.vars)
	defer func() { s.vars = s.vars[:mark] }()
	for _, n := range nodes {
		if s.steps++; s.steps > mostSteps {
			return errors.New("it runs for too long")
		}
		if err := n(s, dot); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) write(b string) error {
	if len(s.out)+len(b) > s.most {
		return fmt.Errorf("it writes more than %d bytes", s.most)
	}
	s.out = append(s.out, b...)
	return nil
}

// include is what a defined template writes, as a string.
func (s *state) include(name string, dot any) (string, error) {
	nodes, ok := s.form.defined[name]
	if !ok {
		return "", fmt.Errorf("no template %q is defined", name)
	}
	if s.depth++; s.depth > mostDepth {
		return "", errors.New("templates call each other too deep")
	}
	defer func() { s.depth-- }()
	out, vars, top := s.out, s.vars, s.top
	s.out, s.vars, s.top = nil, nil, dot
	err := s.all(nodes, dot)
	text := string(s.out)
	s.out, s.vars, s.top = out, vars, top
	return text, err
}

func (s *state) lookup(name string) any {
	if name == "" {
		return s.top
	}
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			return s.vars[i].value
		}
	}
	return nil
}

// assign changes the nearest variable of a name.
func (s *state) assign(name string, v any) {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			s.vars[i].value = v
			return
		}
	}
}
