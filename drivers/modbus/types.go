// Package modbus speaks Modbus RTU, ASCII and TCP, on serial lines and through
// serial servers, to the units of one line, strictly one request at a time. It
// makes frames and PDUs with goburrow's client; the transports under it are its
// own. It knows no schedule: when to ask and when a unit is offline is for the
// loop above, which is given each poll request by request.
//
//  1. A value comes from a whole frame with the right checksum, unit, function
//     and, by what was asked, length.
//  2. RTU and ASCII frames have no transaction id. After a timeout the unit gets no
//     request that the owed answer would fit, until it has answered one that
//     can't be mistaken (another function or length; units answer in order) or
//     Late has passed. Other units go on at once.
//  3. On TCP an answer to an older request is dropped; anything else that
//     doesn't fit closes the connection.
//  4. Every wait ends: by the answer's last byte, its deadline, or the loss of
//     the line.
//  5. A refused register takes no other point down.
//
// What no RTU master can tell: an answer that comes more than Late after its
// timeout, a unit that answers one request twice with a pause between, and one
// that speaks under another's address. A larger Late avoids the first.
package modbus

import (
	"time"

	"pithead/drivers"
)

// Transport is how frames travel.
type Transport uint8

const (
	RTU        Transport = iota // serial line
	RTUOverTCP                  // the same frames through a serial server
	TCP                         // MBAP
)

// Config is one line and the units on it.
type Config struct {
	ID        string
	Transport Transport
	Address   string // /dev path, or host:port
	Baud      int
	Parity    byte // 'N', 'E', 'O'
	DataBits  int  // 7 or 8
	StopBits  int
	ASCII     bool          // frames of hexadecimal digits, with an LRC; not on TCP
	RS485     bool          // the kernel switches the line's direction
	Timeout   time.Duration // from the request's last byte to the answer's first
	Gap       time.Duration // silence before a request, on top of 3.5 characters
	Units     []UnitConfig
	Outputs   []OutputConfig
}

// UnitConfig is one Modbus unit.
type UnitConfig struct {
	ID         string // the device's id
	Unit       byte   // address on the bus
	Every      time.Duration
	Timeout    time.Duration // 0 = the line's
	Pause      time.Duration
	Turnaround time.Duration // what planning assumes it takes to answer
	Retries    int
	Join       int           // unused registers that may be read along
	Max        int           // registers a request
	Late       time.Duration // how long an answer may be owed; 0 = 3s
	Setup      []Write       // what is written when it is first heard, and each time it comes back
	Points     []PointConfig
}

// A Write is one register or coil that is set up.
type Write struct {
	Table   Table // Coil or Holding
	Address uint16
	Value   uint16 // of a coil 0 or 1
	Line    int    // in the site file, for messages
}

// Table is one of the four address spaces.
type Table uint8

const (
	Coil Table = iota + 1
	Discrete
	Holding
	Input
)

// Type is how registers are read.
type Type uint8

const (
	U16 Type = iota
	I16
	U32
	I32
	U64
	I64
	F32
	F64
	BCD16
	BCD32
	Truth // coil, discrete, or a bit of a register
	HiLo  // two registers, the first of which is worth Hi ones of the second
	Text  // Length registers of two characters each
)

// Order says where the bytes of a value of two or four registers stand.
type Order uint8

const (
	ABCD Order = iota // as on the wire, most significant first
	CDAB              // words reversed
	BADC              // bytes swapped in each word
	DCBA              // both
)

// PointConfig is one value of a unit.
type PointConfig struct {
	ID      string
	Address uint16 // protocol address, from 0
	Table   Table
	Type    Type
	Order   Order
	Invert  bool  // active: low
	Alarmed bool  // an alarm hangs on it: it is never left alone for long
	Bit     int8  // of a 16-bit register, 0 = least significant; -1 = none
	Length  uint8 // registers of a Text
	Line    int32 // in the site file, for messages
	Every   time.Duration
	Scale   *drivers.Scale // shared with points that have the same; nil: the number as it is
	Rare    *Rare          // nil: nothing of it
}

// Rare is what few points have.
type Rare struct {
	Hi      float64     // what one of a HiLo's first register is worth in the second's
	Counter *Counter    // it counts up; the value is the total
	Total   *[2]float64 // range of that total; Scale's is the register's own
	WarmUp  time.Duration
}

func (p *PointConfig) rare() Rare {
	if p.Rare == nil {
		return Rare{}
	}
	return *p.Rare
}

// Counter says how a register that counts up makes a total.
type Counter struct {
	Wraps uint64  // where it begins again
	Each  float64 // what one is worth
}

// OutputConfig is a coil or a holding register that is switched.
type OutputConfig struct {
	ID      string
	Unit    byte
	Device  string
	Table   Table // Coil or Holding
	Address uint16
	Low     bool // the coil is 0 (register: the other value) while the output is on
}
