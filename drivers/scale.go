package drivers

import (
	"math"
	"slices"
)

// A Scale turns what a device sent into a value. The zero Scale passes numbers
// on, rounded to integers: -1 Decimals keeps all digits.
type Scale struct {
	Mul, Add float64      // value = raw*Mul + Add, where Linear
	Linear   bool         // Mul and Add count
	Curve    [][2]float64 // raw, value; raw rising; straight lines between; nil = none
	Decimals int          // of the value, 0 to 15; -1 = as it is
	Valid    *[2]float64  // raw outside is bad
	Void     []uint64     // raw bit patterns, as wide as the type, that mean "no value"
	Range    *[2]float64  // value outside is bad
	Bands    []Band       // the value is the name of the one it lies in; nil = none
}

// Same says whether both make the same of everything.
func (s *Scale) Same(o *Scale) bool {
	return s.Mul == o.Mul && s.Add == o.Add && s.Linear == o.Linear && s.Decimals == o.Decimals && sameEnds(s.Valid, o.Valid) && sameEnds(s.Range, o.Range) &&
		slices.Equal(s.Curve, o.Curve) && slices.Equal(s.Void, o.Void) && slices.Equal(s.Bands, o.Bands)
}

func sameEnds(a, b *[2]float64) bool { return a == b || a != nil && b != nil && *a == *b }

// A Band names values, bounds included, of a loop that tells a cut wire from
// an open contact.
type Band struct {
	Low, High float64
	Label     string
}

// maxExact bounds the integers that a float64 holds without a hole.
const maxExact = 1 << 53

// Apply turns a raw value into the value of the point. Bits is the content of
// the registers as wide as the type, for Void. The value is None unless the
// quality is Good.
//
// A raw value below Valid, or before a curve's first point, is a broken wire:
// Sensor; one above is Over. Where the value falls as raw rises the ends change
// places: high raw is the broken wire, low raw a value that is too high. What
// is no number is Sensor as well. Range judges the value as it is handed out,
// after rounding. Integers without a scale stay exact; a truth and a text pass
// through untouched.
func (s *Scale) Apply(raw Value, bits uint64) (Value, Quality) {
	switch raw.kind {
	case Bool, Text:
		return raw, Good
	case None:
		return Value{}, Sensor
	}
	for _, v := range s.Void {
		if v == bits {
			return Value{}, Sensor
		}
	}
	x := raw.Float()
	if !finite(x) {
		return Value{}, Sensor
	}
	if q := s.judgeRaw(x); q != Good {
		return Value{}, q
	}
	v := s.value(raw, x)
	f := v.Float()
	if !finite(f) {
		return Value{}, Sensor
	}
	if s.Range != nil {
		switch side(f, s.Range[0], s.Range[1]) {
		case +1:
			return Value{}, Over
		case -1:
			return Value{}, Under
		}
	}
	if s.Bands != nil {
		return s.band(f)
	}
	return v, Good
}

// band is the state that a value means. Between the bands is a wire that is
// neither whole nor cut, or a contact on its way: nothing that can be named.
func (s *Scale) band(f float64) (Value, Quality) {
	for _, b := range s.Bands {
		if side(f, b.Low, b.High) == 0 {
			return TextValue(b.Label), Good
		}
	}
	return Value{}, Sensor
}

// judgeRaw holds raw against Valid and against the ends of the curve.
func (s *Scale) judgeRaw(raw float64) Quality {
	off := 0
	if s.Valid != nil {
		off = side(raw, s.Valid[0], s.Valid[1])
	}
	if n := len(s.Curve); off == 0 && n > 0 {
		off = side(raw, s.Curve[0][0], s.Curve[n-1][0])
	}
	if s.Falling() {
		off = -off
	}
	switch off {
	case +1:
		return Over
	case -1:
		return Sensor
	}
	return Good
}

// Falling says whether the value falls as raw rises.
func (s *Scale) Falling() bool {
	if n := len(s.Curve); n > 0 {
		return s.Curve[n-1][1] < s.Curve[0][1]
	}
	return s.Linear && s.Mul < 0
}

// value scales and rounds a raw value that was found sound.
func (s *Scale) value(raw Value, x float64) Value {
	var f, size float64
	switch {
	case len(s.Curve) > 0:
		f, size = interpolate(s.Curve, x)
	case s.Linear:
		// The conversion keeps arm64 from fusing the two steps, which would
		// give another last digit than amd64.
		product := float64(x * s.Mul)
		f, size = product+s.Add, max(math.Abs(product), math.Abs(s.Add))
	case raw.kind != Number:
		return raw
	default:
		f, size = x, math.Abs(x)
	}
	f = round(f, size, s.Decimals)
	if f == 0 {
		f = 0 // never -0, which would print and compare as another value
	}
	return NumberValue(f)
}

// interpolate finds the value at x on a curve; x lies between its ends, or
// beyond by no more than the tolerance. Size is the largest term of the sum.
func interpolate(curve [][2]float64, x float64) (value, size float64) {
	i := 1
	for i < len(curve)-1 && x > curve[i][0] {
		i++
	}
	if i >= len(curve) || x <= curve[i-1][0] {
		return curve[i-1][1], math.Abs(curve[i-1][1])
	}
	a, b := curve[i-1], curve[i]
	if x >= b[0] {
		return b[1], math.Abs(b[1])
	}
	step := float64((x - a[0]) / (b[0] - a[0]) * (b[1] - a[1]))
	return a[1] + step, max(math.Abs(a[1]), math.Abs(step))
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// round rounds f to so many decimals, half away from zero, as it is done on
// paper: 2.675 becomes 2.68 although the float64 lies a hair below the half.
// Size is the largest number that went into f; what is nearer to a half than
// the error that such a sum can carry is taken as the half. The result is the
// float64 nearest to its decimal, so that it prints with no more digits.
func round(f, size float64, decimals int) float64 {
	if decimals < 0 || decimals >= len(powers) {
		return f
	}
	p := powers[decimals]
	n := f * p
	if math.Abs(n) >= maxExact {
		return f // there are no digits behind the last one
	}
	// Two roundings and two constants that are not exact: 2^-51 of the size.
	if err := max(size, math.Abs(f)) * p * 0x1p-51; err < 1e-3 {
		n += math.Copysign(err, n)
	}
	return math.Round(n) / p
}

// side says where x lies: -1 below lo, +1 above hi, 0 between or on a bound.
func side(x, lo, hi float64) int {
	switch {
	case Compare(x, lo) < 0:
		return -1
	case Compare(x, hi) > 0:
		return +1
	}
	return 0
}
