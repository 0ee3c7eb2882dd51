package modbus

import (
	"context"
	"os"
	"testing"
	"time"

	peer "github.com/goburrow/modbus"

	"pithead/drivers"
)

// An echo is a wire that answers every read at once with the same values, and
// allocates nothing.
type echo struct {
	tcp      bool
	answer   []byte
	left     []byte
	deadline time.Time
}

func (e *echo) Write(b []byte) (int, error) {
	if e.tcp {
		copy(e.answer, b[:2])
	}
	e.left = e.answer
	return len(b), nil
}

func (e *echo) Read(b []byte) (int, error) {
	if len(e.left) == 0 {
		time.Sleep(time.Until(e.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, e.left)
	e.left = e.left[n:]
	return n, nil
}

func (e *echo) SetReadDeadline(d time.Time) error  { e.deadline = d; return nil }
func (e *echo) SetWriteDeadline(d time.Time) error { return nil }
func (e *echo) Close() error                       { return nil }

// bare is goburrow's Transporter with nothing behind it.
type bare struct{ answer []byte }

func (b bare) Send(request []byte) ([]byte, error) {
	copy(b.answer, request[:2])
	return b.answer, nil
}

// Done when 7: a poll of steady values allocates what goburrow's client does, and
// no more.
func TestAPollAllocatesNothingOfItsOwn(t *testing.T) {
	const n = 60
	data := make([]byte, 2*n)
	rtu := crced(append([]byte{3, 3, 2 * n}, data...)...)
	tcp := append([]byte{0, 0, 0, 0, 0, 2*n + 3, 3, 3, 2 * n}, data...)
	for _, transport := range []Transport{RTU, TCP} {
		var points []PointConfig
		for i := range n {
			points = append(points, holding("p", uint16(i)))
		}
		c := line9600(points...)
		c.Transport, c.Baud = transport, 115200
		e := &echo{tcp: transport == TCP, answer: rtu}
		var client peer.Client
		if transport == TCP {
			e.answer = tcp
			h := peer.NewTCPClientHandler("x")
			h.SlaveId = 3
			client = peer.NewClient2(h, bare{append([]byte(nil), tcp...)})
		} else {
			h := peer.NewRTUClientHandler("x")
			h.SlaveId = 3
			client = peer.NewClient2(h, bare{append([]byte(nil), rtu...)})
		}
		b, err := open(c, func(context.Context, time.Duration) (Wire, error) { return e, nil })
		if err != nil {
			t.Fatal(err)
		}
		p := b.units[0].polls[0]
		ctx := t.Context()
		rs := make([]drivers.Reading, 0, n)
		room := func() []drivers.Reading { return rs }
		step := func() {
			if s := p.Step(ctx, room); s.Err != nil || s.More || len(s.Readings) != n {
				t.Fatal(s)
			}
		}
		step()
		ours := testing.AllocsPerRun(100, step)
		theirs := testing.AllocsPerRun(100, func() {
			if _, err := client.ReadHoldingRegisters(0, n); err != nil {
				t.Fatal(err)
			}
		})
		if ours > theirs {
			t.Errorf("transport %d: %v allocations a poll, goburrow's client makes %v", transport, ours, theirs)
		}
		t.Logf("transport %d: %v allocations a poll, goburrow's client makes %v", transport, ours, theirs)
	}
}
