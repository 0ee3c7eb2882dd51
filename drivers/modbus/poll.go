package modbus

import (
	"context"
	"fmt"
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

// mostBusy is how long a device that says it is busy is left alone before it is
// asked again, within the same cycle.
const mostBusy = 100 * time.Millisecond

// A poll is one request of the plan. Where the device refuses one of its
// registers it becomes several, so that the rest can be read.
type poll struct {
	unit    *unit
	block   block
	parts   []part
	noHoles bool      // the device refuses registers that no point needs
	retry   time.Time // when to ask for the block as a whole again; zero = it is asked for as planned
	whole   time.Time // it is not split before
	joined  bool      // what lies between known bad registers was put together again

	round
}

// A round is one reading of the whole poll, step by step.
type round struct {
	under bool  // way
	next  int   // the part to ask for
	tries int   // of that part
	sound bool  // some part got an answer in good order
	holes bool  // a part was refused for its holes
	first error // the first failure
	stop  error // nothing more is asked for: what is silent is not asked twice
}

// A part is what is asked for at once.
type part struct {
	block
	refused int   // times in a row that one value by itself got an illegal address
	bad     uint8 // that exception, once it is left alone; 0 = it is asked for
	outcome
}

// An outcome is what became of a part when it was asked for last.
type outcome struct {
	data []byte // registers or bits as they came, until the next request; nil where err says why not
	at   time.Time
	took time.Duration
	err  error
}

// Read returns one reading for each point of the poll. The error is that of
// the first request, where the unit gave no sound answer to any.
func (p *poll) Read(ctx context.Context) ([]drivers.Reading, error) {
	var all []drivers.Reading
	for {
		s := p.Step(ctx, func() []drivers.Reading { return nil })
		if all = append(all, s.Readings...); !s.More {
			return all, s.Err
		}
	}
}

// Step makes at most one request of the poll, and says what came of it.
func (p *poll) Step(ctx context.Context, room func() []drivers.Reading) drivers.Step {
	if !p.under {
		p.begin()
	}
	var rs []drivers.Reading
	take := func(pt *part) {
		if rs == nil {
			rs = slices.Grow(room(), len(pt.points))
		}
		for i := range pt.points {
			rs = append(rs, p.reading(pt.points[i], pt))
		}
	}
	for p.next < len(p.parts) {
		pt := &p.parts[p.next]
		asked := p.ask(ctx, pt)
		if wait, again := p.again(pt); again {
			return drivers.Step{Readings: rs, More: true, Wait: wait}
		}
		if finer := p.finer(pt); finer != nil {
			p.holes = p.holes || p.retry.IsZero()
			p.parts = slices.Replace(p.parts, p.next, p.next+1, finer...)
			return drivers.Step{Readings: rs, More: true}
		}
		p.note(pt)
		take(pt)
		p.next, p.tries = p.next+1, 0
		if asked {
			break
		}
	}
	if p.next < len(p.parts) && p.leftToAsk() {
		return drivers.Step{Readings: rs, More: true}
	}
	for ; p.next < len(p.parts); p.next++ { // what is known to be refused
		pt := &p.parts[p.next]
		p.ask(ctx, pt)
		take(pt)
	}
	return drivers.Step{Readings: rs, Err: p.end()}
}

// leftToAsk says whether a part that is still to come needs a request.
func (p *poll) leftToAsk() bool {
	return p.stop == nil && slices.ContainsFunc(p.parts[p.next:], func(pt part) bool { return pt.bad == 0 })
}

// begin starts a round, and goes back to the plan when that is due.
func (p *poll) begin() {
	p.round = round{under: true}
	if p.parts != nil && (p.retry.IsZero() || time.Now().Before(p.retry)) {
		return
	}
	p.retry, p.joined = time.Time{}, false
	p.parts = []part{{block: p.block}}
	if p.noHoles {
		p.parts = parts(p.block.points, 0)
	}
}

func parts(points []*PointConfig, gap int) (ps []part) {
	for _, b := range join(points, gap, 0) {
		ps = append(ps, part{block: b})
	}
	return ps
}

// ask makes the request for one part, unless there is reason not to.
func (p *poll) ask(ctx context.Context, pt *part) (asked bool) {
	was := pt.err
	pt.outcome = outcome{err: p.stop}
	if p.stop == nil && pt.bad != 0 {
		pt.err = &drivers.Fault{Quality: drivers.Exception, Code: pt.bad, Err: p.refusal(pt)}
	}
	if pt.err == nil {
		asked = true
		quantity := pt.end - pt.first
		pt.data, pt.err = p.unit.bus.send(ctx, p.unit, pt.table.function(), uint16(pt.first), uint16(quantity))
		t := p.unit.bus.link.last()
		if pt.err == nil {
			pt.at, pt.took, pt.refused = t.done, t.done.Sub(t.sent), 0
			return true
		}
		if p.tries > 0 && !drivers.FaultOf(pt.err).Until.IsZero() {
			pt.err = was // it may not be repeated yet: what came the first time is what is known
		}
	}
	pt.data, pt.at = nil, time.Now()
	return asked
}

// again says whether a broken or a busy answer is asked for once more, and how
// long to wait before.
func (p *poll) again(pt *part) (wait time.Duration, again bool) {
	if pt.err == nil || p.stop != nil || p.tries >= p.unit.config.Retries {
		return 0, false
	}
	f := drivers.FaultOf(pt.err)
	if !f.Again {
		return 0, false
	}
	p.tries++
	if f.Quality == drivers.Exception {
		wait = min(mostBusy, p.block.every/time.Duration(2*p.unit.config.Retries+2))
	}
	return wait, true
}

// finer are the parts to ask for in the place of one that has an illegal
// address: without its holes, then halves of it, down to single values; nil
// where that is no help. No value is cut in two.
func (p *poll) finer(pt *part) []part {
	if pt.err == nil || pt.bad != 0 {
		return nil
	}
	f := drivers.FaultOf(pt.err)
	if f.Quality != drivers.Exception || f.Code != modbus.ExceptionCodeIllegalDataAddress || time.Now().Before(p.whole) {
		return nil
	}
	if ps := parts(pt.points, 0); len(ps) > 1 {
		return ps
	}
	if ps := parts(pt.points, -1); len(ps) > 1 {
		p.retry = time.Now().Add(p.patience())
		return []part{together(ps[:len(ps)/2]), together(ps[len(ps)/2:])}
	}
	if pt.refused++; len(p.parts) > 1 && pt.refused >= refusals {
		pt.bad = f.Code
	}
	return nil
}

// together makes one part of neighbours.
func together(ps []part) part {
	b := ps[0].block
	b.points = slices.Clone(b.points)
	for _, o := range ps[1:] {
		b.end = max(b.end, o.end)
		b.points = append(b.points, o.points...)
	}
	return part{block: b}
}

// patience is how long the block's bad registers are left alone.
func (p *poll) patience() time.Duration {
	if slices.ContainsFunc(p.block.points, func(pt *PointConfig) bool { return pt.Alarmed }) {
		return retryAlarmed
	}
	return retryBad
}

// note draws from what became of a part what it says of the unit. Busy is a
// sound answer to the round: the unit lives, and was asked often enough.
func (p *poll) note(pt *part) {
	if pt.err == nil {
		p.sound = true
		return
	}
	f := drivers.FaultOf(pt.err)
	switch {
	case alive(f):
		p.sound = true
	case p.first == nil:
		p.first = pt.err
	}
	if f.Until.IsZero() && f.Quality != drivers.Exception {
		p.stop = pt.err
	}
}

// end closes the round with what its splitting has shown.
func (p *poll) end() error {
	p.under = false
	known := func(pt part) bool { return pt.bad != 0 }
	switch {
	case p.retry.IsZero():
		p.noHoles = p.noHoles || p.holes && p.stop == nil
	case !slices.ContainsFunc(p.parts, func(pt part) bool { return pt.bad == 0 }):
		p.whole = time.Now().Add(retrySplit)
		p.retry, p.parts = p.whole, []part{{block: p.block}}
	case !p.joined && slices.ContainsFunc(p.parts, known) &&
		!slices.ContainsFunc(p.parts, func(pt part) bool { return pt.refused > 0 && pt.bad == 0 }):
		p.rejoin()
	}
	if p.sound {
		return nil
	}
	return p.first
}

// rejoin puts together what lies between the registers that are known to be
// bad, once: a device that takes small requests only would refuse it again.
func (p *poll) rejoin() {
	p.joined = true
	var out []part
	for _, pt := range p.parts {
		last := len(out) - 1
		if last >= 0 && out[last].bad == 0 && pt.bad == 0 && out[last].end >= pt.first {
			out[last] = together([]part{out[last], pt})
			continue
		}
		out = append(out, pt)
	}
	p.parts = out
}

// reading is the point's reading in what became of its part.
func (p *poll) reading(pt *PointConfig, o *part) drivers.Reading {
	if o.err != nil {
		f := drivers.FaultOf(o.err)
		r := drivers.Bad(pt.ID, o.at, f.Quality)
		r.Code = f.Code
		return r
	}
	r := drivers.Reading{Point: pt.ID, At: o.at}
	r.Value, r.Quality = p.unit.decode(pt, o.data, o.first)
	if pt.Rare != nil && !p.unit.warm(pt.Rare.WarmUp) {
		return drivers.Bad(pt.ID, o.at, drivers.Sensor)
	}
	return r
}

// refusal is why a part is left alone.
func (p *poll) refusal(pt *part) error {
	return fmt.Errorf("the device refuses %s %d; it is asked for again each %v", pt.table, pt.first, p.patience())
}
