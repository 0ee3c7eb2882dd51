package config

import (
	"strings"
	"testing"
)

// Files that are not YAML, or not even text: the cause is told, with its place.
func TestNotYAML(t *testing.T) {
	for _, c := range []struct{ story, src, want string }{
		{"nothing", "", "1:1: is empty; want a site file, which begins with version: 1"},
		{"comments only", "# a\n", "1:1: is empty; want a site file, which begins with version: 1"},
		{"BOM", "\xef\xbb\xbfversion: 1\n", "1:1: begins with a byte order mark (BOM); want the file saved as UTF-8 without BOM"},
		{"UTF-16", "\xff\xfev\x00", "1:1: is UTF-16; want the file saved as UTF-8"},
		// The first two bytes happen to be a letter in UTF-8 too.
		{"GBK", "version: 1\nname: 库 \xce\xb2\xbf\xe2\n", "2:10: not UTF-8: 0xbfe2 looks like GBK, which Windows editors call ANSI; want the file saved as UTF-8"},
		{"a broken byte", "a: \xff\n", "1:4: not UTF-8: the byte 0xff; want the file saved as UTF-8"},
		{"a control character", "a: x\x01\n", "1:5: a control character (U+0001); want it deleted"},
		{"a tab", "a:\n  b: 1\n\tc: 2\n", "3:1: a tab in the indentation; want spaces"},
		{"full-width colon", "version: 1\nsite：x\ngateway: g\n", "2:5: a full-width colon ：; want : and a space"},
		{"full-width comma", "a: {b: 1，c: 2}\n", "1:9: a full-width comma ，; want , and a space"},
		{"full-width quote", "a: {b: “x: y”}\n", "1:8: a full-width quote “; want \" or '"},
		{"full-width space before a key", "points:\n　　p: {gpio: board/1}\n", "2:1: a full-width space (U+3000), which is no space to YAML; want ordinary spaces"},
		{"full-width space after a colon", "site:　a\n", "1:6: a full-width space (U+3000), which is no space to YAML; want ordinary spaces"},
		{"a web page's space", "points:\n\u00a0 p: {}\n", "2:1: a space of another kind (U+00A0), which is none to YAML; want ordinary spaces"},
		{"nothing that can be seen", "si\u200bte: a\n", "1:3: an invisible character (U+200B); want it deleted"},
		{"full-width braces", "p: ｛device: d, holding: 0｝\n", "1:4: a full-width bracket ｛; want { or ["},
		{"semicolon between entries", "d: {bus: rs1; unit: 3}\n", "1:13: a ; between entries; want , and a space"},
		{"pause mark between entries", "d: {bus: rs1、unit: 3}\n", "1:13: a 、 between entries; want , and a space"},
		{"at least", "alarms: [{level: red, above: >=1.5}]\n", "1:30: a >= before a number; want the number alone: above and below say the direction"},
		{"a hyphen that touches", "include:\n-x.yaml\nsite: a\n", "2:1: no space after the -; want one"},
		{"percent", "points:\n  a:\n    unit: %CH4\n", `3:11: a value that begins with %; want it in quotes, as "%…"`},
		{"at", "a: {unit: @x}\n", `1:11: a value that begins with @; want it in quotes, as "@…"`},
		{"backtick", "a: `x`\n", "1:4: a value that begins with `; want it in quotes, as \"`…\""},
		{"star", "points: [*]\n", `1:10: a value that begins with *; want it in quotes, as "*…"`},
		{"star and letters", "a: 1\npoints: [*x]\n", `2:10: a value that begins with *; want it in quotes, as "*…"`},
		{"no space after a colon", "a:\n  every:5s\n  b: 1\n", "2:8: no space after the colon; want one"},
		{"two colons", "a: 1\nname: x: y\n", "2:8: a second colon in the line; want the value in quotes"},
		{"brace never closed", "a: 1\nb: {c: 1\nd: {e: 2}\n", "2:4: a { that is never closed, or a comma is missing; want , between entries and } at the end"},
		{"bracket never closed", "a: 1\nb: [c, d\ne: 2\n", "2:4: a [ that is never closed, or a comma is missing; want , between entries and ] at the end"},
		{"quote never closed", "a: 1\nb: \"c\nd: 2\n", `2:4: a quote that is never closed; want the same quote at its end`},
		{"indentation, far from where its mapping began", "a:\n  b: 1\n  c: 1\n  d: 1\n   e: 1\n  f: 1\n",
			"5:4: a key: value where none can be; want the line indented like its neighbours, or the value in quotes"},
		{"less indentation", "a:\n    b: 1\n   c: 1\n", "3:4: indented unlike its neighbours; want the same number of spaces as the keys beside it"},
		{"backslash", "a: \"C:\\q\"\n", `1:7: a backslash inside "…" that means nothing; want '…' instead`},
		{"a key alone", "a: 1\nsite\n", "2:1: a key without a colon; want key: value"},
		{"two documents", "a: 1\n---\nb: 1\n", "2:1: a second document begins here; want one in a file"},
		{"a text", "hello\n", "1:1: is a text; want keys and values"},
		{"a list", "- a\n", "1:1: is a list; want keys and values"},
		{"too much", strings.Repeat("#\n", maxFile/2+1), " is too large; want at most 4MiB"},
	} {
		t.Run(c.story, func(t *testing.T) {
			site, problems := Parse("f", []byte(c.src))
			if site != nil || len(problems) != 1 {
				t.Fatalf("got %v", problems)
			}
			if got := strings.TrimPrefix(problems[0].String(), "f:"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// What YAML has beyond plain data is refused where it stands.
func TestMoreThanPlainData(t *testing.T) {
	_, problems := Parse("f", []byte(base+`  p1: &x {gpio: board/5}
  p2: *x
  p3: {gpio: !!str board/6}
  p4: {gpio: board/7, name: “hall”}
  p5: {<<: {a: b}, gpio: board/8}
  p6: {gpio: board/9, gpio: board/9}
  ? [a]
  : {gpio: board/9}
`))
	want := `f:15:7: points.p1: &x is an anchor; leave it out, or quote a text that begins with &
f:16:7: points.p2: *x is an alias; write out what it stands for, or quote a text that begins with *
f:17:14: points.p3.gpio: !!str is a tag; leave it out, or quote a text that begins with !
f:18:29: points.p4.name: has full-width quotes; want "…"
f:19:8: points.p5.<<: merging with << is not known here; write out what it stands for
f:20:23: points.p6.gpio: given twice; the first is in line 20
f:21:5: points: a key is a list; want a word
`
	if got := said(problems); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Strange spaces are refused where YAML would take them for a letter of a key,
// and nowhere else.
func TestSpacesThatAreAllowed(t *testing.T) {
	for _, src := range []string{"#　尾矿库\u200b\n", "name: 尾矿库　1 号\n", "name: \"a:　b\"\n", "name: a #　b\u200b\n"} {
		p := &problems{}
		if !p.readable([]byte(src)) {
			t.Errorf("%q: %v", src, p)
		}
	}
}
