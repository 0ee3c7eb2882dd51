package config

import (
	"fmt"
	"math"
	"slices"

	"pithead/drivers"
	"pithead/drivers/modbus"
)

// registers are the keys that say where a value stands, by table.
var registers = []string{"holding", "input", "coil", "discrete", "register"}

var tables = map[string]modbus.Table{
	"holding": modbus.Holding, "input": modbus.Input, "coil": modbus.Coil, "discrete": modbus.Discrete,
}

var orders = map[string]modbus.Order{"ABCD": modbus.ABCD, "CDAB": modbus.CDAB, "BADC": modbus.BADC, "DCBA": modbus.DCBA}

// kindOfRegister is what a type of registers holds.
type kindOfRegister struct {
	typ    modbus.Type
	width  int     // registers
	lo, hi float64 // of the raw value; both 0 where only the form bounds it
}

var registerKinds = map[string]kindOfRegister{
	"u16": {modbus.U16, 1, 0, math.MaxUint16}, "i16": {modbus.I16, 1, math.MinInt16, math.MaxInt16},
	"u32": {modbus.U32, 2, 0, math.MaxUint32}, "i32": {modbus.I32, 2, math.MinInt32, math.MaxInt32},
	"u64": {modbus.U64, 4, 0, math.MaxUint64}, "i64": {modbus.I64, 4, math.MinInt64, math.MaxInt64},
	"f32": {modbus.F32, 2, 0, 0}, "f64": {modbus.F64, 4, 0, 0},
	"bcd16": {modbus.BCD16, 1, 0, 9999}, "bcd32": {modbus.BCD32, 2, 0, 99999999},
	"bool": {modbus.Truth, 1, 0, 1}, "hi-lo": {modbus.HiLo, 2, 0, 0},
}

func (k kindOfRegister) whole() bool { return k.typ != modbus.F32 && k.typ != modbus.F64 }

// registerPoint is a value of a Modbus unit.
func (j *judge) registerPoint(p *point) {
	j.placeOf(p)
	j.typeOf(p)
	p.reg.ID, p.reg.Every, p.reg.Line = p.id, p.site.Every, int32(p.line)
	p.rare.WarmUp = p.dur("warm-up")
	p.reg.Invert = p.text("active") == "low"
	if v := p.given("active"); v != nil && p.kind != drivers.Bool && p.kind != drivers.None {
		j.keyf(p.object, "active", "a number has none; it belongs to coils, discretes and bits")
	}
	if v := p.given("holding"); v != nil || p.has("input") || p.has("register") || p.has("coil") || p.has("discrete") {
		j.inside(p)
	}
	d, ok := find(j, p.given("device"), &j.devices, "devices", "device")
	if !ok {
		return
	}
	p.device, p.site.Device = d, d.id
	if !p.has("every") && d.given("every") != nil {
		p.site.Every = d.conf.Every
		p.reg.Every = d.conf.Every
	}
	if d.bus == nil {
		return
	}
	p.bus, p.site.Bus = d.bus, d.bus.id
	p.bus.untimed = p.bus.untimed || p.broken("every")
	if m := d.given("max"); p.width > d.conf.Max && m != nil {
		j.errorf(p.where("type"), "takes %d registers, more than %s of device %q (max); want a smaller type or a larger max", p.width, m.text, d.id)
	}
}

// placeOf finds the table and the address.
func (j *judge) placeOf(p *point) {
	k, sure := j.only(p.object, registers, "place")
	if k == "" {
		if sure && !p.strange {
			j.errorf(p.place, "says not where its value is; want holding, input, coil, discrete or register")
		}
		return
	}
	v := p.given(k)
	if v == nil {
		return
	}
	p.reg.Table, p.reg.Address = tables[k], uint16(v.n)
	if k == "register" {
		p.reg.Table = v.table
	}
}

// typeOf finds the type, and what may go with it.
func (j *judge) typeOf(p *point) {
	bits := p.reg.Table == modbus.Coil || p.reg.Table == modbus.Discrete
	typ := p.text("type")
	p.reg.Bit = -1
	switch {
	case p.broken("type"):
		return
	case typ == "" && (bits || p.has("bit")):
		typ = "bool"
	case typ == "":
		typ = "u16"
	}
	if p.has("bit") {
		if typ = j.bitOf(p, typ, bits); typ == "" {
			return
		}
	}
	p.site.Type, p.width = typ, 1
	switch {
	case p.reg.Table == 0:
		return
	case bits && typ != "bool":
		j.errorf(p.where("type"), "%s of a coil or discrete, which holds one bit; want bool", typ)
		return
	case !bits && typ == "bool" && !p.has("bit"):
		j.errorf(p.where("type"), "bool of a 16-bit register; want bit: 0 to 15 beside it")
		return
	}
	j.kindOf(p, typ)
}

