package drivers

import (
	"math"
	"testing"
)

func bounds(lo, hi float64) *[2]float64 { return &[2]float64{lo, hi} }

// loop is a 4-20 mA transmitter of 0 to 4 %CH4 behind a converter that counts
// 4000 to 20000.
func loop() Scale {
	return Scale{Linear: true, Mul: 4.0 / 16000, Add: -1, Decimals: 3, Valid: bounds(3600, 21000), Range: bounds(0, 4)}
}

func TestApply(t *testing.T) {
	asIs := Scale{Decimals: -1}
	falling := Scale{Linear: true, Mul: -0.01, Add: 100, Decimals: 2, Valid: bounds(1000, 9000)}
	curve := Scale{Curve: [][2]float64{{200, 0}, {1000, 10}, {2000, 100}}, Decimals: 1}
	down := Scale{Curve: [][2]float64{{100, 80}, {200, 20}, {400, 0}}, Decimals: 1}
	stuck := Scale{Decimals: -1, Void: []uint64{0xFFFE, 0xFFFD}}
	ranged := Scale{Decimals: 1, Range: bounds(-40, 85)}
	u, i, f := UintValue, IntValue, NumberValue
	for _, c := range []struct {
		story string
		scale Scale
		raw   Value
		want  string
	}{
		{"4 mA is the beginning", loop(), u(4000), "0"},
		{"20 mA is the end", loop(), u(20000), "4"},
		{"12 mA is the middle", loop(), u(12000), "2"},
		{"a step of the converter", loop(), u(4003), "0.001"},
		{"under 3.6 mA the wire is broken", loop(), u(3599), "sensor"},
		{"3.6 mA is inside valid, but under range", loop(), u(3600), "under"},
		{"20.5 mA is over range", loop(), u(20500), "over"},
		{"over 21 mA is over, not a fault", loop(), u(21001), "over"},
		{"nothing on the wire", loop(), u(0), "sensor"},

		{"falling: the middle", falling, u(5000), "50"},
		{"falling: a high raw is the broken wire", falling, u(9001), "sensor"},
		{"falling: a low raw is a high value", falling, u(999), "over"},
		{"falling: the ends are inside", falling, u(9000), "10"},

		{"curve: first point", curve, u(200), "0"},
		{"curve: a point between", curve, u(1000), "10"},
		{"curve: last point", curve, u(2000), "100"},
		{"curve: on the first line", curve, u(600), "5"},
		{"curve: on the second line", curve, u(1500), "55"},
		{"curve: before its beginning", curve, u(199), "sensor"},
		{"curve: beyond its end", curve, u(2001), "over"},
		{"falling curve: a low raw is a high value", down, u(99), "over"},
		{"falling curve: a high raw is the broken wire", down, u(401), "sensor"},
		{"falling curve: between", down, u(300), "10"},
		{"a curve of one point", Scale{Curve: [][2]float64{{5, 7}}}, u(5), "7"},

		{"a void pattern", stuck, u(0xFFFE), "sensor"},
		{"another", stuck, u(0xFFFD), "sensor"},
		{"a full register that is none", stuck, u(0xFFFF), "65535"},

		{"i16 below zero", Scale{Linear: true, Mul: 0.1, Decimals: 1}, i(-123), "-12.3"},
		{"i16 below zero, no scale", asIs, i(-123), "-123"},
		{"u64 without a scale is exact", asIs, u(math.MaxUint64), "18446744073709551615"},
		{"i64 without a scale is exact", Scale{Decimals: 2}, i(math.MinInt64), "-9223372036854775808"},
		{"u64 with a scale is a number", Scale{Linear: true, Mul: 1, Decimals: 0}, u(1 << 60), "1152921504606847000"},

		{"2.675 has a half on paper", Scale{Decimals: 2}, f(2.675), "2.68"},
		{"and below zero away from it", Scale{Decimals: 2}, f(-2.675), "-2.68"},
		{"a half that a product made", Scale{Linear: true, Mul: 0.001, Decimals: 2}, u(2675), "2.68"},
		{"1.005", Scale{Decimals: 2}, f(1.005), "1.01"},
		{"a half that a sum made", Scale{Linear: true, Mul: 0.00025, Add: -1, Decimals: 3}, u(4002), "0.001"},
		{"just below a half", Scale{Decimals: 2}, f(2.67499999), "2.67"},
		{"0.5 away from zero", Scale{}, f(0.5), "1"},
		{"-0.5 away from zero", Scale{}, f(-0.5), "-1"},
		{"never minus zero", Scale{Decimals: 1}, f(-0.04), "0"},
		{"not even as it came", asIs, f(math.Copysign(0, -1)), "0"},
		{"an f32 as its shortest decimal", Scale{Decimals: 3}, f(1247.35), "1247.35"},
		{"no noise of binary", Scale{Linear: true, Mul: 0.1, Decimals: 1}, u(3), "0.3"},
		{"15 decimals", Scale{Decimals: 15}, f(0.1234567890123456), "0.123456789012346"},
		{"more digits than there are", Scale{Decimals: 6}, f(123456789012.5), "123456789012.5"},
		{"so large that no digit follows", Scale{Decimals: 3}, f(1e300), "1e+300"},
		{"so small that nothing is left", Scale{Decimals: 3}, f(5e-324), "0"},

		{"on the bound, within what a float can say", ranged, f(85 + 4e-8), "85"},
		{"on the lower bound", ranged, f(-40), "-40"},
		{"over range", ranged, f(85.1), "over"},
		{"under range", ranged, f(-40.1), "under"},
		{"range judges what is handed out", ranged, f(85.04), "85"},
		{"an integer is judged too", ranged, u(math.MaxUint64), "over"},

		{"not a number", asIs, f(math.NaN()), "sensor"},
		{"infinite", asIs, f(math.Inf(1)), "sensor"},
		{"infinite the other way", ranged, f(math.Inf(-1)), "sensor"},
		{"a scale that overflows", Scale{Linear: true, Mul: 1e308, Decimals: -1}, f(1e10), "sensor"},
		{"nothing", asIs, Value{}, "sensor"},

		{"a truth passes through", loop(), BoolValue(true), "true"},
		{"a text passes through", loop(), TextValue("ok"), "ok"},
	} {
		t.Run(c.story, func(t *testing.T) {
			v, q := c.scale.Apply(c.raw, c.raw.Bits())
			got := v.String()
			if q != Good {
				got = q.String()
				if v.Kind() != None {
					t.Errorf("%v carries the value %v", q, v)
				}
			}
			if got != c.want {
				t.Errorf("%v becomes %s, want %s", c.raw, got, c.want)
			}
		})
	}
}

