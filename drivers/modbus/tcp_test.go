package modbus

import (
	"bytes"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

func overTCP(points ...PointConfig) Config {
	c := line9600(points...)
	c.Transport, c.Address, c.Timeout = TCP, "plc:502", time.Second
	return c
}

// registersTCP answers a request to read registers as registers does.
func registersTCP(r []byte, values ...uint16) []byte {
	rtu := registers(append([]byte{r[6]}, r[7:]...), values...)
	return ofTCP(binary.BigEndian.Uint16(r), r[6], rtu[1:len(rtu)-2]...)
}

func TestOneExchangeOverTCP(t *testing.T) {
	const ms = time.Millisecond
	whole := func(r []byte) []byte { return registersTCP(r, 0xABCD, 0x1234) }
	stories := []struct {
		name    string
		play    func(r []byte, say sayer)
		quality drivers.Quality
		code    uint8
		again   bool
		within  time.Duration
		closes  bool // the next request needs a new connection
	}{
		{name: "answers", play: func(r []byte, say sayer) { say(20*ms, whole(r)) }, within: 20 * ms},
		{name: "answers at the last moment", play: func(r []byte, say sayer) { say(999*ms, whole(r)) }, within: 999 * ms},
		{name: "byte by byte", play: func(r []byte, say sayer) {
			for i, b := range whole(r) {
				say(20*ms+time.Duration(i)*10*ms, []byte{b})
			}
		}, within: 200 * ms},
		{name: "answers twice", play: func(r []byte, say sayer) { say(20*ms, append(whole(r), whole(r)...)) }, within: 20 * ms},
		{name: "exception", play: func(r []byte, say sayer) { say(20*ms, ofTCP(binary.BigEndian.Uint16(r), 3, 0x83, 4)) }, quality: drivers.Exception, code: 4, within: 20 * ms},
		{name: "busy", play: func(r []byte, say sayer) { say(20*ms, ofTCP(binary.BigEndian.Uint16(r), 3, 0x83, 6)) }, quality: drivers.Exception, code: 6, within: 20 * ms},

		{name: "silent", play: func([]byte, sayer) {}, quality: drivers.Comm, within: time.Second},
		{name: "too late", play: func(r []byte, say sayer) { say(1001*ms, whole(r)) }, quality: drivers.Comm, within: time.Second},
		{name: "another transaction", play: func(r []byte, say sayer) { say(20*ms, flip(whole(r), 0)) }, quality: drivers.Protocol, within: 20 * ms, closes: true},
		{name: "another protocol", play: func(r []byte, say sayer) { say(20*ms, flip(whole(r), 3)) }, quality: drivers.Protocol, within: 20 * ms, closes: true},
		{name: "another unit", play: func(r []byte, say sayer) { say(20*ms, flip(whole(r), 6)) }, quality: drivers.Protocol, within: 20 * ms, closes: true},
		{name: "another function", play: func(r []byte, say sayer) { say(20*ms, flip(whole(r), 7)) }, quality: drivers.Protocol, within: 20 * ms, closes: true},
		{name: "another count", play: func(r []byte, say sayer) { say(20*ms, flip(whole(r), 8)) }, quality: drivers.Protocol, within: 20 * ms, closes: true},
		{name: "short but well-formed", play: func(r []byte, say sayer) { say(20*ms, ofTCP(binary.BigEndian.Uint16(r), 3, 3, 2, 0, 1)) }, quality: drivers.Protocol, within: 20 * ms, closes: true},
		{name: "exception of another function", play: func(r []byte, say sayer) { say(20*ms, ofTCP(binary.BigEndian.Uint16(r), 3, 0x84, 2)) }, quality: drivers.Protocol, within: 20 * ms, closes: true},
		{name: "breaks off", play: func(r []byte, say sayer) { say(20*ms, whole(r)[:10]) }, quality: drivers.Protocol, within: time.Second, closes: true},
		{name: "garbage without end", play: func(r []byte, say sayer) {
			for i := range 3000 {
				say(time.Duration(i)*ms, bytes.Repeat([]byte{byte(i)}, 100))
			}
		}, quality: drivers.Protocol, within: 20 * ms, closes: true},
	}
	for _, st := range stories {
		t.Run(st.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStand(t, overTCP(wide("p", 7)), func(i int, r []byte, say sayer) {
					if i == 0 {
						st.play(r, say)
					} else {
						say(20*time.Millisecond, registersTCP(r))
					}
				})
				start := time.Now()
				rs, err := s.read(0)
				if took := time.Since(start); took > st.within {
					t.Errorf("took %v, want at most %v", took, st.within)
				}
				r := rs[0]
				if r.Quality != st.quality || r.Code != st.code {
					t.Fatalf("%v code %d, want %v code %d (%v)", r.Quality, r.Code, st.quality, st.code, err)
				}
				if st.quality == drivers.Good && r.Value != drivers.NumberValue(0xABCD1234) {
					t.Errorf("value %v", r.Value)
				}
				if again := err != nil && drivers.FaultOf(err).Again; again != st.again {
					t.Errorf("again is %v, want %v: %v", again, st.again, err)
				}
				if rs, err := s.read(0); rs[0].Value != drivers.NumberValue(7<<16|8) {
					t.Errorf("the next request: %v %v, %v", rs[0].Quality, rs[0].Value, err)
				}
				if closed := s.opens > 1; closed != st.closes {
					t.Errorf("a new connection: %v, want %v", closed, st.closes)
				}
			})
		})
	}
}

