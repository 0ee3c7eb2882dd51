// Package sim is a bus without hardware: each point follows a signal that the
// site file draws (waves, steps, noise, drop-outs), and outputs remember what
// they were set to. It stands in for a Modbus line and for a board alike.
package sim

import (
	"time"

	"pithead/drivers"
)

// Config is one simulated bus.
type Config struct {
	ID      string
	Seed    int64
	Units   []UnitConfig
	Inputs  []InputConfig // GPIO points that name this bus
	Outputs []string      // ids
	Signals map[string]Signal
}

// UnitConfig is one simulated device.
type UnitConfig struct {
	ID     string
	Every  time.Duration
	Points []InputConfig
}

// InputConfig is one simulated point.
type InputConfig struct {
	ID     string
	Every  time.Duration
	Truth  bool
	Text   bool          // the signal's number, written out
	Counts float64       // the signal is a rate of pulses a second
	Least  time.Duration // pulses that come sooner after the last one that counted are refused; 0 = none
	Scale  drivers.Scale // only Decimals and Range: a signal is in the point's unit already
}

// A Signal is what one point shows over time, in the unit of the point, from
// the start of the bus. Exactly one of Wave, Steps and Follows is set.
type Signal struct {
	Wave    *Wave
	Steps   []Step
	Repeat  time.Duration // the steps begin again; 0 = the last one stays
	Follows *Follows
	Noise   float64 // uniform within +-Noise
	Drops   []Drop  // no answer meanwhile
}

// A Wave is a sine: Mean + Swing*sin(2*pi*t/Period).
type Wave struct {
	Mean, Swing float64
	Period      time.Duration
}

// A Step holds a value from a time on; the first one before its time too.
type Step struct {
	At    time.Duration
	Value float64
}

// Follows makes a point show what an output of the same bus does.
type Follows struct {
	Output  string
	On, Off float64
	Delay   time.Duration
}

// A Drop is a time without an answer: from At, for For, again each Every.
type Drop struct {
	At, For, Every time.Duration
	Quality        drivers.Quality // Comm unless the file says otherwise
}
