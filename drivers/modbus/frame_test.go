package modbus

import (
	"encoding/binary"
	"testing"
)

func TestLook(t *testing.T) {
	read := ask{3, 3, 0, 7, 0, 1} // one holding register of unit 3
	coil := ask{3, 5, 0, 9, 0xFF, 0}
	for _, c := range []struct {
		name string
		ask  ask
		in   []byte
		last bool
		want find
		n    int
	}{
		{"nothing", read, nil, false, more, 0},
		{"nothing, ever", read, nil, true, more, 0},
		{"address only", read, []byte{3}, false, more, 0},
		{"address only, and no more", read, []byte{3}, true, noise, 1},
		{"whole", read, crced(3, 3, 2, 0, 1), false, answer, 7},
		{"whole and the next", read, append(crced(3, 3, 2, 0, 1), 4, 3), false, answer, 7},
		{"exception", read, crced(3, 0x83, 2), false, answer, 5},
		{"checksum", read, flip(crced(3, 3, 2, 0, 1), 6), false, broken, 7},
		{"longer than asked", read, crced(3, 3, 4, 0, 1, 0, 2), false, stray, 9},
		{"shorter than asked", read, crced(3, 3, 0), false, stray, 5},
		{"another unit", read, crced(4, 3, 2, 0, 1), false, stray, 7},
		{"another unit's exception", read, crced(4, 0x83, 2), false, stray, 5},
		{"no such function", read, []byte{3, 0x42, 0}, false, noise, 1},
		{"function 0x80", read, []byte{3, 0x80, 0, 0, 0}, false, noise, 1},
		{"count beyond a frame", read, []byte{4, 3, 255}, false, noise, 1},
		{"a break", read, []byte{0}, false, noise, 1},
		{"echo", coil, crced(3, 5, 0, 9, 0xFF, 0), false, answer, 8},
		{"echo of another coil", coil, crced(3, 5, 0, 8, 0xFF, 0), false, stray, 8},
		{"echo of another value", coil, crced(3, 5, 0, 9, 0, 0), false, stray, 8},
	} {
		if got, n := c.ask.look(c.in, c.last); got != c.want || n != c.n {
			t.Errorf("%s: %d, %d; want %d, %d", c.name, got, n, c.want, c.n)
		}
	}
}

func FuzzLook(f *testing.F) {
	f.Add([]byte{3, 3, 0, 7, 0, 1}, crced(3, 3, 2, 0, 1), false)
	f.Add([]byte{3, 1, 0, 7, 0, 9}, crced(3, 1, 2, 0, 1), true)
	f.Add([]byte{3, 5, 0, 9, 0xFF, 0}, crced(3, 5, 0, 9, 0xFF, 0), false)
	f.Add([]byte{3, 4, 0, 0, 0, 125}, crced(3, 0x84, 2), false)
	f.Add([]byte{3, 4, 0, 0, 0, 125}, []byte{3, 4, 250, 1}, true)
	f.Add([]byte{3, 16, 0, 0, 0, 2}, crced(3, 16, 0, 0, 0, 2), false)
	f.Fuzz(func(t *testing.T, words, in []byte, last bool) {
		var a ask
		copy(a[:], words)
		what, n := a.look(in, last)
		frame := in[:n]
		switch what {
		case more:
			if n != 0 || last && len(in) > 0 || len(in) >= maxFrame {
				t.Fatalf("waits for more with %d bytes, last %v", len(in), last)
			}
		case answer:
			exception := n == exceptionLength && frame[1] == a[1]|exceptionBit
			if frame[0] != a[0] || !sound(frame) || !exception && (frame[1] != a[1] || n != a.length()) {
				t.Fatalf("% x taken for an answer to % x", frame, a)
			}
		case stray:
			if !sound(frame) || a.begins(frame) {
				t.Fatalf("% x is a stray to % x", frame, a)
			}
		case broken:
			if sound(frame) || !a.begins(frame) {
				t.Fatalf("% x is broken to % x", frame, a)
			}
		case noise:
			if n != 1 {
				t.Fatalf("%d bytes of noise", n)
			}
		}
	})
}

// ofTCP frames a request or an answer for TCP.
func ofTCP(id uint16, unit byte, pdu ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(pdu)+1))
	return append(append(b, unit), pdu...)
}

