package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pithead/agent/alarm"
	"pithead/drivers"
	"pithead/drivers/gpio"
	"pithead/drivers/modbus"
)

func TestExamples(t *testing.T) {
	kinds := ExampleKinds()
	if len(kinds) < 3 {
		t.Fatal(kinds)
	}
	for _, k := range kinds {
		site, problems := Parse(k.Kind+".yaml", k.Text)
		problems = slices.DeleteFunc(problems, func(p Problem) bool { return p.Warning && strings.Contains(p.Text, " becomes ") })
		if site == nil || len(problems) > 0 {
			t.Errorf("%s", said(problems))
			continue
		}
		if len(site.Later) > 0 {
			t.Errorf("%s: this version does not act on %v", k.Kind, site.Later)
		}
	}
}

func example(t *testing.T, name string) *Site {
	t.Helper()
	src, err := builtin("examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	site, problems := Parse("/etc/pithead/site.yaml", src)
	if site == nil {
		t.Fatal(said(problems))
	}
	return site
}

// at is the line of pond.yaml that begins so.
func at(begin string) int {
	src, _ := builtin("examples/pond.yaml")
	for i, l := range strings.Split(string(src), "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), begin) {
			return i + 1
		}
	}
	return 0
}

// good is the site of a text that has no mistakes.
func good(t *testing.T, src string) *Site {
	t.Helper()
	site, problems := Parse("site.yaml", []byte(src))
	if site == nil {
		t.Fatal(said(problems))
	}
	return site
}

func (s *Site) point(id string) *Point {
	for i := range s.Points {
		if s.Points[i].ID == id {
			return &s.Points[i]
		}
	}
	return nil
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%+v\nwant\n%+v", what, got, want)
	}
}

func TestSiteOfThePond(t *testing.T) {
	s := example(t, "pond.yaml")
	if got, want := s.Summary(), "/etc/pithead/site.yaml: good: 4 buses, 8 points, 12 alarms, 1 uplink"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if s.Hash[:7] != "sha256:" || len(s.Hash) != 71 || s.Site != "shidian-tsf" || s.Name != "尾矿库 1 号网关" || s.LogLevel != "info" || s.Memory != 64<<20 {
		t.Error(s.Hash, s.Site, s.Name, s.LogLevel, s.Memory)
	}
	same(t, "buffer", s.Buffer, Buffer{Dir: "/var/lib/pithead", Size: 2e9, Events: 25e7, Stats: 25e7, Commit: time.Second})
	same(t, "devices", s.Devices[1], Device{ID: "gas1", Bus: "rs1", Unit: 4, Every: 2 * time.Second, Line: at("gas1:")})

	line := s.Buses[0].Modbus
	same(t, "line", []any{line.Transport, line.Address, line.Baud, line.Parity, line.DataBits, line.StopBits, line.Timeout},
		[]any{modbus.RTU, "/dev/ttyS1", 9600, byte('N'), 8, 1, 500 * time.Millisecond})
	same(t, "network timeout", s.Buses[1].Modbus.Timeout, time.Second)
	gas := line.Units[1]
	points := gas.Points
	gas.Points = nil
	same(t, "unit", gas, modbus.UnitConfig{ID: "gas1", Unit: 4, Every: 2 * time.Second, Timeout: 800 * time.Millisecond,
		Pause: 500 * time.Millisecond, Turnaround: 20 * time.Millisecond, Retries: 1, Max: 125, Late: 3 * time.Second})
	same(t, "methane", points, []modbus.PointConfig{{
		ID: "gas.ch4", Table: modbus.Input, Address: 2, Bit: -1, Every: 2 * time.Second, Rare: &modbus.Rare{WarmUp: time.Minute}, Line: int32(at("gas.ch4:")),
		Scale: &drivers.Scale{Linear: true, Mul: 0.00025, Add: -1, Decimals: 4, Valid: &[2]float64{3600, 21000}, Void: []uint64{0xFFFE, 0xFFFD}},
	}})
	same(t, "level", line.Units[0].Points[0], modbus.PointConfig{
		ID: "pond.level", Table: modbus.Holding, Type: modbus.F32, Order: modbus.CDAB, Bit: -1, Every: 5 * time.Second, Line: int32(at("pond.level:")),
		Scale: &drivers.Scale{Decimals: 3, Range: &[2]float64{1200, 1260}},
	})
	relays := s.Buses[1].Modbus
	same(t, "bit", relays.Units[0].Points[1], modbus.PointConfig{ID: "pump.run", Table: modbus.Holding, Address: 12, Type: modbus.Truth, Bit: 3,
		Every: time.Second, Line: int32(at("pump.run:")), Scale: &drivers.Scale{Decimals: -1}})
	same(t, "cut-off", relays.Outputs, []modbus.OutputConfig{{ID: "cutoff", Unit: 1, Device: "relays", Table: modbus.Coil, Address: 3, Low: true}})

	board := s.Buses[3].GPIO
	same(t, "rain", board.Inputs[0], gpio.InputConfig{ID: "pond.rain", Pin: "17", Low: true, Pull: gpio.PullUp, Debounce: 20 * time.Millisecond,
		Counts: 0.2, Every: 5 * time.Second, Scale: drivers.Scale{Decimals: -1}, Line: at("pond.rain:")})
	same(t, "door", board.Inputs[1].Pin, "GPIO18")
	same(t, "siren", board.Outputs[0], gpio.OutputConfig{ID: "siren", Pin: "22", Line: at("siren:")})
}

