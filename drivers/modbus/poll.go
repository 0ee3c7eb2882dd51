package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/goburrow/modbus"

	"pithead/drivers"
)

// How a register that the device refuses is treated. One stray refusal, as of a
// device that is starting, must not blind a point for long.
const (
	refusals     = 3                // in a row, until it is left alone
	retryBad     = 10 * time.Minute // for so long
	retryAlarmed = 30 * time.Second // or so, where an alarm hangs on it
	retrySplit   = 30 * time.Second // a block all of whose values are refused is asked for whole meanwhile
)

// A poll is one request of the plan. Where the device refuses one of its
// registers it becomes several, so that the rest can be read.
type poll struct {
	unit    *unit
	block   block
	parts   []part
	noHoles bool      // the device refuses registers that no point needs
	retry   time.Time // when to ask for the block as a whole again; zero = it is asked for as planned
	whole   time.Time // it is not split before
}

// A part is what is asked for at once.
type part struct {
	block
	refused int   // times in a row that one value by itself got an illegal address
	bad     uint8 // that exception, once it is left alone; 0 = it is asked for
}

// An outcome is what became of a part.
type outcome struct {
	part *part
	data []byte // registers or bits as they came; nil where err says why not
	at   time.Time
	took time.Duration
	err  error
}

// Read returns one reading for each point of the poll. The error is that of
// the first request, where the unit gave no sound answer to any.
func (p *poll) Read(ctx context.Context) ([]drivers.Reading, error) {
	readings := make([]drivers.Reading, 0, len(p.block.points))
	err := p.run(ctx, func(o outcome) {
		for i := range o.part.points {
			readings = append(readings, p.reading(&o.part.points[i], o))
		}
	})
	return readings, err
}

// Inspect reads likewise, and shows the registers of each point.
func (p *poll) Inspect(ctx context.Context) ([]drivers.Inspection, error) {
	var found []drivers.Inspection
	err := p.run(ctx, func(o outcome) {
		for i := range o.part.points {
			pt := &o.part.points[i]
			found = append(found, drivers.Inspection{Reading: p.reading(pt, o), Raw: pt.raw(o), Took: o.took})
		}
	})
	return found, err
}

// run asks for the parts in turn and hands on what became of each. A part that
// gets no answer ends it: what is silent is not asked twice in one poll.
func (p *poll) run(ctx context.Context, take func(outcome)) error {
	p.begin()
	var first, stop error
	sound, holes := false, false
	for i := 0; i < len(p.parts); i++ {
		o := p.ask(ctx, &p.parts[i], stop)
		if finer := p.finer(o); finer != nil {
			holes = holes || p.retry.IsZero()
			p.parts = slices.Replace(p.parts, i, i+1, finer...)
			i--
			continue
		}
		f := (*drivers.Fault)(nil)
		if o.err != nil {
			f = drivers.FaultOf(o.err)
		}
		switch {
		case f == nil || alive(f) && !f.Again:
			sound = true
		case first == nil:
			first = o.err
		}
		if f != nil && f.Until.IsZero() && f.Quality != drivers.Exception {
			stop = o.err
		}
		take(o)
	}
	p.end(holes && stop == nil)
	if sound {
		return nil
	}
	return first
}

// begin goes back to the plan when that is due.
func (p *poll) begin() {
	if p.parts != nil && (p.retry.IsZero() || time.Now().Before(p.retry)) {
		return
	}
	p.retry = time.Time{}
	p.parts = []part{{block: p.block}}
	if p.noHoles {
		p.parts = parts(p.block.points, 0)
	}
}

func parts(points []PointConfig, gap int) (ps []part) {
	for _, b := range join(points, gap, 0) {
		ps = append(ps, part{block: b})
	}
	return ps
}

// finer are the parts to ask for in the place of one that has an illegal
// address: without its holes, then value by value; nil where that is no help.
func (p *poll) finer(o outcome) []part {
	f := drivers.FaultOf(o.err)
	if o.err == nil || f.Quality != drivers.Exception || f.Code != modbus.ExceptionCodeIllegalDataAddress || o.part.bad != 0 {
		return nil
	}
	if time.Now().Before(p.whole) {
		return nil
	}
	if ps := parts(o.part.points, 0); len(ps) > 1 {
		return ps
	}
	if ps := parts(o.part.points, -1); len(ps) > 1 {
		p.retry = time.Now().Add(p.patience())
		return ps
	}
	if o.part.refused++; len(p.parts) > 1 && o.part.refused >= refusals {
		o.part.bad = f.Code
	}
	return nil
}

// patience is how long the block's bad registers are left alone.
func (p *poll) patience() time.Duration {
	if slices.ContainsFunc(p.block.points, func(pt PointConfig) bool { return pt.Alarmed }) {
		return retryAlarmed
	}
	return retryBad
}

// end notes what the splitting has shown.
func (p *poll) end(holes bool) {
	if p.retry.IsZero() {
		p.noHoles = p.noHoles || holes
		return
	}
	if !slices.ContainsFunc(p.parts, func(pt part) bool { return pt.bad == 0 }) {
		p.whole = time.Now().Add(retrySplit)
		p.retry, p.parts = p.whole, []part{{block: p.block}}
	}
}

// ask makes the request for one part, unless there is reason not to.
func (p *poll) ask(ctx context.Context, pt *part, stop error) outcome {
	o := outcome{part: pt, err: stop}
	if stop == nil && pt.bad != 0 {
		o.err = &drivers.Fault{Quality: drivers.Exception, Code: pt.bad, Err: errRefused}
	}
	if o.err == nil {
		quantity := pt.end - pt.first
		o.data, o.err = p.unit.bus.send(ctx, p.unit, pt.table.function(), uint16(pt.first), uint16(quantity))
		t := p.unit.bus.link.last()
		if o.err == nil {
			o.at, o.took, pt.refused = t.done, t.done.Sub(t.sent), 0
			return o
		}
	}
	o.data, o.at = nil, time.Now()
	return o
}

// reading is the point's reading in what became of its part.
func (p *poll) reading(pt *PointConfig, o outcome) drivers.Reading {
	if o.err != nil {
		f := drivers.FaultOf(o.err)
		r := drivers.Bad(pt.ID, o.at, f.Quality)
		r.Code = f.Code
		return r
	}
	r := drivers.Reading{Point: pt.ID, At: o.at}
	r.Value, r.Quality = pt.decode(o.data, o.part.first)
	if !p.unit.warm(pt.WarmUp) {
		return drivers.Bad(pt.ID, o.at, drivers.Sensor)
	}
	return r
}

// raw are the registers that the point was read from.
func (pt *PointConfig) raw(o outcome) []uint16 {
	if o.data == nil || pt.Table.bits() {
		return nil
	}
	at := 2 * (int(pt.Address) - o.part.first)
	raw := make([]uint16, pt.width())
	for i := range raw {
		raw[i] = binary.BigEndian.Uint16(o.data[at+2*i:])
	}
	return raw
}

var errRefused = errors.New("the device refuses this register; it will be tried again")
