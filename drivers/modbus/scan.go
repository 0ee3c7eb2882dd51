package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/goburrow/modbus"
)

// A Scanner finds units that no site file knows. It asks for what changes
// nothing: one register, and who is there (functions 3, 43/14 and 17); it never
// writes. Whatever whole frame a unit sends shows that it is there, also late,
// while another is asked: the frame says whose it is.
type Scanner struct {
	config Config
	open   Opener
	pace   pace
	code   framing
	wire   Wire
	busy   time.Time // when the last character was on the wire
	id     uint16    // of the last transaction on TCP
	in     []byte

	Late []byte // units that were heard while another was asked
	// Noise says that something came that could be no frame: another speed or
	// parity, two units with one address, or a bad line.
	Noise bool
}

// A Found is what a unit said of itself.
type Found struct {
	Unit      byte          `json:"unit"`
	Alive     bool          `json:"-"`
	Took      time.Duration `json:"-"`                   // of the first answer
	Exception byte          `json:"exception,omitempty"` // that it answered one register with
	Vendor    string        `json:"vendor,omitempty"`    // function 43/14, objects 0 to 2
	Product   string        `json:"product,omitempty"`
	Revision  string        `json:"revision,omitempty"`
	Report    string        `json:"report,omitempty"` // function 17, as text or hexadecimal
	stage     int
}

// What is asked of a unit, in order; only the first of one that is silent.
var questions = [][]byte{
	{modbus.FuncCodeReadHoldingRegisters, 0, 0, 0, 1},
	{funcIdentify, meiIdentify, 1, 0},
	{funcReport},
}

const (
	funcReport   = 17
	funcIdentify = 43
	meiIdentify  = 14
)

// NewScanner makes the scanner of a line; the first question opens it.
func NewScanner(c Config) *Scanner {
	s := &Scanner{config: c, open: dialer(c.Address), pace: paceOf(c), code: framingOf(c), in: make([]byte, 0, 4*asciiMost)}
	if c.Transport == RTU {
		s.open = serialOpener(c)
	}
	return s
}

// Close lets go of the line.
func (s *Scanner) Close() error {
	if s.wire == nil {
		return nil
	}
	err := s.wire.Close()
	s.wire = nil
	return err
}

// Step asks the next question of a unit, and says whether there are more. An
// error means that the line itself is not there.
func (s *Scanner) Step(ctx context.Context, f *Found, wait time.Duration) (more bool, err error) {
	if s.wire == nil {
		if s.wire, err = s.open(ctx, max(wait, time.Second)); err != nil {
			return false, err
		}
	}
	q := questions[f.stage]
	began := time.Now()
	pdu, err := s.exchange(f.Unit, q, wait)
	if err != nil {
		return false, err
	}
	if len(pdu) > 0 && !gatewaySpeaks(pdu) {
		if !f.Alive {
			f.Alive, f.Took = true, time.Since(began)
		}
		f.note(pdu)
	}
	f.stage++
	return f.Alive && f.stage < len(questions), nil
}

// Known makes a unit that is polled anyway one that is not asked for a
// register: an answer to that, come late, could be taken for a poll's.
func (f *Found) Known() { f.Alive, f.stage = true, 1 }

// A Sweep asks one unit after the other, and those again, with more patience,
// that were heard only while another was asked.
type Sweep struct {
	units []byte
	wait  time.Duration // for the first byte of an answer
	known map[byte]bool // polled anyway
	at    int
	slow  bool // the second round
	f     *Found
	found map[byte]bool
}

// patience is how much longer the second round of a sweep waits, but for no more
// than mostPatience beyond what the first did: nothing else goes on meanwhile.
const (
	patience     = 5
	mostPatience = 2 * time.Second
)

func NewSweep(units []byte, wait time.Duration, known map[byte]bool) *Sweep {
	return &Sweep{units: units, wait: wait, known: known, found: map[byte]bool{}}
}

// Left is how many units are still to be asked, and how long that takes at most
// where none is there.
func (w *Sweep) Left() (units int, most time.Duration) {
	units = len(w.units) - w.at
	return units, time.Duration(units) * w.patient()
}

func (w *Sweep) patient() time.Duration {
	if w.slow {
		return w.second()
	}
	return w.wait
}

// second is how long the second round waits.
func (w *Sweep) second() time.Duration { return max(w.wait, min(patience*w.wait, mostPatience)) }

