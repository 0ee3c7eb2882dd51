// Package gpio reads and switches the lines of one GPIO character device:
// levels, edges with the kernel's time, and pulse counts. It knows nothing of
// alarms or storage. periph's pins are its words, go-gpiocdev its way to the
// kernel.
//
//  1. A chip or a line that can't be had is Comm, never Low, and each Read tries again.
//  2. An edge has the kernel's time of it, not that of its reading.
//  3. A contact that bounces is one change: the kernel debounces, or else this package.
//  4. A total counts each change to active once, in integers; it never drifts.
//  5. An edge that the kernel had to drop is counted as lost. Kernels before 5.10
//     don't number edges; there a loss can't be seen.
//     Pulses that come faster than they can are not counted, but told.
//  6. An output's line shows no level that was not asked for, and is not touched
//     before the first Set. Close leaves levels as they are, as far as the chip does.
package gpio

import (
	"time"

	"pithead/drivers"
)

// Pull is the bias of an input.
type Pull uint8

const (
	PullNone Pull = iota // as the board set it up
	PullUp
	PullDown
)

// Config is one chip and the lines used on it.
type Config struct {
	ID      string
	Chip    string // name, label or /dev path
	Inputs  []InputConfig
	Outputs []OutputConfig
}

// InputConfig is one input line.
type InputConfig struct {
	ID       string
	Pin      string // offset, name of the line, or pin of a Raspberry Pi's header: 17, GPIO17, P1_11
	Low      bool   // active: low
	Pull     Pull
	Debounce time.Duration
	Counts   float64       // each change to active adds this; 0 = a level
	Least    time.Duration // of what counts: pulses that come sooner after the last are refused; 0 = none
	Rate     time.Duration // pulses a second, measured over this; 0 = none
	Every    time.Duration
	Scale    drivers.Scale // of a total only its Range; all of it of a rate
	Line     int           // in the site file
}

// OutputConfig is one output line.
type OutputConfig struct {
	ID   string
	Pin  string
	Low  bool
	Line int
}
