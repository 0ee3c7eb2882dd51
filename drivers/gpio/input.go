package gpio

import (
	"fmt"
	"time"

	periph "periph.io/x/conn/v3/gpio"

	"pithead/drivers"
)

// input is one input line.
type input struct {
	InputConfig
	bus    *bus
	active periph.Level
	pin    inPin // nil while the line is not held; the owner's
	err    error // why it could not be read last; the owner's

	// Under bus.mu:
	level   periph.Level // settled
	known   bool         // level was seen
	seq     uint32       // of the last edge
	lost    uint64
	total   drivers.Total
	last    time.Time // of the last pulse
	rate    rate
	refused uint64 // pulses that came too soon
	fresh   bool   // pulses came since the total was told
	told    time.Time
	// The kernel does not debounce; then a level counts once it stood for Debounce.
	soft    bool
	pending bool
	next    periph.Level // pending, since nextAt
	nextAt  time.Time
}

func newInput(b *bus, c InputConfig) *input {
	return &input{InputConfig: c, bus: b, active: periph.Level(!c.Low), total: drivers.NewTotal(c.Counts), rate: rate{window: c.Rate}}
}

// Edges that the kernel keeps until we read them: a counter at 1000 pulses a
// second has half a second, a contact that chatters at 1 ms 64 ms.
const (
	bufferCounts = 1024 // the most that a kernel takes
	bufferLevel  = 64
)

// hold asks for the line, if it is not held. A kernel that can't debounce gets
// another request, and the level is settled here.
func (in *input) hold(c chip) error {
	if in.pin != nil {
		return nil
	}
	offset, err := resolve(c, in.Pin)
	if err != nil {
		return err
	}
	err = in.request(c, offset, in.Debounce)
	if err != nil && in.Debounce > 0 && in.request(c, offset, 0) == nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("line %s: %w", in.Pin, err)
	}
	return nil
}

func (in *input) request(c chip, offset int, debounce time.Duration) error {
	in.bus.mu.Lock()
	in.seq, in.known, in.pending = 0, false, false
	in.soft = debounce < in.Debounce
	in.rate.halt()
	in.bus.mu.Unlock()
	o := inputOptions{debounce: debounce, buffer: bufferLevel, edges: in.edge}
	if !in.isLevel() {
		o.buffer = bufferCounts
	}
	pin := c.input(offset, o)
	if err := pin.In(pulls[in.Pull], in.edges(debounce)); err != nil {
		return err
	}
	in.pin = pin
	return nil
}

// isLevel says that the point is the level itself.
func (in *input) isLevel() bool { return in.Counts == 0 && in.Rate == 0 }

// edges are those that are asked for. A frequency of 2000 Hz needs one of two;
// what is debounced here, or may have lost some, both.
func (in *input) edges(debounce time.Duration) periph.Edge {
	switch {
	case in.Rate == 0 || in.Debounce > debounce:
		return periph.BothEdges
	case in.active == periph.High:
		return periph.RisingEdge
	}
	return periph.FallingEdge
}

// With no pull asked for the board's own stays as it was set up.
var pulls = map[Pull]periph.Pull{PullNone: periph.PullNoChange, PullUp: periph.PullUp, PullDown: periph.PullDown}

func (in *input) release() {
	if in.pin != nil {
		// What can't be given back is gone already.
		_ = in.pin.Halt()
		in.pin = nil
	}
}

// read is the reading now. The error, which Why tells, is also returned.
func (in *input) read(c chip) (drivers.Reading, error) {
	if in.err = in.hold(c); in.err != nil {
		return drivers.Bad(in.ID, time.Now(), drivers.Comm), in.err
	}
	level, err := in.pin.Value()
	now := time.Now()
	if in.err = err; err != nil {
		in.err = fmt.Errorf("line %s: %w", in.Pin, err)
		return drivers.Bad(in.ID, now, drivers.Comm), in.err
	}
	in.bus.mu.Lock()
	defer in.bus.mu.Unlock()
	in.sample(level, now)
	in.fresh = false
	return in.reading(now), nil
}

// sample takes the level of the line as it was read. Edges tell the changes;
// this is for the first level, and in case an edge was lost.
func (in *input) sample(level periph.Level, now time.Time) {
	if !in.known || !in.soft {
		in.level, in.known = level, true
		return
	}
	in.settle(now)
	if expected := in.pending && in.next == level || !in.pending && in.level == level; !expected {
		in.wait(level, now)
	}
}

// edge takes what the kernel says, in the goroutine that read it.
func (in *input) edge(e edge) {
	b := in.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.nudge()
	if e.err != nil {
		b.fail(fmt.Errorf("line %s: %w", in.Pin, e.err))
		return
	}
	// Sequence numbers wrap; a step backwards is no gap.
	if step := e.seq - in.seq; step > 1 && step < 1<<31 {
		in.lost += uint64(step - 1)
		in.missed(uint64(step-1), e.at)
	}
	in.seq = e.seq
	if !in.soft {
		in.accept(e.level, e.at)
		return
	}
	if !in.known { // before an edge there was the other level
		in.level, in.known = !e.level, true
	}
	in.settle(e.at)
	in.wait(e.level, e.at)
}

func (in *input) wait(level periph.Level, at time.Time) {
	in.pending, in.next, in.nextAt = true, level, at
}

// settle ends a pending change that has stood long enough at a time.
func (in *input) settle(now time.Time) {
	if !in.pending || now.Sub(in.nextAt) < in.Debounce {
		return
	}
	in.pending = false
	if in.next != in.level {
		in.accept(in.next, in.nextAt)
	}
}

// accept takes a change of level.
func (in *input) accept(level periph.Level, at time.Time) {
	in.level, in.known = level, true
	switch {
	case in.isLevel():
		in.bus.keep(in.reading(at))
	case level != in.active:
	case in.Rate > 0:
		in.rate.add(1, at)
	case in.Least > 0 && !in.last.IsZero() && at.Sub(in.last) < in.Least:
		in.refused++ // bounce, or somebody who shakes it
	default:
		in.total.Add(1)
		in.last, in.fresh = at, true
	}
}

// missed counts edges of a frequency that the kernel numbered and dropped: they
// were there. A total stays a lower bound.
func (in *input) missed(edges uint64, at time.Time) {
	if in.Rate > 0 && in.edges(in.Debounce) == periph.BothEdges {
		in.rate.add(edges/2, at)
	} else if in.Rate > 0 {
		in.rate.add(edges, at)
	}
}

// reading is the settled level, or the total, at a time.
func (in *input) reading(at time.Time) drivers.Reading {
	if in.isLevel() {
		return drivers.Reading{Point: in.ID, At: at, Value: drivers.BoolValue(in.level == in.active)}
	}
	if in.Rate > 0 {
		if in.rate.roll(at); !in.rate.known {
			return drivers.Bad(in.ID, at, drivers.Sensor) // no window is over yet
		}
		v, q := in.Scale.Apply(drivers.NumberValue(in.rate.hertz), 0)
		return drivers.Reading{Point: in.ID, At: at, Value: v, Quality: q}
	}
	// Rounding a total would make it drift at every restart.
	whole := drivers.Scale{Decimals: -1, Range: in.Scale.Range}
	v, q := whole.Apply(in.total.Value(), 0)
	return drivers.Reading{Point: in.ID, At: at, Value: v, Quality: q}
}
