package modbus

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode"
	"unicode/utf8"

	"pithead/drivers"
)

// decode is the value of the point in the data of an answer that began at
// address first. The answer is whole: its length was compared with the request.
func (p *PointConfig) decode(data []byte, first int) (drivers.Value, drivers.Quality) {
	at := int(p.Address) - first
	if p.Table.bits() {
		return p.truth(uint64(data[at/8]>>(at%8)), 0), drivers.Good
	}
	registers := data[2*at : 2*(at+p.width())]
	if p.Type == Text {
		return text(registers, p.Order == BADC)
	}
	bits := p.Order.bits(registers)
	if p.Type == Truth {
		return p.truth(bits, int(p.Bit)), drivers.Good
	}
	raw, ok := p.value(bits)
	if !ok {
		return drivers.Value{}, drivers.Sensor
	}
	if p.Scale == nil {
		return asItIs(raw)
	}
	return p.Scale.Apply(raw, bits)
}

// asItIs is what a Scale that changes nothing makes of a number.
func asItIs(raw drivers.Value) (drivers.Value, drivers.Quality) {
	switch f := raw.Float(); {
	case raw.Kind() != drivers.Number:
		return raw, drivers.Good
	case math.IsNaN(f) || math.IsInf(f, 0):
		return drivers.Value{}, drivers.Sensor
	case f == 0:
		return drivers.NumberValue(0), drivers.Good // and not -0
	}
	return raw, drivers.Good
}

// InEachOrder is what the registers of a number that has more than one would
// mean in each order; nothing of another point, no value where it is no number.
func (p *PointConfig) InEachOrder(raw []uint16) []drivers.Value {
	if p.Type == Truth || p.Type == Text || p.Type == HiLo || len(raw) < 2 || len(raw) != p.width() {
		return nil
	}
	var data []byte
	for _, r := range raw {
		data = binary.BigEndian.AppendUint16(data, r)
	}
	out := make([]drivers.Value, DCBA+1)
	for o := range out {
		if v, ok := p.Type.value(Order(o).bits(data)); ok {
			out[o] = v
		}
	}
	return out
}

func (o Order) String() string { return [...]string{"ABCD", "CDAB", "BADC", "DCBA"}[o] }

func (p *PointConfig) truth(bits uint64, bit int) drivers.Value {
	return drivers.BoolValue(bits>>bit&1 != 0 != p.Invert)
}

// bits is the content of one, two or four registers, most significant byte first.
func (o Order) bits(data []byte) uint64 {
	if len(data) == 2 { // nearly all there are
		v := binary.BigEndian.Uint16(data)
		if o == BADC || o == DCBA {
			v = bits.ReverseBytes16(v)
		}
		return uint64(v)
	}
	var b [8]byte
	n := copy(b[8-len(data):], data)
	v := b[8-n:]
	if o == BADC || o == DCBA {
		for i := 0; i < n; i += 2 {
			v[i], v[i+1] = v[i+1], v[i]
		}
	}
	if o == CDAB || o == DCBA {
		for i, j := 0, n-2; i < j; i, j = i+2, j-2 {
			v[i], v[i+1], v[j], v[j+1] = v[j], v[j+1], v[i], v[i+1]
		}
	}
	return binary.BigEndian.Uint64(b[:])
}

// value is what the bits mean; not ok where they mean no number.
func (p *PointConfig) value(bits uint64) (v drivers.Value, ok bool) {
	if p.Type == HiLo {
		return p.total(float64(bits>>16), float64(bits&0xFFFF))
	}
	return p.Type.value(bits)
}

// total puts together what was split in two. A low part that should have been
// carried over is none that such a device can send.
func (p *PointConfig) total(hi, lo float64) (v drivers.Value, ok bool) {
	worth := p.rare().Hi
	if worth > 1 && lo >= worth {
		return v, false
	}
	return drivers.NumberValue(float64(hi*worth) + lo), true
}

// text is two characters a register, high byte first unless they are swapped,
// up to the first NUL, without the blanks that fill it up. Bytes that are no
// UTF-8 are no text that anybody could send on.
func text(registers []byte, swapped bool) (drivers.Value, drivers.Quality) {
	b := append([]byte(nil), registers...)
	for i := 0; swapped && i < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	b, _, _ = bytes.Cut(b, []byte{0})
	b = bytes.TrimRight(b, " ")
	if !utf8.Valid(b) || bytes.ContainsFunc(b, unicode.IsControl) {
		return drivers.Value{}, drivers.Sensor
	}
	return drivers.TextValue(string(b)), drivers.Good
}

func (t Type) value(bits uint64) (v drivers.Value, ok bool) {
	switch t {
	case U16, U32:
		return drivers.NumberValue(float64(bits)), true
	case I16:
		return drivers.NumberValue(float64(int16(bits))), true
	case I32:
		return drivers.NumberValue(float64(int32(bits))), true
	case U64:
		return drivers.UintValue(bits), true
	case I64:
		return drivers.IntValue(int64(bits)), true
	case F32:
		return finite(shortest(math.Float32frombits(uint32(bits))))
	case F64:
		return finite(math.Float64frombits(bits))
	case BCD16, BCD32:
		return decimal(bits)
	}
	return v, false
}

// shortest is the float64 nearest to the shortest decimal that f stands for:
// 0.1, where float64(f) is 0.10000000149.
func shortest(f float32) float64 {
	if f == float32(int32(f)) && f > -1<<24 && f < 1<<24 {
		return float64(f)
	}
	var buf [24]byte
	text := strconv.AppendFloat(buf[:0], float64(f), 'e', -1, 32)
	if s, ok := scientific(text); ok {
		return s
	}
	s, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return math.NaN()
	}
	return s
}

// tens are the powers of ten that a float64 holds exactly: one of them times, or
// into, a whole number of at most 15 digits rounds once, and so to the nearest.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// scientific reads -d.ddde-xx without a word to the heap; not ok where that
// takes more than one rounding.
func scientific(text []byte) (float64, bool) {
	number, exponent, found := bytes.Cut(text, []byte{'e'})
	if !found {
		return 0, false // NaN, Inf
	}
	whole, exp, digits := 0.0, 0, 0
	negative, behind := number[0] == '-', false
	for _, c := range bytes.TrimPrefix(number, []byte{'-'}) {
		if c == '.' {
			behind = true
			continue
		}
		whole, digits = 10*whole+float64(c-'0'), digits+1
		if behind {
			exp--
		}
	}
	power := 0
	for _, c := range exponent[1:] {
		power = 10*power + int(c-'0')
	}
	if exponent[0] == '-' {
		power = -power
	}
	exp += power
	switch {
	case digits > 15 || exp >= len(tens) || -exp >= len(tens):
		return 0, false
	case exp < 0:
		whole /= tens[-exp]
	default:
		whole *= tens[exp]
	}
	if negative {
		whole = -whole
	}
	return whole, true
}

func finite(f float64) (v drivers.Value, ok bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return v, false
	}
	return drivers.NumberValue(f), true
}

// decimal reads one digit from each four bits.
func decimal(bits uint64) (v drivers.Value, ok bool) {
	n := 0.0
	for shift := 28; shift >= 0; shift -= 4 {
		digit := bits >> shift & 0xF
		if digit > 9 {
			return v, false
		}
		n = 10*n + float64(digit)
	}
	return drivers.NumberValue(n), true
}
