package modbus

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

// asciied is the frame, given with its CRC, as ASCII.
func asciied(frame []byte) []byte { return (&asciiFraming{}).encode(nil, frame) }

// overASCII is line9600 in ASCII, seven bits and even parity, as the standard
// has it by default.
func overASCII(points ...PointConfig) Config {
	c := line9600(points...)
	c.ASCII, c.DataBits, c.Parity = true, 7, 'E'
	return c
}

// The example of MODBUS over Serial Line V1.02, 2.5.2.1, has no figures; this is
// the one that vendors print: unit 1, holding registers 0x6B, three of them.
func TestASCIIOnTheWire(t *testing.T) {
	f := &asciiFraming{}
	if got := string(f.encode(nil, crced(1, 3, 0, 0x6B, 0, 3))); got != ":0103006B00038E\r\n" {
		t.Errorf("%q", got)
	}
	if f.chars(8) != len(":0103006B00038E\r\n") {
		t.Errorf("%d characters", f.chars(8))
	}
}

func TestOneExchangeInASCII(t *testing.T) {
	const ms = time.Millisecond
	whole := func(r []byte) string { return string(asciied(registers(r, 0xABCD, 0x1234))) }
	for _, st := range []struct {
		name    string
		play    func(r []byte, say func(time.Duration, string))
		quality drivers.Quality
		code    uint8
		within  time.Duration
	}{
		{name: "answers", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, whole(r)) }, within: 50 * ms},
		{name: "in small letters", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, strings.ToLower(whole(r))) }, within: 50 * ms},
		{name: "letter by letter", play: func(r []byte, say func(time.Duration, string)) {
			for i, c := range whole(r) {
				say(20*ms+time.Duration(i)*5*ms, string(c))
			}
		}, within: 180 * ms},
		{name: "behind an old line's end", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, "\r\n"+whole(r)) }, within: 50 * ms},
		{name: "begins anew", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, ":0303"+whole(r)) }, within: 50 * ms},
		{name: "behind noise", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, "hello:03:x"+whole(r)) }, within: 50 * ms},
		{name: "behind another unit's", play: func(r []byte, say func(time.Duration, string)) {
			say(20*ms, string(asciied(crced(9, 3, 2, 0, 1)))+whole(r))
		}, within: 60 * ms},
		{name: "exception", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, string(asciied(exception(r, 2)))) }, quality: drivers.Exception, code: 2, within: 50 * ms},

		{name: "silent", play: func([]byte, func(time.Duration, string)) {}, quality: drivers.Comm, within: 550 * ms},
		{name: "a digit flipped", play: func(r []byte, say func(time.Duration, string)) {
			say(20*ms, strings.Replace(whole(r), "ABCD", "ABCE", 1))
		}, quality: drivers.Protocol, within: 50 * ms},
		{name: "no digit", play: func(r []byte, say func(time.Duration, string)) {
			say(20*ms, strings.Replace(whole(r), "ABCD", "AGCD", 1))
		}, quality: drivers.Protocol, within: 550 * ms},
		{name: "a digit too few", play: func(r []byte, say func(time.Duration, string)) {
			say(20*ms, strings.Replace(whole(r), "ABCD", "ABC", 1))
		}, quality: drivers.Protocol, within: 550 * ms},
		{name: "right checksum, wrong length", play: func(r []byte, say func(time.Duration, string)) {
			say(20*ms, string(asciied(crced(3, 3, 4, 0, 1))))
		}, quality: drivers.Protocol, within: 550 * ms},
		{name: "right checksum, short", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, string(asciied(crced(3, 3, 2, 0, 1)))) }, quality: drivers.Protocol, within: 550 * ms},
		{name: "breaks off", play: func(r []byte, say func(time.Duration, string)) { say(20*ms, whole(r)[:9]) }, quality: drivers.Protocol, within: 200 * ms},
		{name: "never ends", play: func(r []byte, say func(time.Duration, string)) {
			say(20*ms, ":0303"+strings.Repeat("00", 600))
		}, quality: drivers.Protocol, within: 550 * ms},
	} {
		t.Run(st.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStand(t, overASCII(wide("p", 7)), func(i int, r []byte, say sayer) {
					if i > 0 {
						return
					}
					f := &asciiFraming{}
					what, n, frame := f.look(askOf(3, 3, []byte{0, 7, 0, 2}), r, true)
					if what != stray && what != more && n != len(r) {
						t.Errorf("the request is %v", what)
					}
					b, err := hex.DecodeString(string(r[1 : len(r)-2]))
					if err != nil || !bytes.Equal(b[:6], []byte{3, 3, 0, 7, 0, 2}) {
						t.Errorf("asked %q (% x): %v", r, frame, err)
					}
					st.play(crced(b[:6]...), func(after time.Duration, text string) { say(sentASCII+after, []byte(text)) })
				})
				start := time.Now()
				rs, err := s.read(0)
				if took := time.Since(start); took > st.within {
					t.Errorf("took %v, want at most %v", took, st.within)
				}
				if r := rs[0]; r.Quality != st.quality || r.Code != st.code {
					t.Fatalf("%v code %d (%v)", r.Quality, r.Code, err)
				}
				if st.quality == drivers.Good && rs[0].Value != drivers.NumberValue(0xABCD1234) {
					t.Errorf("value %v", rs[0].Value)
				}
			})
		})
	}
}

