//go:build bench

package modbus

import (
	"encoding/binary"
	"io"
	"os"
	"sync"
	"time"
)

// A pace is how fast a line goes.
type pace struct{ char, silence time.Duration }

func paceOf(baud int) pace {
	p := pace{char: 10 * time.Second / time.Duration(baud), silence: 1750 * time.Microsecond} // 8N1
	if baud <= 19200 {
		p.silence = p.char * 7 / 2
	}
	return p
}

// least is the time that one poll of n registers takes at least.
func (p pace) least(n int) time.Duration {
	return time.Duration(8+5+2*n)*p.char + 2*p.silence
}

// goburrow is how long a poll of n registers takes by goburrow's formula: it
// sleeps for all characters, at 1.5 times a character's time up to 19200 baud
// and at 750 µs above, and a frame's silence, before it reads.
func (p pace) goburrow(baud, n int) time.Duration {
	char, frame := 750*time.Microsecond, 1750*time.Microsecond
	if baud <= 19200 {
		char, frame = 15*time.Second/time.Duration(baud), 35*time.Second/time.Duration(10*baud)
	}
	return time.Duration(8+5+2*n)*char + frame
}

// answer is a slave's to a read of holding registers: each holds its address.
func answer(request []byte) []byte {
	at, n := binary.BigEndian.Uint16(request[2:]), binary.BigEndian.Uint16(request[4:])
	b := []byte{request[0], 3, byte(2 * n)}
	for i := range n {
		b = binary.BigEndian.AppendUint16(b, at+i)
	}
	return binary.LittleEndian.AppendUint16(b, crc(b))
}

func crc(b []byte) uint16 {
	c := uint16(0xFFFF)
	for _, x := range b {
		c ^= uint16(x)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ 0xA001
			} else {
				c >>= 1
			}
		}
	}
	return c
}

// A wire is a line in virtual time, with a slave at its end: each character
// arrives when it would, one by one.
type wire struct {
	pace pace
	mu   sync.Mutex
	come []arrival // in order
	more chan struct{}
	read time.Time // deadline
	shut bool
}

type arrival struct {
	at time.Time
	b  byte
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := time.Now().Add(time.Duration(len(b))*w.pace.char + w.pace.silence)
	for _, c := range answer(b) {
		at = at.Add(w.pace.char)
		w.come = append(w.come, arrival{at, c})
	}
	select {
	case w.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (w *wire) Read(b []byte) (int, error) {
	for {
		w.mu.Lock()
		n, wait := 0, time.Until(w.read)
		for len(w.come) > 0 && n < len(b) && !w.come[0].at.After(time.Now()) {
			b[n] = w.come[0].b
			w.come = w.come[1:]
			n++
		}
		if len(w.come) > 0 {
			wait = min(wait, time.Until(w.come[0].at))
		}
		shut, over := w.shut, !time.Now().Before(w.read)
		w.mu.Unlock()
		switch {
		case n > 0:
			return n, nil
		case shut:
			return 0, io.EOF
		case over:
			return 0, os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-w.more:
		}
		timer.Stop()
	}
}

func (w *wire) SetReadDeadline(t time.Time) error { w.read = t; return nil }
func (w *wire) SetWriteDeadline(time.Time) error  { return nil }

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = true
	return nil
}
