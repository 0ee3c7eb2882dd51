package config

import (
	"strings"
	"testing"

	"pithead/agent/alarm"
)

// Every standard can be read, every preset has a clause, a source and a unit
// that is known, and none claims more than was done.
func TestStandards(t *testing.T) {
	n := 0
	for _, name := range standardNames() {
		_, presets, err := readStandard(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range presets {
			n++
			if _, ok := unitOf(p.text("unit")); !ok {
				t.Errorf("%s: nobody knows the unit %q", p.id, p.text("unit"))
			}
			for _, e := range p.given("numbers").list {
				if e.obj.bool("checked") {
					t.Errorf("%s is checked: by whom? No number was compared with a printed text yet", p.id)
				}
			}
		}
	}
	if n < 80 {
		t.Errorf("%d presets", n)
	}
}

const standardSite = `version: 1
site: mine
gateway: g1
buses: {rs1: {serial: /dev/ttyS1}}
devices: {d: {bus: rs1, unit: 1, every: 2s}}
outputs:
  horn: {device: d, coil: 1}
  cut: {kind: trip, device: d, coil: 2, on-start: on, first-line: x}
points:
  p: {unit: "UNIT", device: d, holding: 0, type: f32, alarms: [ALARM]}
`

func standardFile(unit, alarm string) (*Site, string) {
	text := strings.NewReplacer(`unit: "UNIT", `, map[bool]string{false: `unit: "` + unit + `", `}[unit == ""], "ALARM", alarm).Replace(standardSite)
	site, problems := Parse("site.yaml", []byte(text))
	return site, said(problems)
}

func TestAPresetBecomesAlarms(t *testing.T) {
	for _, c := range []struct {
		story, unit, text string
		want              string // id level condition limit clear latch do
		says              string
	}{
		{"methane in a heading's return, with a cut-off", "%CH4", "{standard: aq1029.heading-return, do: {alarm: [horn], cutoff: [cut]}, accepted: {by: 王工, date: 2026-03-01}}",
			"p/alarm orange above 1 1 false horn, p/cutoff red above 1 1 true cut, p/fault red fault 0 0 false cut",
			"AQ 1029-2019, 表 1 becomes alarm orange at or above 1 %CH4; cutoff red at or above 1 %CH4, until reset; not checked against the printed standard, accepted by 王工 on 2026-03-01"},
		{"restore below cut-off", "%", "{standard: aq1029.face, do: {alarm: [horn]}}",
			"p/alarm orange above 1 1 false horn, p/cutoff red above 1.5 1 true , p/fault blue fault 0 0 false ",
			"cutoff red at or above 1.5 %CH4, over at 1, until reset; not checked against the printed standard (checked: no; source: "},
		{"carbon monoxide, with a delay, a way back and a level of its own", "ppm", "{standard: gb16423.co, for: 10s, clear: 20, level: yellow, id: mine, do: [horn]}",
			"p/mine.alarm yellow above 24 20 false horn, p/fault blue fault 0 0 false ", "alarm yellow at or above 24 ppm, over at 20;"},
		{"two levels of one role", "%LEL", "{standard: gb50493.combustible, do: {alarm: [horn]}}",
			"p/l1 orange above 25 25 false horn, p/l2 red above 50 50 false horn, p/fault blue fault 0 0 false ", "GB/T 50493-2019"},
		{"too little", "m", "{standard: gb50863.freeboard-3}", "p/alarm red below 0.7 0.7 false , p/fault blue fault 0 0 false ", "alarm red at or below 0.7 m"},
		{"outside", "%", "{standard: gb30871.o2}", "p/alarm red outside 19.5 19.5 false , p/fault blue fault 0 0 false ", "alarm red outside 19.5 to 21 %"},
		{"one unit in two spellings", "mg/m3", "{standard: gb50493.h2s}", "p/l1 orange above 10 10 false , p/l2 red above 20 20 false , p/fault blue fault 0 0 false ", ""},
	} {
		site, says := standardFile(c.unit, c.text)
		if site == nil {
			t.Errorf("%s: %s", c.story, says)
			continue
		}
		var got []string
		for _, d := range site.Points[0].AllAlarms() {
			got = append(got, strings.Join([]string{d.ID, d.Level.String(), d.Condition.String(), plain(d.Limit[0]), plain(d.Clear[0]), map[bool]string{true: "true", false: "false"}[d.Latch], strings.Join(d.Do, " ")}, " "))
			if d.Condition == alarm.Above && c.story[:3] == "car" && d.For != 10*sec {
				t.Errorf("%s: for %v", c.story, d.For)
			}
		}
		if s := strings.Join(got, ", "); s != c.want || !strings.Contains(says, c.says) {
			t.Errorf("%s:\n got %s\nwant %s\nsaid %s", c.story, s, c.want, says)
		}
	}
}

func TestAPresetThatDoesNotFit(t *testing.T) {
	for _, c := range []struct{ story, unit, text, want string }{
		{"a misspelt preset", "%CH4", "{standard: aq1029.heading-retrun}", `no preset "aq1029.heading-retrun"; did you mean "aq1029.heading-return"?`},
		{"no such preset", "ppm", "{standard: gb50072.cellar}", `no preset "gb50072.cellar"; want gb50072.room, gb50072.room-cutoff or gb50072.pump-room`},
		{"no such standard", "ppm", "{standard: iso9001}", "want one of pithead help standards"},
		{"mg/m³ against ppm", "mg/m³", "{standard: aq1029.co}", `aq1029.co is in ppm, the point in mg/m³: 24 ppm is 27.96 mg/m³ (at 20 °C, 24.04 L/mol); want a point in ppm, as one with value: "p * 0.85826"`},
		{"ppm against mg/m³", "ppm", "{standard: gb50493.co}", `gb50493.co is in mg/m³, the point in ppm: 20 mg/m³ is 17.17 ppm (at 20 °C, 24.04 L/mol); want a point in mg/m³, as one with value: "p * 1.1651"`},
		{"ppm against percent", "ppm", "{standard: aq1029.face}", `1 %CH4 is 10000 ppm; want a point in %CH4, as one with value: "p * 0.0001"`},
		{"millimetres against metres", "mm", "{standard: gb50863.freeboard-3}", `0.7 m is 700 mm`},
		{"percent of the lower limit", "%LEL", "{standard: aq1029.face}", "aq1029.face is in %CH4, the point in %LEL; want a point in %CH4"},
		{"another gas", "%CO2", "{standard: aq1029.face}", "is in %CH4, the point in %CO2"},
		{"no unit", "", "{standard: aq1029.face}", "the point says no unit; want unit: %CH4"},
		{"a trip that nobody answers for", "%CH4", "{standard: aq1029.face, do: {cutoff: [cut]}}", `aq1029.face may not drive the trip "cut": its numbers were not checked against the printed standard; want accepted: {by: …, date: …}`},
		{"nor by a list", "%CH4", "{standard: aq1029.face, do: [cut]}", "may not drive the trip"},
		{"a role that it has not", "%CH4", "{standard: aq1029.main-return, do: {cutoff: [cut]}}", "aq1029.main-return has no number for a cutoff; want alarm"},
		{"twice", "%CH4", "{standard: aq1029.face}, {standard: aq1029.main-return}", "alarm p/alarm is there twice; want an id of its own"},
		{"a way back on the wrong side", "%CH4", "{standard: aq1029.face, clear: 1.2}", "1.2 is not on the safe side of the preset's 1"},
		{"a level below its own", "%CH4", "{standard: aq1029.face, level: red}, {id: x, level: yellow, above: 2}", "want a higher level further up"},
	} {
		site, says := standardFile(c.unit, c.text)
		if site != nil || !strings.Contains(says, c.want) {
			t.Errorf("%s: said\n%swant %s", c.story, says, c.want)
		}
	}
}
