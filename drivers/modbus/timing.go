package modbus

import "time"

// Defaults of a line that leaves them out.
const (
	defaultBaud    = 9600
	defaultTimeout = 500 * time.Millisecond
	defaultLate    = 3 * time.Second
)

// silenceAbove19200 stands for 3.5 characters where those would be too short
// to see (MODBUS over Serial Line V1.02, 2.5.1.1).
const silenceAbove19200 = 1750 * time.Microsecond

func framingOf(c Config) framing {
	if c.ASCII {
		return &asciiFraming{}
	}
	return binaryFraming{}
}

// readRequest is the length in characters of every request to read, and of
// every request to write one coil or register, with address and checksum.
const readRequest = 8

// WireTime is how long one request keeps its line: pure is what no device can
// undercut (the characters of request and answer with their start, parity and
// stop bits, the silence after each, and Gap), typical adds the unit's
// Turnaround. On TCP only Turnaround counts.
func WireTime(c Config, r Request) (pure, typical time.Duration) {
	var turnaround time.Duration
	for _, u := range c.Units {
		if u.ID == r.Unit {
			turnaround = u.Turnaround
		}
	}
	if c.Transport == TCP {
		return 0, turnaround
	}
	pace := paceOf(c)
	f := framingOf(c)
	chars := f.chars(readRequest) + f.chars(answerLength(r.Table, int(r.Quantity)))
	pure = pace.wire(chars) + pace.silence + pace.between
	return pure, pure + turnaround
}

// answerLength is how many characters the answer to a read has, in RTU framing.
func answerLength(t Table, quantity int) int {
	if t.bits() {
		return 5 + (quantity+7)/8
	}
	return 5 + 2*quantity
}

// A pace is how fast a serial line goes.
type pace struct {
	char    time.Duration // one character with its start, parity and stop bits
	silence time.Duration // that ends a frame
	between time.Duration // from a frame to the next request: silence and Gap
}

func paceOf(c Config) pace {
	baud, bits := c.Baud, 1+8+1
	if baud <= 0 {
		baud = defaultBaud
	}
	if c.DataBits == 7 {
		bits--
	}
	if c.Parity == 'E' || c.Parity == 'O' {
		bits++
	}
	if c.StopBits == 2 {
		bits++
	}
	p := pace{char: time.Duration(bits) * time.Second / time.Duration(baud)}
	p.silence = silenceAbove19200
	if baud <= 19200 {
		p.silence = p.char * 7 / 2
	}
	p.between = p.silence + c.Gap
	return p
}

func (p pace) wire(chars int) time.Duration { return time.Duration(chars) * p.char }

// SilentTime is how long a request to read, or to write one register, keeps its
// line when the unit does not answer.
func SilentTime(c Config, unit string) time.Duration {
	timeout := c.Timeout
	for _, u := range c.Units {
		if u.ID == unit && u.Timeout > 0 {
			timeout = u.Timeout
		}
	}
	if c.Transport == TCP {
		return timeout
	}
	pace := paceOf(c)
	return pace.wire(framingOf(c).chars(readRequest)) + timeout + pace.between
}

// WriteTime is how long writing one coil or register keeps the line, with the
// unit's turnaround: request and answer are as long as each other.
func WriteTime(c Config, unit string) time.Duration {
	var turnaround time.Duration
	for _, u := range c.Units {
		if u.ID == unit {
			turnaround = u.Turnaround
		}
	}
	if c.Transport == TCP {
		return turnaround
	}
	pace := paceOf(c)
	return pace.wire(2*framingOf(c).chars(readRequest)) + pace.silence + pace.between + turnaround
}
