package form

import (
	"fmt"
	"strings"
)

// A piece is text, or (action) what stands between {{ and }}.
type piece struct {
	text   string
	action bool
	line   int
}

// scan takes a template apart.
func scan(src string) (ps []piece, err error) {
	line := 1
	trim := false
	for {
		i := strings.Index(src, "{{")
		text := src
		if i >= 0 {
			text = src[:i]
		}
		at := line
		line += strings.Count(text, "\n")
		if trim {
			text = strings.TrimLeft(text, " \t\r\n")
		}
		if i >= 0 && strings.HasPrefix(src[i:], "{{- ") {
			text = strings.TrimRight(text, " \t\r\n")
		}
		if text != "" {
			ps = append(ps, piece{text: text, line: at})
		}
		if i < 0 {
			return ps, nil
		}
		src = src[i+2:]
		end := closing(src)
		if end < 0 {
			return nil, fmt.Errorf("line %d: {{ without }}", line)
		}
		body := src[:end]
		src = src[end+2:]
		action := strings.TrimPrefix(body, "- ")
		if trim = strings.HasSuffix(action, " -"); trim {
			action = strings.TrimSuffix(action, " -")
		}
		action = strings.TrimSpace(action)
		if !strings.HasPrefix(action, "/*") {
			ps = append(ps, piece{text: action, action: true, line: line})
		}
		line += strings.Count(body, "\n")
	}
}

// closing is where an action ends, which is not within a string.
func closing(s string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			n := strings.Index(s[i:], "*/")
			if n < 0 {
				return -1
			}
			i += n + 1
		case s[i] == '"' || s[i] == '`':
			n := stringEnd(s[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case strings.HasPrefix(s[i:], "}}"):
			return i
		}
	}
	return -1
}

// stringEnd is the length of the string that s begins with, quotes included.
func stringEnd(s string) int {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote == '"':
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return -1
}

// of stands before a member that follows a parenthesis without a space.
const of = "\x00"

// words takes an action apart: strings, numbers, names, .members, $variables,
// and ( ) | , := =.
func words(s string) (ws []string, err error) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return ws, nil
		}
		n := 1
		switch c := s[0]; {
		case c == '"' || c == '`':
			if n = stringEnd(s); n < 0 {
				return nil, fmt.Errorf("a string without end: %.40s", s)
			}
		case strings.HasPrefix(s, ":="):
			n = 2
		case strings.ContainsRune("()|,=", rune(c)):
		default:
			n = strings.IndexAny(s, " \t\r\n()|,=:\"`")
			if n < 0 {
				n = len(s)
			}
			if n == 0 {
				return nil, fmt.Errorf("%.20q is not understood", s)
			}
		}
		ws = append(ws, s[:n])
		if s[0] == ')' && strings.HasPrefix(s[n:], ".") { // a member of what stands in the parenthesis
			ws = append(ws, of)
		}
		s = s[n:]
	}
}