// bitOf is the type of one bit of a register, or nothing where it can't be.
func (j *judge) bitOf(p *point, typ string, bits bool) string {
	switch {
	case bits:
		j.keyf(p.object, "bit", "a coil or discrete is one bit already; want bit of a holding or input register")
		return ""
	case !slices.Contains([]string{"u16", "i16", "bool"}, typ):
		j.keyf(p.object, "bit", "a bit of type %s; want a bit of a 16-bit register", typ)
		return ""
	}
	if v := p.given("bit"); v != nil {
		p.reg.Bit = int8(v.n)
	}
	return "bool"
}

// kindOf sets what the type makes of the point.
func (j *judge) kindOf(p *point, typ string) {
	k, ok := registerKinds[typ]
	switch {
	case typ == "string":
		p.kind, p.reg.Type, p.width = drivers.Text, modbus.Text, p.int("length")
		p.reg.Length = uint8(p.width)
		if !p.has("length") {
			j.errorf(p.where("type"), "says not how long; want length, in registers")
		}
	case ok:
		p.kind, p.reg.Type, p.width = drivers.Number, k.typ, k.width
		if k.typ == modbus.Truth {
			p.kind, p.site.OnChange = drivers.Bool, true
		}
	}
	for _, x := range []struct{ key, typ string }{{"length", "string"}, {"hi", "hi-lo"}} {
		if p.has(x.key) && typ != x.typ {
			j.keyf(p.object, x.key, "belongs to type: %s", x.typ)
		}
	}
	if p.rare.Hi = p.num("hi"); typ == "hi-lo" && !p.has("hi") {
		j.errorf(p.where("type"), "says not what the high register is worth; want hi, as hi: 10000")
	}
	j.counterOf(p, typ)
	p.reg.Order = orders[p.text("order")]
	if p.kind == drivers.Text && (p.reg.Order == modbus.CDAB || p.reg.Order == modbus.DCBA) {
		j.errorf(p.where("order"), "%s of a string; want ABCD, or BADC where the bytes of each register are swapped", p.text("order"))
	}
	if p.kind == drivers.Bool && p.given("order") != nil && p.reg.Order != modbus.ABCD {
		j.errorf(p.where("order"), "a bit has no order; leave it out")
	}
}

// counterOf is what makes a total of a register that counts up.
func (j *judge) counterOf(p *point, typ string) {
	o := p.sub("counter")
	if !p.has("counter") || o == nil {
		return
	}
	k, ok := registerKinds[typ]
	if !ok || !k.whole() || p.kind == drivers.Bool || k.typ == modbus.HiLo {
		j.keyf(p.object, "counter", "of type %s; want a type of whole numbers", typ)
		return
	}
	c := modbus.Counter{Each: o.num("each"), Wraps: math.MaxInt64} // of 64 bits: never
	if k.hi < 1<<53 {
		c.Wraps = uint64(k.hi) + 1
	}
	if v := o.given("wraps"); v != nil {
		if uint64(v.n) > c.Wraps {
			j.errorf(v.place, "%s is more than %s can show; want at most %d", v.text, typ, c.Wraps)
		}
		c.Wraps = uint64(v.n)
	}
	if c.Each > 0 {
		p.rare.Counter = &c
	}
}

// inside refuses a value that goes past the last register.
func (j *judge) inside(p *point) {
	if last := int(p.reg.Address) + p.width - 1; p.width > 1 && last > 65535 {
		k, _ := j.only(p.object, registers, "place")
		j.errorf(p.where(k), "%s takes %d registers and would end at %d; want at most %d", p.site.Type, p.width, last, 65536-p.width)
	}
}

// fits says why f can't be a raw value of the point, or nothing.
func (p *point) fits(f float64) string {
	k, ok := registerKinds[p.site.Type]
	switch {
	case p.source != "device" || !ok || k.lo == k.hi:
		return ""
	case f < k.lo || f > k.hi:
		return fmt.Sprintf("is no %s; want %s to %s", p.site.Type, plain(k.lo), plain(k.hi))
	case f != math.Trunc(f):
		return fmt.Sprintf("is no %s; want a whole number", p.site.Type)
	}
	return ""
}
