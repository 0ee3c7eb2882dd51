package agent

import (
	"log/slog"
	"testing"

	"pithead/config"
	"pithead/drivers"
	"pithead/drivers/gpio"
)

// closing counts how often it is closed.
type closing struct {
	fakeBus
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

// A reload gives no line of a board back to the kernel, unless the site file
// wires the board otherwise.
func TestWhichBoardsStayOpenOverAReload(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	wired := gpio.Config{ID: "board", Chip: "gpiochip0", Outputs: []gpio.OutputConfig{{ID: "cut", Pin: "3", Line: 7}}}
	moved := gpio.Config{ID: "board", Chip: "gpiochip0", Outputs: []gpio.OutputConfig{{ID: "cut", Pin: "3", Line: 9}}}
	other := gpio.Config{ID: "board", Chip: "gpiochip0", Outputs: []gpio.OutputConfig{{ID: "cut", Pin: "4", Line: 7}}}
	for _, c := range []struct {
		name string
		now  []config.Bus
		kept bool
	}{
		{"the same", []config.Bus{{ID: "board", GPIO: &wired}}, true},
		{"elsewhere in the file", []config.Bus{{ID: "board", GPIO: &moved}}, true},
		{"another pin", []config.Bus{{ID: "board", GPIO: &other}}, false},
		{"no board any more", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			open := &closing{}
			bs := boards{"board": {wired, open}}
			var got drivers.Bus
			for _, cb := range c.now {
				got, _ = bs.take(cb, log)
			}
			bs.close(log)
			if (got == drivers.Bus(open)) != c.kept || (open.closed == 0) != c.kept || open.closed > 1 {
				t.Errorf("taken: %v, closed %d times", got != nil, open.closed)
			}
		})
	}
}