func TestLookTCP(t *testing.T) {
	request := ofTCP(5, 1, 3, 0, 7, 0, 1)
	for _, c := range []struct {
		name  string
		in    []byte
		asked int
		want  find
	}{
		{"whole", ofTCP(5, 1, 3, 2, 0, 1), 1, answer},
		{"exception", ofTCP(5, 1, 0x83, 2), 1, answer},
		{"header only", ofTCP(5, 1, 3, 2, 0, 1)[:7], 1, more},
		{"half", ofTCP(5, 1, 3, 2, 0, 1)[:9], 1, more},
		{"older", ofTCP(4, 1, 3, 2, 0, 1), 2, stray},
		{"older and of any shape", ofTCP(3, 9, 4, 1, 1), 3, stray},
		{"older than the connection", ofTCP(3, 1, 3, 2, 0, 1), 2, noise},
		{"newer", ofTCP(6, 1, 3, 2, 0, 1), 9, noise},
		{"wrong unit", ofTCP(5, 2, 3, 2, 0, 1), 1, noise},
		{"wrong function", ofTCP(5, 1, 4, 2, 0, 1), 1, noise},
		{"exception of another function", ofTCP(5, 1, 0x84, 2), 1, noise},
		{"exception that is too long", ofTCP(5, 1, 0x83, 2, 2), 1, noise},
		{"short but well-formed", ofTCP(5, 1, 3, 0), 1, noise},
		{"long but well-formed", ofTCP(5, 1, 3, 4, 0, 1, 0, 2), 1, noise},
		{"count says more than there is", ofTCP(5, 1, 3, 4, 0, 1), 1, noise},
		{"header says more than there is", append(ofTCP(5, 1, 3, 2, 0, 1)[:5], 7, 1, 3, 2, 0, 1), 1, noise},
		{"another protocol", append([]byte{0, 5, 0, 1}, ofTCP(5, 1, 3, 2, 0, 1)[4:]...), 1, noise},
		{"no length", []byte{0, 5, 0, 0, 0, 0, 1, 3}, 1, noise},
		{"endless length", []byte{0, 5, 0, 0, 0xFF, 0xFF, 1, 3}, 1, noise},
		{"a web page", []byte("HTTP/1.1 400 Bad Request"), 1, noise},
	} {
		if got, n := lookTCP(request, c.in, c.asked); got != c.want || (got == answer || got == stray) && n != len(c.in) {
			t.Errorf("%s: %d, %d; want %d", c.name, got, n, c.want)
		}
	}
}

func TestTransactionIdsWrap(t *testing.T) {
	request := ofTCP(1, 1, 3, 0, 7, 0, 1)
	if got, _ := lookTCP(request, ofTCP(0xFFFF, 1, 3, 2, 0, 1), 100); got != stray {
		t.Errorf("an answer from before the wrap: %d", got)
	}
	if got, _ := lookTCP(request, ofTCP(0x8001, 1, 3, 2, 0, 1), 1<<20); got != noise {
		t.Errorf("half the ids away: %d", got)
	}
}

func FuzzLookTCP(f *testing.F) {
	request := ofTCP(5, 1, 3, 0, 7, 0, 1)
	f.Add(request, ofTCP(5, 1, 3, 2, 0, 1), 1)
	f.Add(request, ofTCP(4, 1, 3, 2, 0, 1), 3)
	f.Add(request, ofTCP(5, 1, 0x83, 2), 3)
	f.Add(ofTCP(9, 1, 5, 0, 9, 0xFF, 0), ofTCP(9, 1, 5, 0, 9, 0xFF, 0), 1)
	f.Add(request, []byte{0, 5, 0, 0, 0xFF, 0xFF, 1, 3}, 1)
	f.Fuzz(func(t *testing.T, request, in []byte, asked int) {
		if len(request) < 12 {
			return
		}
		what, n := lookTCP(request, in, max(asked, 1))
		if n > len(in) || n == 0 && (what == answer || what == stray) || what == more && len(in) >= mbapMax {
			t.Fatalf("%d, %d of %d", what, n, len(in))
		}
		if what == answer {
			a := askOf(request[6], request[7], request[8:12])
			if in[0] != request[0] || in[1] != request[1] || in[6] != a[0] || n != a.lengthTCP(in[7]) {
				t.Fatalf("% x taken for an answer to % x", in[:n], request)
			}
		}
	})
}