// A void pattern is bits, whatever the type makes of them.
func TestVoidIsBitForBit(t *testing.T) {
	s := Scale{Decimals: -1, Void: []uint64{0x7FC00000, 0x8000}}
	for _, c := range []struct {
		raw  Value
		bits uint64
		want Quality
	}{
		{NumberValue(12), 0x7FC00000, Sensor},
		{IntValue(-32768), 0x8000, Sensor},
		{IntValue(-32768), 0xFFFFFFFFFFFF8000, Good}, // wider than the type
		{UintValue(0x8000), 0x8001, Good},
	} {
		if _, q := s.Apply(c.raw, c.bits); q != c.want {
			t.Errorf("%v of %#x is %v, want %v", c.raw, c.bits, q, c.want)
		}
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	s, raw := loop(), UintValue(12345)
	if n := testing.AllocsPerRun(100, func() { s.Apply(raw, 12345) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is rounded prints with no more decimals than asked for, and lies no
// farther from the number than half a step.
func FuzzRound(f *testing.F) {
	f.Add(2.675, 2)
	f.Add(-1e15, 0)
	f.Add(123456.789012, 9)
	f.Fuzz(func(t *testing.T, x float64, places int) {
		if !finite(x) || places < 0 || places > 15 || math.Abs(x)*powers[places] >= maxExact {
			return
		}
		got := Round(x, places)
		if d := decimals(got); d > places {
			t.Errorf("%v to %d decimals is %v", x, places, got)
		}
		if off := math.Abs(got-x) * powers[places]; off > 0.5+1e-3+math.Abs(x)*powers[places]*0x1p-50 {
			t.Errorf("%v to %d decimals is %v, %v steps away", x, places, got, off)
		}
	})
}

func BenchmarkApply(b *testing.B) {
	s := loop()
	for i := range b.N {
		s.Apply(UintValue(uint64(4000+i%16000)), 0)
	}
}
