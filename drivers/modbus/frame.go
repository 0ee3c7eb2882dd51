package modbus

import (
	"bytes"
	"encoding/binary"

	"github.com/goburrow/modbus"
)

const (
	exceptionBit    = 0x80
	exceptionLength = 5 // unit, function, code, checksum
	maxFrame        = 256
)

// An ask is what a request and any frame that answers it have in common: unit,
// function, and two words: address and quantity, or address and value.
type ask [6]byte

func askOf(unit, function byte, words []byte) (a ask) {
	a[0], a[1] = unit, function
	copy(a[2:], words)
	return a
}

func (a ask) unit() byte     { return a[0] }
func (a ask) function() byte { return a[1] }

// reads says that the answer carries what was read, rather than an echo.
func (a ask) reads() bool {
	return a[1] >= modbus.FuncCodeReadCoils && a[1] <= modbus.FuncCodeReadInputRegisters
}

// bytes is how many bytes of data a request to read is answered with.
func (a ask) bytes() int {
	quantity := int(binary.BigEndian.Uint16(a[4:]))
	if a[1] == modbus.FuncCodeReadCoils || a[1] == modbus.FuncCodeReadDiscreteInputs {
		return (quantity + 7) / 8
	}
	return 2 * quantity
}

// length is that of the whole RTU answer, exceptions apart.
func (a ask) length() int {
	if a.reads() {
		return 5 + a.bytes()
	}
	return 8
}

// begins says whether b, an answer from its unit on, can be or become one to
// the ask, an exception included.
func (a ask) begins(b []byte) bool {
	switch {
	case len(b) > 0 && b[0] != a[0]:
		return false
	case len(b) > 1 && b[1] == a[1]|exceptionBit:
		return true
	case len(b) > 1 && b[1] != a[1]:
		return false
	case a.reads():
		return len(b) < 3 || int(b[2]) == a.bytes()
	}
	n := min(len(b), len(a))
	return bytes.Equal(b[:n], a[:n])
}

// mistakes says whether the answer that is owed to the other ask would pass
// for one to this. An exception would, too, where the functions are the same;
// but it comes with no value, and who sees one while an answer is owed drops it.
func (a ask) mistakes(owed ask) bool {
	if a[0] != owed[0] || a[1] != owed[1] {
		return false
	}
	if a.reads() {
		return a.bytes() == owed.bytes()
	}
	return a == owed
}

// A find is what stands at the front of the bytes that came in.
type find uint8

const (
	more   find = iota // not known yet
	answer             // a whole answer with the right checksum
	broken             // as long as the answer and begun like it, but the checksum is wrong
	stray              // some other whole frame with the right checksum
	noise              // nothing that could be a frame
)

// look says what stands at the front of b, and how many bytes of it that is.
// With last set nothing more will come, so that what waits for more is noise.
func (a ask) look(b []byte, last bool) (find, int) {
	if len(b) == 0 {
		return more, 0
	}
	if idle(b[0]) && b[0] != a.unit() {
		return noise, 1
	}
	length := frameLength(b)
	if length == unknown || len(b) < length {
		if last {
			return noise, 1
		}
		return more, 0
	}
	if length == never {
		return noise, 1
	}
	ours := a.begins(b)
	switch whole := sound(b[:length]); {
	case whole && ours:
		return answer, length
	case whole:
		return stray, length
	case ours:
		return broken, length
	}
	return noise, 1
}

// idle are the bytes that a transceiver makes when it turns around; no unit of
// an RTU line has such an address.
func idle(b byte) bool { return b == 0x00 || b == 0xFF }

// What frameLength says instead of a length.
const (
	unknown = 0  // more of it must be seen
	never   = -1 // no such answer
)

// frameLength is how long the RTU answer that b begins with says it is.
func frameLength(b []byte) int {
	if len(b) < 2 {
		return unknown
	}
	switch f := b[1]; {
	case f > exceptionBit:
		return exceptionLength
	case f >= modbus.FuncCodeReadCoils && f <= modbus.FuncCodeReadInputRegisters:
		if len(b) < 3 {
			return unknown
		}
		if length := 5 + int(b[2]); length <= maxFrame {
			return length
		}
	case f == modbus.FuncCodeWriteSingleCoil, f == modbus.FuncCodeWriteSingleRegister,
		f == modbus.FuncCodeWriteMultipleCoils, f == modbus.FuncCodeWriteMultipleRegisters:
		return 8
	}
	return never
}

// sound says whether the last two bytes are the checksum of the rest.
func sound(frame []byte) bool {
	n := len(frame) - 2
	return n >= 2 && checksum(frame[:n]) == binary.LittleEndian.Uint16(frame[n:])
}

// checksum is the CRC-16 of MODBUS over Serial Line V1.02, 6.2.2.
func checksum(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc = crc>>8 ^ crcTable[byte(crc)^c]
	}
	return crc
}

var crcTable = func() (t [256]uint16) {
	for i := range t {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
		t[i] = crc
	}
	return t
}()
