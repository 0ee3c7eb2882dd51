package modbus

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A plan is drawn as table:first+quantity(points), each request after a space.
func draw(plan []Request) string {
	var b strings.Builder
	for i, r := range plan {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%c:%d+%d(%s)", " cdhi"[r.Table], r.Address, r.Quantity, strings.Join(r.Points, ","))
	}
	return b.String()
}

func at(id string, table Table, address uint16, typ Type) PointConfig {
	return PointConfig{ID: id, Table: table, Address: address, Type: typ, Bit: -1}
}

func TestPlan(t *testing.T) {
	slow := at("s", Holding, 1, U16)
	slow.Every = time.Minute
	long := make([]PointConfig, 130)
	for i := range long {
		long[i] = at("p", Holding, uint16(i), U16)
	}
	bits := make([]PointConfig, 2100)
	for i := range bits {
		bits[i] = at("b", Coil, uint16(i), Truth)
	}
	for _, c := range []struct {
		name   string
		unit   UnitConfig
		want   string
		counts []uint16 // in place of want
	}{
		{name: "neighbours", unit: UnitConfig{Points: []PointConfig{at("b", Holding, 1, U16), at("a", Holding, 0, U16)}}, want: "h:0+2(a,b)"},
		{name: "wide neighbours", unit: UnitConfig{Points: []PointConfig{at("a", Input, 0, U64), at("b", Input, 4, F32)}}, want: "i:0+6(a,b)"},
		{name: "a hole stays one", unit: UnitConfig{Points: []PointConfig{at("a", Holding, 0, U16), at("b", Holding, 2, U16)}}, want: "h:0+1(a) h:2+1(b)"},
		{name: "a hole is read along", unit: UnitConfig{Join: 1, Points: []PointConfig{at("a", Holding, 0, U16), at("b", Holding, 2, U16)}}, want: "h:0+3(a,b)"},
		{name: "a wider hole is not", unit: UnitConfig{Join: 1, Points: []PointConfig{at("a", Holding, 0, U16), at("b", Holding, 3, U16)}}, want: "h:0+1(a) h:3+1(b)"},
		{name: "tables apart", unit: UnitConfig{Join: 9, Points: []PointConfig{at("a", Holding, 0, U16), at("b", Input, 1, U16)}}, want: "h:0+1(a) i:1+1(b)"},
		{name: "cycles apart", unit: UnitConfig{Points: []PointConfig{at("a", Holding, 0, U16), slow}}, want: "h:0+1(a) h:1+1(s)"},
		{name: "bits of one register", unit: UnitConfig{Points: []PointConfig{at("a", Holding, 5, Truth), at("b", Holding, 5, Truth), at("c", Holding, 5, U16)}}, want: "h:5+1(a,b,c)"},
		{name: "one within the other", unit: UnitConfig{Points: []PointConfig{at("a", Holding, 0, U64), at("b", Holding, 1, U16), at("c", Holding, 4, U16)}}, want: "h:0+5(a,b,c)"},
		{name: "a value is not split at max", unit: UnitConfig{Max: 3, Points: []PointConfig{at("a", Holding, 0, U32), at("b", Holding, 2, U32)}}, want: "h:0+2(a) h:2+2(b)"},
		{name: "a value wider than max", unit: UnitConfig{Max: 1, Points: []PointConfig{at("a", Holding, 0, U32), at("b", Holding, 2, U16)}}, want: "h:0+2(a) h:2+1(b)"},
		{name: "at the very end", unit: UnitConfig{Points: []PointConfig{at("a", Holding, 65534, U32)}}, want: "h:65534+2(a)"},
		{name: "as long as a request can be", unit: UnitConfig{Points: long}, counts: []uint16{125, 5}},
		{name: "max beyond the protocol", unit: UnitConfig{Max: 999, Points: long}, counts: []uint16{125, 5}},
		{name: "coils", unit: UnitConfig{Points: bits}, counts: []uint16{2000, 100}},
		{name: "coils of a device with small answers", unit: UnitConfig{Max: 100, Points: bits}, counts: []uint16{1600, 500}},
	} {
		c.unit.Every = time.Second
		plan := Plan(Config{Units: []UnitConfig{c.unit}})
		if c.counts == nil {
			if got := draw(plan); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
			continue
		}
		for i, r := range plan {
			if i >= len(c.counts) || r.Quantity != c.counts[i] {
				t.Errorf("%s: request %d asks for %d", c.name, i, r.Quantity)
			}
		}
	}
}

func TestPlanNamesTheUnit(t *testing.T) {
	plan := Plan(Config{Units: []UnitConfig{
		{ID: "x", Unit: 7, Every: 5 * time.Second, Points: []PointConfig{at("a", Holding, 0, U16)}},
		{ID: "y", Unit: 8, Every: time.Second, Points: []PointConfig{at("b", Holding, 0, U16)}},
	}})
	if len(plan) != 2 || plan[0].Unit != "x" || plan[0].Addr != 7 || plan[0].Every != 5*time.Second || plan[1].Unit != "y" {
		t.Errorf("%+v", plan)
	}
}

func TestWireTime(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		name          string
		config        Config
		quantity      uint16
		table         Table
		pure, typical time.Duration
	}{
		// 8 + 7 characters of 10 bits, two silences of 3.5
		{"9600 8N1", Config{Baud: 9600}, 1, Holding, 22 * 10 * time.Second / 9600, 22*10*time.Second/9600 + 5*time.Millisecond},
		{"9600 8E1", Config{Baud: 9600, Parity: 'E'}, 1, Holding, 22 * 11 * time.Second / 9600, 22*11*time.Second/9600 + 5*time.Millisecond},
		{"9600 8N2 and a gap", Config{Baud: 9600, StopBits: 2, Gap: time.Millisecond}, 1, Holding, 22*11*time.Second/9600 + time.Millisecond, 22*11*time.Second/9600 + 6*time.Millisecond},
		{"115200, 125 registers", Config{Baud: 115200}, 125, Input, 263*10*time.Second/115200 + 3500*us, 263*10*time.Second/115200 + 8500*us},
		{"nine coils", Config{Baud: 19200}, 9, Coil, 22 * 10 * time.Second / 19200, 22*10*time.Second/19200 + 5*time.Millisecond},
		{"tcp", Config{Transport: TCP}, 125, Holding, 0, 5 * time.Millisecond},
		{"serial server", Config{Transport: RTUOverTCP, Baud: 9600}, 1, Holding, 22 * 10 * time.Second / 9600, 22*10*time.Second/9600 + 5*time.Millisecond},
	} {
		c.config.Units = []UnitConfig{{ID: "u", Turnaround: 5 * time.Millisecond}}
		pure, typical := WireTime(c.config, Request{Unit: "u", Table: c.table, Quantity: c.quantity})
		if !near(pure, c.pure, 5*us) || !near(typical, c.typical, 5*us) {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, pure, typical, c.pure, c.typical)
		}
	}
}
