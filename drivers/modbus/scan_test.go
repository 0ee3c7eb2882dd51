package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// rtu is a frame of RTU.
func rtuFrame(unit byte, pdu ...byte) []byte {
	b := append([]byte{unit}, pdu...)
	return binary.LittleEndian.AppendUint16(b, checksum(b))
}

// shelf is a line with units of all sorts.
func shelf(request []byte, say sayer) {
	unit, function := request[0], request[1]
	answer := func(after time.Duration, pdu ...byte) { say(after, rtuFrame(unit, pdu...)) }
	switch unit {
	case 3: // knows every question
		switch function {
		case 3:
			answer(20*time.Millisecond, 3, 2, 0x12, 0x34)
		case 43:
			answer(20*time.Millisecond, append([]byte{43, 14, 1, 1, 0, 0, 3, 0, 4, 'A', 'c', 'm', 'e', 1, 2, 'L', '7', 2}, "\x031.2"...)...)
		case 17:
			answer(20*time.Millisecond, append([]byte{17, 6, 0x11, 0xFF}, "L7-A"...)...)
		}
	case 4: // refuses all
		answer(20*time.Millisecond, function|0x80, 1)
	case 5: // knows registers only
		if function == 3 {
			answer(20*time.Millisecond, 0x83, 2)
		}
	case 6: // answers after others have been asked
		if function == 3 {
			answer(450*time.Millisecond, 3, 2, 0, 0)
		}
	case 7: // at another speed
		say(20*time.Millisecond, []byte{0xE6, 0x98, 0x66, 0x9E})
	case 8: // a gateway says that it is not there
		answer(20*time.Millisecond, function|0x80, 11)
	}
}

// show is a sweep in one line.
func show(t *testing.T, c Config, units []byte, known map[byte]bool, play func([]byte, sayer)) string {
	t.Helper()
	var out []string
	s := NewScanner(c)
	s.open = func(context.Context, time.Duration) (Wire, error) { return newTape(play), nil }
	defer s.Close()
	w := NewSweep(units, 200*time.Millisecond, known)
	for more := true; more; {
		var f *Found
		var err error
		if f, more, err = w.Step(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if f != nil {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%d:%s %s %s %s x%d", f.Unit, f.Vendor, f.Product, f.Revision, f.Report, f.Exception)))
		}
	}
	if s.Noise {
		out = append(out, "noise")
	}
	return strings.Join(out, ", ")
}

func TestASweepFindsWhoIsThere(t *testing.T) {
	for _, c := range []struct {
		story string
		units []byte
		known map[byte]bool
		want  string
	}{
		{"who knows all, refuses all, knows registers only", []byte{1, 2, 3, 4, 5}, nil, "3:Acme L7 1.2 L7-A x0, 4:    x1, 5:    x2"},
		{"a slow one is asked again", []byte{6, 1, 2, 4}, nil, "4:    x1, 6:    x0"},
		{"a slow one at the end", []byte{1, 6}, nil, "6:    x0"},
		{"another speed", []byte{7, 1}, nil, "noise"},
		{"a gateway's word is no sign of life", []byte{8}, nil, ""},
		{"who is polled is asked for no register", []byte{3}, map[byte]bool{3: true}, "3:Acme L7 1.2 L7-A x0"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				got := show(t, line9600(), c.units, c.known, func(r []byte, say sayer) {
					if c.known[r[0]] && r[1] == 3 {
						t.Error("a unit that is polled was asked for a register")
					}
					if r[1] != 3 && r[1] != 17 && r[1] != 43 {
						t.Errorf("asked function %d", r[1])
					}
					asked++
					shelf(r, say)
				})
				if got != c.want {
					t.Errorf("got %q, want %q (%d questions)", got, c.want, asked)
				}
			})
		})
	}
}

