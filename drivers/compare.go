package drivers

import "math"

// tolerance is the relative difference that a comparison overlooks: who writes
// 4.2 as a bound means a value that reads 4.2, however it was computed.
const tolerance = 1e-9

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

func near(a, b float64) bool {
	return math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b))
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
