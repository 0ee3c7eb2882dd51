package drivers

import "math"

// Compare is -1, 0 or 1 as a lies under, at or over b, where at allows 1e-9
// relative; infinity is at nothing but itself. Neither may be NaN.
func Compare(a, b float64) int {
	switch {
	case a == b || finite(a-b) && near(a, b):
		return 0
	case a < b:
		return -1
	}
	return 1
}

// Round rounds to 0 to 15 decimals, half away from zero, as it is done on
// paper: 2.675 becomes 2.68, although the float64 lies a hair below the half.
func Round(f float64, decimals int) float64 { return round(f, math.Abs(f), decimals) }
