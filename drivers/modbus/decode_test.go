package modbus

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"pithead/drivers"
)

// inOrder lays out a value's bytes, most significant first, as a device with
// that order sends them.
func inOrder(o Order, v []byte) []byte {
	words := len(v) / 2
	b := make([]byte, len(v))
	for w := range words {
		from := w
		if o == CDAB || o == DCBA {
			from = words - 1 - w
		}
		b[2*w], b[2*w+1] = v[2*from], v[2*from+1]
		if o == BADC || o == DCBA {
			b[2*w], b[2*w+1] = b[2*w+1], b[2*w]
		}
	}
	return b
}

func TestOrders(t *testing.T) {
	for _, c := range []struct {
		order Order
		wire  []byte
		want  uint64
	}{
		{ABCD, []byte{1, 2, 3, 4}, 0x01020304},
		{CDAB, []byte{1, 2, 3, 4}, 0x03040102},
		{BADC, []byte{1, 2, 3, 4}, 0x02010403},
		{DCBA, []byte{1, 2, 3, 4}, 0x04030201},
		{ABCD, []byte{1, 2, 3, 4, 5, 6, 7, 8}, 0x0102030405060708},
		{CDAB, []byte{1, 2, 3, 4, 5, 6, 7, 8}, 0x0708050603040102},
		{BADC, []byte{1, 2, 3, 4, 5, 6, 7, 8}, 0x0201040306050807},
		{DCBA, []byte{1, 2, 3, 4, 5, 6, 7, 8}, 0x0807060504030201},
		{ABCD, []byte{1, 2}, 0x0102},
		{CDAB, []byte{1, 2}, 0x0102},
		{BADC, []byte{1, 2}, 0x0201},
		{DCBA, []byte{1, 2}, 0x0201},
	} {
		if got := c.order.bits(c.wire); got != c.want {
			t.Errorf("order %d of % x: %#x, want %#x", c.order, c.wire, got, c.want)
		}
	}
}

// Each type, in each order.
var typed = []struct {
	name string
	typ  Type
	hex  uint64 // as wide as the type, most significant first
	want drivers.Value
}{
	{"u16", U16, 0xFFFE, drivers.NumberValue(65534)},
	{"i16", I16, 0xFFFE, drivers.NumberValue(-2)},
	{"u32", U32, 0xFFFFFFFE, drivers.NumberValue(4294967294)},
	{"i32", I32, 0xFFFFFFFE, drivers.NumberValue(-2)},
	{"u64 beyond a float", U64, 0xFFFFFFFFFFFFFFFE, drivers.UintValue(math.MaxUint64 - 1)},
	{"i64 beyond a float", I64, 0x8000000000000001, drivers.IntValue(math.MinInt64 + 1)},
	{"f32 as its shortest decimal", F32, 0x3DCCCCCD, drivers.NumberValue(0.1)},
	{"f32 whole", F32, 0xC2C80000, drivers.NumberValue(-100)},
	{"f32 large", F32, 0x7F7FFFFF, drivers.NumberValue(3.4028235e38)},
	{"f32 tiny", F32, 0x00000001, drivers.NumberValue(1e-45)},
	{"f32 of a level", F32, 0x449C0CCD, drivers.NumberValue(1248.4)},
	{"f64", F64, math.Float64bits(1248.4321), drivers.NumberValue(1248.4321)},
	{"bcd16", BCD16, 0x9876, drivers.NumberValue(9876)},
	{"bcd32", BCD32, 0x98765432, drivers.NumberValue(98765432)},
	{"f32 nan", F32, 0x7FC00001, drivers.Value{}},
	{"f32 infinite", F32, 0xFF800000, drivers.Value{}},
	{"f64 nan", F64, 0x7FF8000000000001, drivers.Value{}},
	{"f64 infinite", F64, 0x7FF0000000000000, drivers.Value{}},
	{"bcd16 with a letter", BCD16, 0x1A34, drivers.Value{}},
	{"bcd32 with a letter", BCD32, 0xF0000000, drivers.Value{}},
}

func TestTypesInEveryOrder(t *testing.T) {
	for _, c := range typed {
		for _, order := range []Order{ABCD, CDAB, BADC, DCBA} {
			p := PointConfig{ID: "p", Table: Holding, Address: 102, Type: c.typ, Order: order, Scale: &drivers.Scale{Decimals: -1}}
			v := binary.BigEndian.AppendUint64(nil, c.hex)[8-2*p.width():]
			data := append([]byte{0xAA, 0xBB, 0xCC, 0xDD}, inOrder(order, v)...)
			data = append(data, 0xEE, 0xFF)
			quality := drivers.Good
			if c.want.Kind() == drivers.None {
				quality = drivers.Sensor
			}
			if got, q := p.decode(data, 100); got != c.want || q != quality {
				t.Errorf("%s in order %d: %v %v, want %v", c.name, order, got, q, c.want)
			}
		}
	}
}

