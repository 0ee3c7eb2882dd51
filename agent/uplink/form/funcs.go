package form

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// builtins are a form's own functions. Nobody changes them.
var builtins = Funcs{
	"and": last, "or": last,
	"not":     one(func(v any) (any, error) { return !truth(v), nil }),
	"eq":      equal,
	"ne":      func(a []any) (any, error) { v, err := equal(a); b, _ := v.(bool); return !b, err },
	"lt":      compare(func(a, b float64) bool { return a < b }),
	"le":      compare(func(a, b float64) bool { return a <= b }),
	"gt":      compare(func(a, b float64) bool { return a > b }),
	"ge":      compare(func(a, b float64) bool { return a >= b }),
	"add":     math2(func(a, b float64) float64 { return a + b }),
	"sub":     math2(func(a, b float64) float64 { return a - b }),
	"mul":     math2(func(a, b float64) float64 { return a * b }),
	"div":     math2(func(a, b float64) float64 { return a / b }),
	"round":   round,
	"len":     one(length),
	"index":   index,
	"default": func(a []any) (any, error) { return pick(a, 2, func() any { return choose(truthy(a[1]), a[1], a[0]) }) },
	"printf":  printf,
	"json":    one(func(v any) (any, error) { b, err := json.Marshal(v); return string(b), err }),
	"dict":    dict,
	"list":    func(a []any) (any, error) { return append([]any{}, a...), nil },
	"append":  func(a []any) (any, error) { return appended(a) },
	"set":     set,
	"upper":   one(func(v any) (any, error) { return strings.ToUpper(textOf(v)), nil }),
	"lower":   one(func(v any) (any, error) { return strings.ToLower(textOf(v)), nil }),
	"replace": func(a []any) (any, error) {
		return pick(a, 3, func() any { return strings.ReplaceAll(textOf(a[2]), textOf(a[0]), textOf(a[1])) })
	},
	"split": func(a []any) (any, error) {
		return pick(a, 2, func() any { return splitAt(textOf(a[0]), textOf(a[1])) })
	},
	"hex":   one(func(v any) (any, error) { b, err := hex.DecodeString(textOf(v)); return string(b), err }),
	"frame": frame,
}

func pick(a []any, n int, f func() any) (any, error) {
	if len(a) != n {
		return nil, fmt.Errorf("%d values, want %d", len(a), n)
	}
	return f(), nil
}

func truthy(v any) bool { return v != nil && v != "" }

func choose(first bool, a, b any) any {
	if first {
		return a
	}
	return b
}

func one(f func(any) (any, error)) func([]any) (any, error) {
	return func(a []any) (any, error) {
		if len(a) != 1 {
			return nil, fmt.Errorf("%d values, want one", len(a))
		}
		return f(a[0])
	}
}

func last(a []any) (any, error) {
	if len(a) == 0 {
		return nil, errors.New("no value")
	}
	return a[len(a)-1], nil
}

// equal says whether the first is one of the others.
func equal(a []any) (any, error) {
	if len(a) < 2 {
		return false, errors.New("want two values")
	}
	for _, b := range a[1:] {
		x, ex := number(a[0])
		y, ey := number(b)
		if ex == nil && ey == nil && x == y || (ex != nil) == (ey != nil) && (a[0] == nil) == (b == nil) && textOf(a[0]) == textOf(b) {
			return true, nil
		}
	}
	return false, nil
}

func compare(f func(a, b float64) bool) func([]any) (any, error) {
	return func(a []any) (any, error) {
		x, y, err := two(a)
		return err == nil && f(x, y), err
	}
}

func math2(f func(a, b float64) float64) func([]any) (any, error) {
	return func(a []any) (any, error) {
		x, y, err := two(a)
		if err != nil {
			return nil, err
		}
		v := f(x, y)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("the result is no number")
		}
		return numberOf(v), nil
	}
}

func two(a []any) (x, y float64, err error) {
	if len(a) != 2 {
		return 0, 0, fmt.Errorf("%d values, want two", len(a))
	}
	x, err = number(a[0])
	if err == nil {
		y, err = number(a[1])
	}
	return x, y, err
}

