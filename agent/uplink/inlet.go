package uplink

import (
	"errors"
	"io"
)

// An inlet is what comes from the broker, packet by packet, before the client
// reads it. The client takes a packet of any length into memory, and MQTT allows
// 256 MB; so of a PUBLISH that is longer than anybody may send us the inlet
// passes on the beginning only, as a shorter packet: it is acknowledged like any
// other, and whoever judges it sees that it is too long.
type inlet struct {
	r    io.Reader
	head []byte // of the packet in hand, not yet read
	left int    // of its body, to be passed on
	skip int    // of its body, behind that
}

// mostIn is what of a packet is passed on: the longest topic, and more than the
// longest command.
const mostIn = 96 << 10

func (in *inlet) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(in.head) == 0 && in.left == 0 {
		if err := in.next(); err != nil {
			return 0, err
		}
	}
	if len(in.head) > 0 {
		n := copy(b, in.head)
		in.head = in.head[n:]
		return n, nil
	}
	n, err := in.r.Read(b[:min(len(b), in.left)])
	in.left -= n
	return n, err
}

// next reads the fixed header of the next packet (MQTT 3.1.1, 2.2).
func (in *inlet) next() error {
	if _, err := io.CopyN(io.Discard, in.r, int64(in.skip)); err != nil {
		return err
	}
	in.skip = 0
	var h [5]byte
	if _, err := io.ReadFull(in.r, h[:1]); err != nil {
		return err
	}
	length := 0
	for i := 1; ; i++ {
		if i == len(h) {
			return errors.New("the broker sends what is not MQTT")
		}
		if _, err := io.ReadFull(in.r, h[i:i+1]); err != nil {
			return err
		}
		length |= int(h[i]&0x7f) << (7 * (i - 1))
		if h[i] < 0x80 {
			break
		}
	}
	if length > mostIn {
		if h[0]>>4 != 3 { // a PUBLISH
			return errors.New("the broker sends a packet of no use, longer than any")
		}
		in.skip, length = length-mostIn, mostIn
	}
	in.head, in.left = appendLength([]byte{h[0]}, length), length
	return nil
}

func appendLength(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
