package modbus

import (
	"encoding/binary"
	"errors"
	"time"

	"pithead/drivers/lent"
)

const (
	mbapHeader = 7   // transaction, protocol, length, unit
	mbapMax    = 260 // a whole frame
)

// A tcpLine carries MBAP frames. Every request has its own transaction id, so
// that an answer which comes late is known as such and dropped; anything else
// that doesn't fit means that the stream can't be trusted, and closes it.
type tcpLine struct {
	open Opener

	wire   Wire   // nil while closed
	asked  int    // requests on this connection
	silent int    // timeouts in a row without a byte
	in     []byte // what came and was not looked at yet
	frame  []byte // the last answer
	call   call
	trace  trace
}

func newTCPLine(open Opener) *tcpLine {
	return &tcpLine{open: open, in: make([]byte, 0, 4*mbapMax), frame: make([]byte, 0, mbapMax)}
}

func (l *tcpLine) prepare(c call) { l.call = c }
func (l *tcpLine) last() trace    { return l.trace }

// errClosed says that the connection ended before anything of an answer came.
var errClosed = errors.New("connection closed")

// Send is goburrow's Transporter: one request, and its answer or why there is
// none, a *drivers.Fault. Servers close connections that were idle: a request
// that finds an old one closed is sent once more on a new one.
func (l *tcpLine) Send(request []byte) ([]byte, error) {
	if lent.On {
		lent.Over(l.frame)
	}
	l.trace = trace{}
	used := l.wire != nil
	frame, err := l.exchange(request)
	if used && errors.Is(err, errClosed) {
		frame, err = l.exchange(request)
	}
	return frame, err
}

func (l *tcpLine) exchange(request []byte) ([]byte, error) {
	if err := l.connect(); err != nil {
		return nil, err
	}
	l.asked++
	l.trace.sent = time.Now()
	if _, err := write(l.wire, request, l.call.timeout); err != nil {
		l.Close()
		return nil, comm("%w: write: %w", errClosed, err)
	}
	frame, err := l.receive(request)
	l.trace.done = time.Now()
	return frame, err
}

func (l *tcpLine) connect() error {
	if l.wire == nil {
		w, err := l.open(l.call.ctx, l.call.timeout)
		if err != nil {
			return down("connect: %w", err)
		}
		l.wire, l.asked, l.silent, l.in = w, 0, 0, l.in[:0]
	}
	return nil
}

func (l *tcpLine) lend(to func(Wire, time.Time) time.Time) error {
	if err := l.connect(); err != nil {
		return err
	}
	to(l.wire, time.Time{})
	return nil
}

// Close closes the connection; the next request opens another.
func (l *tcpLine) Close() error {
	if l.wire == nil {
		return nil
	}
	err := l.wire.Close()
	l.wire = nil
	return err
}

func (l *tcpLine) receive(request []byte) ([]byte, error) {
	first := time.Now().Add(l.call.timeout)
	last := first.Add(slackNetwork) // for the rest of an answer that began in time
	deadline := first
	got := 0
	for {
		switch what, n := lookTCP(request, l.in, l.asked); {
		case what == answer:
			frame := append(l.frame[:0], l.in[:n]...)
			l.in = l.in[:copy(l.in, l.in[n:])]
			return frame, nil
		case what == stray:
			l.in = l.in[:copy(l.in, l.in[n:])]
			deadline = first
			continue
		case what != more:
			l.Close()
			return nil, protocol("what came (% x) is no answer to what was asked (% x)", l.in[:min(len(l.in), 16)], request)
		case len(l.in) > 0 && deadline.Equal(first):
			deadline = earlier(later(first, time.Now().Add(slackNetwork)), last)
		}
		n, err := read(l.wire, l.in[len(l.in):cap(l.in)], deadline)
		if err != nil {
			return nil, l.unanswered(request, got, err)
		}
		l.in = l.in[:len(l.in)+n]
		l.silent, got = 0, got+n
	}
}

// unanswered is what to make of a read that failed before the answer was whole.
func (l *tcpLine) unanswered(request []byte, got int, err error) error {
	switch {
	case !expired(err) && got == 0:
		l.Close()
		return comm("%w before the answer: %w", errClosed, err)
	case !expired(err):
		l.Close()
		return comm("connection lost within the answer: %w", err)
	case len(l.in) > 0:
		l.Close()
		return protocol("the answer breaks off after %d bytes", len(l.in))
	}
	if got == 0 {
		l.silent++
	}
	if l.silent >= silentLimit {
		l.Close()
	}
	return comm("no answer from unit %d within %v", request[6], l.call.timeout)
}

// lookTCP says what stands at the front of b, of what came after request was
// sent: more, the answer, a stray (an answer to an older request of the asked
// ones on this connection), or noise; and how many bytes of b it is.
func lookTCP(request, b []byte, asked int) (find, int) {
	if len(b) < mbapHeader+1 {
		return more, 0
	}
	length := mbapHeader - 1 + int(binary.BigEndian.Uint16(b[4:]))
	if b[2] != 0 || b[3] != 0 || length < mbapHeader+2 || length > mbapMax {
		return noise, 0
	}
	age := binary.BigEndian.Uint16(request) - binary.BigEndian.Uint16(b)
	a := askOf(request[6], request[7], request[8:12])
	switch {
	case age != 0 && int(age) >= min(asked, 1<<15):
		return noise, 0
	case age == 0 && (!a.begins(b[6:min(len(b), length)]) || length != a.lengthTCP(b[7])):
		return noise, 0
	case len(b) < length:
		return more, 0
	case age != 0:
		return stray, length
	}
	return answer, length
}

// lengthTCP is that of the whole MBAP answer with that function.
func (a ask) lengthTCP(function byte) int {
	if function > exceptionBit {
		return mbapHeader + 2
	}
	return mbapHeader - 1 + a.length() - 2 // RTU's unit is in the header, and there is no checksum
}
