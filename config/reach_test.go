package config

import (
	"strings"
	"testing"
)

// A limit that nothing can reach is an alarm that never comes, and nobody
// notices before it is missed.
func TestLimitsOutOfReach(t *testing.T) {
	for _, c := range []struct{ story, point, want string }{
		{"a limit beyond the type", "holding: 0, alarms: [{level: red, above: 65536}]",
			"alarms[0].above: 65536 is out of reach, so the alarm would never come: u16 comes to 0 to 65535"},
		{"the type's last value", "holding: 0, alarms: [{level: red, above: 65535}]", ""},
		{"below nothing", "holding: 0, alarms: [{level: red, below: -1}]",
			"alarms[0].below: -1 is out of reach, so the alarm would never come: u16 comes to 0 to 65535"},
		{"a signed type", "holding: 0, type: i16, alarms: [{level: red, below: -1}]", ""},
		{"per cent where the map says parts", "holding: 0, map: [4000, 20000, 0, 0.04], alarms: [{level: red, above: 1.5}]",
			"alarms[0].above: 1.5 is out of reach, so the alarm would never come: u16 by this map comes to -0.01 to 0.153838"},
		{"a scale", "holding: 0, scale: 0.01, alarms: [{level: red, above: 700}]",
			"alarms[0].above: 700 is out of reach, so the alarm would never come: u16 by this scale comes to 0 to 655.35"},
		{"a scale that falls", "holding: 0, scale: -1, alarms: [{level: red, above: 1}]",
			"alarms[0].above: 1 is out of reach, so the alarm would never come: u16 by this scale comes to -65535 to 0"},
		{"registers of ten thousand", "holding: 0, type: hi-lo, hi: 10000, alarms: [{level: red, above: 655415536}]",
			"alarms[0].above: 655415536 is out of reach, so the alarm would never come: hi-lo comes to 0 to 655415535"},
		{"decimal digits", "holding: 0, type: bcd16, alarms: [{level: red, above: 10000}]",
			"alarms[0].above: 10000 is out of reach, so the alarm would never come: bcd16 comes to 0 to 9999"},
		{"over valid counts as beyond every limit", "holding: 0, map: [4000, 20000, 0, 4], valid: [3600, 21000], alarms: [{level: red, above: 40}]",
			"warning: alarms[0].above: 40 is out of reach, so the alarm comes only at what lies beyond valid or the curve: u16 by this map comes to -0.1 to 4.25"},
		{"where it falls, under valid is over", "holding: 0, map: [4000, 20000, 4, 0], valid: [3600, 21000], alarms: [{level: red, above: 40}]",
			"warning: alarms[0].above: 40 is out of reach, so the alarm comes only at what lies beyond valid or the curve: u16 by this map comes to -0.25 to 4.1"},
		{"under valid is a broken wire", "holding: 0, map: [4000, 20000, 0, 4], valid: [3600, 21000], alarms: [{level: red, below: -0.2}]",
			"alarms[0].below: -0.2 is out of reach, so the alarm would never come: u16 by this map comes to -0.1 to 4.25"},
		{"beyond the range comes at its end", "holding: 0, range: [0, 4], alarms: [{level: red, above: 5}]",
			"warning: alarms[0].above: 5 is beyond the range [0, 4]; the alarm comes at the range's end already"},
		{"a curve", "holding: 0, curve: [[200, 0], [1000, 10]], alarms: [{level: red, below: -1}]",
			"alarms[0].below: -1 is out of reach, so the alarm would never come: u16 by this curve comes to 0 to 10"},
		{"floating point is bounded by nothing", "holding: 0, type: f32, alarms: [{level: red, above: 1000000}, {id: low, level: red, below: -1000000}]", ""},
		{"outside of all there is", "holding: 0, alarms: [{level: red, outside: [-1, 70000]}]",
			"alarms[0].outside: holds all that the point can be, so the alarm would never come: u16 comes to 0 to 65535"},
		{"outside on one side", "holding: 0, alarms: [{level: red, outside: [10, 70000]}]", ""},
		{"a way back that no value reaches", "holding: 0, alarms: [{level: red, above: 1, clear: 0}]",
			"alarms[0].clear: 0 is the end of what the point can be, so the alarm could never clear: u16 comes to 0 to 65535"},
		{"a threshold that is the way back, too", "holding: 0, alarms: [{level: red, above: 0}]",
			"alarms[0].above: 0 is the end of what the point can be, so the alarm could never clear: u16 comes to 0 to 65535"},
		{"zero, and back above it", "holding: 0, alarms: [{level: red, below: 0}]", ""},
		{"valid without a value of the type", "holding: 0, valid: [70000, 80000]",
			"valid: lets no raw value through: u16 comes to 0 to 65535; want another valid, or another type or scaling"},
		{"a range without a value", "holding: 0, scale: 0.001, range: [1200, 1260]",
			"range: lets no value through: u16 by this scale comes to 0 to 65.535; want another range, or another type or scaling"},
		{"a curve that begins beyond the type", "holding: 0, type: i16, curve: [[40000, 0], [50000, 10]]",
			"curve: lets no raw value through: i16 by this curve comes to -32768 to 32767; want another curve, or another type or scaling"},
		{"a preset in per cent where the map says parts", "unit: \"%CH4\", holding: 0, map: [4000, 20000, 0, 0.04], alarms: [{standard: aq1029.heading}]",
			"alarms[0].standard: 1.0 is out of reach, so the alarm would never come: u16 by this map comes to -0.01 to 0.153838\n" +
				"alarms[0].standard: 1.5 is out of reach, so the alarm would never come: u16 by this map comes to -0.01 to 0.153838"},
		{"a total has no end", "holding: 0, counter: {each: 0.1}, alarms: [{level: red, above: 1000000}]", ""},
	} {
		t.Run(c.story, func(t *testing.T) {
			_, problems := Parse("f", []byte(`version: 1
site: a
gateway: g
buses:
  plc: {tcp: "127.0.0.1:502"}
devices:
  d: {bus: plc, unit: 1}
points:
  p: {device: d, `+c.point+"}\n"))
			var got []string
			for _, p := range problems {
				if strings.Contains(p.Text, " becomes ") {
					continue // what a preset comes to
				}
				w := strings.TrimPrefix(p.Path, "points.p.") + ": " + p.Text
				if p.Warning {
					w = "warning: " + w
				}
				got = append(got, w)
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), c.want)
			}
		})
	}
}