// Step asks one question: what a unit said when there is no more to ask it and
// it is there, and whether the sweep goes on.
func (w *Sweep) Step(ctx context.Context, s *Scanner) (f *Found, more bool, err error) {
	if w.at == len(w.units) {
		return nil, false, nil
	}
	if w.f == nil {
		w.f = &Found{Unit: w.units[w.at]}
		if w.known[w.f.Unit] {
			w.f.Known()
		}
	}
	asking, err := s.Step(ctx, w.f, w.patient())
	if err != nil {
		return nil, false, err
	}
	if asking {
		return nil, true, nil
	}
	if f, w.f = w.f, nil; !f.Alive {
		f = nil
	} else {
		w.found[f.Unit] = true
	}
	if w.at++; w.at == len(w.units) && !w.slow {
		if f == nil { // the last one may be slow
			if _, err := s.hear(0, 0, time.Now().Add(w.second())); err != nil {
				return nil, false, err
			}
		}
		w.slow, w.at, w.units = true, 0, nil
		for _, unit := range s.Late {
			if !w.found[unit] {
				w.units = append(w.units, unit)
			}
		}
	}
	return f, w.at < len(w.units), nil
}

// Sweep is a step of a sweep on a bus that is in use, between its own requests.
func (b *Bus) Sweep(ctx context.Context, w *Sweep) (f *Found, more bool, err error) {
	if b.scanner == nil {
		b.scanner = NewScanner(b.config)
	}
	s := b.scanner
	b.link.prepare(call{ctx: ctx, timeout: time.Second, late: defaultLate})
	err = b.link.lend(func(w Wire, busy time.Time) time.Time {
		s.wire, s.busy = w, later(s.busy, busy)
		return s.busy
	})
	if err != nil {
		return nil, false, err
	}
	f, more, err = w.Step(ctx, s)
	if err != nil {
		return nil, false, errors.Join(err, b.link.Close())
	}
	return f, more, b.link.lend(func(Wire, time.Time) time.Time { return s.busy })
}

// gatewaySpeaks says that a gateway answered in the place of a unit that does not.
func gatewaySpeaks(pdu []byte) bool { return len(pdu) == 2 && pdu[0] > exceptionBit && absent(pdu[1]) }

// note keeps what an answer says.
func (f *Found) note(pdu []byte) {
	switch {
	case pdu[0] == modbus.FuncCodeReadHoldingRegisters|exceptionBit && len(pdu) == 2:
		f.Exception = pdu[1]
	case pdu[0] == funcIdentify && len(pdu) > 7:
		for id, text := range objects(pdu[7:], int(pdu[6])) {
			switch id {
			case 0:
				f.Vendor = text
			case 1:
				f.Product = text
			case 2:
				f.Revision = text
			}
		}
	case pdu[0] == funcReport && len(pdu) > 2:
		f.Report = readable(pdu[2:])
	}
}

// objects are those of a 43/14 answer, as far as they are whole.
func objects(b []byte, n int) map[byte]string {
	all := map[byte]string{}
	for ; n > 0 && len(b) >= 2 && len(b) >= 2+int(b[1]); n-- {
		all[b[0]] = readable(b[2 : 2+int(b[1])])
		b = b[2+int(b[1]):]
	}
	return all
}

// readable is bytes as a person can read them: text where they are text, but
// for what stands around it, else hexadecimal.
func readable(b []byte) string {
	const digits = "0123456789abcdef"
	var text, hex []byte
	plain := 0
	for _, c := range b {
		if c >= ' ' && c < 0x7F {
			text, plain = append(text, c), plain+1
		} else if len(text) > 0 && text[len(text)-1] != ' ' {
			text = append(text, ' ')
		}
		hex = append(hex, digits[c>>4], digits[c&15])
	}
	if 2*plain >= len(b) && plain > 0 {
		for len(text) > 0 && text[len(text)-1] == ' ' {
			text = text[:len(text)-1]
		}
		return string(text)
	}
	return string(hex)
}

// exchange is the PDU of the unit's answer, or nothing.
func (s *Scanner) exchange(unit byte, pdu []byte, wait time.Duration) ([]byte, error) {
	var frame []byte
	if s.config.Transport == TCP {
		s.id++
		frame = binary.BigEndian.AppendUint16(frame, s.id)
		frame = append(frame, 0, 0, 0, byte(1+len(pdu)), unit)
		frame = append(frame, pdu...)
	} else {
		if err := s.quiet(); err != nil {
			return nil, err
		}
		body := append([]byte{unit}, pdu...)
		frame = s.code.encode(nil, binary.LittleEndian.AppendUint16(body, checksum(body)))
	}
	sent := time.Now()
	if _, err := write(s.wire, frame, time.Second+s.pace.wire(len(frame))); err != nil {
		return nil, err
	}
	s.busy = sent
	if s.config.Transport != TCP {
		s.busy = later(sent.Add(s.pace.wire(len(frame))), time.Now())
	}
	return s.hear(unit, pdu[0], s.busy.Add(wait))
}

