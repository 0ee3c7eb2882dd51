// Package modbustest is a Modbus line for tests and benchmarks: a wire that
// carries RTU frames character by character at the line's speed, in whatever
// time runs (real, or a test's bubble), and the units on it. It knows no bus:
// modbus.OpenOn is given its Open.
package modbustest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"pithead/drivers/modbus"
)

// A Line is one serial line with units on it. The zero values of what it is
// made from are those of a unit that answers at once.
type Line struct {
	Char  time.Duration // one character, with its start, parity and stop bits
	Units map[byte]*Unit

	mu    sync.Mutex
	one   bool  // of several openings only the one that was first is served
	fails error // nobody can open it
	mute  bool  // it can be opened, and nothing comes of it
	opens int
	wires []*wire // that are open
}

// A Unit answers reads with the register's own address, or what Read says, and
// takes every write.
type Unit struct {
	Turnaround time.Duration // from the request's last character to the answer's first
	Read       func(function byte, address uint16) uint16
	Refuse     func(function byte, address, quantity uint16) (code byte) // 0 = it does not
	mu         sync.Mutex
	dead       bool
	asked      []time.Time
	written    []Written
}

// A Written is one register or coil that was written, and when.
type Written struct {
	At       time.Time
	Function byte
	Address  uint16
	Value    uint16
}

// Kill makes the unit silent, or lets it answer again.
func (u *Unit) Kill(dead bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.dead = dead
}

// RefuseBy changes Refuse while the line is in use.
func (u *Unit) RefuseBy(refuse func(function byte, address, quantity uint16) (code byte)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.Refuse = refuse
}

// Asked is when requests to the unit had come in, whether it was dead or not.
func (u *Unit) Asked() []time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]time.Time(nil), u.asked...)
}

// Writes is what was written so far.
func (u *Unit) Writes() []Written {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Written(nil), u.written...)
}

// CharOf is how long a character of ten bits takes.
func CharOf(baud int) time.Duration { return 10 * time.Second / time.Duration(baud) }

// Fail takes the line away: what is open hangs up, and opening it fails with
// err; nil puts it back.
func (l *Line) Fail(err error) {
	l.mu.Lock()
	open := l.wires
	l.fails = err
	l.mu.Unlock()
	for _, w := range open {
		if err != nil {
			w.Close()
		}
	}
}

// Mute lets nothing that is said through, or all again.
func (l *Line) Mute(mute bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute = mute
}

// Single lets only the first of several openings be served from now on.
func (l *Line) Single() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.one = true
}

// Strand makes what is open lead nowhere any more, without a word, as a
// connection whose peer lost its power.
func (l *Line) Strand() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.wires {
		w.stranded = true
	}
}

// Opens is how often it was opened.
func (l *Line) Opens() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opens
}

// Open is a modbus.Opener.
func (l *Line) Open(context.Context, time.Duration) (modbus.Wire, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return nil, l.fails
	}
	l.opens++
	w := &wire{line: l, come: make(chan struct{}, 1), gone: make(chan struct{})}
	l.wires = append(l.wires, w)
	return w, nil
}

// serves says whether what is said on w is heard.
func (l *Line) serves(w *wire) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.mute && !w.stranded && (!l.one || l.wires[0] == w)
}

func (l *Line) closed(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wires = slices.DeleteFunc(l.wires, func(o *wire) bool { return o == w })
}

// Silence is what the standard wants between frames.
func (l *Line) Silence() time.Duration {
	if l.Char < CharOf(19200) {
		return 1750 * time.Microsecond
	}
	return l.Char * 7 / 2
}

// wire is one opening of the line. What is said is a run of characters each of
// which can be read from its own time on.
type wire struct {
	line     *Line
	stranded bool          // the line's
	come     chan struct{} // something was said
	gone     chan struct{}
	once     sync.Once
	mu       sync.Mutex
	said     []byte
	from     time.Time // when the first character of said is whole
	deadline time.Time
}

func (w *wire) Read(b []byte) (int, error) {
	for {
		n, next := w.take(b)
		if n > 0 {
			return n, nil
		}
		until := w.deadline
		if !next.IsZero() && next.Before(until) {
			until = next
		}
		t := time.NewTimer(time.Until(until))
		select {
		case <-t.C:
		case <-w.come:
		case <-w.gone:
			t.Stop()
			return 0, io.EOF
		}
		t.Stop()
		if n, _ = w.take(b); n == 0 && !time.Now().Before(w.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		if n > 0 {
			return n, nil
		}
	}
}

// take hands out the characters that are whole by now, or when the next one is.
// Like a kernel it hands out a run of them at once where it can: up to sixteen
// are waited for, as a UART's buffer does.
func (w *wire) take(b []byte) (n int, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.said) == 0 {
		return 0, next
	}
	late := time.Since(w.from)
	whole := 0
	if late >= 0 {
		whole = min(len(w.said), 1+int(late/w.line.Char))
	}
	const fifo = 16
	if want := min(fifo, len(w.said)); whole < want {
		return 0, w.from.Add(time.Duration(want-1) * w.line.Char)
	}
	n = copy(b, w.said[:whole])
	w.said = w.said[n:]
	w.from = w.from.Add(time.Duration(n) * w.line.Char)
	return n, next
}

func (w *wire) Write(b []byte) (int, error) {
	select {
	case <-w.gone:
		return 0, errors.New("the line is gone")
	default:
	}
	if !w.line.serves(w) {
		return len(b), nil
	}
	sent := time.Now().Add(time.Duration(len(b)) * w.line.Char)
	answer, at := w.line.answer(b, sent)
	if answer != nil {
		w.mu.Lock()
		w.said, w.from = append(w.said, answer...), at.Add(w.line.Char)
		w.mu.Unlock()
		select {
		case w.come <- struct{}{}:
		default:
		}
	}
	return len(b), nil
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.gone); w.line.closed(w) })
	return nil
}

func (w *wire) SetReadDeadline(d time.Time) error { w.deadline = d; return nil }
func (w *wire) SetWriteDeadline(time.Time) error  { return nil }

// answer is what the asked unit says, and when its first character begins.
func (l *Line) answer(r []byte, sent time.Time) ([]byte, time.Time) {
	u := l.Units[r[0]]
	if u == nil {
		return nil, sent
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = append(u.asked, sent)
	if u.dead {
		return nil, sent
	}
	return u.answer(r, sent), sent.Add(l.Silence() + u.Turnaround)
}

func (u *Unit) answer(r []byte, sent time.Time) []byte {
	address, word := binary.BigEndian.Uint16(r[2:]), binary.BigEndian.Uint16(r[4:])
	if u.Refuse != nil {
		if code := u.Refuse(r[1], address, word); code != 0 {
			return Frame(r[0], r[1]|0x80, code)
		}
	}
	switch r[1] {
	case 5, 6:
		u.written = append(u.written, Written{sent, r[1], address, word})
		return append([]byte(nil), r...)
	case 1, 2:
		return Frame(append([]byte{r[0], r[1], byte((word + 7) / 8)}, make([]byte, (word+7)/8)...)...)
	}
	b := []byte{r[0], r[1], byte(2 * word)}
	for i := range word {
		v := address + i
		if u.Read != nil {
			v = u.Read(r[1], address+i)
		}
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return Frame(b...)
}

// Frame is the bytes with their CRC.
func Frame(b ...byte) []byte {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return binary.LittleEndian.AppendUint16(b, crc)
}
