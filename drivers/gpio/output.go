package gpio

import (
	"context"
	"fmt"

	periph "periph.io/x/conn/v3/gpio"
)

// output is one output line. It is asked for with the first Set, in the wanted
// state, so that the line never shows another one.
type output struct {
	OutputConfig
	bus    *bus
	pin    outPin // nil while the line is not held
	wanted bool
	set    bool // wanted was said
}

func (o *output) Set(ctx context.Context, on bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.wanted, o.set = on, true
	if err := o.drive(); err != nil {
		return fmt.Errorf("output %s: %w", o.ID, err)
	}
	return nil
}

// drive puts the wanted level on the line, and asks for the line if need be.
func (o *output) drive() error {
	if err := o.bus.open(); err != nil {
		return err
	}
	pin := o.pin
	if pin == nil {
		offset, err := resolve(o.bus.chip, o.Pin)
		if err != nil {
			return err
		}
		pin = o.bus.chip.output(offset)
	}
	if err := pin.Out(periph.Level(o.wanted != o.Low)); err != nil {
		return o.bus.judge(fmt.Errorf("line %s: %w", o.Pin, err))
	}
	o.pin = pin
	return nil
}

// Get reads the line back. Before the first Set there is nothing to read back:
// the line is not ours, and asking for it would mean to drive it.
func (o *output) Get(ctx context.Context) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !o.set {
		return false, fmt.Errorf("output %s: it was never set", o.ID)
	}
	if err := o.bus.open(); err != nil {
		return false, fmt.Errorf("output %s: %w", o.ID, err)
	}
	if o.pin == nil {
		if err := o.drive(); err != nil {
			return false, fmt.Errorf("output %s: %w", o.ID, err)
		}
	}
	level, err := o.pin.Value()
	if err != nil {
		return false, o.bus.judge(fmt.Errorf("output %s: line %s: %w", o.ID, o.Pin, err))
	}
	return bool(level) != o.Low, nil
}

func (o *output) release() {
	if o.pin != nil {
		_ = o.pin.Halt()
		o.pin = nil
	}
}
