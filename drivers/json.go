package drivers

import (
	"encoding/json"
	"math"
	"strconv"
)

// AppendFloat appends f as its shortest decimal, in the form encoding/json
// uses; null where f is infinite or not a number.
func AppendFloat(b []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(b, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64)
}

func appendString(b []byte, s string) []byte {
	// encoding/json escapes what is not UTF-8 and what would break out of HTML.
	j, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, j...)
}
