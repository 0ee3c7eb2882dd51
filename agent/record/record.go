// Package record is what stands in a frame of the data and stats lanes: the
// readings or statistics of one commit, in bytes. It knows no disk, no numbers
// and no network. README.md has the layout.
//
// Promises, which the tests cite by number:
//
//  1. What comes out is what went in: order, times, qualities, codes, and every
//     value bit for bit.
//  2. A frame is short because it leaves out what the frames before it say. One
//     that does not follow what the decoder has seen is refused, so damage
//     costs frames up to the next key, and never makes a wrong value.
//  3. A key frame stands for everything before it: a decoder that begins there
//     is no different from one that read on. So a point's last good value is
//     known for ever, through any number of bad readings and restarts.
//  4. No bytes make a decoder panic, or use memory out of proportion.
package record

import "pithead/drivers"

// Clock says what the wall time of a record is worth.
type Clock uint8

const (
	Unknown Clock = iota // there is no wall time
	Free                 // running, but nobody vouches for it
	Synced               // the kernel says so
)

var clockNames = [...]string{"unknown", "free", "synced"}

func (c Clock) String() string {
	if int(c) < len(clockNames) {
		return clockNames[c]
	}
	return "unknown"
}

// A Reading as it is stored: its time is milliseconds since the boot began.
type Reading struct {
	Point   string
	M       int64 // within ±2^60
	Value   drivers.Value
	Quality drivers.Quality
	Code    uint8 // the Modbus exception code
}

// A Batch is the readings of one commit, in the order of their numbers.
type Batch struct {
	Boot     uint32
	Clock    Clock
	Offset   int64 // t = m + Offset in Unix milliseconds, unless the clock is Unknown
	Readings []Reading
}

// Last is the latest stored reading of a point, with the time it belongs to.
type Last struct {
	Reading
	Good   drivers.Value // of the latest good reading, often this one; none where there never was one
	Boot   uint32
	Clock  Clock
	Offset int64
}

// Bounds of a frame, so that a reader can refuse before it allocates.
const (
	MaxPoints   = 1 << 16 // in a dictionary
	MaxReadings = 1 << 16 // in a batch
)

const maxM = 1 << 60 // so that a difference and two bits fit a varint