// goburrow leaves the late answer in the socket: each answer after it is taken
// for the next request's.
func TestLateAnswersShiftNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, overTCP(holding("a", 0), holding("b", 10)), func(i int, r []byte, say sayer) {
			after := 20 * time.Millisecond
			if i == 0 {
				after = 1500 * time.Millisecond
			}
			say(after, registersTCP(r))
		})
		s.read(0)
		for range 40 {
			for poll, want := range []float64{0, 10} {
				if rs, err := s.read(poll); rs[0].Value != drivers.NumberValue(want) {
					t.Fatalf("register %v reads %v %v, %v", want, rs[0].Quality, rs[0].Value, err)
				}
			}
			time.Sleep(11 * time.Millisecond)
		}
		if s.opens != 1 {
			t.Errorf("%d connections", s.opens)
		}
	})
}

func TestAFloodOfOldAnswersEndsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, overTCP(holding("a", 0)), func(i int, r []byte, say sayer) {
			if i == 0 {
				say(0, registersTCP(r))
				return
			}
			old := registersTCP(append([]byte{0, 1}, r[2:]...))
			for i := range 5000 {
				say(time.Duration(i)*time.Millisecond, old)
			}
		})
		s.read(0)
		start := time.Now()
		if rs, _ := s.read(0); rs[0].Quality != drivers.Comm {
			t.Error(rs[0].Quality)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// goburrow finds a closed connection by failing the next request.
func TestAConnectionThatWasClosedIsOpenedForTheRequest(t *testing.T) {
	for _, transport := range []Transport{TCP, RTUOverTCP, RTU} {
		synctest.Test(t, func(t *testing.T) {
			c := overTCP(holding("a", 0))
			c.Transport = transport
			s := newStand(t, c, func(_ int, r []byte, say sayer) {
				if transport == TCP {
					say(20*time.Millisecond, registersTCP(r))
				} else {
					say(20*time.Millisecond, registers(r))
				}
			})
			s.read(0)
			s.tape.Close()
			if rs, err := s.read(0); rs[0].Quality != drivers.Good || s.opens != 2 {
				t.Errorf("transport %d: %v, %v, %d connections", transport, rs[0].Quality, err, s.opens)
			}
		})
	}
}

func TestAServerThatClosesAtOnceIsNotTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stand
		s = newStand(t, overTCP(holding("a", 0)), func(int, []byte, sayer) { s.tape.drop(0) })
		for i := range 3 {
			if rs, err := s.read(0); rs[0].Quality != drivers.Comm || err == nil || s.opens != i+1 {
				t.Errorf("%v, %v, %d connections", rs[0].Quality, err, s.opens)
			}
		}
	})
}

