package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"pithead/drivers"
)

// A tape is a wire in virtual time: what is written goes to play at once, and
// what play says arrives after as long as it says.
type tape struct {
	play     func(request []byte, say sayer)
	in       chan []byte
	gone     chan struct{}
	rest     []byte
	deadline time.Time
}

type sayer func(after time.Duration, b []byte)

func newTape(play func(request []byte, say sayer)) *tape {
	return &tape{play: play, in: make(chan []byte, 1<<14), gone: make(chan struct{})}
}

func (t *tape) Read(b []byte) (int, error) {
	if len(t.rest) == 0 {
		select {
		case t.rest = <-t.in:
		default:
			timer := time.NewTimer(time.Until(t.deadline))
			defer timer.Stop()
			select {
			case t.rest = <-t.in:
			case <-t.gone:
				return 0, io.EOF
			case <-timer.C:
				return 0, os.ErrDeadlineExceeded
			}
		}
	}
	n := copy(b, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

func (t *tape) Write(b []byte) (int, error) {
	select {
	case <-t.gone:
		return 0, io.ErrClosedPipe
	default:
	}
	t.play(append([]byte(nil), b...), t.say)
	return len(b), nil
}

func (t *tape) say(after time.Duration, b []byte) {
	if after <= 0 {
		t.in <- b
		return
	}
	time.AfterFunc(after, func() { t.in <- b })
}

// drop hangs up, now or later.
func (t *tape) drop(after time.Duration) { time.AfterFunc(after, func() { t.Close() }) }

func (t *tape) Close() error {
	select {
	case <-t.gone:
	default:
		close(t.gone)
	}
	return nil
}

func (t *tape) SetReadDeadline(d time.Time) error  { t.deadline = d; return nil }
func (t *tape) SetWriteDeadline(d time.Time) error { return nil }

// A stand is a bus on a tape, with what was asked of it.
type stand struct {
	*Bus
	t     *testing.T
	asked [][]byte
	opens int
	tape  *tape
	away  bool // opening fails
}

// newStand opens a bus whose requests go to play, with the number of each from 0.
func newStand(t *testing.T, c Config, play func(i int, request []byte, say sayer)) *stand {
	s := &stand{t: t}
	b, err := open(c, func(context.Context, time.Duration) (Wire, error) {
		s.opens++
		if s.away {
			return nil, errors.New("not there")
		}
		s.tape = newTape(func(request []byte, say sayer) {
			s.asked = append(s.asked, request)
			play(len(s.asked)-1, request, say)
		})
		return s.tape, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Bus = b
	return s
}

// read reads poll i of the first unit.
func (s *stand) read(i int) ([]drivers.Reading, error) { return s.readOf(0, i) }

func (s *stand) readOf(unit, i int) ([]drivers.Reading, error) {
	s.t.Helper()
	p := s.Units()[unit].Polls[i]
	rs, err := p.Driver.Read(s.t.Context())
	if len(rs) != len(p.Points) {
		s.t.Errorf("%d readings of %d points", len(rs), len(p.Points))
	}
	for _, r := range rs {
		if r.Quality != drivers.Good && r.Value != (drivers.Value{}) {
			s.t.Errorf("%s is %v and carries %v", r.Point, r.Quality, r.Value)
		}
	}
	return rs, err
}

// line9600 is a serial line with one unit at address 3 and the points given.
func line9600(points ...PointConfig) Config {
	return Config{
		ID: "rs1", Transport: RTU, Address: "/dev/null", Baud: 9600, Parity: 'N', DataBits: 8, StopBits: 1,
		Timeout: 500 * time.Millisecond,
		Units:   []UnitConfig{{ID: "u3", Unit: 3, Every: time.Second, Points: points}},
	}
}

func holding(id string, address uint16) PointConfig {
	return PointConfig{ID: id, Table: Holding, Address: address, Bit: -1, Scale: &drivers.Scale{Decimals: -1}}
}

func wide(id string, address uint16) PointConfig {
	p := holding(id, address)
	p.Type = U32
	return p
}

// crced appends the checksum.
func crced(b ...byte) []byte { return binary.LittleEndian.AppendUint16(b, checksum(b)) }

// registers answers an RTU request to read registers: register n holds n, or
// what values says.
func registers(request []byte, values ...uint16) []byte {
	first := binary.BigEndian.Uint16(request[2:])
	quantity := binary.BigEndian.Uint16(request[4:])
	b := []byte{request[0], request[1], byte(2 * quantity)}
	for i := range quantity {
		v := first + i
		if int(i) < len(values) {
			v = values[i]
		}
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return crced(b...)
}

func exception(request []byte, code byte) []byte {
	return crced(request[0], request[1]|exceptionBit, code)
}

// sent is when the last character of a request is on a 9600 line.
const sent = 8 * 10 * time.Second / 9600

func near(got, want, slack time.Duration) bool { return got >= want-slack && got <= want+slack }
