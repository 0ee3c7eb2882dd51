// Package gpio reads and switches the lines of one GPIO character device:
// levels, edges with the kernel's time, and pulse counts.
package gpio

import (
	"time"

	"pithead/drivers"
)

// Pull is the bias of an input.
type Pull uint8

const (
	PullNone Pull = iota
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
	Pin      string // offset, line name, or header pin
	Low      bool   // active: low
	Pull     Pull
	Debounce time.Duration
	Counts   float64 // each change to active adds this; 0 = a level
	Every    time.Duration
	Scale    drivers.Scale
	Line     int // in the site file
}

// OutputConfig is one output line.
type OutputConfig struct {
	ID   string
	Pin  string
	Low  bool
	Line int
}
