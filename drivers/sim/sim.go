package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pithead/drivers"
)

// bus is one simulated line or board. Its time begins with the first use.
type bus struct {
	id      string
	units   []drivers.Unit
	points  map[string]*point
	inputs  []*point // those of the board, whose edges Watch sees
	outputs map[string]*output

	mu      sync.Mutex
	begun   time.Time // zero until the first use
	closed  bool
	changed chan struct{} // an output was switched; Watch looks again
}

var errClosed = errors.New("the simulated bus is closed")

// Open makes a bus out of a configuration. Its signals begin with the first
// Read, Watch or Set. Two buses of one configuration show the same at the same
// times, and the same noise reading by reading.
func Open(c Config) (drivers.Bus, error) {
	b := &bus{
		id:      c.ID,
		points:  map[string]*point{},
		outputs: map[string]*output{},
		changed: make(chan struct{}, 1),
	}
	for _, id := range c.Outputs {
		b.outputs[id] = &output{bus: b}
	}
	for _, u := range c.Units {
		if _, err := b.add(u, c); err != nil {
			return nil, err
		}
	}
	if len(c.Inputs) > 0 {
		inputs, err := b.add(UnitConfig{ID: c.ID, Points: c.Inputs}, c)
		if err != nil {
			return nil, err
		}
		b.inputs = inputs
	}
	return b, nil
}

// add makes a unit with one poll for each period of its points.
func (b *bus) add(u UnitConfig, c Config) ([]*point, error) {
	var order []time.Duration
	polls := map[time.Duration][]*point{}
	var all []*point
	for _, pc := range u.Points {
		s, ok := c.Signals[pc.ID]
		if !ok {
			return nil, fmt.Errorf("sim %s: %s has no signal", c.ID, pc.ID)
		}
		if err := b.sound(s); err != nil {
			return nil, fmt.Errorf("sim %s: %s: %w", c.ID, pc.ID, err)
		}
		p := newPoint(pc, s, c.Seed)
		every := firstOf(pc.Every, u.Every, 5*time.Second)
		if polls[every] == nil {
			order = append(order, every)
		}
		polls[every] = append(polls[every], p)
		all = append(all, p)
		b.points[p.ID] = p
	}
	unit := drivers.Unit{ID: u.ID}
	for _, every := range order {
		unit.Polls = append(unit.Polls, newPoll(b, u.ID, every, polls[every]))
	}
	b.units = append(b.units, unit)
	return all, nil
}

func firstOf(ds ...time.Duration) time.Duration {
	for _, d := range ds {
		if d > 0 {
			return d
		}
	}
	return 0
}

// sound says what keeps a signal from being drawn.
func (b *bus) sound(s Signal) error {
	switch {
	case s.Wave != nil && s.Wave.Period <= 0:
		return errors.New("a wave needs a period")
	case s.Follows != nil && b.outputs[s.Follows.Output] == nil:
		return fmt.Errorf("it follows %q, which is no output of this bus", s.Follows.Output)
	case s.Wave == nil && s.Follows == nil && len(s.Steps) == 0:
		return errors.New("the signal is neither a wave nor steps nor does it follow an output")
	}
	return nil
}

func (b *bus) Units() []drivers.Unit { return b.units }

func (b *bus) Output(id string) drivers.Output {
	if o := b.outputs[id]; o != nil {
		return o
	}
	return nil
}

func (b *bus) SetTotal(point string, total float64) {
	if p := b.points[point]; p != nil && p.Counts != 0 {
		p.total.Set(total)
	}
}

// Refused counts pulses that came sooner than they can.
func (b *bus) Refused(point string) uint64 {
	if p := b.points[point]; p != nil {
		return p.refused.Load()
	}
	return 0
}

func (b *bus) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.nudge()
	return nil
}

// now is the time since the first use.
func (b *bus) now() time.Duration { return time.Since(b.start()) }

func (b *bus) start() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begun.IsZero() {
		b.begun = time.Now()
	}
	return b.begun
}

func (b *bus) usable(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed
	}
	return ctx.Err()
}

func (b *bus) nudge() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// poll is the points of one unit that are read together.
type poll struct {
	bus    *bus
	unit   string
	points []*point
}

func newPoll(b *bus, unit string, every time.Duration, points []*point) drivers.Poll {
	ids := make([]string, len(points))
	for i, p := range points {
		ids[i] = p.ID
	}
	return drivers.Poll{Every: every, Points: ids, Driver: &poll{b, unit, points}}
}

// Read shows each point as it is now. Where all of them drop out the unit
// counts as one that gave no sound answer.
func (p *poll) Read(ctx context.Context) ([]drivers.Reading, error) {
	start := p.bus.start()
	at := time.Now()
	readings := make([]drivers.Reading, 0, len(p.points))
	if err := p.bus.usable(ctx); err != nil {
		for _, pt := range p.points {
			readings = append(readings, drivers.Bad(pt.ID, at, drivers.Comm))
		}
		return readings, &drivers.Fault{Quality: drivers.Comm, Err: err}
	}
	answers := 0
	for _, pt := range p.points {
		r := pt.read(at.Sub(start), at, p.bus.outputs)
		switch r.Quality {
		case drivers.Comm, drivers.Protocol, drivers.Exception:
		default:
			answers++
		}
		readings = append(readings, r)
	}
	if answers == 0 {
		r := readings[0]
		return readings, &drivers.Fault{Quality: r.Quality, Code: r.Code, Err: fmt.Errorf("%s drops out as its signal says", p.unit)}
	}
	return readings, nil
}
