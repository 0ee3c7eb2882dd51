package form

import (
	"fmt"
	"strconv"
	"strings"
)

// parser reads pieces into nodes.
type parser struct {
	pieces []piece
	form   *Form
	line   int
	depth  int
	vars   []string // that are known here
	calls  []string // templates that are used
}

// Parse reads a template. Extra functions stand beside the builtin ones.
func Parse(src string, extra Funcs) (*Form, error) {
	f := &Form{defined: map[string][]node{}, funcs: Funcs{}}
	for name, fn := range builtins {
		f.funcs[name] = fn
	}
	for name, fn := range extra {
		f.funcs[name] = fn
	}
	pieces, err := scan(src)
	if err != nil {
		return nil, err
	}
	p := &parser{pieces: pieces, form: f}
	nodes, end, err := p.block()
	if err == nil && end != "" {
		err = fmt.Errorf("{{%s}} without a beginning", end)
	}
	for _, name := range p.calls {
		if err == nil && f.defined[name] == nil {
			err = fmt.Errorf("no template %q is defined", name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", p.line, err)
	}
	f.root = nodes
	return f, nil
}

// block reads to the end of the template, or to an else or end, which it returns.
func (p *parser) block() (nodes []node, end string, err error) {
	if p.depth++; p.depth > mostDepth {
		return nil, "", fmt.Errorf("too deep")
	}
	known := len(p.vars)
	defer func() { p.depth--; p.vars = p.vars[:known] }()
	for len(p.pieces) > 0 {
		x := p.pieces[0]
		p.pieces, p.line = p.pieces[1:], x.line
		if !x.action {
			nodes = append(nodes, func(s *state, _ any) error { return s.write(x.text) })
			continue
		}
		word, rest, _ := strings.Cut(x.text, " ")
		if word == "end" || word == "else" {
			return nodes, x.text, nil
		}
		n, err := p.action(word, rest, x.text)
		if err != nil {
			return nil, "", err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes, "", nil
}

func (p *parser) action(word, rest, all string) (node, error) {
	switch word {
	case "if", "with":
		return p.branch(word, rest)
	case "range":
		return p.loop(rest)
	case "define":
		return nil, p.define(rest)
	case "template":
		return p.template(rest)
	case "break":
		return func(*state, any) error { return errBreak }, nil
	case "continue":
		return func(*state, any) error { return errContinue }, nil
	}
	names, set, e, err := p.pipeline(all)
	if err != nil {
		return nil, err
	}
	switch {
	case len(names) > 1:
		return nil, fmt.Errorf("two variables are for range only")
	case len(names) == 1 && set:
		return func(s *state, dot any) error {
			v, err := e(s, dot)
			s.assign(names[0], v)
			return err
		}, nil
	case len(names) == 1:
		p.vars = append(p.vars, names[0])
		return func(s *state, dot any) error {
			v, err := e(s, dot)
			s.vars = append(s.vars, variable{names[0], v})
			return err
		}, nil
	}
	return func(s *state, dot any) error {
		v, err := e(s, dot)
		if err != nil {
			return err
		}
		return s.write(textOf(v))
	}, nil
}

// branch is if or with.
func (p *parser) branch(word, rest string) (node, error) {
	names, e, yes, no, err := p.under(rest)
	if err != nil {
		return nil, err
	}
	return func(s *state, dot any) error {
		v, err := e(s, dot)
		if err != nil {
			return err
		}
		mark := len(s.vars)
		defer func() { s.vars = s.vars[:mark] }()
		for _, n := range names {
			s.vars = append(s.vars, variable{n, v})
		}
		if !truth(v) {
			return s.all(no, dot)
		}
		if word == "with" {
			dot = v
		}
		return s.all(yes, dot)
	}, nil
}

// under is a pipeline, and the two arms that know the variables it sets.
func (p *parser) under(rest string) (names []string, e expr, yes, no []node, err error) {
	names, _, e, err = p.pipeline(rest)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	known := len(p.vars)
	p.vars = append(p.vars, names...)
	yes, no, err = p.arms()
	p.vars = p.vars[:known]
	return names, e, yes, no, err
}

// arms are a block and what stands behind its else.
func (p *parser) arms() (yes, no []node, err error) {
	yes, end, err := p.block()
	if err != nil {
		return nil, nil, err
	}
	switch word, rest, _ := strings.Cut(end, " "); {
	case end == "":
		return nil, nil, fmt.Errorf("it has no {{end}}")
	case word == "end":
		return yes, nil, nil
	case rest != "":
		word, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if word != "if" && word != "with" {
			return nil, nil, fmt.Errorf("else %.20q is not understood", word)
		}
		n, err := p.branch(word, rest) // which takes the end
		return yes, []node{n}, err
	}
	no, end, err = p.block()
	if err == nil && end != "end" {
		err = fmt.Errorf("it has no {{end}}")
	}
	return yes, no, err
}

func (p *parser) loop(rest string) (node, error) {
	names, e, body, none, err := p.under(rest)
	if err != nil {
		return nil, err
	}
	return func(s *state, dot any) error {
		v, err := e(s, dot)
		if err != nil {
			return err
		}
		items, err := itemsOf(v)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return s.all(none, dot)
		}
		mark := len(s.vars)
		defer func() { s.vars = s.vars[:mark] }()
		for _, it := range items {
			s.vars = s.vars[:mark]
			switch len(names) {
			case 1:
				s.vars = append(s.vars, variable{names[0], it.value})
			case 2:
				s.vars = append(s.vars, variable{names[0], it.key}, variable{names[1], it.value})
			}
			switch err := s.all(body, it.value); err {
			case nil, errContinue:
			case errBreak:
				return nil
			default:
				return err
			}
		}
		return nil
	}, nil
}

func (p *parser) define(rest string) error {
	name, err := strconv.Unquote(strings.TrimSpace(rest))
	if err != nil {
		return fmt.Errorf("define wants a name in quotes")
	}
	vars := p.vars
	p.vars = nil
	nodes, end, err := p.block()
	p.vars = vars
	if err == nil && end != "end" {
		err = fmt.Errorf("define %q has no {{end}}", name)
	}
	if nodes == nil {
		nodes = []node{}
	}
	p.form.defined[name] = nodes
	return err
}

func (p *parser) template(rest string) (node, error) {
	ws, err := words(rest)
	if err != nil || len(ws) == 0 {
		return nil, fmt.Errorf("template wants a name in quotes")
	}
	name, err := strconv.Unquote(ws[0])
	if err != nil {
		return nil, fmt.Errorf("template wants a name in quotes")
	}
	p.calls = append(p.calls, name)
	_, _, e, err := p.pipeline(strings.TrimPrefix(strings.TrimSpace(rest), ws[0]) + " ")
	if len(ws) == 1 {
		e, err = func(*state, any) (any, error) { return nil, nil }, nil
	}
	return func(s *state, dot any) error {
		v, err := e(s, dot)
		if err != nil {
			return err
		}
		text, err := s.include(name, v)
		if err != nil {
			return err
		}
		return s.write(text)
	}, err
}