func TestPointsOfThePond(t *testing.T) {
	s := example(t, "pond.yaml")
	door := s.point("door.main")
	same(t, "states", door.States, []State{{drivers.BoolValue(false), "开"}, {drivers.BoolValue(true), "关"}})
	if !door.OnChange || door.Type != "bool" || door.Device != "" || door.Bus != "board" || !s.point("feed.face").OnChange {
		t.Errorf("%+v", door)
	}
	free := s.point("pond.freeboard")
	if free.Type != "computed" || free.Every != 0 || free.Bus != "" || strings.Join(free.Value.Inputs(), " ") != "pond.level" {
		t.Errorf("%+v", free)
	}
	level := s.point("pond.level")
	if level.Decimals != 3 || level.Deadband != 0.005 || level.AtLeast != 5*time.Minute || level.Every != 5*time.Second || !level.Stats || level.Type != "f32" {
		t.Errorf("%+v", level)
	}
	if rain := s.point("pond.rain"); rain.Type != "counter" || !rain.OnChange || rain.Decimals != -1 {
		t.Errorf("%+v", rain)
	}
	if s.point("gas.ch4").Decimals != 4 || s.point("seep.flow").Decimals != 2 {
		t.Error("decimals are not those of map and scale")
	}
	same(t, "cut-off", s.Outputs[2], Output{ID: "cutoff", Name: "断电", Trip: true, OnStart: new(true), OnExit: "hold",
		Verify:    &Verify{Point: "feed.face", Is: drivers.BoolValue(false), Within: 5 * time.Second},
		FirstLine: "工作面甲烷断电仪", Bus: "plc", Device: "relays", Where: "relays coil 3", Line: at("cutoff:")})
	if !s.Outputs[1].UntilAck || s.Outputs[0].UntilAck || s.Outputs[0].OnStart != nil {
		t.Errorf("%+v", s.Outputs)
	}
}

func TestUplinkOfThePond(t *testing.T) {
	s := example(t, "pond.yaml")
	same(t, "uplink", s.Uplinks, []Uplink{{
		ID: "county", URLs: []string{"tls://mqtt.county.example:8883"}, ClientID: "shidian-tsf-gw-01-county", Username: "gw-01",
		Password: &Secret{File: "/etc/pithead/county.pw"}, CA: "/etc/pithead/ca.pem", Cert: "/etc/pithead/gw.pem", Key: "/etc/pithead/gw.key",
		Keepalive: 30 * time.Second, Prefix: "pithead/v1", Points: []string{"pond.*"}, Data: true, Stats: true, Events: true, Health: true,
		Batch: 500, Within: time.Second, Snapshot: 10 * time.Minute, File: "/etc/pithead/site.yaml", Window: 32, Max: 256_000, Rate: -1, Line: at("county:"),
	}})
	other := example(t, "shaft.yaml").Uplinks[0]
	same(t, "addresses", other.URLs, []string{"tls://mqtt.county.example:8883", "tls://mqtt2.county.example:8883"})
	same(t, "secret", other.Password, &Secret{Env: "PITHEAD_COUNTY_PASSWORD"})
	if other.Points != nil || !other.Data {
		t.Errorf("%+v", other)
	}
	only := good(t, base+"uplinks: {u: {mqtt: tcp://x, send: [events]}}").Uplinks[0]
	if only.Data || only.Stats || only.Health || !only.Events {
		t.Errorf("%+v", only)
	}
}

func TestAlarmsOfThePond(t *testing.T) {
	s := example(t, "pond.yaml")
	same(t, "level", s.point("pond.level").AllAlarms(), []alarm.Def{
		{ID: "pond.level/yellow", Point: "pond.level", Name: "库水位", Level: alarm.Yellow, Condition: alarm.Above,
			Limit: [2]float64{1248}, Clear: [2]float64{1247.8}, For: 30 * time.Second, Line: at("- {level: yellow")},
		{ID: "pond.level/red", Point: "pond.level", Name: "库水位", Level: alarm.Red, Condition: alarm.Above,
			Limit: [2]float64{1249.5}, Clear: [2]float64{1249.2}, For: 30 * time.Second, Latch: true, Do: []string{"siren", "horn"}, Line: at("- {level: red")},
		{ID: "pond.level/fault", Point: "pond.level", Name: "库水位", Level: alarm.Blue, Condition: alarm.Fault, For: time.Minute, Line: at("pond.level:")},
	})
	gas := s.point("gas.ch4").AllAlarms()
	same(t, "own fault", gas[2], alarm.Def{ID: "gas.ch4/fault", Point: "gas.ch4", Name: "回风甲烷", Level: alarm.Red, Condition: alarm.Fault,
		For: 10 * time.Second, Do: []string{"cutoff"}, Line: at("- {fault:")})
	if gas[1].ID != "gas.ch4/cut" || gas[0].Clear[0] != 0.9 {
		t.Errorf("%+v", gas)
	}
	door := example(t, "shaft.yaml").point("door.main").AllAlarms()[0]
	if door.Condition != alarm.Equals || door.Equal != drivers.BoolValue(false) {
		t.Errorf("%+v", door)
	}
}
