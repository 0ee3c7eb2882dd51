package config

import (
	"strings"
	"testing"
)

// What is wrong with an expression is told with its place in the file.
func TestMistakesInExpressionsHaveTheirPlace(t *testing.T) {
	const head = `version: 1
site: s
gateway: g
buses: {b: {tcp: "10.0.0.1:502"}}
devices: {d: {bus: b, unit: 1}}
points:
  level: {unit: m, device: d, holding: 0}
  rain: {unit: mm, device: d, holding: 1}
  run: {device: d, coil: 0, states: {0: 停, 1: 运行}}
  x: {unit: m, value: "EXPR"}
`
	for _, c := range []struct{ story, expr, want string }{
		{"a misspelt point", "delta(levle, 1h)", `:10:30: points.x.value: unknown point "levle"; did you mean level?`},
		{"a misspelt function", "dleta(level, 1h)", `:10:24: points.x.value: unknown function "dleta"; did you mean delta(point, 1h)?`},
		{"a duration where a number should be", "level + 1h", `:10:32: points.x.value: this duration can't be calculated with`},
		{"units", "since(rain, '08:00') + level", `:10:47: points.x.value: level in m doesn't go with this number in mm`},
		{"a rate and a level", "level - rate(level, 10m)", `:10:32: points.x.value: this number in m/h doesn't go with level in m`},
		{"a state", "if(run == '运行中', level, 0)", `:10:34: points.x.value: run is never '运行中'; did you mean '运行'?`},
		{"a vote of numbers", "vote(2, level, rain, run)", `:10:32: points.x.value: level is neither true nor false; compare it with something`},
		{"a time of day", "since(rain, '8 Uhr')", `:10:36: points.x.value: '8 Uhr' is no time of day such as '08:00'`},
		{"a table", "interp([[1, 0], [0, 1]], level)", `:10:40: points.x.value: 0 is not above 1`},
		{"itself", "x + 1", `is computed from itself: x <- x`},
		{"another unit than the point says", "rain * 1 + delta(rain, 1h)", `warning: points.x.value: is in mm, but the point's unit is m`},
	} {
		_, problems := Parse("site.yaml", []byte(strings.Replace(head, "EXPR", c.expr, 1)))
		if got := said(problems); !strings.Contains(got, c.want) {
			t.Errorf("%s: said\n%swant %s", c.story, got, c.want)
		}
	}
}
