package expr

import (
	"testing"
	"time"

	"pithead/drivers"
)

// The field's formulas, as a site file writes them, with the numbers that they
// were published with or that follow from those by hand.
var field = site{
	"crest": {Kind: drivers.Number, Unit: "m"}, "level": {Kind: drivers.Number, Unit: "m"}, "surge": {Kind: drivers.Number, Unit: "m"},
	"r1": {Kind: drivers.Number, Unit: "m"}, "r2": {Kind: drivers.Number, Unit: "m"},
	"f": {Kind: drivers.Number, Unit: "Hz"}, "f0": {Kind: drivers.Number, Unit: "Hz"}, "temp": {Kind: drivers.Number, Unit: "°C"},
	"mpa": {Kind: drivers.Number, Unit: "MPa"}, "surface": {Kind: drivers.Number, Unit: "m"}, "height": {Kind: drivers.Number, Unit: "m"},
	"rain": {Kind: drivers.Number, Unit: "mm"}, "in": {Kind: drivers.Number}, "out": {Kind: drivers.Number},
	"hoist.kwh": {Kind: drivers.Number, Unit: "kWh"}, "mine.kwh": {Kind: drivers.Number, Unit: "kWh"},
	"flow.in": {Kind: drivers.Number, Unit: "L/min"}, "flow.out": {Kind: drivers.Number, Unit: "L/min"},
	"ppm": {Kind: drivers.Number, Unit: "ppm"},
}

func TestTheFieldsFormulas(t *testing.T) {
	for _, c := range []struct {
		story, src string
		given      map[string]float64
		want       float64
		within     float64
	}{
		{"safety freeboard: crest over water", "crest - level", map[string]float64{"crest": 1250, "level": 1248.5}, 1.5, 0},
		{"of a dam that holds water, less the surge", "crest - level - surge", map[string]float64{"crest": 1250, "level": 1248.5, "surge": 0.3}, 1.2, 0},
		// Dry beach, slope from the design: L = (crest - water) / slope.
		{"dry beach of fixed slope: 1.5 m over 1 %", "(crest - level) / 0.01", map[string]float64{"crest": 1250, "level": 1248.5}, 150, 0},
		// Two radars over the beach, 6 m and 5 m high at 20 m and 70 m from the
		// crest: slope = |((H1 - d1) - (H2 - d2)) / (x1 - x2)|.
		{"slope from two radars", "abs(((1254 - r1) - (1253.5 - r2)) / (20 - 70))", map[string]float64{"r1": 5, "r2": 5}, 0.01, 1e-12},
		{"dry beach from two radars", "(crest - level) / abs(((1254 - r1) - (1253.5 - r2)) / (20 - 70))", map[string]float64{"crest": 1250, "level": 1248.5, "r1": 5, "r2": 5}, 150, 1e-9},
		{"two radars that see no slope give no beach", "(crest - level) / abs(((1254 - r1) - (1253.5 - r2)) / (20 - 70))", map[string]float64{"crest": 1250, "level": 1248.5, "r1": 5.5, "r2": 5}, nan, 0},
		// Vibrating wire: P = K (f² - f0²) + C (T - T0), MPa. Makers differ in the
		// sign: with K for f0² - f² the same wire gives the same pressure.
		{"vibrating wire, the wire slackens under pressure", "-1.2e-7 * (f ^ 2 - f0 ^ 2) + 2e-4 * (temp - 20)", map[string]float64{"f": 2700, "f0": 2900, "temp": 15}, 0.1334, 1e-12},
		{"vibrating wire, with the other sign", "1.2e-7 * (f0 ^ 2 - f ^ 2) + 2e-4 * (temp - 20)", map[string]float64{"f": 2700, "f0": 2900, "temp": 15}, 0.1334, 1e-12},
		{"head of water: 0.098 MPa is 10 m", "mpa * 1000 / 9.8", map[string]float64{"mpa": 0.098}, 10, 1e-12},
		{"phreatic elevation", "1200 + mpa * 1000 / 9.8", map[string]float64{"mpa": 0.098}, 1210, 1e-9},
		{"phreatic depth", "surface - (1200 + mpa * 1000 / 9.8)", map[string]float64{"mpa": 0.098, "surface": 1216}, 6, 1e-9},
		// GB 50863-2013, from memory: 6 m at 100 m, 8 m at 150 m.
		{"least phreatic depth between two heights", "interp([[30, 2], [60, 4], [100, 6], [150, 8], [200, 10]], height)", map[string]float64{"height": 125}, 7, 0},
		// GB/T 28592-2012, 24 h: 50 rainstorm, 100 heavy, 250 extreme.
		{"a class of rain: just below a rainstorm", rainClass, map[string]float64{"rain": 49.9}, 1, 0},
		{"a class of rain: a rainstorm", rainClass, map[string]float64{"rain": 50}, 2, 0},
		{"a class of rain: a heavy one", rainClass, map[string]float64{"rain": 249.9}, 3, 0},
		{"a class of rain: an extreme one", rainClass, map[string]float64{"rain": 250}, 4, 0},
		{"who is below", "in - out", map[string]float64{"in": 47, "out": 41}, 6, 0},
		{"water that did not come back", "flow.in - flow.out", map[string]float64{"flow.in": 120, "flow.out": 113}, 7, 0},
		// GBZ 2.1: 20 mg/m³ of CO is 17.2 ppm at 20 °C, 24.04 L/mol.
		{"ppm of CO in mg/m³", "ppm * 28.01 / 24.04", map[string]float64{"ppm": 17.2}, 20, 0.05},
		{"24 ppm of CO is not 20 mg/m³", "ppm * 28.01 / 24.04", map[string]float64{"ppm": 24}, 28.0, 0.05},
	} {
		t.Run(c.story, func(t *testing.T) {
			e, err := Parse(c.src, field)
			if err != nil {
				t.Fatal(err)
			}
			v, q := once(e, func(id string) Sample { return good(num(c.given[id])) })
			switch d := v.Float() - c.want; {
			case c.want != c.want: // none
				if q != drivers.Input {
					t.Errorf("%s is %v, want none", c.src, v)
				}
			case q != drivers.Good || d > c.within+1e-9 || -d > c.within+1e-9:
				t.Errorf("%s is %v (%v), want %v", c.src, v, q, c.want)
			}
		})
	}
}