// A peer that went without a word never closes: after two silent requests the
// connection is not trusted any more.
func TestAHalfOpenConnectionIsGivenUp(t *testing.T) {
	for _, transport := range []Transport{TCP, RTUOverTCP} {
		synctest.Test(t, func(t *testing.T) {
			c := overTCP(holding("a", 0))
			c.Transport, c.Units[0].Late = transport, time.Millisecond
			gone := false
			s := newStand(t, c, func(_ int, r []byte, say sayer) {
				switch {
				case gone:
				case transport == TCP:
					say(20*time.Millisecond, registersTCP(r))
				default:
					say(20*time.Millisecond, registers(r))
				}
			})
			s.read(0)
			gone = true
			for range 2 {
				s.read(0)
				time.Sleep(time.Second)
			}
			gone = false
			if rs, err := s.read(0); rs[0].Quality != drivers.Good || s.opens != 2 {
				t.Errorf("transport %d: %v, %v, %d connections", transport, rs[0].Quality, err, s.opens)
			}
		})
	}
}

func TestASerialServersGarbageClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := line9600(holding("a", 0))
		c.Transport = RTUOverTCP
		s := newStand(t, c, func(i int, r []byte, say sayer) {
			if i == 0 {
				say(20*time.Millisecond, []byte("login: "))
				return
			}
			say(20*time.Millisecond, registers(r))
		})
		if rs, err := s.read(0); rs[0].Quality != drivers.Protocol {
			t.Errorf("%v, %v", rs[0].Quality, err)
		}
		if _, err := s.read(0); drivers.FaultOf(err).Until.IsZero() {
			t.Error("the serial server may hand on the answer to whoever is connected")
		}
		time.Sleep(3 * time.Second)
		if rs, err := s.read(0); rs[0].Quality != drivers.Good || s.opens != 2 {
			t.Errorf("%v, %v, %d connections", rs[0].Quality, err, s.opens)
		}
	})
}

// A serial server that lost one connection may hand the answer to the next.
func TestALostConnectionLeavesDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stand
		c := line9600(holding("a", 0), holding("b", 10))
		c.Transport = RTUOverTCP
		s = newStand(t, c, func(i int, r []byte, say sayer) {
			if i == 0 {
				s.tape.drop(20 * time.Millisecond)
			}
		})
		s.read(0)
		if _, err := s.read(1); drivers.FaultOf(err).Until.IsZero() {
			t.Errorf("asked: %v", err)
		}
	})
}

// A server that sends the answer before again and again, so that what came always
// ends within a frame, holds nobody up.
func TestOldAnswersWithoutEndEndTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var old []byte
		s := newStand(t, overTCP(wide("p", 7)), func(i int, r []byte, say sayer) {
			answer := registersTCP(r)
			if i != 1 {
				old = answer
				say(sent, answer)
				return
			}
			half := len(old) / 2
			say(sent, old[:half])
			for k := range 6000 {
				say(time.Duration(k+1)*10*time.Millisecond, append(bytes.Clone(old[half:]), old[:half]...))
			}
		})
		s.read(0)
		began := time.Now()
		rs, err := s.read(0)
		if took := time.Since(began); took > time.Second+slackNetwork || rs[0].Quality == drivers.Good {
			t.Errorf("%v, %v after %v", rs[0].Quality, err, took)
		}
		if rs, err := s.read(0); rs[0].Quality != drivers.Good || s.opens != 2 {
			t.Errorf("then %v, %v; opened %d times", rs[0].Quality, err, s.opens)
		}
	})
}
