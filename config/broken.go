package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
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
	if err != nil {
		p.broken(string(src), err)
		return nil
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		p.errorf(place{line: secondLine(src, first.Content[0].Line), col: 1}, "a second document begins here; want one in a file")
		return nil
	}
	return first.Content[0]
}

// secondLine is where the second document begins, after the first at a line.
func secondLine(src []byte, first int) int {
	for i, l := range bytes.Split(src, []byte("\n")) {
		if i >= first && bytes.HasPrefix(l, []byte("---")) {
			return i + 1
		}
	}
	return first
}

var (
	yamlLine  = regexp.MustCompile(`line (\d+): `)
	yamlAlias = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// broken tells in our own words what is wrong with YAML that can't be parsed.
// What people usually do wrong is looked for around the line first.
func (p *problems) broken(src string, err error) {
	lines := strings.Split(src, "\n")
	line := min(max(1, lineOf(src, lines, err.Error())), len(lines))
	for _, c := range causes {
		from := 0
		if c.close {
			from = max(0, line-2)
		}
		for i, l := range lines[from:line] {
			if m := c.re.FindStringSubmatchIndex(bare(l)); m != nil {
				col := utf8.RuneCountInString(l[:m[2]]) + 1
				p.errorf(place{line: from + i + 1, col: col}, "%s", strings.ReplaceAll(c.text, "$", l[m[2]:m[3]]))
				return
			}
		}
	}
	l := lines[line-1]
	text, opens := generic(err.Error())
	at := len(l) - len(strings.TrimLeft(l, " "))
	if i := strings.IndexAny(l, opens); opens != "" && i >= 0 {
		at = i
	}
	p.errorf(place{line: line, col: utf8.RuneCountInString(l[:at]) + 1}, "%s", text)
}

// lineOf is the line of a mistake. The parser names the line where the thing
// in hand began: right for what is never closed, but for a wrong indentation
// it may be hundreds of lines before. There the mistake is in the last line of
// the shortest beginning of the file that fails alike.
func lineOf(src string, lines []string, msg string) int {
	said := 1
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		said, _ = strconv.Atoi(m[1])
	}
	if m := yamlAlias.FindStringSubmatch(msg); m != nil {
		return strings.Count(src[:max(0, strings.Index(src, "*"+m[1]))], "\n") + 1
	}
	switch {
	case strings.Contains(msg, "did not find expected ','"):
		return said + 1 // the parser counts these lines from 0
	case strings.Contains(msg, "unexpected end of stream"), strings.Contains(msg, "unexpected document indicator"):
		return said
	}
	what := yamlLine.ReplaceAllString(msg, "")
	return sort.Search(len(lines), func(n int) bool {
		var doc yaml.Node
		err := yaml.Unmarshal([]byte(strings.Join(lines[:n], "\n")+"\n"), &doc)
		return err != nil && yamlLine.ReplaceAllString(err.Error(), "") == what
	})
}

// causes are the usual ones; the first group of each is where it is.
var causes = []struct {
	close bool // looked for only around the line that the parser named
	re    *regexp.Regexp
	text  string
}{
	{false, regexp.MustCompile(`^ *(\t)\s*[^\s#]`), "a tab in the indentation; want spaces"},
	{false, regexp.MustCompile(`^ *(?:- +)?\{? *[A-Za-z0-9_.-]+(：)`), "a full-width colon ：; want : and a space"},
	{true, regexp.MustCompile(`[:\[{,] *([“”‘])`), "a full-width quote $; want \" or '"},
	{true, regexp.MustCompile(`[\[{].*?(，)`), "a full-width comma ，; want , and a space"},
	{true, regexp.MustCompile(`[\[{].*?([；、;])`), "a $ between entries; want , and a space"},
	{true, regexp.MustCompile(`[:\[{,] *([｛［【])`), "a full-width bracket $; want { or ["},
	{true, regexp.MustCompile(`: *([<>]=?) *-?[0-9]`), "a $ before a number; want the number alone: above and below say the direction"},
	{true, regexp.MustCompile(`^ *(-)[A-Za-z"'\[{]`), "no space after the -; want one"},
	{true, regexp.MustCompile("(?:^|[:,-] |[\\[{]) *([%@`])"), "a value that begins with $; want it in quotes, as \"$…\""},
	{true, regexp.MustCompile(`(?:[:,-] |[\[{]) *([*&!])`), "a value that begins with $; want it in quotes, as \"$…\""},
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

// generic is the parser's word in ours, and with which letter the thing begins
// that is wrong.
func generic(msg string) (text, opens string) {
	for _, g := range []struct{ has, opens, text string }{
		{"found unexpected end of stream", `"'`, "a quote that is never closed; want the same quote at its end"},
		{"unexpected document indicator", `"'`, "a quote that is never closed; want the same quote at its end"},
		{"found unknown escape character", `\`, `a backslash inside "…" that means nothing; want '…' instead`},
		{"did not find expected hexdecimal number", `\`, `a backslash inside "…" that means nothing; want '…' instead`},
		{"did not find expected ',' or ']'", "[", "a [ that is never closed, or a comma is missing; want , between entries and ] at the end"},
		{"did not find expected ',' or '}'", "{", "a { that is never closed, or a comma is missing; want , between entries and } at the end"},
		{"did not find expected node content", "", "something is missing here; want a value"},
		{"mapping values are not allowed", "", "a key: value where none can be; want the line indented like its neighbours, or the value in quotes"},
		{"could not find expected ':'", "", "a key without a colon; want key: value"},
		{"did not find expected key", "", "indented unlike its neighbours; want the same number of spaces as the keys beside it"},
		{"did not find expected '-' indicator", "", "indented unlike its neighbours; want the same number of spaces as the entries beside it"},
		{"block sequence entries are not allowed", "", "a - where no list can be; want the list in lines of its own under its key"},
		{"exceeded max depth", "", "nested too deeply; want at most what the keys need"},
	} {
		if strings.Contains(msg, g.has) {
			return g.text, g.opens
		}
	}
	return fmt.Sprintf("not YAML (%s)", strings.TrimPrefix(yamlLine.ReplaceAllString(msg, ""), "yaml: ")), ""
}
