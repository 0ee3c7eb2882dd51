package modbus

import (
	"errors"
	"os"
	"time"

	"pithead/drivers"
	"pithead/drivers/lent"
)

const (
	// drain is how long a line that has long been quiet is listened to before
	// a request: enough to take what the kernel holds, also on a busy machine,
	// and less than the silence that frames need anyway.
	drain = 1500 * time.Microsecond
	// An answer that has begun may take this much longer than its characters
	// need: USB adapters hold bytes back for 16 ms, serial servers send them
	// in packets, and packets get lost.
	slackSerial  = 100 * time.Millisecond
	slackNetwork = 500 * time.Millisecond
	// silentLimit timeouts in a row without one byte, and a connection is
	// given up: the peer may be gone without a word.
	silentLimit = 2
)

// An rtuLine carries RTU or ASCII frames over a tty or a connection to a serial
// server.
type rtuLine struct {
	open    Opener
	framing framing
	network bool // not a tty: the connection is closed on garbage
	pace    pace
	slack   time.Duration

	wire   Wire      // nil while closed
	busy   time.Time // when the last character was on the wire, sent or received
	silent int       // timeouts in a row without a byte
	doubt  doubt
	call   call
	trace  trace
	in     []byte
	out    []byte
}

func newRTULine(c Config, open Opener) *rtuLine {
	l := &rtuLine{open: open, network: c.Transport == RTUOverTCP, framing: framingOf(c), pace: paceOf(c), slack: slackSerial, doubt: doubt{}}
	if l.network {
		l.slack = slackNetwork
	}
	l.in, l.out = make([]byte, 0, 4*asciiMost), make([]byte, 0, asciiMost)
	return l
}

func (l *rtuLine) prepare(c call) { l.call = c }
func (l *rtuLine) last() trace    { return l.trace }

// Send is goburrow's Transporter: one request, and its answer or why there is
// none, a *drivers.Fault.
func (l *rtuLine) Send(request []byte) ([]byte, error) {
	if lent.On {
		lent.Over(l.in) // the last answer
	}
	l.trace = trace{}
	a := askOf(request[0], request[1], request[2:6])
	if until, held := l.doubt.holds(a, time.Now()); held {
		f := comm("not asked: an answer that unit %d still owes could be taken for this one", a.unit())
		f.Until = until
		return nil, f
	}
	if err := l.connect(); err != nil {
		return nil, err
	}
	if err := l.transmit(request); err != nil {
		return nil, err
	}
	frame, err := l.receive(a)
	l.trace.done = time.Now()
	return frame, err
}

func (l *rtuLine) connect() error {
	if l.wire == nil {
		w, err := l.open(l.call.ctx, l.call.timeout)
		if err != nil {
			return down("open: %w", err)
		}
		l.wire, l.silent = w, 0
	}
	return nil
}

func (l *rtuLine) lend(to func(Wire, time.Time) time.Time) error {
	if err := l.connect(); err != nil {
		return err
	}
	l.busy = to(l.wire, l.busy)
	return nil
}

// Close lets go of the line; the next request opens it again.
func (l *rtuLine) Close() error {
	if l.wire == nil {
		return nil
	}
	err := l.wire.Close()
	l.wire = nil
	return err
}

// transmit waits for silence and sends. A line that turns out to have been
// closed meanwhile is opened again, once.
func (l *rtuLine) transmit(request []byte) error {
	err := l.quiet()
	if err != nil && !errors.Is(err, errTalks) {
		l.Close()
		if err := l.connect(); err != nil {
			return err
		}
		err = l.quiet()
	}
	if err != nil {
		l.Close()
		return &drivers.Fault{Quality: qualityOf(err), Err: err}
	}
	l.trace.sent = time.Now()
	l.out = l.framing.encode(l.out[:0], request)
	took := l.pace.wire(len(l.out))
	n, err := write(l.wire, l.out, took+l.call.timeout)
	l.busy = later(l.trace.sent.Add(took), time.Now())
	if err == nil {
		return nil
	}
	l.Close()
	if n > 0 {
		l.owe(askOf(request[0], request[1], request[2:6]))
	}
	return comm("write: %w", err)
}

var (
	errTalks    = errors.New("the line is never silent: something talks without being asked")
	errChecksum = errors.New("bad checksum")
	errNoise    = errors.New("noise instead of an answer")
)

// qualityOf is for errors of a line: one that talks is there, but broken.
func qualityOf(err error) drivers.Quality {
	if errors.Is(err, errTalks) {
		return drivers.Protocol
	}
	return drivers.Comm
}

// quiet waits until the line has been silent for as long as frames must be
// apart. What comes meanwhile answers nothing and is discarded.
func (l *rtuLine) quiet() error {
	start := time.Now()
	limit := start.Add(l.pace.between + l.call.timeout + l.slack)
	until := later(l.busy.Add(l.pace.between), start.Add(drain))
	for {
		err := l.listen(until)
		if expired(err) {
			return nil
		}
		if err != nil {
			return err
		}
		l.busy, l.silent = time.Now(), 0
		until = l.busy.Add(l.pace.between)
		if until.After(limit) {
			return errTalks
		}
	}
}

// coarse is how much of a wait may be as long as the runtime's timers make it,
// which wake at whole milliseconds of the kernel's: too late by half of the silence
// that 115200 baud ask for.
const coarse = 2 * time.Millisecond

// listen reads what comes, to discard it; os.ErrDeadlineExceeded where nothing
// comes until then.
func (l *rtuLine) listen(until time.Time) error {
	w, exact := l.wire.(exactWire)
	if early := until.Add(-coarse); exact && time.Now().Before(early) {
		if _, err := read(l.wire, l.in[:cap(l.in)], early); !expired(err) {
			return err
		}
	}
	if !exact {
		_, err := read(l.wire, l.in[:cap(l.in)], until)
		return err
	}
	some, err := w.await(until)
	if err == nil && !some {
		err = os.ErrDeadlineExceeded
	}
	if err == nil {
		_, err = read(l.wire, l.in[:cap(l.in)], time.Now().Add(coarse)) // it is there
	}
	return err
}
