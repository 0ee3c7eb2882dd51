//go:build site

package site

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// How a unit behaves.
type manner int

const (
	honest       manner = iota
	silent              // no answer
	late                // a whole answer, after the timeout
	short               // well formed, one register too few
	long                // well formed, one register too many
	truncated           // the frame ends in the middle
	wrongUnit           // another unit's number
	wrongCode           // another function
	wrongID             // TCP: another transaction id
	wrongLength         // TCP: a length that is not the frame's
	badCRC              // RTU
	failing             // exception 4
	oddException        // an exception for another function
	garbage             // bytes
)

var mannerNames = [...]string{"honest", "silent", "late", "short", "long", "truncated", "wrong-unit", "wrong-code",
	"wrong-id", "wrong-length", "bad-crc", "failing", "odd-exception", "garbage"}

func (m manner) String() string { return mannerNames[m] }

// lie is what every answer holds that must not be believed.
const lie = 0xBEEF

// truth is what an honest unit's holding register holds.
func truth(unit byte, at uint16) uint16 { return uint16(unit)*100 + at }

// A liar is a Modbus slave with many units, each with its own manner. A serial
// line or a TCP connection is served by serveRTU or serveTCP.
type liar struct {
	mu      sync.Mutex
	manners map[byte]manner
	delay   time.Duration // of a late answer
	asked   map[byte]int  // requests so far
}

func newLiar() *liar {
	return &liar{manners: map[byte]manner{}, delay: 450 * time.Millisecond, asked: map[byte]int{}}
}

func (l *liar) be(unit byte, m manner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.manners[unit] = m
}

func (l *liar) requests(unit byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[unit]
}

func (l *liar) manner(unit byte) manner {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[unit]++
	return l.manners[unit]
}

// answer is the PDU of an answer to a read of registers, in a unit's manner.
func answer(unit byte, req []byte, m manner) []byte {
	code, at, n := req[0], binary.BigEndian.Uint16(req[1:]), binary.BigEndian.Uint16(req[3:])
	switch m {
	case failing:
		return []byte{code | 0x80, 4}
	case oddException:
		return []byte{code ^ 7 | 0x80, 4}
	case short:
		n--
	case long:
		n++
	}
	pdu := []byte{code, byte(2 * n)}
	if m == wrongCode {
		pdu[0] = code ^ 7 // 3 and 4 swap
	}
	for i := range n {
		v := uint16(lie)
		if m == honest || m == silent {
			v = truth(unit, at+i)
		}
		pdu = binary.BigEndian.AppendUint16(pdu, v)
	}
	return pdu
}

func rubbish() []byte {
	b := make([]byte, 40)
	for i := range b {
		b[i] = byte(i*37 + 5)
	}
	return b
}

func (l *liar) listen(t *testing.T, addr string) string {
	t.Helper()
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lis.Close() })
	go func() {
		for {
			c, err := lis.Accept()
			if err != nil {
				return
			}
			go l.serveTCP(c)
		}
	}()
	return lis.Addr().String()
}

// serveTCP answers until the connection ends. Late answers overtake nothing:
// they are written when they are due.
func (l *liar) serveTCP(c net.Conn) {
	defer c.Close()
	var wmu sync.Mutex
	head := make([]byte, 7)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		pdu := make([]byte, int(binary.BigEndian.Uint16(head[4:]))-1)
		if _, err := io.ReadFull(c, pdu); err != nil {
			return
		}
		unit := head[6]
		m := l.manner(unit)
		if m == silent {
			continue
		}
		frame := frameTCP(head, unit, pdu, m)
		write := func() {
			wmu.Lock()
			defer wmu.Unlock()
			c.Write(frame)
		}
		if m == late {
			time.AfterFunc(l.delay, write)
			continue
		}
		write()
	}
}

func frameTCP(head []byte, unit byte, req []byte, m manner) []byte {
	if m == garbage {
		return rubbish()
	}
	pdu := answer(unit, req, m)
	frame := append([]byte{head[0], head[1], 0, 0, 0, byte(len(pdu) + 1), unit}, pdu...)
	switch m {
	case wrongUnit:
		frame[6]++
	case wrongID:
		frame[0] ^= 0x55
	case wrongLength:
		frame[5] += 2
	case truncated:
		frame = frame[:len(frame)-1]
	}
	return frame
}

// openLine serves the end of a serial line.
func (l *liar) openLine(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	go l.serveRTU(f)
}

// serveRTU answers requests of eight bytes; bytes that begin none are passed over.
func (l *liar) serveRTU(f io.ReadWriter) {
	var in []byte
	buf := make([]byte, 256)
	for {
		n, err := f.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
		for len(in) >= 8 {
			if crc(in[:6]) != binary.LittleEndian.Uint16(in[6:8]) {
				in = in[1:]
				continue
			}
			l.reply(f, in[0], append([]byte(nil), in[1:6]...))
			in = in[8:]
		}
	}
}

func (l *liar) reply(w io.Writer, unit byte, req []byte) {
	m := l.manner(unit)
	if m == silent {
		return
	}
	frame := frameRTU(unit, req, m)
	if m == late {
		time.AfterFunc(l.delay, func() { w.Write(frame) })
		return
	}
	w.Write(frame)
}

func frameRTU(unit byte, req []byte, m manner) []byte {
	if m == garbage {
		return rubbish()
	}
	first := unit
	if m == wrongUnit {
		first++
	}
	frame := append([]byte{first}, answer(unit, req, m)...)
	frame = binary.LittleEndian.AppendUint16(frame, crc(frame))
	switch m {
	case badCRC:
		frame[len(frame)-1] ^= 0x10
	case truncated:
		frame = frame[:len(frame)-3]
	}
	return frame
}

// crc is the checksum of Modbus over serial line (V1.02, 6.2.2).
func crc(b []byte) uint16 {
	c := uint16(0xFFFF)
	for _, v := range b {
		c ^= uint16(v)
		for range 8 {
			odd := c&1 != 0
			c >>= 1
			if odd {
				c ^= 0xA001
			}
		}
	}
	return c
}
