package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"pithead/agent/alarm"
	"pithead/drivers"
	"pithead/drivers/sim"
)

// Where an alarm of the point trips an output, its fault does too, unless the
// point says otherwise.
func TestFaultAlarms(t *testing.T) {
	for _, c := range []struct {
		story, alarms string
		level         alarm.Level
		wait          time.Duration
		do            string
	}{
		{"nothing said", "", alarm.Blue, time.Minute, ""},
		{"a notice is no trip", "{level: red, above: 5, do: [siren]}", alarm.Blue, time.Minute, ""},
		{"a trip", "{level: orange, above: 5, do: [siren, cut]}", alarm.Orange, 15 * time.Second, "cut"},
		{"two trips: the higher level", "{level: orange, above: 5, do: [cut]}, {level: red, above: 6, do: [cut]}", alarm.Red, 15 * time.Second, "cut"},
		{"the higher level first", "{level: red, above: 6, do: [cut]}, {level: orange, above: 5, do: [cut]}", alarm.Red, 15 * time.Second, "cut"},
		{"a trip by an alarm of later", "{level: orange, rise: 5, within: 1h, do: [cut]}", alarm.Orange, 15 * time.Second, "cut"},
		{"only the time said", "{level: orange, above: 5, do: [cut]}, {fault: 3s}", alarm.Orange, 3 * time.Second, "cut"},
		{"said not to", "{level: orange, above: 5, do: [cut]}, {fault: 3s, do: []}", alarm.Orange, 3 * time.Second, ""},
		{"all said", "{fault: 3s, level: red, do: [siren]}", alarm.Red, 3 * time.Second, "siren"},
	} {
		t.Run(c.story, func(t *testing.T) {
			s := good(t, base+"  p: {device: d, input: 0, alarms: ["+c.alarms+"]}\n")
			all := s.point("p").AllAlarms()
			f := all[len(all)-1]
			if f.ID != "p/fault" || f.Level != c.level || f.For != c.wait || strings.Join(f.Do, " ") != c.do {
				t.Errorf("got %+v", f)
			}
		})
	}
	fast := good(t, base+"  p: {device: d, input: 0, every: 1s, alarms: [{level: red, above: 5, do: [cut]}]}\n").point("p")
	if f := fast.Alarms[1]; f.For != 10*time.Second {
		t.Errorf("three cycles of 1s: %v", f.For)
	}
	slow := good(t, base+"  p: {device: d, input: 0, every: 30s}\n  q: {value: p + level, alarms: [{level: red, above: 5, do: [cut]}]}\n").point("q")
	if f := slow.Alarms[1]; f.For != 90*time.Second {
		t.Errorf("three cycles of what a computed point needs: %v", f.For)
	}
	site := good(t, base+"defaults: {fault: {for: 5m, level: yellow}}\n")
	if f := site.point("door").AllAlarms()[0]; f.Level != alarm.Yellow || f.For != 5*time.Minute {
		t.Errorf("the site's default: %+v", f)
	}
}

func TestScaling(t *testing.T) {
	for _, c := range []struct {
		keys     string
		mul, add float64
		decimals int // of the reading
		shown    int // of the point
	}{
		{"scale: 0.1", 0.1, 0, 1, 1}, {"scale: 0.25, offset: -40", 0.25, -40, 2, 2}, {"offset: 0.5", 1, 0.5, 1, 1}, {"scale: 1e-3", 1e-3, 0, 3, 3},
		{"scale: 10", 10, 0, 0, 0}, {"map: [0, 1000, 0, 10]", 0.01, 0, 2, 2}, {"map: [0, 10, 0, 100]", 10, 0, 0, 0},
		{"scale: 10, type: f32", 10, 0, cleaning, -1}, {"scale: 0.1, decimals: 3", 0.1, 0, 3, 3}, {"map: [4, 20, 0, 4], type: f64", 0.25, -1, cleaning, -1},
	} {
		s := good(t, base+"  p: {device: d, input: 0, "+c.keys+"}\n")
		got := s.Buses[0].Modbus.Units[0].Points[1].Scale
		if !got.Linear || math.Abs(got.Mul-c.mul) > 1e-12 || got.Add != c.add || got.Decimals != c.decimals || s.point("p").Decimals != c.shown {
			t.Errorf("%s: got %+v, %d", c.keys, got, s.point("p").Decimals)
		}
	}
	s := good(t, base+"  p: {device: d, input: 0, curve: [[200, 0], [1000, 10]], void: [0x7FFF]}\n")
	same(t, "curve", s.Buses[0].Modbus.Units[0].Points[1].Scale, &drivers.Scale{Curve: [][2]float64{{200, 0}, {1000, 10}}, Decimals: cleaning, Void: []uint64{0x7FFF}})
}

