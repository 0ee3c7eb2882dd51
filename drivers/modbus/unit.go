package modbus

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/goburrow/modbus"

	"pithead/drivers"
)

// gone is the failures in a row after which an answer means that the unit has
// come back.
const gone = 3

// A unit is one device on the line, as it has shown itself so far.
type unit struct {
	bus     *Bus
	id      string
	addr    byte
	config  UnitConfig
	timeout time.Duration
	late    time.Duration
	polls   []*poll
	probes  []shape

	counters map[string]*counter // by point

	failed int       // requests in a row without an answer
	back   time.Time // the first good answer, at all or after it was gone; zero before
	counts tally
}

// A shape is a request to read.
type shape struct {
	function          byte
	address, quantity uint16
}

func newUnit(b *Bus, c Config, config UnitConfig) *unit {
	u := &unit{bus: b, id: config.ID, addr: config.Unit, config: config, timeout: config.Timeout, late: config.Late, counters: map[string]*counter{}}
	if u.timeout <= 0 {
		u.timeout = c.Timeout
	}
	if u.late <= 0 {
		u.late = defaultLate
	}
	for i := range config.Points {
		if p := &config.Points[i]; p.rare().Counter != nil {
			u.counters[p.ID] = newCounter(p)
		}
	}
	for _, b := range blocksOf(&config) {
		u.polls = append(u.polls, &poll{unit: u, block: b})
	}
	u.probes = u.shapes()
	return u
}

func (u *unit) describe() drivers.Unit {
	d := drivers.Unit{ID: u.id, Pause: u.config.Pause, Probe: u.probe}
	for _, w := range u.config.Setup {
		d.Setup = append(d.Setup, func(ctx context.Context) error { return u.write(ctx, w) })
	}
	for _, p := range u.polls {
		r := p.block.request(&u.config)
		d.Polls = append(d.Polls, drivers.Poll{Every: r.Every, Points: r.Points, Driver: p})
	}
	return d
}

// noteLife notes whether a request shows the unit to be there. An exception
// does, but is no sign that it has come back for good.
func (u *unit) noteLife(err error) {
	if err == nil {
		if u.failed >= gone || u.back.IsZero() {
			u.back = time.Now()
		}
		u.failed = 0
		return
	}
	if f := drivers.FaultOf(err); f.Until.IsZero() && !alive(f) {
		u.failed++
	}
}

// alive says that the fault came from the unit itself, in good order.
func alive(f *drivers.Fault) bool { return f.Quality == drivers.Exception && !absent(f.Code) }

// write sets up one register or coil; an answer that does not repeat what was
// written is an error.
func (u *unit) write(ctx context.Context, w Write) error {
	function, value := byte(modbus.FuncCodeWriteSingleRegister), w.Value
	if w.Table == Coil {
		function = modbus.FuncCodeWriteSingleCoil
		if value != 0 {
			value = coilOn
		}
	}
	_, err := u.bus.send(ctx, u, function, w.Address, value)
	if err == nil {
		return nil
	}
	f := *drivers.FaultOf(err)
	f.Err = fmt.Errorf("setup of %s, line %d: write %d to %s %d: %w", u.id, w.Line, w.Value, w.Table, w.Address, f.Err)
	return &f
}

// decode is the value of a point in the data of an answer that began at address
// first: of a counter the total.
func (u *unit) decode(p *PointConfig, data []byte, first int) (drivers.Value, drivers.Quality) {
	v, q := p.decode(data, first)
	c := u.counters[p.ID]
	if c == nil || q != drivers.Good {
		return v, q
	}
	return u.count(c, v, p.rare().Total)
}

// warm says whether a point that needs so long after its device has come back
// can be believed.
func (u *unit) warm(needs time.Duration) bool {
	return needs <= 0 || !u.back.IsZero() && time.Since(u.back) >= needs
}

// probe asks for the least that shows whether the unit lives, in a shape that
// what it owes can't be mistaken for. Any whole frame from it will do.
func (u *unit) probe(ctx context.Context) error {
	var err error
	for _, s := range u.probes {
		_, err = u.bus.send(ctx, u, s.function, s.address, s.quantity)
		if err == nil || ctx.Err() != nil {
			return err
		}
		f := drivers.FaultOf(err)
		if f.Until.IsZero() {
			return lives(f, u.bus.link.last())
		}
	}
	return err
}

// lives is nil if the unit was heard, even by what was no good answer.
func lives(f *drivers.Fault, t trace) error {
	if alive(f) || t.heard {
		return nil
	}
	return f
}

// shapes are requests for single values that can't be mistaken for each other,
// shortest first; one register more than a value makes another shape.
func (u *unit) shapes() []shape {
	var all []shape
	for _, p := range u.polls {
		for _, g := range join(p.block.points, -1, maxRegisters) {
			s := shape{p.block.table.function(), uint16(g.first), uint16(g.end - g.first)}
			all = append(all, s)
			if s.quantity += uint16(p.block.table.step()); g.first+int(s.quantity) <= 1<<16 {
				all = append(all, s)
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].quantity < all[j].quantity })
	var apart []shape
	for _, s := range all {
		if !slices.ContainsFunc(apart, s.mistakable) {
			apart = append(apart, s)
		}
	}
	return apart
}

// mistakable says that the answers to both look the same.
func (s shape) mistakable(o shape) bool {
	words := func(s shape) ask {
		return ask{1: s.function, 4: byte(s.quantity >> 8), 5: byte(s.quantity)}
	}
	return words(s).mistakes(words(o))
}

// function reads the table.
func (t Table) function() byte {
	switch t {
	case Coil:
		return modbus.FuncCodeReadCoils
	case Discrete:
		return modbus.FuncCodeReadDiscreteInputs
	case Holding:
		return modbus.FuncCodeReadHoldingRegisters
	}
	return modbus.FuncCodeReadInputRegisters
}

// step is how much more must be read to get a longer answer.
func (t Table) step() int {
	if t.bits() {
		return 8
	}
	return 1
}