// sentASCII is when the last character of a request is on the line.
const sentASCII = 17 * 10 * time.Second / 9600

// Whatever comes, what is taken for an answer is one: its digits, decoded, are
// the answer's with the right LRC and the length that was asked for.
func FuzzLookASCII(f *testing.F) {
	f.Add([]byte(":0303040001000 2F3\r\n"), uint8(3), uint8(3), uint16(7), uint16(2), false)
	f.Add(asciied(crced(3, 3, 4, 0, 1, 0, 2)), uint8(3), uint8(3), uint16(7), uint16(2), true)
	f.Add(asciied(crced(3, 0x83, 2)), uint8(3), uint8(3), uint16(7), uint16(2), false)
	f.Add([]byte("\r\n:03:0303"), uint8(3), uint8(3), uint16(7), uint16(2), false)
	f.Fuzz(func(t *testing.T, b []byte, unit, function uint8, address, quantity uint16, last bool) {
		a := askOf(unit, function, []byte{byte(address >> 8), byte(address), byte(quantity >> 8), byte(quantity)})
		framing := &asciiFraming{}
		framing.front(b)
		for at := 0; at < len(b); {
			what, n, frame := framing.look(a, b[at:], last)
			if what == more {
				if last {
					t.Fatalf("more of %q, though nothing comes", b[at:])
				}
				return
			}
			if n <= 0 || at+n > len(b) {
				t.Fatalf("%v of %d characters in %q", what, n, b[at:])
			}
			if what == answer {
				digits := b[at+1 : at+n-2]
				raw, err := hex.DecodeString(string(digits))
				var sum byte
				for _, c := range raw {
					sum += c
				}
				if err != nil || sum != 0 || !bytes.Equal(raw[:len(raw)-1], frame[:len(frame)-2]) || !sound(frame) || frame[0] != unit {
					t.Fatalf("%q is no answer (%v)", b[at:at+n], err)
				}
				if frame[1] == function && a.reads() && len(frame) != a.length() {
					t.Fatalf("%d bytes answer %v", len(frame), a)
				}
			}
			at += n
		}
	})
}

func TestRequestsSurviveASCII(t *testing.T) {
	for n := 1; n <= 125; n++ {
		r := crced(1, 3, 0, 0, 0, byte(n))
		answer := registers(r)
		f := &asciiFraming{}
		what, _, frame := f.look(askOf(1, 3, r[2:6]), asciied(answer), false)
		if fmt.Sprint(what) != fmt.Sprint(find(1)) || !bytes.Equal(frame, answer) {
			t.Fatalf("%d registers: %v", n, what)
		}
	}
}
