package agent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pithead/drivers"
)

// remark tells what the driver knows beside the readings: edges that were
// lost, and why single points are bad.
func (b *busLoop) remark(rs []drivers.Reading) {
	if l, ok := b.bus.(drivers.Losses); ok {
		for _, r := range rs {
			if n := l.Lost(r.Point); n > b.lost[r.Point] {
				b.losses(r.Point, n-b.lost[r.Point])
				b.lost[r.Point] = n
			}
		}
	}
	for _, r := range rs {
		text := reason(b.bus, r)
		if text != b.whys[r.Point] && text != "" {
			b.log.Warn("point can't be read", "point", r.Point, "line", b.where[r.Point], "err", text)
		}
		b.whys[r.Point] = text
	}
}

// reason is why one point alone is bad, as far as anybody knows.
func reason(bus drivers.Bus, r drivers.Reading) string {
	if r.Quality == drivers.Good {
		return ""
	}
	if r.Quality == drivers.Exception {
		return fmt.Sprintf("the device answers with exception %d (%s)", r.Code, exceptions[r.Code])
	}
	if why, ok := bus.(drivers.Reasons); ok {
		if err := why.Why(r.Point); err != nil {
			return err.Error()
		}
	}
	return ""
}

// exceptions are the names of the Modbus specification (V1.1b3, 7).
var exceptions = map[uint8]string{1: "illegal function", 2: "illegal data address", 3: "illegal data value",
	4: "server device failure", 5: "acknowledge", 6: "server device busy", 8: "memory parity error",
	10: "gateway path unavailable", 11: "gateway target device failed to respond"}

// answer reads one poll for a person, whatever its cycle, and replies when all
// that was asked for is read. One at a time: an output that is to be switched
// meanwhile must not wait for more than one request.
func (b *busLoop) answer(ctx context.Context) {
	if len(b.asks) == 0 {
		return
	}
	a := &b.asks[0]
	var polls []*poll
	for _, u := range b.units {
		for _, p := range u.polls {
			if slices.ContainsFunc(p.Points, func(id string) bool { return slices.Contains(a.points, id) }) {
				polls = append(polls, p)
			}
		}
	}
	if a.done < len(polls) && a.ctx.Err() == nil {
		p := polls[a.done]
		a.found = append(a.found, inspect(ctx, b.bus, p)...)
		p.unit.free = time.Now().Add(p.unit.Pause)
		a.done++
	}
	if a.done < len(polls) && a.ctx.Err() == nil {
		return
	}
	a.reply <- slices.DeleteFunc(a.found, func(i drivers.Inspection) bool { return !slices.Contains(a.points, i.Point) })
	b.asks = slices.Delete(b.asks, 0, 1)
}

// inspect reads one poll with its raw registers where the driver shows them,
// and why, where it is bad.
func inspect(ctx context.Context, bus drivers.Bus, p *poll) []drivers.Inspection {
	is, err := read(ctx, p.Driver)
	for i := range is {
		switch {
		case is[i].Quality == drivers.Good || is[i].Why != "":
		case err != nil:
			is[i].Why = drivers.FaultOf(err).Err.Error()
		default:
			is[i].Why = reason(bus, is[i].Reading)
		}
	}
	return is
}

func read(ctx context.Context, d drivers.Driver) ([]drivers.Inspection, error) {
	if in, ok := d.(drivers.Inspector); ok {
		return in.Inspect(ctx)
	}
	before := time.Now()
	rs, err := d.Read(ctx)
	is := make([]drivers.Inspection, len(rs))
	for i, r := range rs {
		is[i] = drivers.Inspection{Reading: r, Took: time.Since(before)}
	}
	return is, err
}

// ask is a person's wish to read points now, until ctx ends.
type ask struct {
	ctx    context.Context
	points []string
	reply  chan []drivers.Inspection // holds one
	found  []drivers.Inspection      // so far; the loop's
	done   int                       // polls that are read; the loop's
}
