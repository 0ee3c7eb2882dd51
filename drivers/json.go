package drivers

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// AppendFloat appends f as its shortest decimal, in the form encoding/json
// uses; null where f is infinite or not a number.
func AppendFloat(b []byte, f float64) []byte {
	if i := int64(f); float64(i) == f && -maxExact < i && i < maxExact && (i != 0 || !math.Signbit(f)) {
		return strconv.AppendInt(b, i, 10) // the same, sooner
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(b, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if n := len(b); format == 'e' && b[n-4] == 'e' && b[n-2] == '0' {
		b = append(b[:n-2], b[n-1]) // e-09 is e-9 there
	}
	return b
}

// AppendText appends s as a JSON string, as encoding/json does.
func AppendText(b []byte, s string) []byte {
	// encoding/json escapes what is not UTF-8 and what would break out of HTML.
	j, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, j...)
}

// UnmarshalJSON is the inverse of Append: a number is a Number unless only an
// integer holds it exactly, null is no value.
func (v *Value) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0:
		return errors.New("no value")
	case b[0] == 'n':
		*v = Value{}
		return nil
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		*v = TextValue(s)
		return err
	case b[0] == 't' || b[0] == 'f':
		*v = BoolValue(b[0] == 't')
		return nil
	case b[0] == '{' || b[0] == '[':
		return errors.New("neither number, truth nor text")
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return err
	}
	*v = NumberValue(f)
	if math.Abs(f) < 1<<53 {
		return nil
	}
	if u, err := strconv.ParseUint(string(b), 10, 64); err == nil && u > 1<<53 {
		*v = UintValue(u)
	} else if i, err := strconv.ParseInt(string(b), 10, 64); err == nil && i < -1<<53 {
		*v = IntValue(i)
	}
	return nil
}