// Defaults that depend on where a thing is.
func TestDefaults(t *testing.T) {
	s := good(t, base+"  rain: {gpio: board/7, counts: 0.2}\n")
	in := s.Buses[1].GPIO.Inputs
	if in[0].Debounce != 5*time.Millisecond || in[1].Debounce != 0 {
		t.Errorf("debounce: %+v", in)
	}
	if d := s.Buses[0].Modbus.Timeout; d != 500*time.Millisecond {
		t.Errorf("timeout of a serial line: %v", d)
	}
}

// What has few values is stored on change; a count may say by how much.
func TestOnChange(t *testing.T) {
	s := good(t, base+"  rain: {gpio: board/7, counts: 0.2}\n  flow: {gpio: board/8, counts: 0.2, deadband: 1}\n  low: {value: level < 3}\n  sum: {value: level + 1}\n")
	for id, want := range map[string]bool{"door": true, "rain": true, "flow": false, "level": false, "low": true, "sum": false} {
		if p := s.point(id); p.OnChange != want {
			t.Errorf("%s: %+v", id, p)
		}
	}
}

// Hexadecimal is the registers' content; decimal is a number as the type holds it.
func TestVoid(t *testing.T) {
	for _, c := range []struct {
		typ, void string
		want      uint64
	}{
		{"u16", "65535", 0xFFFF}, {"i16", "-1", 0xFFFF}, {"i16", "0x8000", 0x8000}, {"i32", "-2147483648", 0x80000000}, {"f32", "-9999", 0xC61C3C00},
		{"f32", "0x7FC00000", 0x7FC00000}, {"f64", "1", 0x3FF0000000000000}, {"u64", "18446744073709551615", math.MaxUint64}, {"bcd16", "9999", 0x9999},
	} {
		s := good(t, base+"  p: {device: d, input: 0, type: "+c.typ+", void: ["+c.void+"]}\n")
		same(t, c.typ+" "+c.void, s.Buses[0].Modbus.Units[0].Points[1].Scale.Void, []uint64{c.want})
	}
}

func TestSimulatedBus(t *testing.T) {
	s := good(t, `version: 1
site: s
gateway: g
buses:
  pit: {sim: {seed: 7, signals: {
    pond.level: {wave: {mean: 1247.6, swing: 0.7, period: 40s}, noise: 0.01},
    gas.ch4: {steps: [[0s, 0.3], [20s, 1.6], [40s, 0.3]], repeat: 60s},
    feed.face: {follows: {output: cutoff, on: 0, off: 1, delay: 1s}},
    pump.run: {value: 1, drops: [{at: 10s, for: 5s, every: 60s}]},
    rain: {value: 2}}}}
devices: {d: {bus: pit, unit: 1, every: 1s}}
points:
  pond.level: {device: d, holding: 0, type: f32, range: [1200, 1260], decimals: 3}
  gas.ch4: {device: d, input: 2, map: [4000, 20000, 0, 4]}
  feed.face: {device: d, discrete: 4}
  pump.run: {device: d, holding: 12, bit: 3}
  rain: {gpio: pit/17, counts: 0.2}
outputs:
  cutoff: {kind: trip, device: d, coil: 3, on-start: off, first-line: x}
  siren: {gpio: pit/22}
`)
	bus := s.Buses[0].Sim
	same(t, "signals", bus.Signals, map[string]sim.Signal{
		"pond.level": {Wave: &sim.Wave{Mean: 1247.6, Swing: 0.7, Period: 40 * time.Second}, Noise: 0.01},
		"gas.ch4":    {Steps: []sim.Step{{At: 0, Value: 0.3}, {At: 20 * time.Second, Value: 1.6}, {At: 40 * time.Second, Value: 0.3}}, Repeat: time.Minute},
		"feed.face":  {Follows: &sim.Follows{Output: "cutoff", On: 0, Off: 1, Delay: time.Second}},
		"pump.run": {Steps: []sim.Step{{Value: 1}},
			Drops: []sim.Drop{{At: 10 * time.Second, For: 5 * time.Second, Every: time.Minute, Quality: drivers.Comm}}},
		"rain": {Steps: []sim.Step{{Value: 2}}},
	})
	same(t, "outputs", bus.Outputs, []string{"cutoff", "siren"})
	if bus.Seed != 7 || len(bus.Units) != 1 || len(bus.Units[0].Points) != 4 || !bus.Units[0].Points[2].Truth || bus.Inputs[0].Counts != 0.2 {
		t.Errorf("%+v", bus)
	}
	if _, err := sim.Open(*bus); err != nil {
		t.Error(err)
	}
}
