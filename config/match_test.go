package config

import "testing"

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		point    string
		want     bool
	}{
		{nil, "pond.level", true},
		{[]string{"*"}, "pond.level", true},
		{[]string{"pond.level"}, "pond.level", true},
		{[]string{"pond.level"}, "pond.level2", false},
		{[]string{"pond.*"}, "pond.phreatic.p1", true}, // * crosses dots
		{[]string{"pond.*"}, "pond", false},
		{[]string{"pond.*"}, "spond.x", false},
		{[]string{"*.level"}, "a.b.level", true},
		{[]string{"*.level"}, "level", false},
		{[]string{"p*.p*"}, "pond.phreatic.p1", true},
		{[]string{"p*p*p"}, "pp", false},
		{[]string{"a*b*c"}, "axxbyyc", true},
		{[]string{"a*b*c"}, "acb", false},
		{[]string{"a*ab"}, "ab", false}, // one text can't be two parts of a pattern
		{[]string{"a*ab"}, "aab", true},
		{[]string{"*a*b*"}, "xbxa", false},
		{[]string{"gas.*", "pond.rain"}, "pond.rain", true},
		{[]string{"gas.*", "pond.rain"}, "pond.level", false},
	} {
		if got := Matches(c.patterns, c.point); got != c.want {
			t.Errorf("%q on %q: %v, want %v", c.patterns, c.point, got, c.want)
		}
	}
}
