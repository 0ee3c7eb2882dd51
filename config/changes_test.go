package config

import (
	"fmt"
	"strings"
	"testing"
)

const before = `
version: 1
points:
  a:
    unit: m
    holding: 1
    scale: 0.1
    alarms:
      - {level: yellow, above: 5, for: 30s}
      - {level: red, above: 8, latch: true, do: [siren, horn]}
      - {id: band, level: orange, outside: [1, 9]}
      - {fault: 1m, level: blue}
groups: {g: {of: [a, b], ladder: {blue: 4}}}
uplinks: {u: {mqtt: tcp://x, points: ["a.*", b], rate: 200}}
stats: 5m
`

func TestChangesAreToldWithWhatGuardsLess(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"nothing":                      {"", "", ""},
		"another name is no change":    {"unit: m", "unit: m # metres", ""},
		"a limit that is raised":       {"above: 8", "above: 8.5", "points.a.alarms.red.above 8>8.5 weaker"},
		"a limit that is lowered":      {"above: 8", "above: 7.5", "points.a.alarms.red.above 8>7.5"},
		"a longer delay":               {"for: 30s", "for: 1m", "points.a.alarms.yellow.for 30s>1m weaker"},
		"a shorter delay":              {"for: 30s", "for: 900ms", "points.a.alarms.yellow.for 30s>900ms"},
		"a delay that is new":          {"above: 8,", "above: 8, for: 10s,", "points.a.alarms.red.for >10s weaker"},
		"a delay that is gone":         {", for: 30s", "", "points.a.alarms.yellow.for 30s>"},
		"a latch that is gone":         {"latch: true", "latch: off", "points.a.alarms.red.latch true>off weaker"},
		"an output that is not asked":  {"[siren, horn]", "[siren]", "points.a.alarms.red.do [siren, horn]>[siren] weaker"},
		"one output more":              {"[siren, horn]", "[siren, horn, lamp]", "points.a.alarms.red.do [siren, horn]>[siren, horn, lamp]"},
		"a wider band":                 {"[1, 9]", "[0.5, 9]", "points.a.alarms.band.outside [1, 9]>[0.5, 9] weaker"},
		"an alarm that is gone":        {"      - {level: yellow, above: 5, for: 30s}\n", "", "points.a.alarms.yellow.above 5> weaker; points.a.alarms.yellow.for 30s>; points.a.alarms.yellow.level yellow> weaker"},
		"an alarm before the others":   {"      - {level: yellow", "      - {level: blue, above: 4}\n      - {level: yellow", "points.a.alarms.blue.above >4; points.a.alarms.blue.level >blue"},
		"another scale":                {"scale: 0.1", "scale: 0.01", "points.a.scale 0.1>0.01"},
		"a condition":                  {"latch: true", "latch: true, when: b", "points.a.alarms.red.when >b weaker"},
		"a member that is gone":        {"of: [a, b]", "of: [a]", "groups.g.of [a, b]>[a] weaker"},
		"a filter that lets less pass": {`["a.*", b]`, `["a.*"]`, "uplinks.u.points [a.*, b]>[a.*] weaker"},
		"somebody who may command":     {"rate: 200", "rate: 200, commands: [{id: x, key: k, allow: [ack]}]", "uplinks.u.commands.x.allow >[ack] weaker; uplinks.u.commands.x.id >x weaker; uplinks.u.commands.x.key >k weaker"},
		"what no event has room for":   {"unit: m", "unit: " + strings.Repeat("库", 9000), "points.a.unit m>" + strings.Repeat("库", 666) + "…"},
		"a later fault":                {"fault: 1m", "fault: 5m", "points.a.alarms.fault.fault 1m>5m weaker"},
	} {
		if !strings.Contains(before, c.from) {
			t.Fatalf("%s: %q is not in the file", name, c.from)
		}
		var got []string
		for _, x := range Changes([]byte(before), []byte(strings.Replace(before, c.from, c.to, 1))) {
			s := fmt.Sprintf("%s %s>%s", x.Path, x.Old, x.New)
			if x.Weak {
				s += " weaker"
			}
			got = append(got, s)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "; "), c.want)
		}
	}
}
