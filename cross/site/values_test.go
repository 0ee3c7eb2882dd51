//go:build site

package site

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A want is a point: what the slave holds for it, and what has to arrive.
type want struct {
	id    string
	keys  string   // of the site file
	table string   // of the slave
	at    int      // its first register
	raw   []uint16 // what the slave holds
	value string   // JSON; numbers are compared as numbers
	bad   string   // qualities allowed instead, empty for good
}

// A layout places values in registers, one after the other.
type layout struct {
	wants []want
	next  map[string]int
}

// put places the big-endian bytes of a value in an order.
func (l *layout) put(table, kind, order string, bytes []byte, more, value, bad string) {
	regs := arrange(bytes, order)
	at := l.next[table]
	l.next[table] = at + len(regs)
	l.wants = append(l.wants, want{
		id:   fmt.Sprintf("%s.%s.%s_%d", table, kind, strings.ToLower(order), at),
		keys: fmt.Sprintf("%s: %d, type: %s, order: %s%s", table, at, kind, order, more), table: table, at: at,
		raw: regs, value: value, bad: bad,
	})
}

// arrange is the bytes of a value, most significant first, as registers in an order.
func arrange(b []byte, order string) []uint16 {
	n := len(b) / 2
	regs := make([]uint16, n)
	for i := range n {
		hi, lo := b[2*i], b[2*i+1]
		if order == "BADC" || order == "DCBA" {
			hi, lo = lo, hi
		}
		j := i
		if order == "CDAB" || order == "DCBA" {
			j = n - 1 - i
		}
		regs[j] = uint16(hi)<<8 | uint16(lo)
	}
	return regs
}

// bytesOf is v's n bytes, most significant first.
func bytesOf(v uint64, n int) []byte {
	b := make([]byte, n)
	for i := range n {
		b[n-1-i] = byte(v >> (8 * i))
	}
	return b
}

// everything is each type in each order, with values that tell the orders apart.
func everything() *layout {
	l := &layout{next: map[string]int{}}
	for _, table := range []string{"holding", "input"} {
		for _, order := range []string{"ABCD", "CDAB", "BADC", "DCBA"} {
			l.integers(table, order)
			l.floats(table, order)
			l.decimals(table, order)
		}
	}
	l.scaled()
	l.bits()
	return l
}

func (l *layout) integers(table, order string) {
	for _, v := range []uint64{0, 1, 0x0102030405060708, 0xFEDCBA9876543210, math.MaxUint64} {
		for _, bits := range []int{16, 32, 64} {
			cut := v >> (64 - bits)
			if v == 1 {
				cut = 1
			}
			b := bytesOf(cut, bits/8)
			l.put(table, fmt.Sprintf("u%d", bits), order, b, "", strconv.FormatUint(cut, 10), "")
			signed := int64(cut<<(64-bits)) >> (64 - bits)
			l.put(table, fmt.Sprintf("i%d", bits), order, b, "", strconv.FormatInt(signed, 10), "")
		}
	}
}

func (l *layout) floats(table, order string) {
	for _, f := range []float32{0, 1247.83, -0.1, 1e-7, 3.4e38, 123456.79} {
		l.put(table, "f32", order, bytesOf(uint64(math.Float32bits(f)), 4), "", strconv.FormatFloat(float64(f), 'g', -1, 32), "")
	}
	for _, f := range []float64{0, 1247.83, -0.1, 1e-300, math.MaxFloat64, math.Pi} {
		l.put(table, "f64", order, bytesOf(math.Float64bits(f), 8), "", strconv.FormatFloat(f, 'g', -1, 64), "")
	}
	l.put(table, "f32", order, bytesOf(0x7FC00001, 4), "", "", "sensor")
	l.put(table, "f64", order, bytesOf(math.Float64bits(math.NaN()), 8), "", "", "sensor")
	l.put(table, "f32", order, bytesOf(uint64(math.Float32bits(float32(math.Inf(1)))), 4), "", "", "sensor over")
}

func (l *layout) decimals(table, order string) {
	for _, v := range []uint64{0, 1, 1234, 9876} {
		b, _ := strconv.ParseUint(strconv.FormatUint(v, 10), 16, 64)
		l.put(table, "bcd16", order, bytesOf(b, 2), "", strconv.FormatUint(v, 10), "")
	}
	for _, v := range []uint64{0, 12345678, 98760001} {
		b, _ := strconv.ParseUint(strconv.FormatUint(v, 10), 16, 64)
		l.put(table, "bcd32", order, bytesOf(b, 4), "", strconv.FormatUint(v, 10), "")
	}
	l.put(table, "bcd16", order, bytesOf(0x12A4, 2), "", "", "sensor protocol")
	l.put(table, "bcd32", order, bytesOf(0x123456F8, 4), "", "", "sensor protocol")
}

