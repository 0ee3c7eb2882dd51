package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"pithead/drivers"
	"pithead/drivers/modbus"
)

// numbersOnly are keys that mean nothing for a truth or a text.
var numbersOnly = []string{"scale", "offset", "map", "curve", "decimals", "valid", "void", "range", "deadband", "bands"}

// judgeScale resolves how a raw value becomes the value, and attaches the
// point, now complete, to its bus.
func (j *judge) judgeScale(p *point) {
	j.judgeNumbersOnly(p)
	s := drivers.Scale{Decimals: -1}
	if p.given("counts") != nil {
		for _, k := range []string{"scale", "offset", "map", "curve", "valid"} {
			if p.given(k) != nil {
				j.keyf(p.object, k, "means nothing where pulses are counted; counts says what one is worth")
			}
		}
	}
	p.linear(j, &s)
	j.curveOf(p, &s)
	s.Valid = j.ends(p, "valid")
	s.Range = j.ends(p, "range")
	s.Void = j.voids(p)
	if v := p.given("decimals"); v != nil {
		s.Decimals = int(v.n)
	}
	p.site.Range, p.site.Decimals = s.Range, s.Decimals
	if p.rare.Counter != nil {
		p.rare.Total, s.Range = s.Range, nil // it bounds the total, not the register
	}
	if s.Decimals < 0 && (s.Linear || s.Curve != nil) {
		s.Decimals = cleaning // all digits, but not those that binary fractions add
	}
	p.reach = j.reachOf(p, &s)
	s.Bands = j.bandsOf(p)
	j.attach(p, s)
}

// shared is s, as one that an earlier point has, if that is one of the newest few:
// most points of a device are scaled alike.
func (j *judge) shared(s drivers.Scale) *drivers.Scale {
	for _, o := range j.scales {
		if o.Same(&s) {
			return o
		}
	}
	if j.scales = append(j.scales, &s); len(j.scales) > mostShared {
		j.scales = j.scales[1:]
	}
	return &s
}

const mostShared = 16

// cleaning is how many decimals are kept of a scaled value of which all are
// wanted: more than any sensor has, fewer than show that 0.1 is no binary fraction.
const cleaning = 12

// judgeNumbersOnly refuses what means nothing for a truth or a text.
func (j *judge) judgeNumbersOnly(p *point) {
	if p.kind != drivers.Bool && p.kind != drivers.Text {
		return
	}
	for _, k := range numbersOnly {
		if p.given(k) != nil {
			j.keyf(p.object, k, "belongs to numbers; %s is none", whatIs(p.kind))
			p.vals[k] = nil
		}
	}
}

func whatIs(k drivers.Kind) string {
	if k == drivers.Bool {
		return "a point that is 0 or 1"
	}
	return "a text"
}

// linear resolves scale and offset, or map.
func (p *point) linear(j *judge, s *drivers.Scale) {
	ways := 0
	if p.given("scale") != nil || p.given("offset") != nil {
		ways = 1
	}
	for _, k := range []string{"map", "curve", "counter"} {
		if p.given(k) == nil {
			continue
		}
		if ways++; ways > 1 {
			j.keyf(p.object, k, "is a second way of scaling; want at most one of scale and offset, map, curve, counter")
			return
		}
	}
	whole := p.source == "device" && registerKinds[p.site.Type].whole()
	switch {
	case p.given("scale") != nil || p.given("offset") != nil:
		s.Linear, s.Mul, s.Add = true, 1, p.num("offset")
		if v := p.given("scale"); v != nil {
			s.Mul = v.num
			if v.num == 0 {
				j.errorf(v.place, "0 makes every value the same; want another number")
			}
		}
		if whole {
			s.Decimals = max(decimalsOf(p.given("scale")), decimalsOf(p.given("offset")))
		}
	case p.given("map") != nil:
		j.mapOf(p, s, whole)
	}
}

