package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pithead/agent/alarm"
)

func TestGroups(t *testing.T) {
	s := good(t, base+`
  g.a: {device: d, holding: 60}
  g.b: {device: d, holding: 61}
groups:
  all: {of: [some, level], ladder: {orange: 2}}
  some: {name: 浸润线, of: ["g.*", g.a], ladder: {blue: 2, yellow: 2}, for: 30s, latch: on, do: {red: [siren], yellow: [cut]}}
`)
	if len(s.Groups) != 2 || s.Groups[0].ID != "some" {
		t.Fatalf("inner ones first: %+v", s.Groups)
	}
	g := s.Groups[0]
	if !slices.Equal(g.Points, []string{"g.a", "g.b"}) || g.Ladder != [alarm.Red]int{alarm.Blue: 2, alarm.Yellow: 2} || g.For != 30*time.Second || !g.Latch ||
		!slices.Equal(g.Do[alarm.Red], []string{"siren"}) || !slices.Equal(g.Do[alarm.Yellow], []string{"cut"}) {
		t.Errorf("%+v", g)
	}
	if g := s.Groups[1]; !slices.Equal(g.Points, []string{"level"}) || !slices.Equal(g.Groups, []string{"some"}) {
		t.Errorf("%+v", g)
	}
	for _, c := range []struct{ text, want string }{
		{"groups:\n  a: {of: [b]}\n  b: {of: [a]}\n", "a member of itself"},
		{"groups:\n  a: {of: [a]}\n", "a member of itself"},
		{"groups:\n  a: {of: [level], do: {red: [sirene]}}\n", `did you mean "siren"`},
	} {
		_, problems := Parse("site.yaml", []byte(base+c.text))
		if got := said(problems); !strings.Contains(got, c.want) {
			t.Errorf("%s\n%s", c.text, got)
		}
	}
}