func (l *layout) scaled() {
	const mA = ", map: [4000, 20000, 0, 4]"
	const curve = ", curve: [[200, 0], [1000, 10], [2000, 100]]"
	const valid = mA + ", valid: [3600, 21000]"
	for _, c := range []struct {
		kind  string
		raw   int64
		more  string
		value string
		bad   string
	}{
		{"i16", 235, ", scale: 0.1, offset: -40", "-16.5", ""},
		{"i16", -235, ", scale: 0.1", "-23.5", ""},
		{"u16", 333, ", scale: 0.001, decimals: 2", "0.33", ""},
		{"u32", 100000, ", scale: 0.01", "1000", ""},
		{"u16", 12000, mA, "2", ""},
		{"u16", 4000, mA, "0", ""},
		{"u16", 20000, mA, "4", ""},
		{"u16", 3599, valid, "", "sensor"},
		{"u16", 21001, valid, "", "over"},
		{"u16", 600, curve, "5", ""},
		{"u16", 1500, curve, "55", ""},
		{"u16", 0xFFFE, ", void: [0xFFFE, 0xFFFD]", "", "sensor"},
		{"u16", 0xFFFC, ", void: [0xFFFE, 0xFFFD]", "65532", ""},
		{"i16", 1300, ", range: [1200, 1260]", "", "over"},
		{"i16", 1100, ", range: [1200, 1260]", "", "under"},
		{"i16", 1230, ", range: [1200, 1260]", "1230", ""},
	} {
		n := 2
		if strings.HasSuffix(c.kind, "32") {
			n = 4
		}
		l.put("holding", c.kind, "ABCD", bytesOf(uint64(c.raw), n), c.more, c.value, c.bad)
	}
}

// bits is coils, discretes and single bits of a register.
func (l *layout) bits() {
	for _, table := range []string{"coil", "discrete"} {
		for i := range 11 {
			on := i%3 == 0
			l.wants = append(l.wants, want{id: fmt.Sprintf("%s.n%d", table, i), keys: fmt.Sprintf("%s: %d", table, i),
				table: table, at: i, raw: []uint16{uint16(btoi(on))}, value: strconv.FormatBool(on)})
		}
	}
	l.wants = append(l.wants, want{id: "coil.low", keys: "coil: 11, active: low", table: "coil", at: 11, raw: []uint16{0}, value: "true"})
	at := l.next["holding"]
	for i := range 16 {
		l.wants = append(l.wants, want{id: fmt.Sprintf("word.bit%d", i), keys: fmt.Sprintf("holding: %d, bit: %d", at, i),
			table: "holding", at: at, raw: []uint16{0xA5C1}, value: strconv.FormatBool(0xA5C1>>i&1 == 1)})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (l *layout) load(s *slave) {
	for _, w := range l.wants {
		s.set(w.table, w.at, w.raw...)
	}
}

func (l *layout) points(device string) string {
	var b strings.Builder
	for _, w := range l.wants {
		fmt.Fprintf(&b, "  %s.%s: {device: %s, %s}\n", device, w.id, device, w.keys)
	}
	return b.String()
}

// matches says whether a reading is what the slave holds. Numbers must be the
// same float64, and integers the same digits.
func (w want) matches(r reading) bool {
	if w.bad != "" {
		return len(r.V) == 0 && strings.Contains(w.bad, r.Q) && r.Q != ""
	}
	if r.Q != "" {
		return false
	}
	got := string(r.V)
	if got == w.value {
		return true
	}
	a, err1 := strconv.ParseFloat(got, 64)
	b, err2 := strconv.ParseFloat(w.value, 64)
	return err1 == nil && err2 == nil && a == b && strings.ContainsAny(w.value, ".e")
}

// Every type in every order, over TCP, over a serial line, and through a serial server.
func TestEveryValueIsWhatTheSlaveHeld(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	a, b := serialLine(t)
	all := everything()
	boxEnd, far := serialLine(t)
	box := serialServer(t, boxEnd)
	slaves := map[string]*slave{"net": tcpSlave(t, port), "line": rtuSlave(t, b, 7), "conv": rtuSlave(t, far, 8)}
	for _, s := range slaves {
		all.load(s)
	}
	br := newBroker(t)
	br.start(t)
	w := watch(t, br)
	g := install(t, pithead, fmt.Sprintf(`
buses:
  plc: {tcp: "127.0.0.1:%d"}
  rs1: {serial: %s, baud: 115200}
  box: {rtu-over-tcp: "127.0.0.1:%d", baud: 115200}
devices:
  conv: {bus: box, unit: 8, every: 2s}
  net: {bus: plc, unit: 1, every: 1s}
  line: {bus: rs1, unit: 7, every: 2s}
points:
`, port, a, box)+all.points("net")+all.points("line")+all.points("conv")+br.uplink())
	g.start(t)

	check := func(what string) {
		wrong := 0
		for device := range slaves {
			for _, one := range all.wants {
				id := device + "." + one.id
				if wrong < 10 && !within(10*time.Second, func() bool { return one.matches(w.point(id)) }) {
					wrong++
					r := w.point(id)
					t.Errorf("%s: %s {%s}: the slave holds %04x, so %q %s; got %s %s", what, id, one.keys, one.raw, one.value, one.bad, r.V, r.Q)
				}
			}
		}
	}
	check("at first")
	// Another value in every register shows that nothing above came from elsewhere.
	for i := range all.wants {
		all.wants[i].flip()
	}
	for _, s := range slaves {
		all.load(s)
	}
	check("changed")
	w.ledger().whole(t)
	g.stop(t)
	g.sound(t)
	figure(t, "%d points over TCP, as many over a serial line and through a serial server, are what the slaves held, twice", len(all.wants))
}

// flip changes the truths, and the integers that are not scaled, by one in the
// last place; the rest stays.
func (w *want) flip() {
	switch {
	case w.value == "true" || w.value == "false":
		mask := uint16(1)
		if strings.Contains(w.keys, "bit:") {
			mask = 0xFFFF
		}
		w.raw = []uint16{w.raw[0] ^ mask}
		w.value = strconv.FormatBool(w.value == "false")
	case strings.Contains(w.keys, "type: u16, order: ABCD,"), w.bad != "":
	case strings.Contains(w.keys, "type: u16, order: ABCD"):
		w.raw = []uint16{w.raw[0] ^ 1}
		w.value = strconv.Itoa(int(w.raw[0]))
	}
}