// mapOf turns two points of a line into factor and addend.
func (j *judge) mapOf(p *point, s *drivers.Scale, whole bool) {
	v := p.given("map")
	x0, x1, y0, y1 := v.list[0].num, v.list[1].num, v.list[2].num, v.list[3].num
	if x0 == x1 || y0 == y1 {
		j.errorf(v.place, "has the same number twice; want [raw, raw, value, value], each two different")
		return
	}
	s.Linear, s.Mul = true, (y1-y0)/(x1-x0)
	s.Add = y0 - s.Mul*x0
	if whole {
		// So many that each step of the raw value can still be seen.
		s.Decimals = min(15, max(0, int(math.Ceil(-math.Log10(math.Abs(s.Mul))-1e-9))))
	}
}

// decimalsOf is how many decimals a number was written with.
func decimalsOf(v *value) int {
	if v == nil || v.hex {
		return 0
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(v.text), "e")
	_, fraction, _ := strings.Cut(mantissa, ".")
	e, _ := strconv.Atoi(exponent)
	return min(15, max(0, len(fraction)-e))
}

func (j *judge) curveOf(p *point, s *drivers.Scale) {
	v := p.given("curve")
	if v == nil {
		return
	}
	for i, e := range v.list {
		if i > 0 && e.list[0].num <= v.list[i-1].list[0].num {
			j.errorf(e.place, "raw %s is not above %s before it; want raw values that rise", e.list[0].text, v.list[i-1].list[0].text)
		}
		s.Curve = append(s.Curve, [2]float64{e.list[0].num, e.list[1].num})
	}
}

// ends is an interval of two numbers that rise.
func (j *judge) ends(p *point, k string) *[2]float64 {
	v := p.given(k)
	if v == nil {
		return nil
	}
	if v.list[0].num >= v.list[1].num {
		j.errorf(v.place, "%s is not below %s; want [least, most]", v.list[0].text, v.list[1].text)
		return nil
	}
	return &[2]float64{v.list[0].num, v.list[1].num}
}

// voids are the bit patterns that mean "no value".
func (j *judge) voids(p *point) []uint64 {
	v := p.given("void")
	k, ok := registerKinds[p.site.Type]
	if v == nil || !ok {
		return nil
	}
	var out []uint64
	for _, e := range v.list {
		bits, problem := pattern64(e, k)
		if problem != "" {
			j.errorf(e.place, "%s", problem)
		}
		out = append(out, bits)
	}
	return out
}

// pattern64 is the content of the registers: hexadecimal as it is, a decimal
// number as the type holds it.
func pattern64(e *value, k kindOfRegister) (uint64, string) {
	width := 16 * k.width
	n := value{text: e.text}
	if problem := number.scan(&n); problem != "" {
		return 0, problem
	}
	switch {
	case n.hex && bitsOver(n.bits, width):
		return 0, fmt.Sprintf("%s has more than the %d bits of the type", e.text, width)
	case n.hex:
		return n.bits, ""
	case k.typ == modbus.HiLo:
		return 0, e.text + " is no content of two registers; want it in hexadecimal, as 0xFFFFFFFF"
	case k.width == 2 && !k.whole():
		return uint64(math.Float32bits(float32(n.num))), ""
	case !k.whole():
		return math.Float64bits(n.num), ""
	case n.num != math.Trunc(n.num) || n.num < k.lo || n.num > k.hi:
		return 0, fmt.Sprintf("%s does not fit the type; want %s to %s", e.text, plain(k.lo), plain(k.hi))
	case k.hi == 9999 || k.hi == 99999999:
		u, _ := strconv.ParseUint(plain(n.num), 16, 64) // one digit in each four bits
		return u, ""
	case n.num < 0:
		return uint64(int64(n.num)) & (math.MaxUint64 >> (64 - width)), ""
	}
	u, err := strconv.ParseUint(n.text, 10, 64)
	if err != nil {
		return 0, e.text + " is no raw value; want a whole number"
	}
	return u, ""
}

func bitsOver(u uint64, width int) bool { return width < 64 && u>>width != 0 }
