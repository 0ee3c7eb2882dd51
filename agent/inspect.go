package agent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pithead/drivers"
)

// remark tells what the driver knows beside the readings: edges that were
// lost, counters that began anew, and why single points are bad.
func (b *busLoop) remark(rs []drivers.Reading) {
	if l, ok := b.bus.(drivers.Losses); ok {
		for _, r := range rs {
			if n := l.Lost(r.Point); n > b.lost[r.Point] {
				b.losses(r.Point, n-b.lost[r.Point])
				b.lost[r.Point] = n
			}
		}
	}
	if c, ok := b.bus.(drivers.Counters); ok {
		for s, any := c.Began(); any; s, any = c.Began() {
			b.counts(s)
		}
	}
	if l, ok := b.bus.(drivers.Bounds); ok {
		for _, r := range rs {
			if n := l.Refused(r.Point); n > b.refused[r.Point] {
				b.refusals(r.Point, n-b.refused[r.Point])
				b.refused[r.Point] = n
			}
		}
	}
	for i := range rs {
		r := &rs[i]
		if r.Quality == drivers.Good && len(b.whys) == 0 {
			continue
		}
		text := reason(b.bus, *r)
		switch was := b.whys[r.Point]; {
		case text == was:
			continue
		case text == "":
			delete(b.whys, r.Point)
			continue
		}
		b.log.Warn("point can't be read", "point", r.Point, "line", b.where(r.Point), "err", text)
		b.whys[r.Point] = text
	}
}

// reason is why one point alone is bad, as far as anybody knows.
func reason(bus drivers.Bus, r drivers.Reading) string {
	if r.Quality == drivers.Good {
		return ""
	}
	if r.Quality == drivers.Exception {
		why := fmt.Sprintf("the device answers with exception %d (%s)", r.Code, exceptions[r.Code])
		if rs, ok := bus.(drivers.Reasons); ok {
			if err := rs.Why(r.Point); err != nil {
				why += ": " + err.Error()
			}
		}
		return why
	}
	if why, ok := bus.(drivers.Reasons); ok {
		if err := why.Why(r.Point); err != nil {
			return err.Error()
		}
	}
	return ""
}

// ExceptionName is the name of a Modbus exception, or nothing.
func ExceptionName(code uint8) string { return exceptions[code] }

// exceptions are the names of the Modbus specification (V1.1b3, 7).
var exceptions = map[uint8]string{1: "illegal function", 2: "illegal data address", 3: "illegal data value",
	4: "server device failure", 5: "acknowledge", 6: "server device busy", 8: "memory parity error",
	10: "gateway path unavailable", 11: "gateway target device failed to respond"}

// answer makes one request of those that a person's read takes, whatever the
// polls' cycles, and replies when all that was asked for is read. One at a time:
// an output that is to be switched meanwhile must not wait for more. It says
// when to go on.
func (b *busLoop) answer(ctx context.Context) (next time.Time) {
	now := time.Now()
	if len(b.asks) == 0 {
		return now.Add(time.Minute)
	}
	a := &b.asks[0]
	if a.sweep != nil {
		return b.sweepOne(ctx, a, now)
	}
	polls := b.pollsOf(a.points)
	if a.done < len(polls) && a.ctx.Err() == nil {
		p := polls[a.done]
		if p.under || p.unit.free.After(now) {
			return later(p.unit.free, now.Add(time.Millisecond)) // a round of the loop's own ends first, and the pause is kept
		}
		found, more := b.inspectStep(ctx, p)
		a.found = append(a.found, found...)
		if p.lent = more; !more {
			a.done++
		}
	}
	if a.done < len(polls) && a.ctx.Err() == nil {
		return now
	}
	if a.done < len(polls) {
		polls[a.done].lent = false // nobody waits any more
	}
	a.reply <- slices.DeleteFunc(a.found, func(i drivers.Inspection) bool { return !slices.Contains(a.points, i.Point) })
	b.asks = slices.Delete(b.asks, 0, 1)
	return now
}

func (b *busLoop) pollsOf(points []string) (polls []*poll) {
	for _, u := range b.units {
		for _, p := range u.polls {
			if slices.ContainsFunc(p.Points, func(id string) bool { return slices.Contains(points, id) }) {
				polls = append(polls, p)
			}
		}
	}
	return polls
}

func (b *busLoop) inspectStep(ctx context.Context, p *poll) (found []drivers.Inspection, more bool) {
	found, s := inspected(ctx, b.bus, p.Driver)
	p.unit.free = time.Now().Add(max(p.unit.Pause, s.Wait))
	for i := range found {
		if line := b.where(found[i].Point); found[i].Why != "" && line > 0 {
			found[i].Why += fmt.Sprintf(" (line %d of the site file)", line)
		}
	}
	return found, s.More
}

// inspect reads one poll of a bus that no loop drives.
func inspect(ctx context.Context, bus drivers.Bus, u drivers.Unit, d drivers.Driver) (all []drivers.Inspection) {
	for {
		found, s := inspected(ctx, bus, d)
		all = append(all, found...)
		time.Sleep(max(u.Pause, s.Wait))
		if !s.More {
			return all
		}
	}
}

// inspected makes one request, and shows its registers where the driver has
// them, and why, where a point is bad.
func inspected(ctx context.Context, bus drivers.Bus, d drivers.Driver) ([]drivers.Inspection, drivers.Step) {
	before := time.Now()
	s := stepOf(ctx, d, noMemory)
	is := make([]drivers.Inspection, len(s.Readings))
	for i, r := range s.Readings {
		is[i] = drivers.Inspection{Reading: r, Took: time.Since(before)}
		if in, ok := d.(drivers.Inspector); ok {
			is[i].Raw, is[i].Took = in.Raw(r.Point)
		}
		switch {
		case r.Quality == drivers.Good:
		case s.Err != nil:
			is[i].Why = drivers.FaultOf(s.Err).Err.Error()
		default:
			is[i].Why = reason(bus, r)
		}
	}
	return is, s
}

// ask is a person's wish to read points now, until ctx ends.
type ask struct {
	ctx    context.Context
	points []string
	sweep  *sweep                    // instead of points: units are looked for
	reply  chan []drivers.Inspection // holds one
	found  []drivers.Inspection      // so far; the loop's
	done   int                       // polls that are read; the loop's
}