func TestASweepOverTCPAndASCII(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tcp := line9600()
		tcp.Transport = TCP
		got := show(t, tcp, []byte{1, 3, 4, 8}, nil, func(r []byte, say sayer) {
			shelf(r[6:], func(after time.Duration, frame []byte) {
				b := append([]byte{r[0], r[1], 0, 0, 0, byte(len(frame) - 2)}, frame[:len(frame)-2]...)
				say(after, b)
			})
		})
		if want := "3:Acme L7 1.2 L7-A x0, 4:    x1"; got != want {
			t.Errorf("TCP: got %q, want %q", got, want)
		}
		ascii := line9600()
		ascii.ASCII = true
		code := framingOf(ascii)
		got = show(t, ascii, []byte{1, 3, 4}, nil, func(r []byte, say sayer) {
			_, _, frame := new(asciiFraming).look(ask{}, r, true)
			shelf(append([]byte{}, frame...), func(after time.Duration, frame []byte) { say(after, code.encode(nil, frame)) })
		})
		if want := "3:Acme L7 1.2 L7-A x0, 4:    x1"; got != want {
			t.Errorf("ASCII: got %q, want %q", got, want)
		}
	})
}

// A sweep goes on between the polls of a bus, and disturbs none of them.
func TestASweepBetweenPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := line9600(holding("p", 7))
		s := newStand(t, c, func(i int, r []byte, say sayer) {
			if r[0] == c.Units[0].Unit && r[1] == 3 {
				say(20*time.Millisecond, rtuFrame(r[0], 3, 2, 0, 42))
				return
			}
			shelf(r, say)
		})
		defer s.Close()
		w := NewSweep([]byte{6, 1, 2, 4}, 200*time.Millisecond, map[byte]bool{c.Units[0].Unit: true})
		var found []byte
		for more := true; more; {
			f, goes, err := s.Bus.Sweep(t.Context(), w)
			if err != nil {
				t.Fatal(err)
			}
			if more = goes; f != nil {
				found = append(found, f.Unit)
			}
			rs, err := s.read(0)
			if err != nil || rs[0].Value.Float() != 42 {
				t.Fatalf("a poll within the sweep: %v, %v", rs, err)
			}
		}
		if len(found) != 1 || found[0] != 4 { // the polls dropped what 6 said late
			t.Errorf("found %v", found)
		}
	})
}

func TestASweepOnALineThatIsNotThere(t *testing.T) {
	s := NewScanner(line9600())
	s.open = func(context.Context, time.Duration) (Wire, error) { return nil, errors.New("not there") }
	if _, _, err := NewSweep([]byte{1}, time.Second, nil).Step(t.Context(), s); err == nil {
		t.Error("no error")
	}
	tape := newTape(func(request []byte, say sayer) {})
	tape.Close()
	s.open = func(context.Context, time.Duration) (Wire, error) { return tape, nil }
	if _, _, err := NewSweep([]byte{1}, time.Second, nil).Step(t.Context(), s); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

// Whatever answers a scan, nothing is read beyond it.
func FuzzScanned(f *testing.F) {
	f.Add(rtuFrame(3, append([]byte{43, 14, 1, 1, 0, 0, 3, 0, 4, 'A', 'c', 'm', 'e', 1, 2, 'L', '7', 2}, "\x031.2"...)...), byte(0))
	f.Add(rtuFrame(3, 17, 6, 0x11, 0xFF, 'a', 'b', 'c', 'd'), byte(0))
	f.Add([]byte{0, 1, 0, 0, 0, 3, 3, 0x83, 2}, byte(1))
	f.Add([]byte(":0311EC\r\n"), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, kind byte) {
		c := line9600()
		switch kind % 3 {
		case 1:
			c.Transport = TCP
		case 2:
			c.ASCII = true
		}
		s := NewScanner(c)
		s.id = 1
		for _, q := range questions {
			pdu, rest := s.sift(append([]byte(nil), b...), 3, q[0])
			if len(rest) > len(b) {
				t.Fatal("more is left than came")
			}
			if len(pdu) > 0 {
				(&Found{}).note(pdu)
			}
		}
	})
}
