package drivers

import (
	"math"
	"testing"
)

func TestCompareAllowsOneInABillion(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		story string
		a, b  float64
		want  int
	}{
		{"the same", 1.5, 1.5, 0},
		{"a float32 limit read back", float64(float32(1.0)), 1.0, 0},
		{"a sum that binary can't hold", 0.1 + 0.2, 0.3, 0},
		{"a scaled integer", 100 * 0.015, 1.5, 0},
		{"just inside, above", 1 + 0.9e-9, 1, 0},
		{"just inside, below", 1 - 0.9e-9, 1, 0},
		{"just outside, above", 1 + 1.1e-9, 1, 1},
		{"just outside, below", 1 - 1.1e-9, 1, -1},
		{"it is relative: a millimetre of a million metres", 1e6 + 0.0009, 1e6, 0},
		{"it is relative: nothing equals zero but zero", 1e-300, 0, 1},
		{"minus zero is zero", math.Copysign(0, -1), 0, 0},
		{"negative numbers keep their order", -2, -1, -1},
		{"infinity is itself", inf, inf, 0},
		{"infinity is near nothing", inf, 1e308, 1},
		{"minus infinity is near nothing", -inf, 1e308, -1},
		{"a difference that overflows", -1.7e308, 1.7e308, -1},
	} {
		t.Run(c.story, func(t *testing.T) {
			if got := Compare(c.a, c.b); got != c.want {
				t.Errorf("Compare(%v, %v) = %d, want %d", c.a, c.b, got, c.want)
			}
			if got := Compare(c.b, c.a); got != -c.want {
				t.Errorf("Compare(%v, %v) = %d, want %d", c.b, c.a, got, -c.want)
			}
		})
	}
}
