package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document is the one YAML document of a file, or nil, which it has told.
func (p *problems) document(src []byte) *yaml.Node {
	if !p.readable(src) {
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	var first, second yaml.Node
	err := d.Decode(&first)
	if errors.Is(err, io.EOF) {
		p.errorf(place{line: 1, col: 1}, "is empty; want a site file, which begins with version: 1")
		return nil
	}
	if err == nil {
		if err = d.Decode(&second); err == nil {
			p.errorf(place{line: second.Line, col: second.Column}, "a second document begins here; want one in a file")
			return nil
		}
	}
	if !errors.Is(err, io.EOF) {
		p.broken(string(src), err)
		return nil
	}
	return first.Content[0]
}

var (
	yamlLine  = regexp.MustCompile(`line (\d+): `)
	yamlAlias = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// broken tells in our own words what is wrong with YAML that can't be parsed.
// The parser says the line, sometimes the one before; what people do wrong is
// looked for there and before, the most telling first.
func (p *problems) broken(src string, err error) {
	msg, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	if m := yamlAlias.FindStringSubmatch(msg); m != nil {
		line = lineOf(src, "*"+m[1])
	}
	lines := strings.Split(src, "\n")
	near := lines[max(0, min(line-2, len(lines))):min(line+1, len(lines))]
	for _, c := range causes {
		from, part := 0, lines[:min(line+1, len(lines))]
		if c.close {
			from, part = max(0, line-2), near
		}
		for i, l := range part {
			if m := c.re.FindStringSubmatchIndex(bare(l)); m != nil {
				col := utf8.RuneCountInString(l[:m[2]]) + 1
				p.errorf(place{line: from + i + 1, col: col}, "%s", strings.ReplaceAll(c.text, "$", l[m[2]:m[3]]))
				return
			}
		}
	}
	line = min(line, len(lines))
	l := lines[line-1]
	p.errorf(place{line: line, col: len(l) - len(strings.TrimLeft(l, " ")) + 1}, "%s", generic(msg))
}

// causes are the usual ones; the first group of each is where it is.
var causes = []struct {
	close bool // looked for only around the line that the parser named
	re    *regexp.Regexp
	text  string
}{
	{false, regexp.MustCompile(`^ *(\t)`), "a tab in the indentation; want spaces"},
	{false, regexp.MustCompile(`[A-Za-z0-9_.-](：)`), "a full-width colon ：; want : and a space"},
	{true, regexp.MustCompile(`[:\[{,] *([“”‘])`), "a full-width quote $; want \" or '"},
	{true, regexp.MustCompile(`[\[{].*?(，)`), "a full-width comma ，; want , and a space"},
	{true, regexp.MustCompile("(?:^|[:,\\[{-]) *([%@`])"), "a value that begins with $; want it in quotes, as \"$…\""},
	{true, regexp.MustCompile(`[:,\[{-] +([*&!])|[\[{]([*&!])`), "a value that begins with $; want it in quotes, as \"$…\""},
	{true, regexp.MustCompile(`^ *[a-z][a-z0-9_.-]*(:)[^\s/:][^:]*$`), "no space after the colon; want one"},
	{true, regexp.MustCompile(`^ *(?:- +)?[a-z][a-z0-9_.-]*: +[^\s"'\[{|>][^"]*?(: )`), "a second colon in the line; want the value in quotes"},
}

// bare blanks out what is in quotes or a comment, keeping the bytes' places.
func bare(l string) string {
	b, quote := []byte(l), byte(0)
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
			b[i] = '_'
		case (c == '"' || c == '\'') && strings.IndexByte(l[i+1:], c) >= 0:
			quote, b[i] = c, '_'
		case c == '#' && (i == 0 || l[i-1] == ' '):
			return string(b[:i])
		}
	}
	return string(b)
}

func lineOf(src, what string) int {
	if i := strings.Index(src, what); i >= 0 {
		return strings.Count(src[:i], "\n") + 1
	}
	return 1
}

// generic is the parser's word in ours.
func generic(msg string) string {
	for _, g := range []struct{ has, text string }{
		{"found unexpected end of stream", "a quote that is never closed; want the same quote at its end"},
		{"unexpected document indicator", "a quote that is never closed; want the same quote at its end"},
		{"found unknown escape character", `a backslash inside "…" that means nothing; want '…' instead`},
		{"did not find expected ',' or ']'", "a [ that is never closed, or a comma is missing; want , between entries and ] at the end"},
		{"did not find expected ',' or '}'", "a { that is never closed, or a comma is missing; want , between entries and } at the end"},
		{"did not find expected node content", "something is missing here; want a value"},
		{"mapping values are not allowed", "a key: value where none can be; want the line indented like its neighbours, or the value in quotes"},
		{"could not find expected ':'", "a key without a colon; want key: value"},
		{"did not find expected key", "indented unlike its neighbours; want the same number of spaces as the keys beside it"},
		{"did not find expected '-' indicator", "indented unlike its neighbours; want the same number of spaces as the entries beside it"},
		{"block sequence entries are not allowed", "a - where no list can be; want the list in lines of its own under its key"},
		{"exceeded max depth", "nested too deeply; want at most what the keys need"},
	} {
		if strings.Contains(msg, g.has) {
			return g.text
		}
	}
	return fmt.Sprintf("not YAML (%s)", strings.TrimPrefix(yamlLine.ReplaceAllString(msg, ""), "yaml: "))
}
