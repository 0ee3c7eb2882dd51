// Package drivers holds the words that everything in pithead shares about the
// outside world: what a reading is, what its quality says, and what a kind of
// hardware has to offer. It knows no hardware, no disk and no network.
package drivers

import (
	"math"
	"strconv"
	"time"
	"unique"
)

// A Reading is what was measured at one point at one time, or why it was not.
type Reading struct {
	Point   string    // id of the point in the site file
	At      time.Time // when the answer arrived, or the kernel saw the edge; carries the monotonic clock
	Value   Value     // None unless Quality is Good or Test
	Quality Quality
	Code    uint8 // the Modbus exception code, where Quality is Exception
}

// Bad is the reading of a point that could not be measured.
func Bad(point string, at time.Time, q Quality) Reading {
	return Reading{Point: point, At: at, Quality: q}
}

// Quality is Good, or the one cause for which a reading is bad.
type Quality uint8

const (
	Good      Quality = iota
	Comm              // no answer, or the unit is offline
	Protocol          // an answer that is broken: checksum, length, wrong unit or function
	Exception         // the device answered with a Modbus exception
	Sensor            // raw below valid, a void value, warming up, not a number
	Over              // above range, or raw above valid
	Under             // below range
	Stale             // the bus loop itself is late
	Input             // a computed point one of whose inputs is bad
	Test              // under calibration or bump test: the one cause that carries the value
)

var qualityNames = [...]string{"good", "comm", "protocol", "exception", "sensor", "over", "under", "stale", "input", "test"}

func (q Quality) String() string {
	if int(q) < len(qualityNames) {
		return qualityNames[q]
	}
	return "quality(" + strconv.Itoa(int(q)) + ")"
}

// ParseQuality is the inverse of String; the empty string is Good.
func ParseQuality(s string) (Quality, bool) {
	if s == "" {
		return Good, true
	}
	for i, n := range qualityNames {
		if n == s {
			return Quality(i), true
		}
	}
	return 0, false
}

// Kind says which form a Value has.
type Kind uint8

const (
	None   Kind = iota // no value: nothing was measured
	Number             // a float64
	Uint               // a uint64, exact beyond 2^53
	Int                // an int64, exact beyond 2^53
	Bool               // true or false
	Text               // a string
)

// A Value is a number, a truth or a text; the zero Value is no value at all.
// Values compare with ==, except that a Number that is NaN equals nothing.
type Value struct {
	kind Kind
	text unique.Handle[string] // of a Text, which are few: eight bytes instead of sixteen for all
	bits uint64
}

func NumberValue(f float64) Value { return Value{kind: Number, bits: math.Float64bits(f)} }
func UintValue(u uint64) Value    { return Value{kind: Uint, bits: u} }
func IntValue(i int64) Value      { return Value{kind: Int, bits: uint64(i)} }
func TextValue(s string) Value    { return Value{kind: Text, text: unique.Make(s)} }
func BoolValue(b bool) Value {
	if b {
		return Value{kind: Bool, bits: 1}
	}
	return Value{kind: Bool}
}

func (v Value) Kind() Kind { return v.kind }

// Float is the value as a number: a truth is 0 or 1; no value and a text are NaN.
func (v Value) Float() float64 {
	switch v.kind {
	case Number:
		return math.Float64frombits(v.bits)
	case Uint, Bool:
		return float64(v.bits)
	case Int:
		return float64(int64(v.bits))
	}
	return math.NaN()
}

// Bits and Str are the exact contents, for storage: the float's or integer's
// 64 bits, and the text.
func (v Value) Bits() uint64 { return v.bits }
func (v Value) Str() string {
	if v.text == (unique.Handle[string]{}) {
		return ""
	}
	return v.text.Value()
}

// FromBits is the inverse of Kind and Bits for all kinds but Text.
func FromBits(k Kind, bits uint64) Value { return Value{kind: k, bits: bits} }

// Append appends the value as JSON: shortest decimal, true or false, a string,
// or null where there is none (a Number that JSON can't hold counts as none).
func (v Value) Append(b []byte) []byte {
	switch v.kind {
	case Number:
		return AppendFloat(b, math.Float64frombits(v.bits))
	case Uint:
		return strconv.AppendUint(b, v.bits, 10)
	case Int:
		return strconv.AppendInt(b, int64(v.bits), 10)
	case Bool:
		return strconv.AppendBool(b, v.bits != 0)
	case Text:
		return AppendText(b, v.Str())
	}
	return append(b, "null"...)
}

func (v Value) String() string {
	if v.kind == Text {
		return v.Str()
	}
	if v.kind == None {
		return "-"
	}
	return string(v.Append(nil))
}

func (v Value) MarshalJSON() ([]byte, error) { return v.Append(nil), nil }
