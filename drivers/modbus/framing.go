package modbus

import (
	"encoding/binary"
	"encoding/hex"
)

// A framing is how frames look on a serial line. Above it they are RTU's: unit,
// function, data and CRC.
type framing interface {
	// encode appends what goes on the line for a frame.
	encode(to, frame []byte) []byte
	// look says what stands at the front of b, and how many characters of it
	// that is; of a whole frame also the frame, until the next look. With last
	// set nothing more will come.
	look(a ask, b []byte, last bool) (find, int, []byte)
	// front is as much of the frame as b begins with; nil where it begins with none.
	front(b []byte) []byte
	// chars is how many characters carry a frame of so many bytes.
	chars(bytes int) int
}

// binaryFraming is RTU's: the bytes as they are.
type binaryFraming struct{}

func (binaryFraming) encode(to, frame []byte) []byte { return append(to, frame...) }
func (binaryFraming) front(b []byte) []byte          { return b }
func (binaryFraming) chars(bytes int) int            { return bytes }

func (binaryFraming) look(a ask, b []byte, last bool) (find, int, []byte) {
	what, n := a.look(b, last)
	return what, n, b[:n]
}

// asciiFraming is that of MODBUS over Serial Line V1.02, 2.5.2: a colon, two
// hexadecimal digits for each byte, the LRC in the CRC's place, CR and LF.
type asciiFraming struct {
	frame [maxFrame]byte // the last one that was whole
	begun [headed]byte   // the front of one that is not
}

const (
	asciiStart = ':'
	asciiMost  = 1 + 2*(maxFrame-1) + 2 // characters of the longest frame
)

func (*asciiFraming) encode(to, frame []byte) []byte {
	body := frame[:len(frame)-2]
	to = append(to, asciiStart)
	for _, c := range body {
		to = appendHex(to, c)
	}
	return append(appendHex(to, lrc(body)), '\r', '\n')
}

func appendHex(to []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(to, digits[c>>4], digits[c&15])
}

func (*asciiFraming) chars(bytes int) int { return 1 + 2*(bytes-1) + 2 }

func (f *asciiFraming) front(b []byte) []byte {
	if len(b) == 0 || b[0] != asciiStart {
		return nil
	}
	digits := b[1:min(len(b), 1+2*headed)]
	n, err := hex.Decode(f.begun[:], digits[:len(digits)&^1])
	if err != nil {
		return nil
	}
	return f.begun[:n]
}

func (f *asciiFraming) look(a ask, b []byte, last bool) (find, int, []byte) {
	if len(b) == 0 {
		return more, 0, nil
	}
	if b[0] != asciiStart {
		return noise, 1, b[:1]
	}
	end, whole := asciiEnd(b)
	switch {
	case end < 0:
		return noise, 1, b[:1]
	case !whole && (last || len(b) >= asciiMost):
		return noise, 1, b[:1]
	case !whole:
		return more, 0, nil
	}
	n, err := hex.Decode(f.frame[:], b[1:end])
	if err != nil || n < 3 {
		return noise, 1, b[:1]
	}
	length := end + 2
	body := f.frame[:n-1]
	sound := lrc(body) == f.frame[n-1]
	frame := binary.LittleEndian.AppendUint16(body, checksum(body))
	ours := a.begins(body) && frameLength(frame) == len(frame)
	switch {
	case sound && ours:
		return answer, length, frame
	case sound:
		return stray, length, frame
	case ours:
		return broken, length, frame
	}
	return noise, 1, b[:1]
}

// asciiEnd is where the digits of the frame that b begins with end: at CR and
// LF, or not yet (then it is not whole); -1 where b can be no frame.
func asciiEnd(b []byte) (end int, whole bool) {
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f':
			if i > 2*(maxFrame-1) {
				return -1, false
			}
		case c != '\r' || i%2 == 0:
			return -1, false
		case i+1 == len(b):
			return i, false
		default:
			if b[i+1] != '\n' {
				return -1, false
			}
			return i, true
		}
	}
	return len(b), false
}

// lrc is the checksum of MODBUS over Serial Line V1.02, 6.2.1.
func lrc(b []byte) (sum byte) {
	for _, c := range b {
		sum += c
	}
	return -sum
}
