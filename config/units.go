package config

import (
	"fmt"
	"strconv"
	"strings"

	"pithead/config/expr"
	"pithead/drivers"
)

// A unit that is known is a measure of something, and so many of its base.
type unit struct {
	of   string // share of volume (base ppm), mass in volume (base mg/m³), …
	base float64
}

const (
	share = "share"
	mass  = "mass"
)

// units are by their plain spelling, in small letters.
var units = map[string]unit{
	"%": {share, 1e4}, "%vol": {share, 1e4}, "vol%": {share, 1e4}, "%v/v": {share, 1e4}, "ppm": {share, 1}, "ppmv": {share, 1}, "umol/mol": {share, 1}, "ppb": {share, 1e-3},
	"%ch4": {share, 1e4}, "%co": {share, 1e4}, "%co2": {share, 1e4}, "%o2": {share, 1e4}, "ppmco": {share, 1},
	"mg/m3": {mass, 1}, "g/m3": {mass, 1e3}, "ug/m3": {mass, 1e-3},
	"%lel": {"lel", 1},
	"m":    {"length", 1}, "cm": {"length", 1e-2}, "mm": {"length", 1e-3}, "km": {"length", 1e3},
	"m/s": {"speed", 1}, "m/min": {"speed", 1.0 / 60}, "m/h": {"speed", 1.0 / 3600}, "mm/h": {"speed", 1e-3 / 3600}, "mm/d": {"speed", 1e-3 / 86400},
	"mpa": {"pressure", 1e6}, "kpa": {"pressure", 1e3}, "pa": {"pressure", 1}, "bar": {"pressure", 1e5},
	"°c": {"temperature", 1}, "k": {"kelvin", 1},
	"m3/h": {"flow", 1}, "l/min": {"flow", 0.06}, "l/s": {"flow", 3.6}, "m3/s": {"flow", 3600},
}

func unitOf(s string) (unit, bool) {
	u, ok := units[strings.ToLower(strings.NewReplacer(" ", "", "³", "3", "²", "2", "℃", "°C", "µ", "u", "μ", "u", "％", "%").Replace(s))]
	return u, ok
}

// molar masses, g/mol.
var molar = map[string]float64{
	"ch4": 16.04, "co": 28.01, "co2": 44.01, "o2": 32.00, "no2": 46.01, "so2": 64.07, "h2s": 34.08, "nh3": 17.03, "cl2": 70.90, "hcn": 27.03,
}

// molarVolume is of an ideal gas at 20 °C and 101.325 kPa, L/mol.
const molarVolume = 24.04

// presetFits says whether a preset's numbers may be compared with the point's
// values: only in one unit, since 24 ppm of CO is not 20 mg/m³. Where a
// conversion is known it is offered, not made.
func (j *judge) presetFits(p *point, v *value, pre preset) bool {
	have, want := p.site.Unit, pre.text("unit")
	switch {
	case p.kind != drivers.Number && p.kind != drivers.None:
		j.errorf(v.place, "belongs to numbers; %s is none", whatIs(p.kind))
		return false
	case p.broken("unit"):
		return false
	case have == "":
		j.errorf(v.place, "%s is in %s, and the point says no unit; want unit: %s", pre.id, want, want)
		return false
	case expr.SameUnit(have, want):
		return true
	}
	h, known := unitOf(have)
	w, _ := unitOf(want)
	if known && h == w && gasOf(have, pre.text("gas")) {
		return true
	}
	n := pre.given("numbers").list[0].obj
	x := n.num("above") + n.num("below") // one of them
	if o := n.given("outside"); o != nil {
		x = o.list[0].num
	}
	f, how := factor(h, w, pre.text("gas"))
	if !known || f == 0 {
		j.errorf(v.place, "%s is in %s, the point in %s; want a point in %s", pre.id, want, have, want)
		return false
	}
	j.errorf(v.place, "%s is in %s, the point in %s: %s %s is %s %s%s; want a point in %s, as one with value: \"%s * %s\"",
		pre.id, want, have, plain(x), want, digits(x/f, 4), have, how, want, p.id, digits(f, 5))
	return false
}

// digits is a number with so many that count, without an exponent.
func digits(f float64, n int) string {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', n, 64), 64) // it was written just now
	return strconv.FormatFloat(r, 'f', -1, 64)
}

// gasOf says whether a unit that names a gas names this one.
func gasOf(unit, gas string) bool {
	u := strings.ToLower(unit)
	for g := range molar {
		if strings.HasSuffix(u, g) && g != gas && !strings.HasSuffix(gas, g) {
			return false
		}
	}
	return true
}

// factor makes a value in one unit one in another; 0 = nobody knows.
func factor(from, to unit, gas string) (f float64, how string) {
	const at = " (at 20 °C, 24.04 L/mol)"
	m := molar[gas]
	switch {
	case from.of == to.of && from.of != "":
		return from.base / to.base, ""
	case from.of == mass && to.of == share && m > 0:
		return from.base * molarVolume / m / to.base, at
	case from.of == share && to.of == mass && m > 0:
		return from.base * m / molarVolume / to.base, at
	}
	return 0, ""
}

// StandardText is what people are told of the standards: all, or one in full.
func StandardText(name string) ([]byte, error) {
	if name != "" {
		return builtin("standards/" + name + ".yaml")
	}
	var b strings.Builder
	for _, s := range standardNames() {
		head, presets, err := readStandard(s)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s  %s\n", head.text("standard"), head.text("title"))
		for _, p := range presets {
			fmt.Fprintf(&b, "  %-30s %-7s %s\n", p.id, p.text("unit"), p.text("name"))
		}
	}
	return []byte(b.String()), nil
}
