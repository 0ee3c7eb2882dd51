package modbus

import (
	"encoding/binary"
	"slices"
	"time"
)

// Raw shows what the wire held of a point in the step that read it: the
// registers in protocol order, nil for bits and where nothing came, and how
// long the answer took.
func (p *poll) Raw(point string) (raw []uint16, took time.Duration) {
	for i := range p.parts {
		pt := &p.parts[i]
		n := slices.IndexFunc(pt.points, func(c *PointConfig) bool { return c.ID == point })
		if n >= 0 {
			return pt.points[n].raw(pt), pt.took
		}
	}
	return nil, 0
}

// raw are the registers that the point was read from.
func (pt *PointConfig) raw(o *part) []uint16 {
	if o.data == nil || pt.Table.bits() {
		return nil
	}
	at := 2 * (int(pt.Address) - o.first)
	raw := make([]uint16, pt.width())
	for i := range raw {
		raw[i] = binary.BigEndian.Uint16(o.data[at+2*i:])
	}
	return raw
}

// Why says of a point whose register the device refuses, and which is left
// alone for that, when it will be asked for again.
func (b *Bus) Why(point string) error {
	for _, u := range b.units {
		for _, p := range u.polls {
			for i := range p.parts {
				pt := &p.parts[i]
				if pt.bad != 0 && slices.ContainsFunc(pt.points, func(c *PointConfig) bool { return c.ID == point }) {
					return p.refusal(pt)
				}
			}
		}
	}
	return nil
}

func (t Table) String() string {
	return [...]string{"table 0", "coil", "discrete", "holding", "input"}[t]
}
