package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pithead/drivers"
	"pithead/drivers/modbus"
)

const profileBase = "version: 1\nsite: s\ngateway: g\nbuses: {b: {tcp: \"127.0.0.1:502\"}}\n"

// siteWith puts a site file and profiles into a folder and reads them.
func siteWith(t *testing.T, site string, profiles map[string]string) (*Site, []Problem, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range profiles {
		if err := os.MkdirAll(filepath.Join(dir, "own"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "own", name+".yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "site.yaml")
	if err := os.WriteFile(file, []byte(site+"buffer: {dir: buf}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, problems := Load(file)
	return s, problems, dir
}

// lines are problems without the folder that they are in.
func lines(problems []Problem, dir string) string {
	return strings.ReplaceAll(said(problems), dir+"/", "")
}

const gauge = `device: a gauge
maker: somebody
source: its manual
tried: yes
parameters:
  height: {what: height in m, number: [0, 100]}
  order: {what: byte order, choices: {ABCD: {}, CDAB: {}}, default: ABCD}
defaults: {pause: 200ms, join: 3, every: 2s, max: 20}
points:
  distance: {name: 距离, unit: m, holding: 4, type: f32, order: $order, range: [0, 50]}
  level: {unit: m, value: "$height - $device.distance", decimals: 2}
  state: {holding: 10, states: {0: ok, 3: lost}}
`

func TestAProfileBringsPointsAndHabits(t *testing.T) {
	s, problems, dir := siteWith(t, profileBase+`profiles: [own]
devices: {pond.g: {bus: b, unit: 7, profile: gauge, height: 12.5, max: 30}}
points:
  pond.g.level: {name: 库水位, alarms: [{level: red, above: 10}]}
  twice: {value: "pond.g.level * 2"}
`, map[string]string{"gauge": gauge})
	if s == nil || len(problems) != 0 {
		t.Fatal(lines(problems, dir))
	}
	u := s.Buses[0].Modbus.Units[0]
	if u.Pause != 200*time.Millisecond || u.Join != 3 || u.Every != 2*time.Second || u.Max != 30 {
		t.Errorf("habits: %+v", u)
	}
	same(t, "registers", u.Points, []modbus.PointConfig{
		{ID: "pond.g.distance", Table: modbus.Holding, Address: 4, Type: modbus.F32, Bit: -1, Every: 2 * time.Second, Line: 6,
			Scale: &drivers.Scale{Decimals: -1, Range: &[2]float64{0, 50}}},
		{ID: "pond.g.state", Table: modbus.Holding, Address: 10, Bit: -1, Every: 2 * time.Second, Line: 6, Scale: &drivers.Scale{Decimals: -1}},
	})
	p := s.point("pond.g.level")
	if p.Name != "库水位" || p.Unit != "m" || p.Decimals != 2 || p.Value.String() != "12.5 - pond.g.distance" || p.Line != 8 || len(p.AllAlarms()) != 2 {
		t.Errorf("%+v", p)
	}
	if string(s.Profiles["gauge"]) != gauge {
		t.Error("the text of the profile is not kept")
	}
}

// What the site file says of a point stands, and of what excludes each other
// nothing of the profile is left.
func TestAPointOverridesItsProfile(t *testing.T) {
	for _, c := range []struct {
		story, own string
		want       modbus.PointConfig
	}{
		{"another register", "g.state: {input: 5}", modbus.PointConfig{Table: modbus.Input, Address: 5}},
		{"another type", "g.state: {type: i16}", modbus.PointConfig{Table: modbus.Holding, Address: 10, Type: modbus.I16}},
		{"a register instead of a computation", "g.level: {holding: 30, type: u32}", modbus.PointConfig{Table: modbus.Holding, Address: 30, Type: modbus.U32}},
		{"a manual's number", "g.state: {register: 30100}", modbus.PointConfig{Table: modbus.Input, Address: 99}},
	} {
		t.Run(c.story, func(t *testing.T) {
			s, problems, dir := siteWith(t, profileBase+"profiles: [own]\ndevices: {g: {bus: b, unit: 7, profile: gauge, height: 12.5}}\npoints:\n  "+c.own+"\n",
				map[string]string{"gauge": gauge})
			if s == nil {
				t.Fatal(lines(problems, dir))
			}
			id, _, _ := strings.Cut(c.own, ":")
			for _, p := range s.Buses[0].Modbus.Units[0].Points {
				if p.ID == id && (p.Table != c.want.Table || p.Address != c.want.Address || p.Type != c.want.Type) {
					t.Errorf("got %+v", p)
				}
				if p.ID == id {
					return
				}
			}
			t.Error("it is not read")
		})
	}
	s, problems, dir := siteWith(t, profileBase+"profiles: [own]\ndevices: {g: {bus: b, unit: 7, profile: gauge, height: 12.5}}\npoints: {g.distance: {value: \"g.state + 1\"}}\n",
		map[string]string{"gauge": gauge})
	if s == nil || s.point("g.distance").Value == nil || s.point("g.distance").Range == nil || len(s.Buses[0].Modbus.Units[0].Points) != 1 {
		t.Errorf("computed instead of read: %s", lines(problems, dir))
	}
}

func TestMistakesAroundProfiles(t *testing.T) {
	with := func(device string) string {
		return profileBase + "profiles: [own]\ndevices:\n  g: {bus: b, unit: 7, " + device + "}\n"
	}
	for _, c := range []struct{ story, site, profile, want string }{
		{"no such profile", with("profile: gouge"), gauge, `site.yaml:7:33: devices.g.profile: no profile "gouge"; did you mean "gauge"?`},
		{"nothing like it", with("profile: zzzzzzzz"), gauge,
			`site.yaml:7:33: devices.g.profile: no profile "zzzzzzzz"; want one of pithead help profiles, or of a folder under profiles:`},
		{"a path is no name", with("profile: ../own/gauge"), gauge,
			`site.yaml:7:33: devices.g.profile: no profile "../own/gauge"; want one of pithead help profiles, or of a folder under profiles:`},
		{"a parameter is missing", with("profile: gauge"), gauge,
			`site.yaml:7:33: devices.g.profile: needs height (height in m); want height: and its value beside profile`},
		{"but not where nothing uses it", with("profile: gauge, points: [state]"), gauge, ""},
		{"what is computed from is brought along", with("profile: gauge, points: [level]"), gauge,
			`site.yaml:7:33: devices.g.profile: needs height (height in m); want height: and its value beside profile`},
		{"a parameter out of bounds", with("profile: gauge, height: 120"), gauge,
			`site.yaml:7:48: devices.g.height: 120 is out of bounds; want a number from 0 to 100 (height in m)`},
		{"a parameter that is no number", with("profile: gauge, height: 012"), gauge,
			`site.yaml:7:48: devices.g.height: 012 begins with 0, which could be meant as octal; want 12 (height in m)`},
		{"a word that is none of the choices", with("profile: gauge, height: 1, order: CDBA"), gauge,
			`site.yaml:7:58: devices.g.order: "CDBA" is unknown; did you mean "CDAB"? (byte order)`},
		{"a parameter misspelt", with("profile: gauge, height: 1, ordr: CDAB"), gauge, `site.yaml:7:51: devices.g.ordr: unknown key; did you mean "order"?`},
		{"a key of the device misspelt", with("profile: gauge, height: 1, evry: 1s"), gauge, `site.yaml:7:51: devices.g.evry: unknown key; did you mean "every"?`},
		{"a parameter of another profile", with("profile: gauge, height: 1, colour: red"), gauge,
			`site.yaml:7:51: devices.g.colour: unknown key; the parameters of profile gauge are height, order`},
		{"a point that it does not have", with("profile: gauge, height: 1") + "points: {g.levle: {name: x}}\n", gauge,
			`site.yaml:8:10: points.g.levle: profile gauge of device "g" has no point "levle", or the device's points leave it out`},
		{"a choice that it does not have", with("profile: gauge, height: 1, points: [levl]"), gauge,
			`site.yaml:7:60: devices.g.points[0]: profile gauge has no point "levl"; did you mean "level"?`},
		{"points without a profile", with("points: [level]") + "points: {x: {device: g, holding: 1}}\n", gauge,
			`site.yaml:7:24: devices.g.points: chooses among the points of a profile; want profile beside it`},
		{"only the broken profile is told", with("profile: gauge, height: 1") + "points: {g.state: {name: x}, y: {value: g.level + 1}}\n", "device: [x\n",
			`own/gauge.yaml:2:1: a [ that is never closed, or a comma is missing; want , between entries and ] at the end`},
		{"what a profile has to say", with("profile: gauge"), "device: x\npoints: {}\n",
			"own/gauge.yaml:1:1: \"maker\" is missing; want a value\nown/gauge.yaml:1:1: \"source\" is missing; want a value\nown/gauge.yaml:1:1: \"tried\" is missing; want on or off"},
		{"a mistake in a point of a profile", with("profile: gauge, height: 1"), strings.Replace(gauge, "holding: 10", "holding: 70000", 1),
			`own/gauge.yaml:12:20: points.g.state.holding: 70000 is out of bounds; want a number from 0 to 65535`},
		{"it is told once", with("profile: gauge, height: 1") + "  h: {bus: b, unit: 8, profile: gauge, height: 2}\n", strings.Replace(gauge, "holding: 10", "holding: 70000", 1),
			`own/gauge.yaml:12:20: points.g.state.holding: 70000 is out of bounds; want a number from 0 to 65535`},
		{"an alarm is the site's to set", with("profile: gauge, height: 1"), gauge + "  x: {holding: 20, alarms: []}\n",
			`own/gauge.yaml:13:20: points.g.x.alarms: is the site file's to say; leave it out of a profile`},
		{"an expression of a profile", with("profile: gauge, height: 1"), strings.Replace(gauge, "$device.distance\"", "$device.distence\"", 1),
			`own/gauge.yaml:11:27: points.g.level.value: unknown point "g.distence"; did you mean g.distance?`},
		{"a word that stands for nothing", with("profile: gauge, height: 1"), strings.Replace(gauge, "holding: 10", "holding: $hight", 1),
			`own/gauge.yaml:12:20: $hight stands for nothing; want a parameter, device or n`},
		{"a parameter with a name of the device's", with("profile: gauge, height: 1"), strings.Replace(gauge, "  height:", "  unit: {what: x}\n  height:", 1),
			`own/gauge.yaml:6:3: parameters.unit: is a key of every device; want another name`},
		{"a folder that is not there", profileBase + "profiles: [nowhere]\npoints: {x: {value: \"1 + 1\"}}\n", gauge, `site.yaml:5:12: warning: profiles[0]: nowhere is not there`},
		{"nobody has tried it", with("profile: gauge, height: 1"), strings.Replace(gauge, "tried: yes", "tried: no", 1),
			`site.yaml:7:33: warning: devices.g.profile: profile gauge was not yet tried on hardware (tried: no); its map is from its manual; compare each value with the device's own display`},
	} {
		t.Run(c.story, func(t *testing.T) {
			s, problems, dir := siteWith(t, c.site, map[string]string{"gauge": c.profile})
			got := strings.TrimSpace(lines(problems, dir))
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if bad := c.want != "" && !strings.Contains(c.want, "warning:"); bad != (s == nil) {
				t.Errorf("a site: %v", s != nil)
			}
		})
	}
}

// A folder of the site's own comes before what is in the binary.
func TestASiteCorrectsAProfile(t *testing.T) {
	s, problems, dir := siteWith(t, profileBase+"profiles: [own]\ndevices: {g: {bus: b, unit: 7, profile: radar-level, height: 1}}\n", map[string]string{"radar-level": gauge})
	if s == nil || s.point("g.distance") == nil {
		t.Error(lines(problems, dir))
	}
}

// The last good site runs even where its profile is what is bad now.
func TestLastGoodHasItsProfiles(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	s, problems, dir := siteWith(t, profileBase+"profiles: [own]\ndevices: {g: {bus: b, unit: 7, profile: gauge, height: 1}}\n", map[string]string{"gauge": gauge})
	if s == nil {
		t.Fatal(lines(problems, dir))
	}
	if err := os.MkdirAll(s.Buffer.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := KeepGood(s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "own", "gauge.yaml"), []byte("device: ["), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "site.yaml")
	if bad, _ := Load(file); bad != nil {
		t.Fatal("the broken profile went unnoticed")
	}
	good, err := LastGood(file)
	if err != nil || good.point("g.level") == nil {
		t.Errorf("got %v, %v", good, err)
	}
}

// Every profile in the binary says what the pages ask of it.
func TestProfilesSayWhereTheyAreFrom(t *testing.T) {
	names := builtins("profiles")
	all := Profiles()
	if len(all) != len(names) || len(all) < 14 {
		t.Fatalf("%d of %d profiles are good", len(all), len(names))
	}
	for _, p := range all {
		if p.Device == "" || p.Maker == "" || p.Source == "" || p.Tried {
			t.Errorf("%+v", p)
		}
	}
}

// Whatever a profile holds, it is judged without a panic.
func FuzzProfile(f *testing.F) {
	f.Add([]byte(gauge))
	for _, p := range Profiles() {
		f.Add(p.Text)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.yaml"), src, 0o644); err != nil {
			t.Fatal(err)
		}
		site := profileBase + "devices: {g: {bus: b, unit: 7, profile: x, height: 1, address: 3, code: 1ua, low: 0, high: 1, in: m, gas: co, unit_code: 1}}\npoints: {g.level: {name: x}}\n"
		if s, problems := parse("site.yaml", []byte(site), false, dir); s == nil && len(problems) == 0 {
			t.Error("bad, and nothing is told")
		}
	})
}
