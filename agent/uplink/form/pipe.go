package form

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// pipeline reads `$x := a b | c`: the variables it is given to, whether they
// are there already (=), and its value.
func (p *parser) pipeline(text string) (names []string, set bool, e expr, err error) {
	ws, err := words(text)
	if err != nil {
		return nil, false, nil, err
	}
	if i := slices.IndexFunc(ws, func(w string) bool { return w == ":=" || w == "=" }); i > 0 {
		for j, w := range ws[:i] {
			if j%2 == 1 {
				if w != "," {
					return nil, false, nil, fmt.Errorf("%.20q before %s is not understood", w, ws[i])
				}
				continue
			}
			if len(w) < 2 || w[0] != '$' || strings.Contains(w, ".") {
				return nil, false, nil, fmt.Errorf("%.20q is no variable", w)
			}
			names = append(names, w[1:])
		}
		set = ws[i] == "="
		ws = ws[i+1:]
		if len(names) > 2 {
			return nil, false, nil, fmt.Errorf("%d variables are too many", len(names))
		}
	}
	e, rest, err := p.pipe(ws)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%.20q is one too many", rest[0])
	}
	return names, set, e, err
}

// pipe reads commands with | between, up to a closing parenthesis.
func (p *parser) pipe(ws []string) (expr, []string, error) {
	if p.depth++; p.depth > mostDepth {
		return nil, nil, fmt.Errorf("too deep")
	}
	defer func() { p.depth-- }()
	e, ws, err := p.command(ws, nil)
	for err == nil && len(ws) > 0 && ws[0] == "|" {
		e, ws, err = p.command(ws[1:], e)
	}
	return e, ws, err
}

// command reads a function with its arguments, or a single value. What came
// through the pipe is its last argument.
func (p *parser) command(ws []string, piped expr) (expr, []string, error) {
	if len(ws) == 0 || ws[0] == "|" || ws[0] == ")" {
		return nil, nil, fmt.Errorf("a value is missing")
	}
	name := ws[0]
	fn, isFunc := p.form.funcs[name]
	isFunc = isFunc || name == "include"
	if !isFunc {
		e, ws, err := p.operand(ws)
		if err == nil && (piped != nil || len(ws) > 0 && ws[0] != "|" && ws[0] != ")") {
			err = fmt.Errorf("%.20q is no function", name)
		}
		return e, ws, err
	}
	var args []expr
	for ws = ws[1:]; len(ws) > 0 && ws[0] != "|" && ws[0] != ")"; {
		e, rest, err := p.operand(ws)
		if err != nil {
			return nil, nil, err
		}
		args, ws = append(args, e), rest
	}
	if piped != nil {
		args = append(args, piped)
	}
	return call(name, fn, args), ws, nil
}

// call is a function's value. Lazy ones judge no further than they must.
func call(name string, fn func([]any) (any, error), args []expr) expr {
	return func(s *state, dot any) (any, error) {
		if s.steps++; s.steps > mostSteps {
			return nil, fmt.Errorf("it runs for too long")
		}
		vs := make([]any, 0, len(args))
		for _, a := range args {
			v, err := a(s, dot)
			if err != nil {
				return nil, err
			}
			vs = append(vs, v)
			if name == "and" && !truth(v) || name == "or" && truth(v) {
				return v, nil
			}
		}
		if name == "include" {
			if len(vs) != 2 {
				return nil, fmt.Errorf("include wants a name and a value")
			}
			return s.include(textOf(vs[0]), vs[1])
		}
		v, err := fn(vs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if text, ok := v.(string); ok && len(text) > mostText {
			return nil, fmt.Errorf("%s: a text of %d bytes is too long", name, len(text))
		}
		return v, nil
	}
}

// operand reads one value: a literal, a member, a variable, or a parenthesis.
func (p *parser) operand(ws []string) (expr, []string, error) {
	w := ws[0]
	ws = ws[1:]
	constant := func(v any) (expr, []string, error) {
		return func(*state, any) (any, error) { return v, nil }, ws, nil
	}
	switch {
	case w == "(":
		e, rest, err := p.pipe(ws)
		if err == nil && (len(rest) == 0 || rest[0] != ")") {
			return nil, nil, fmt.Errorf("( without )")
		}
		if err != nil {
			return nil, nil, err
		}
		rest = rest[1:]
		if len(rest) > 1 && rest[0] == of {
			inner, path := e, strings.Split(rest[1][1:], ".")
			e = func(s *state, dot any) (any, error) {
				v, err := inner(s, dot)
				return member(v, path), err
			}
			rest = rest[2:]
		}
		return e, rest, nil
	case w[0] == '"' || w[0] == '`':
		s, err := strconv.Unquote(w)
		if err != nil {
			return nil, nil, fmt.Errorf("%s is no string", w)
		}
		return constant(s)
	case w == "true", w == "false":
		return constant(w == "true")
	case w == "nil":
		return constant(nil)
	case w[0] == '.':
		path := strings.Split(w[1:], ".")
		if w == "." {
			path = nil
		}
		return func(_ *state, dot any) (any, error) { return member(dot, path), nil }, ws, nil
	case w[0] == '$':
		path := strings.Split(w[1:], ".")
		if path[0] != "" && !slices.Contains(p.vars, path[0]) {
			return nil, nil, fmt.Errorf("there is no variable $%s here", path[0])
		}
		return func(s *state, _ any) (any, error) { return member(s.lookup(path[0]), path[1:]), nil }, ws, nil
	}
	if f := p.form.funcs[w]; f != nil {
		return call(w, f, nil), ws, nil
	}
	if _, err := strconv.ParseFloat(w, 64); err == nil {
		return constant(json.Number(w))
	}
	return nil, nil, fmt.Errorf("there is no function %q", w)
}

// member goes down the members of objects; nil where there is none.
func member(v any, path []string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}