// quiet waits for the silence that frames need, and drops what comes meanwhile.
func (s *Scanner) quiet() error {
	until := later(s.busy.Add(s.pace.between), time.Now().Add(drain))
	for limit := time.Now().Add(time.Second); ; {
		n, err := read(s.wire, s.in[:cap(s.in)], until)
		switch {
		case expired(err):
			return nil
		case err != nil:
			return err
		}
		s.sift(s.in[:n], 0, 0)
		s.busy = time.Now()
		if until = s.busy.Add(s.pace.between); until.After(limit) {
			s.Noise = true
			return nil
		}
	}
}

// hear waits for the answer of a unit. Once something has begun, it may take
// as long as its characters need.
func (s *Scanner) hear(unit, function byte, deadline time.Time) ([]byte, error) {
	b := s.in[:0]
	begun := false
	for {
		n, err := read(s.wire, b[len(b):cap(b)], deadline)
		if err != nil && !expired(err) {
			return nil, err
		}
		b = b[:len(b)+n]
		pdu, rest := s.sift(b, unit, function)
		if pdu != nil {
			return slices.Clone(pdu), nil
		}
		if err != nil {
			s.Noise = s.Noise || len(rest) > 0
			return nil, nil
		}
		b = b[:copy(b, rest)]
		s.busy = time.Now()
		if !begun && len(b) > 0 {
			begun = true
			deadline = later(deadline, s.busy.Add(s.pace.wire(maxFrame)+slackSerial))
		}
	}
}

// sift takes whole frames off the front of b: the PDU of the one that was asked
// for, and what is left.
func (s *Scanner) sift(b []byte, unit, function byte) (pdu, rest []byte) {
	for len(b) > 0 {
		from, got, n := s.frame(b)
		if n == 0 {
			return nil, b
		}
		b = b[n:]
		switch {
		case got == nil:
		case from == unit && got[0]&^exceptionBit == function:
			return got, b
		case !gatewaySpeaks(got) && !slices.Contains(s.Late, from):
			s.Late = append(s.Late, from)
		}
	}
	return nil, nil
}

// frame is the one at the front of b: its unit and PDU, and how long it is; 0
// where more must come; no PDU where a byte was noise.
func (s *Scanner) frame(b []byte) (unit byte, pdu []byte, n int) {
	if s.config.Transport == TCP {
		return s.mbap(b)
	}
	if ascii, is := s.code.(*asciiFraming); is {
		return s.ascii(ascii, b)
	}
	if idle(b[0]) {
		return 0, nil, 1
	}
	length := anyLength(b)
	switch {
	case length == unknown || length > 0 && len(b) < length:
		return 0, nil, 0
	case length > 0 && sound(b[:length]):
		return b[0], b[1 : length-2], length
	}
	s.Noise = true
	return 0, nil, 1
}

func (s *Scanner) ascii(f *asciiFraming, b []byte) (unit byte, pdu []byte, n int) {
	what, n, frame := f.look(ask{}, b, false)
	switch {
	case what == more:
		return 0, nil, 0
	case what == stray && len(frame) > 3:
		return frame[0], frame[1 : len(frame)-2], n
	}
	s.Noise = s.Noise || b[0] != '\r' && b[0] != '\n'
	return 0, nil, n
}

// mbap is a frame of TCP. One of an older transaction counts as late.
func (s *Scanner) mbap(b []byte) (unit byte, pdu []byte, n int) {
	if len(b) < mbapHeader+1 {
		return 0, nil, 0
	}
	length := mbapHeader - 1 + int(binary.BigEndian.Uint16(b[4:]))
	switch {
	case b[2] != 0 || b[3] != 0 || length < mbapHeader+1 || length > mbapMax:
		s.Noise = true
		return 0, nil, len(b)
	case len(b) < length:
		return 0, nil, 0
	case binary.BigEndian.Uint16(b) != s.id:
		if from := b[6]; !slices.Contains(s.Late, from) && !gatewaySpeaks(b[mbapHeader:length]) {
			s.Late = append(s.Late, from)
		}
		return 0, nil, length
	}
	return b[6], b[mbapHeader:length], length
}

// anyLength is frameLength for the answers to every question of a scanner too.
func anyLength(b []byte) int {
	if len(b) < 3 {
		return unknown
	}
	switch b[1] {
	case funcReport:
		if length := 5 + int(b[2]); length <= maxFrame {
			return length
		}
		return never
	case funcIdentify:
		at := 8
		for n := 0; len(b) >= 8 && n < int(b[7]); n++ {
			if len(b) < at+2 {
				return unknown
			}
			at += 2 + int(b[at+1])
		}
		if len(b) < 8 {
			return unknown
		}
		if at+2 > maxFrame {
			return never
		}
		return at + 2
	}
	return frameLength(b)
}
