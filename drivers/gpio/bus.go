package gpio

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pithead/drivers"
)

// bus is one chip and its lines. The chip and the pins belong to the goroutine
// that owns the bus; what edges change is under mu, since the kernel's edges
// come in goroutines of their own and Watch runs beside.
type bus struct {
	conf    Config
	dial    func(name string) (chip, error)
	units   []drivers.Unit
	outputs map[string]*output

	chip   chip // nil while there is none
	closed bool

	wake   chan struct{} // holds one; Watch looks again
	mu     sync.Mutex
	inputs []*input // the list itself never changes
	queue  []drivers.Reading
	watched,
	ended bool
	failed error // what is held is of no use; the next open begins anew
	down   bool  // from a failure to the open that found the hardware
	news   error // the failure, until Watch has told it
}

// Open makes a bus out of a configuration; it touches no hardware. A chip or a
// line that is missing or held by another program makes its points Comm, and
// each Read tries again.
func Open(c Config) (drivers.Bus, error) { return open(c, dial) }

func open(c Config, dial func(string) (chip, error)) (drivers.Bus, error) {
	b := &bus{conf: c, dial: dial, outputs: map[string]*output{}, wake: make(chan struct{}, 1)}
	unit := drivers.Unit{ID: c.ID}
	polls := map[time.Duration]int{}
	for _, ic := range c.Inputs {
		in := newInput(b, ic)
		b.inputs = append(b.inputs, in)
		every := ic.Every
		if every <= 0 {
			every = 5 * time.Second
		}
		i, ok := polls[every]
		if !ok {
			i = len(unit.Polls)
			polls[every] = i
			unit.Polls = append(unit.Polls, drivers.Poll{Every: every, Driver: &poll{bus: b}})
		}
		p := unit.Polls[i].Driver.(*poll)
		p.inputs = append(p.inputs, in)
		unit.Polls[i].Points = append(unit.Polls[i].Points, in.ID)
	}
	b.units = []drivers.Unit{unit}
	for _, oc := range c.Outputs {
		b.outputs[oc.ID] = &output{OutputConfig: oc, bus: b}
	}
	return b, nil
}

func (b *bus) Units() []drivers.Unit { return b.units }

func (b *bus) Output(id string) drivers.Output {
	if o := b.outputs[id]; o != nil {
		return o
	}
	return nil
}

func (b *bus) input(point string) *input {
	for _, in := range b.inputs {
		if in.ID == point {
			return in
		}
	}
	return nil
}

func (b *bus) SetTotal(point string, total float64) {
	if in := b.input(point); in != nil && in.Counts != 0 {
		b.mu.Lock()
		in.total.Set(total)
		b.mu.Unlock()
	}
}

// Lost counts gaps in the kernel's sequence numbers. Kernels before 5.10 have
// none; there a loss can't be seen.
func (b *bus) Lost(point string) uint64 {
	in := b.input(point)
	if in == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return in.lost
}

// Refused counts pulses that came sooner than they can.
func (b *bus) Refused(point string) uint64 {
	in := b.input(point)
	if in == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return in.refused
}

func (b *bus) Why(point string) error {
	if in := b.input(point); in != nil {
		return in.err
	}
	return nil
}

// open finds the chip, unless it is there. After a failure it begins anew; of
// lines that failed while the chip is there only the inputs, since an output
// that is given back may change its level.
func (b *bus) open() error {
	if b.closed {
		return errClosed
	}
	b.mu.Lock()
	failed := b.failed
	b.failed = nil
	b.mu.Unlock()
	if failed != nil {
		b.drop(gone(failed))
	}
	if b.chip == nil {
		c, err := b.dial(b.conf.Chip)
		if err != nil {
			return fmt.Errorf("chip %s: %w", b.conf.Chip, err)
		}
		b.chip = c
	}
	b.mu.Lock()
	b.down = b.failed != nil
	b.mu.Unlock()
	return nil
}

// drop gives back the inputs, and if all is gone the outputs and the chip too.
func (b *bus) drop(all bool) {
	for _, in := range b.inputs {
		in.release()
	}
	if !all {
		return
	}
	for _, o := range b.outputs {
		o.release()
	}
	if b.chip != nil {
		_ = b.chip.close()
		b.chip = nil
	}
}

// judge notes an error that means that the chip is gone, and passes it on.
func (b *bus) judge(err error) error {
	if gone(err) {
		b.mu.Lock()
		b.fail(err)
		b.mu.Unlock()
	}
	return err
}

// Close gives all lines back. It sets no output: most chips leave a line that
// is given back as it is, but the kernel promises nothing, and some expanders
// and drivers let it float or go to their default. What must keep its state
// without us needs a relay that does.
func (b *bus) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	b.drop(true)
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.nudge()
	return nil
}

// poll is the inputs that are read with one period.
type poll struct {
	bus    *bus
	inputs []*input
}

// Read looks at every line. A line that can't be had is Comm by itself; only a
// chip that is gone is a fault of the whole board.
func (p *poll) Read(ctx context.Context) ([]drivers.Reading, error) {
	err := ctx.Err()
	if err == nil {
		err = p.bus.open()
	}
	rs := make([]drivers.Reading, 0, len(p.inputs))
	for _, in := range p.inputs {
		if err != nil {
			in.err = err
			rs = append(rs, drivers.Bad(in.ID, time.Now(), drivers.Comm))
			continue
		}
		r, why := in.read(p.bus.chip)
		if gone(why) {
			err = p.bus.judge(why)
		}
		rs = append(rs, r)
	}
	if err != nil {
		return rs, &drivers.Fault{Quality: drivers.Comm, Err: err}
	}
	return rs, nil
}
