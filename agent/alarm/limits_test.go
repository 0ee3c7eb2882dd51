package alarm

import (
	"math"
	"testing"

	"pithead/drivers"
)

// Promise 5: each side of each comparison, for values as they come from a
// device: a float32, a scaled integer, a current loop.
func TestLimitsAsDevicesTellThem(t *testing.T) {
	f32 := func(f float32) drivers.Value { return drivers.NumberValue(float64(f)) }
	scaled := func(mul, add float64, raw uint64) drivers.Value {
		s := drivers.Scale{Linear: true, Mul: mul, Add: add, Decimals: -1}
		v, q := s.Apply(drivers.UintValue(raw), raw)
		if q != drivers.Good {
			t.Fatalf("raw %d is %v", raw, q)
		}
		return v
	}
	loop := func(raw uint64) drivers.Value { return scaled(4.0/16000, -1, raw) } // 4000..20000 is 0..4 %CH4

	type said struct{ above, below, outside verdict }
	under := said{above: isSafe, below: isBeyond, outside: isBeyond}
	on := said{above: isBeyond, below: isBeyond, outside: isSafe}
	over := said{above: isBeyond, below: isSafe, outside: isBeyond}
	for _, c := range []struct {
		story string
		limit float64
		value drivers.Value
		want  said
	}{
		{"f32 1.0", 1.0, f32(1.0), on},
		{"f32 1.1, which is not 1.1", 1.1, f32(1.1), over}, // drivers take the shortest decimal before
		{"f32 1.5", 1.5, f32(1.5), on},
		{"f32 next under 1.0", 1.0, f32(math.Nextafter32(1, 0)), under},
		{"f32 next over 1.5", 1.5, f32(math.Nextafter32(1.5, 2)), over},
		{"0.01 a step: 1.00", 1.0, scaled(0.01, 0, 100), on},
		{"0.01 a step: 0.99", 1.0, scaled(0.01, 0, 99), under},
		{"0.01 a step: 1.01", 1.0, scaled(0.01, 0, 101), over},
		{"0.001 a step: 1.500", 1.5, scaled(0.001, 0, 1500), on},
		{"0.1 a step: 0.3, that binary can't hold", 0.3, scaled(0.1, 0, 3), on},
		{"4-20 mA: 8 mA is 1.00", 1.0, loop(8000), on},
		{"4-20 mA: 10 mA is 1.50", 1.5, loop(10000), on},
		{"4-20 mA: a step under 1.00", 1.0, loop(7999), under},
		{"4-20 mA: a step over 1.50", 1.5, loop(10001), over},
		{"an integer as it is", 3, drivers.IntValue(3), on},
		{"a truth is 1", 1, drivers.BoolValue(true), on},
		{"just within the allowance, under", 1.0, drivers.NumberValue(1 - 0.9e-9), on},
		{"just within the allowance, over", 1.0, drivers.NumberValue(1 + 0.9e-9), on},
		{"just beyond it, under", 1.0, drivers.NumberValue(1 - 1.1e-9), under},
		{"just beyond it, over", 1.0, drivers.NumberValue(1 + 1.1e-9), over},
		{"a large level", 1248.0, drivers.NumberValue(1248.0000001), on},
		{"not a number", 1.0, drivers.NumberValue(math.NaN()), said{}},
		{"a text", 1.0, drivers.TextValue("1.0"), said{}},
		{"no value", 1.0, drivers.Value{}, said{}},
	} {
		t.Run(c.story, func(t *testing.T) {
			s := Sample{Value: c.value}
			ends := [2]float64{c.limit, c.limit}
			got := said{
				New(&Def{Condition: Above, Limit: ends, Clear: ends}).judge(s),
				New(&Def{Condition: Below, Limit: ends, Clear: ends}).judge(s),
				New(&Def{Condition: Outside, Limit: ends, Clear: ends}).judge(s),
			}
			if got != c.want {
				t.Errorf("%v at limit %v: %+v, want %+v", c.value, c.limit, got, c.want)
			}
		})
	}
}

// The clear limit is passed only beyond its allowance.
func TestClearLimits(t *testing.T) {
	d := Def{Limit: [2]float64{1.5, 2.5}, Clear: [2]float64{1.0, 2.0}}
	for _, c := range []struct {
		story     string
		condition Condition
		value     float64
		want      verdict
	}{
		{"above: on the clear limit", Above, 1.0, isBetween},
		{"above: on it, but for the allowance", Above, 1 - 0.9e-9, isBetween},
		{"above: under it", Above, 0.99, isSafe},
		{"outside: on the lower clear limit", Outside, 1.0, isBeyond},
		{"outside: on the upper clear limit", Outside, 2.0, isSafe},
		{"outside: between", Outside, 2.2, isBetween},
		{"outside: on the upper limit", Outside, 2.5, isBetween},
		{"outside: over it", Outside, 2.51, isBeyond},
	} {
		t.Run(c.story, func(t *testing.T) {
			d.Condition = c.condition
			if got := New(&d).judge(Sample{Value: drivers.NumberValue(c.value)}); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
	d = Def{Condition: Below, Limit: [2]float64{1}, Clear: [2]float64{1.5}}
	for v, want := range map[float64]verdict{1: isBeyond, 1.2: isBetween, 1.5: isBetween, 1.5 + 1e-9: isBetween, 1.51: isSafe} {
		if got := New(&d).judge(Sample{Value: drivers.NumberValue(v)}); got != want {
			t.Errorf("below at %v: verdict %d, want %d", v, got, want)
		}
	}
}

func TestEquals(t *testing.T) {
	big := uint64(1<<63 + 1)
	for _, c := range []struct {
		story       string
		equal, have drivers.Value
		want        verdict
	}{
		{"a truth", drivers.BoolValue(true), drivers.BoolValue(true), isBeyond},
		{"the other truth", drivers.BoolValue(true), drivers.BoolValue(false), isSafe},
		{"a truth that the file calls 1", drivers.NumberValue(1), drivers.BoolValue(true), isBeyond},
		{"false is a value", drivers.NumberValue(0), drivers.BoolValue(false), isBeyond},
		{"a code", drivers.UintValue(3), drivers.UintValue(3), isBeyond},
		{"a code that differs in its last bit", drivers.UintValue(big), drivers.UintValue(big - 1), isSafe},
		{"a code, written as a number", drivers.NumberValue(3), drivers.IntValue(3), isBeyond},
		{"a sum that binary can't hold", drivers.NumberValue(0.3), drivers.NumberValue(0.1 + 0.2), isBeyond},
		{"a text", drivers.TextValue("停"), drivers.TextValue("停"), isBeyond},
		{"another text", drivers.TextValue("停"), drivers.TextValue("运行"), isSafe},
		{"a text against a number", drivers.NumberValue(1), drivers.TextValue("1"), isSilent},
		{"no value is not 0", drivers.NumberValue(0), drivers.Value{}, isSilent},
	} {
		t.Run(c.story, func(t *testing.T) {
			a := New(&Def{Condition: Equals, Equal: c.equal})
			if got := a.judge(Sample{Value: c.have}); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
}
