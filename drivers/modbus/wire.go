package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/goburrow/modbus"

	"pithead/drivers"
)

// A wire is a line that is open: a tty, a connection, or what a test has in
// its place. A read that its deadline ends returns os.ErrDeadlineExceeded.
type Wire interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// An exactWire can wait more exactly than by a read's deadline.
type exactWire interface {
	// await waits until then or until there is something to read, be it an error.
	await(until time.Time) (some bool, err error)
}

// An Opener makes the wire, in no more than the time given.
type Opener func(ctx context.Context, within time.Duration) (Wire, error)

// A link is a line as goburrow's client wants it, and what the client has no
// words for.
type link interface {
	modbus.Transporter
	// prepare says what holds for the next request.
	prepare(call)
	// last is what became of the last request.
	last() trace
	// lend opens the line if need be and shows it, with when it was busy last;
	// what is returned is when it is busy now.
	lend(func(w Wire, busy time.Time) time.Time) error
	Close() error
}

// A call is what holds for one request.
type call struct {
	ctx     context.Context // ends a wait to connect; a request that is on the wire is seen through
	timeout time.Duration   // from the request's last byte to the answer's first
	late    time.Duration   // how long the answer may be owed afterwards
}

// A trace is what became of one request.
type trace struct {
	sent  time.Time // its first byte; zero if it was not sent
	done  time.Time // the answer's last byte
	heard bool      // on an RTU line: the unit sent some whole frame, be it the answer or not
}

// read is a Read that the deadline ends, whatever the wire does.
func read(w Wire, b []byte, deadline time.Time) (int, error) {
	if !time.Now().Before(deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	if err := w.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := w.Read(b)
	if n > 0 {
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return 0, err
}

func write(w Wire, b []byte, within time.Duration) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return 0, err
	}
	return w.Write(b)
}

func expired(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// dialer opens a TCP connection. Keepalive finds a peer that is gone while no
// requests are under way.
func dialer(address string) Opener {
	return func(ctx context.Context, within time.Duration) (Wire, error) {
		d := net.Dialer{
			Timeout:         within,
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		}
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
}

func comm(format string, args ...any) *drivers.Fault {
	return &drivers.Fault{Quality: drivers.Comm, Err: fmt.Errorf(format, args...)}
}

// down is for a line that is not there at all.
func down(format string, args ...any) *drivers.Fault {
	f := comm(format, args...)
	f.Down = true
	return f
}

func protocol(format string, args ...any) *drivers.Fault {
	return &drivers.Fault{Quality: drivers.Protocol, Err: fmt.Errorf(format, args...)}
}
