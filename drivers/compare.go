package drivers

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
