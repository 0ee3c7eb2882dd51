package config

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// A Problem is one thing that is wrong with a site file, at the place where a
// person would mend it. Columns count characters, from 1; a problem of the
// whole file has line 0.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0 = the file as a whole
	Col     int    `json:"col"`
	Path    string `json:"path"`    // of the key, as points.pond.level.alarms[0].clear; may be empty
	Text    string `json:"text"`    // what is wrong; what would be right
	Warning bool   `json:"warning"` // the file can be used all the same
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Why is what forbids the use of a file: the first of its problems that is more
// than a warning.
func Why(problems []Problem) string {
	for _, p := range problems {
		if !p.Warning {
			return p.String()
		}
	}
	return "the site file is bad"
}

// place is where something stands in the file.
type place struct {
	line, col int
	path      string
	file      string // a profile's; empty: the site file
}

// problems collects what is wrong. It belongs to one Parse.
type problems struct {
	ran  bool // the file is one that ran before
	file string
	list []Problem
}

func (p *problems) errorf(at place, format string, args ...any) { p.add(at, false, format, args) }

// strictf refuses what a version before this one may have run. In a file that
// ran it is a warning: a gateway whose program is replaced must not end up with
// nothing that guards, because a rule came later than the file.
func (p *problems) strictf(at place, format string, args ...any) { p.add(at, p.ran, format, args) }

func (p *problems) warnf(at place, format string, args ...any) { p.add(at, true, format, args) }

func (p *problems) add(at place, warning bool, format string, args []any) {
	p.list = append(p.list, Problem{
		File: cmp.Or(at.file, p.file), Line: at.line, Col: at.col, Path: at.path,
		Text: fmt.Sprintf(format, args...), Warning: warning,
	})
}

// failed says whether anything is wrong that forbids the use of the file.
func (p *problems) failed() bool {
	return slices.ContainsFunc(p.list, func(x Problem) bool { return !x.Warning })
}

// sorted is what was found, in the order of the file; what is wrong with other
// files comes after it.
func (p *problems) sorted() []Problem {
	sort.SliceStable(p.list, func(i, j int) bool {
		a, b := p.list[i], p.list[j]
		return cmp.Or(p.compareFiles(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col)) < 0
	})
	return p.list
}

func (p *problems) compareFiles(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == p.file:
		return -1
	case b == p.file:
		return 1
	}
	return cmp.Compare(a, b)
}
