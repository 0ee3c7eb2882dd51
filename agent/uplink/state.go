package uplink

import "time"

// A State is how an uplink stands, for people and for health.
type State struct {
	Connected bool
	Since     time.Time // of that; of the first try, before there was a connection
	URL       string    // of the broker that it is connected to
	LastAck   time.Time // zero: none yet
	LastError string    // of the last connection or try; empty once a connection holds
	Fault     string    // what a person must see to
	Published uint64    // messages in this run
	Acked     uint64    // of those

	Events uint64 // backlog: events that are not acknowledged
	Stats  uint64 // statistics, likewise
	Data   uint64 // readings, likewise; those that its points leave out are counted until they are passed

	// Behind is the age of the oldest reading that is not acknowledged, 0 if there
	// is none; Oldest is its time in Unix ms, 0 if there is none or it is unknown.
	Behind time.Duration
	Oldest int64
}

// State is how the uplink stands now.
func (u *Uplink) State() State { return State{} }
