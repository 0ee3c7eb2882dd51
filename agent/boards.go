package agent

import (
	"log/slog"
	"reflect"
	"slices"

	"pithead/config"
	"pithead/drivers"
	"pithead/drivers/gpio"
)

// boards are GPIO chips that stay open over a reload: a line that is given back
// is the kernel's, and on some chips a trip would drop for that moment. Pulses
// are counted on meanwhile.
type boards map[string]board

type board struct {
	cfg gpio.Config
	bus drivers.Bus
}

// boards is what the next run may go on with.
func (a *agent) boards() boards {
	bs := boards{}
	for _, cb := range a.site.Buses {
		if cb.GPIO != nil {
			bs[cb.ID] = board{*cb.GPIO, a.buses[cb.ID].bus}
		}
	}
	return bs
}

// take is the open board of a bus, if it is wired as it was; one that is not is
// closed, since a line can be requested once only.
func (bs boards) take(cb config.Bus, log *slog.Logger) (drivers.Bus, bool) {
	b, ok := bs[cb.ID]
	if !ok {
		return nil, false
	}
	delete(bs, cb.ID)
	if cb.GPIO != nil && wiring(*cb.GPIO, b.cfg) {
		return b.bus, true
	}
	closeBus(cb.ID, b.bus, log)
	return nil, false
}

// close gives back what no run has taken.
func (bs boards) close(log *slog.Logger) {
	for id, b := range bs {
		closeBus(id, b.bus, log)
	}
}

func closeBus(id string, b drivers.Bus, log *slog.Logger) {
	if err := b.Close(); err != nil {
		log.Warn("close bus", "bus", id, "err", err)
	}
}

// wiring says whether two configurations of a board are the same but for where
// they stand in the site file.
func wiring(a, b gpio.Config) bool {
	a.Inputs, a.Outputs = slices.Clone(a.Inputs), slices.Clone(a.Outputs)
	b.Inputs, b.Outputs = slices.Clone(b.Inputs), slices.Clone(b.Outputs)
	for _, c := range []gpio.Config{a, b} {
		for i := range c.Inputs {
			c.Inputs[i].Line = 0
		}
		for i := range c.Outputs {
			c.Outputs[i].Line = 0
		}
	}
	return reflect.DeepEqual(a, b)
}
