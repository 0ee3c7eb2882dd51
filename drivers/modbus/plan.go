package modbus

import (
	"cmp"
	"slices"
	"time"
)

// What the protocol allows in one request.
const (
	maxRegisters = 125
	maxBits      = 2000
)

// A Request is one read of the plan: points of one unit, one table and one
// cycle whose registers are asked for together.
type Request struct {
	Unit     string // the device's id
	Addr     byte   // address on the bus
	Table    Table
	Address  uint16 // protocol address of the first register or bit
	Quantity uint16 // registers, or bits of Coil and Discrete
	Every    time.Duration
	Points   []string // ids, by address
}

// Plan joins the points of each unit into as few requests as its Join and Max
// allow. A value never spans two requests, even where Max is smaller than it.
// Max counts registers; of coils and discretes it allows the bits that as many
// registers would carry.
func Plan(c Config) []Request {
	var plan []Request
	for i := range c.Units {
		for _, b := range blocksOf(&c.Units[i]) {
			plan = append(plan, b.request(&c.Units[i]))
		}
	}
	return plan
}

// A block is a run of registers that one request reads, with its points by address.
type block struct {
	table  Table
	every  time.Duration
	first  int            // address of the first register or bit
	end    int            // one past the last
	points []*PointConfig // the site's own
}

func (b *block) request(u *UnitConfig) Request {
	r := Request{
		Points: make([]string, 0, len(b.points)),
		Unit:   u.ID, Addr: u.Unit, Table: b.table, Every: b.every,
		Address: uint16(b.first), Quantity: uint16(b.end - b.first),
	}
	for _, p := range b.points {
		r.Points = append(r.Points, p.ID)
	}
	return r
}

func blocksOf(u *UnitConfig) []block {
	points := make([]*PointConfig, len(u.Points))
	for i := range points {
		points[i] = &u.Points[i]
		if points[i].Every <= 0 {
			own := u.Points[i]
			own.Every = u.Every
			points[i] = &own
		}
	}
	slices.SortStableFunc(points, func(a, b *PointConfig) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Every, b.Every), cmp.Compare(a.Address, b.Address))
	})
	return join(points, u.Join, u.Max)
}

// join makes blocks of points that are sorted by table, cycle and address. At
// most gap addresses that no point needs are read along to make one of two;
// below 0 means that only points that share a register are joined. The blocks
// share the memory of points.
func join(points []*PointConfig, gap, limit int) []block {
	var blocks []block
	start := 0 // of the last block's points
	for i := range points {
		p := points[i]
		first := int(p.Address)
		end := first + p.width()
		if n := len(blocks); n > 0 {
			b := &blocks[n-1]
			longest := max(b.end, end)
			if b.table == p.Table && b.every == p.Every &&
				first-b.end <= gap && longest-b.first <= most(p.Table, limit) {
				b.end = longest
				b.points = points[start : i+1 : i+1]
				continue
			}
		}
		start = i
		blocks = append(blocks, block{table: p.Table, every: p.Every, first: first, end: end, points: points[i : i+1 : i+1]})
	}
	return blocks
}

// most is how many registers or bits one request may ask for.
func most(t Table, limit int) int {
	if limit <= 0 || limit > maxRegisters {
		limit = maxRegisters
	}
	if t.bits() {
		return limit * maxBits / maxRegisters
	}
	return limit
}

func (t Table) bits() bool { return t == Coil || t == Discrete }

// width is how many registers or bits the point takes.
func (p *PointConfig) width() int {
	if p.Table.bits() {
		return 1
	}
	switch p.Type {
	case U32, I32, F32, BCD32, HiLo:
		return 2
	case Text:
		return int(p.Length)
	case U64, I64, F64:
		return 4
	}
	return 1
}