const rainClass = "count(rain >= 25, rain >= 50, rain >= 100, rain >= 250)"

var nan = num(0).Float() / zero

const zero = 0.0

// A closed mine was caught by the hoist's share of its energy: 9.7 % by day,
// over 13 % at night.
func TestTheHoistsShareOfEnergy(t *testing.T) {
	e, err := Parse("100 * delta(hoist.kwh, 24h) / delta(mine.kwh, 24h)", field)
	if err != nil {
		t.Fatal(err)
	}
	u := e.Use()
	hoist, mine, share := 0.0, 0.0, 0.0
	for hour := range 96 {
		if mine += 1000; hour < 48 {
			hoist += 97
		} else {
			hoist += 132
		}
		at := time.Duration(hour) * time.Hour
		v, q := u.Eval(Now{At: at}, func(i int) Sample { return Sample{Value: num([]float64{hoist, mine}[i]), At: at} })
		if share = v.Float(); hour == 47 && (q != drivers.Good || drivers.Compare(share, 9.7) != 0) {
			t.Errorf("by the second day the share is %v (%v)", share, q)
		}
	}
	if drivers.Compare(share, 13.2) != 0 {
		t.Errorf("by the fourth day the share is %v", share)
	}
}

// Current through a furnace's lining: a new wet lining makes it rise slowly and
// fall again over some heats; metal that comes through makes it rise and stay.
func TestAFurnacesLeakage(t *testing.T) {
	env := site{"leak": {Kind: drivers.Number, Unit: "mA"}}
	e, err := Parse("held(leak >= 10 and delta(leak, 30m) >= 4, 2m) or held(leak >= 30, 10s)", env)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		story string
		mA    func(minute float64) float64
		alarm float64 // minute; 0: never
	}{
		{"a wet lining that dries", func(m float64) float64 { return max(2, 12-abs(m-120)/12) }, 0},
		{"one that was high for days", func(float64) float64 { return 14 }, 0},
		{"metal comes through", func(m float64) float64 { return 3 + max(0, m-60)*0.5 }, 76},
		{"and breaks through", func(m float64) float64 { return map[bool]float64{true: 40, false: 3}[m >= 60] }, 60.25},
	} {
		u, alarm := e.Use(), 0.0
		for s := 0; s < 4*3600 && alarm == 0; s += 5 {
			at := time.Duration(s) * time.Second
			v, _ := u.Eval(Now{At: at}, func(int) Sample { return Sample{Value: num(c.mA(float64(s) / 60)), At: at} })
			if v == yes {
				alarm = float64(s) / 60
			}
		}
		if alarm < c.alarm-0.1 || alarm > c.alarm+0.1 {
			t.Errorf("%s: alarm at minute %v, want %v", c.story, alarm, c.alarm)
		}
	}
}

func abs(f float64) float64 { return max(f, -f) }
