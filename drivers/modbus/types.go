// Package modbus speaks Modbus RTU, RTU over TCP and TCP to the units of one
// line, strictly one request at a time. It makes frames and PDUs with goburrow's
// client; the transports under it are its own. It knows no schedule: when to
// ask, how often to repeat and when a unit is offline is for the loop above.
//
//  1. A value comes from a whole frame with the right checksum, unit, function
//     and, by what was asked, length.
//  2. RTU frames have no transaction id. After a timeout the unit gets no
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
	RTUOverTCP                  // RTU frames through a serial server
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
	Points     []PointConfig
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
	Table   Table
	Address uint16 // protocol address, from 0
	Type    Type
	Order   Order
	Bit     int // of a 16-bit register, 0 = least significant; -1 = none
	Every   time.Duration
	WarmUp  time.Duration
	Invert  bool // active: low
	Scale   drivers.Scale
	Alarmed bool // an alarm hangs on it: it is never left alone for long
	Line    int  // in the site file, for messages
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
