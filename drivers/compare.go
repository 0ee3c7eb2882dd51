package drivers

import "math"

// tolerance is how far two numbers may lie apart, relative to the larger, and
// still count as equal: a limit of 1.0 is reached by a reading that arithmetic
// on its way here has made 0.9999999999.
const tolerance = 1e-9

// Compare is -1, 0 or 1 as a lies under, at or over b, where at allows 1e-9
// relative. There is no such allowance around infinity, and none is needed at
// zero. Neither may be NaN.
func Compare(a, b float64) int {
	if a == b {
		return 0
	}
	if d := math.Abs(a - b); !math.IsInf(d, 0) && d <= tolerance*max(math.Abs(a), math.Abs(b)) {
		return 0
	}
	if a < b {
		return -1
	}
	return 1
}
