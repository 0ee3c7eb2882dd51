package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pithead/config"
	"pithead/drivers"
)

// ErrTripStays says that a trip was not switched off: what released it would be
// neither its alarms nor anybody's signed word.
var ErrTripStays = errors.New("a trip is released by its alarms clearing, or by pithead reset; start the agent for that")

// WriteOnce switches an output without an agent: it opens the output's bus,
// writes, reads back, holds it so until ctx ends, and then puts a notice back. A
// trip that is on stays on. Nothing is recorded: there is nobody to do it.
func WriteOnce(ctx context.Context, site *config.Site, output string, on bool, told func(text string)) error {
	o := outputOf(site, output)
	if o == nil {
		return fmt.Errorf("there is no output %s", output)
	}
	if o.Trip && !on {
		return ErrTripStays
	}
	for _, cb := range site.Buses {
		if cb.ID != o.Bus {
			continue
		}
		bus, err := open(cb, nil)
		if err != nil {
			return fmt.Errorf("bus %s: %w", cb.ID, err)
		}
		err = hold(ctx, o, bus.Output(o.ID), on, told)
		return errors.Join(err, bus.Close())
	}
	return fmt.Errorf("output %s is on no bus", output)
}

func outputOf(site *config.Site, id string) *config.Output {
	for i := range site.Outputs {
		if site.Outputs[i].ID == id {
			return &site.Outputs[i]
		}
	}
	return nil
}

// hold switches, waits for the end of ctx, and switches back. Each write has a
// time of its own: the last one is made after ctx has ended.
func hold(ctx context.Context, o *config.Output, line drivers.Output, on bool, told func(string)) error {
	if err := put(o, line, on); err != nil {
		return err
	}
	told(fmt.Sprintf("%s is %s", o.ID, onOff(on)))
	<-ctx.Done()
	if o.Trip {
		told(fmt.Sprintf("%s stays %s, as far as the hardware keeps it: a trip is released by its alarms", o.ID, onOff(on)))
		return nil
	}
	if err := put(o, line, !on); err != nil {
		return fmt.Errorf("%s IS STILL %s: %w", o.ID, onOff(on), err)
	}
	told(fmt.Sprintf("%s is %s again", o.ID, onOff(!on)))
	return nil
}

// writeTime bounds one write with its read-back.
const writeTime = 10 * time.Second

func put(o *config.Output, line drivers.Output, on bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	if err := line.Set(ctx, on); err != nil {
		return fmt.Errorf("switch %s %s: %w", o.ID, onOff(on), err)
	}
	is, err := line.Get(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return fmt.Errorf("read %s back: %w", o.ID, err)
	case is != on:
		return fmt.Errorf("%s was switched %s, but reads back %s", o.ID, onOff(on), onOff(is))
	}
	return nil
}