// round 2 v is v with so many decimals, all of them written.
func round(a []any) (any, error) {
	d, v, err := two(a)
	if err != nil || d < 0 || d > 15 {
		return nil, errors.Join(err, errors.New("want a number of decimals and a number"))
	}
	return json.Number(strconv.FormatFloat(v, 'f', int(d), 64)), nil
}

func length(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		return numberOf(float64(len(v))), nil
	case map[string]any:
		return numberOf(float64(len(v))), nil
	}
	return numberOf(float64(len(textOf(v)))), nil
}

func index(a []any) (any, error) {
	if len(a) != 2 {
		return nil, errors.New("want a list or object, and which of it")
	}
	switch v := a[0].(type) {
	case map[string]any:
		return v[textOf(a[1])], nil
	case []any:
		i, err := number(a[1])
		if err != nil || i < 0 || int(i) >= len(v) {
			return nil, errors.Join(err, fmt.Errorf("there is no item %s of %d", textOf(a[1]), len(v)))
		}
		return v[int(i)], nil
	}
	return nil, nil
}

// printf knows %d %x %X of whole numbers, %f %g of any and %s of all.
func printf(a []any) (any, error) {
	if len(a) == 0 {
		return nil, errors.New("want a format")
	}
	var vs []any
	verbs, err := verbsOf(textOf(a[0]))
	if err != nil {
		return nil, err
	}
	if len(verbs) != len(a)-1 {
		return nil, fmt.Errorf("%d values for %d verbs", len(a)-1, len(verbs))
	}
	for i, v := range a[1:] {
		f, err := number(v)
		switch verbs[i] {
		case 'd', 'x', 'X':
			if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
				return nil, fmt.Errorf("%.40q is no whole number", textOf(v))
			}
			vs = append(vs, int64(f))
		case 'f', 'g', 'e':
			if err != nil {
				return nil, err
			}
			vs = append(vs, f)
		default:
			vs = append(vs, textOf(v))
		}
	}
	return fmt.Sprintf(textOf(a[0]), vs...), nil
}

func verbsOf(format string) (verbs []byte, err error) {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		from := i
		for i++; i < len(format) && strings.IndexByte("+-# 0123456789.", format[i]) >= 0; i++ {
		}
		if i-from > 6 {
			return nil, fmt.Errorf("%.20q is too much of a width", format[from:])
		}
		if i < len(format) && format[i] != '%' {
			verbs = append(verbs, format[i])
		}
	}
	return verbs, nil
}

func dict(a []any) (any, error) {
	if len(a)%2 == 1 {
		return nil, errors.New("want names and values in turns")
	}
	m := map[string]any{}
	for i := 0; i < len(a); i += 2 {
		m[textOf(a[i])] = a[i+1]
	}
	return m, nil
}

// set puts a member into an object, and writes nothing.
func set(a []any) (any, error) {
	if len(a) != 3 {
		return nil, errors.New("want an object, a name and a value")
	}
	m, ok := a[0].(map[string]any)
	if !ok {
		return nil, errors.New("want an object")
	}
	m[textOf(a[1])] = a[2]
	return nil, nil
}

func appended(a []any) (any, error) {
	if len(a) != 2 {
		return nil, errors.New("want a list and a value")
	}
	l, _ := a[0].([]any)
	return append(l[:len(l):len(l)], a[1]), nil
}

func splitAt(sep, s string) any {
	var out []any
	for _, part := range strings.Split(s, sep) {
		out = append(out, part)
	}
	return out
}

// frame "03" 2 body is bytes in hex, the length of body in so many bytes, big
// endian, and body.
func frame(a []any) (any, error) {
	if len(a) != 3 {
		return nil, errors.New("want bytes in hex, the width of the length, and the body")
	}
	head, err := hex.DecodeString(textOf(a[0]))
	width, wrong := number(a[1])
	body := textOf(a[2])
	if err != nil || wrong != nil || width < 1 || width > 4 {
		return nil, errors.New("want bytes in hex, the width of the length (1 to 4), and the body")
	}
	if width < 4 && len(body) >= 1<<(8*int(width)) {
		return nil, fmt.Errorf("a body of %d bytes is too long for a length of %d", len(body), int(width))
	}
	for i := int(width) - 1; i >= 0; i-- {
		head = append(head, byte(len(body)>>(8*i)))
	}
	return string(head) + body, nil
}