func TestTruths(t *testing.T) {
	coils := []byte{0b00000101, 0b00000010} // coils 16, 18 and 25
	for _, c := range []struct {
		address uint16
		invert  bool
		want    bool
	}{{16, false, true}, {17, false, false}, {18, false, true}, {25, false, true}, {24, true, true}, {25, true, false}} {
		p := PointConfig{Table: Coil, Address: c.address, Type: Truth, Invert: c.invert}
		if v, q := p.decode(coils, 16); v != drivers.BoolValue(c.want) || q != drivers.Good {
			t.Errorf("coil %d: %v %v", c.address, v, q)
		}
	}
	for _, c := range []struct {
		bit    int
		order  Order
		invert bool
		want   bool
	}{{0, ABCD, false, true}, {1, ABCD, false, false}, {15, ABCD, false, true}, {8, BADC, false, true}, {7, DCBA, false, true}, {0, CDAB, false, true}, {0, ABCD, true, false}} {
		p := PointConfig{Table: Holding, Address: 7, Type: Truth, Bit: int8(c.bit), Order: c.order, Invert: c.invert}
		if v, q := p.decode([]byte{0x80, 0x01}, 7); v != drivers.BoolValue(c.want) || q != drivers.Good {
			t.Errorf("bit %d in order %d: %v %v", c.bit, c.order, v, q)
		}
	}
}

func TestScaleSeesTheRegisters(t *testing.T) {
	p := holding("p", 0)
	p.Type, p.Order = U32, CDAB
	p.Scale = &drivers.Scale{Linear: true, Mul: 0.1, Decimals: 1, Void: []uint64{0xFFFFFFFE}}
	if v, q := p.decode([]byte{0, 101, 0, 0}, 0); v != drivers.NumberValue(10.1) || q != drivers.Good {
		t.Errorf("%v %v", v, q)
	}
	if v, q := p.decode([]byte{0xFF, 0xFE, 0xFF, 0xFF}, 0); v.Kind() != drivers.None || q != drivers.Sensor {
		t.Errorf("void: %v %v", v, q)
	}
}

func TestInEachOrder(t *testing.T) {
	p := PointConfig{Type: F32}
	if got := p.InEachOrder([]uint16{0x0000, 0x4148}); len(got) != 4 || got[CDAB] != drivers.NumberValue(12.5) || got[ABCD] == got[CDAB] {
		t.Errorf("got %v", got)
	}
	p.Type = BCD32
	if got := fmt.Sprint(p.InEachOrder([]uint16{0x1234, 0x56AB})); got != "[- - - -]" {
		t.Errorf("no BCD: %s", got)
	}
	p.Type = U64
	if got := p.InEachOrder([]uint16{1, 2, 3, 4}); len(got) != 4 || got[0] != drivers.UintValue(0x0001000200030004) || got[1] != drivers.UintValue(0x0004000300020001) {
		t.Errorf("four registers: %v", got)
	}
	for _, q := range []PointConfig{{Type: U16}, {Type: Truth}, {Type: HiLo}, {Type: Text, Length: 2}, {Type: F64}} {
		if got := q.InEachOrder([]uint16{1, 2}); got != nil {
			t.Errorf("%v: %v", q.Type, got)
		}
	}
}

// The way without allocations gives the same bits as the library's.
func TestShortestIsTheNearestOfTheShortest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	same := func(f float32) {
		want, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
		if got := shortest(f); err == nil && math.Float64bits(got) != math.Float64bits(want) && !(want == 0 && got == 0) && !math.IsNaN(want) {
			t.Fatalf("%v became %v, want %v", f, got, want)
		}
	}
	for range 200_000 {
		same(math.Float32frombits(rnd.Uint32()))
		same(float32(rnd.IntN(1_000_000)) / 1000)
	}
	for _, f := range []float32{0.1, -0.1, 1e-45, 3.4028235e38, 1247.315, float32(math.NaN()), float32(math.Inf(-1))} {
		same(f)
	}
	if n := testing.AllocsPerRun(100, func() { shortest(1247.315) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A point without a scale is worth what one whose scale changes nothing is.
func TestNoScaleIsAScaleThatChangesNothing(t *testing.T) {
	same := &drivers.Scale{Decimals: -1}
	for _, raw := range []drivers.Value{
		drivers.NumberValue(0), drivers.NumberValue(math.Copysign(0, -1)), drivers.NumberValue(-1.5), drivers.NumberValue(math.MaxFloat64),
		drivers.NumberValue(math.Inf(1)), drivers.NumberValue(math.Inf(-1)), drivers.NumberValue(math.NaN()),
		drivers.UintValue(0), drivers.UintValue(math.MaxUint64), drivers.IntValue(math.MinInt64),
	} {
		v, q := asItIs(raw)
		if w, wq := same.Apply(raw, raw.Bits()); v != w || q != wq {
			t.Errorf("%v: %v (%v), with a scale %v (%v)", raw, v, q, w, wq)
		}
	}
}
