package modbus

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

// Each story is what the slave does with one request for registers 7 and 8 of
// unit 3, and what the bus must make of it.
func TestOneExchange(t *testing.T) {
	const ms = time.Millisecond
	whole := func(r []byte) []byte { return registers(r, 0xABCD, 0x1234) }
	stories := []struct {
		name    string
		play    func(r []byte, say sayer)
		quality drivers.Quality
		code    uint8
		again   bool
		within  time.Duration // of the read
		owes    bool          // the unit is not asked the same again at once
	}{
		{name: "answers", play: func(r []byte, say sayer) { say(sent+20*ms, whole(r)) }, within: 40 * ms},
		{name: "answers at the last moment", play: func(r []byte, say sayer) { say(sent+499*ms, whole(r)) }, within: 530 * ms},
		{name: "byte by byte", play: func(r []byte, say sayer) {
			for i, b := range whole(r) {
				say(sent+20*ms+time.Duration(i)*4*ms, []byte{b})
			}
		}, within: 80 * ms},
		{name: "in two packets", play: func(r []byte, say sayer) {
			say(sent+20*ms, whole(r)[:1])
			say(sent+90*ms, whole(r)[1:])
		}, within: 120 * ms},
		{name: "begins in time and ends after the timeout", play: func(r []byte, say sayer) {
			say(sent+495*ms, whole(r)[:4])
			say(sent+510*ms, whole(r)[4:])
		}, within: 530 * ms},
		{name: "the transceiver turns around", play: func(r []byte, say sayer) { say(sent+20*ms, append([]byte{0, 0xFF}, whole(r)...)) }, within: 40 * ms},
		{name: "answers twice", play: func(r []byte, say sayer) { say(sent+20*ms, append(whole(r), whole(r)...)) }, within: 40 * ms},
		{name: "answers behind noise", play: func(r []byte, say sayer) {
			say(sent+20*ms, []byte{0x55, 0x91, 0x03, 0x77})
			say(sent+40*ms, whole(r))
		}, within: 530 * ms},
		{name: "answers behind noise that looks like a long frame", play: func(r []byte, say sayer) {
			say(sent+20*ms, append([]byte{0x55, 0x03, 0xC0}, whole(r)...))
		}, within: 530 * ms},
		{name: "answers behind another unit", play: func(r []byte, say sayer) {
			say(sent+20*ms, append(crced(9, 3, 4, 1, 1, 1, 1), whole(r)...))
		}, within: 40 * ms},

		{name: "silent", play: func([]byte, sayer) {}, quality: drivers.Comm, within: 530 * ms, owes: true},
		{name: "answers too late", play: func(r []byte, say sayer) { say(sent+501*ms, whole(r)) }, quality: drivers.Comm, within: 530 * ms, owes: true},
		{name: "another unit answers", play: func(r []byte, say sayer) { say(sent+20*ms, crced(4, 3, 4, 0, 1, 0, 2)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "another function", play: func(r []byte, say sayer) { say(sent+20*ms, crced(3, 4, 4, 0, 1, 0, 2)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "short but well-formed", play: func(r []byte, say sayer) { say(sent+20*ms, crced(3, 3, 2, 0, 1)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "long but well-formed", play: func(r []byte, say sayer) { say(sent+20*ms, crced(3, 3, 6, 0, 1, 0, 2, 0, 3)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "right checksum, count says more than there is", play: func(r []byte, say sayer) { say(sent+20*ms, crced(3, 3, 4, 0, 1)) }, quality: drivers.Protocol, within: 160 * ms},
		{name: "right checksum, count says less than there is", play: func(r []byte, say sayer) { say(sent+20*ms, crced(3, 3, 4, 0, 1, 0, 2, 0, 3)) }, quality: drivers.Protocol, again: true, within: 40 * ms},
		{name: "empty answer", play: func(r []byte, say sayer) { say(sent+20*ms, crced(3, 3, 0)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "breaks off", play: func(r []byte, say sayer) { say(sent+20*ms, whole(r)[:6]) }, quality: drivers.Protocol, within: 160 * ms},
		{name: "breaks off after its address", play: func(r []byte, say sayer) { say(sent+20*ms, whole(r)[:1]) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "bad checksum", play: func(r []byte, say sayer) { say(sent+20*ms, flip(whole(r), 8)) }, quality: drivers.Protocol, again: true, within: 40 * ms},
		{name: "a bit of the value flips", play: func(r []byte, say sayer) { say(sent+20*ms, flip(whole(r), 4)) }, quality: drivers.Protocol, again: true, within: 40 * ms},
		{name: "a bit of the address flips", play: func(r []byte, say sayer) { say(sent+20*ms, flip(whole(r), 0)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "a bit of the function flips", play: func(r []byte, say sayer) { say(sent+20*ms, flip(whole(r), 1)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "noise, then what looks like a bad answer", play: func(r []byte, say sayer) {
			say(sent+20*ms, append([]byte{0x55, 0x42}, flip(whole(r), 5)...))
		}, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "only noise", play: func(r []byte, say sayer) { say(sent+20*ms, bytes.Repeat([]byte{0x5A}, 40)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "noise without end", play: func(r []byte, say sayer) {
			for i := range 2000 {
				say(sent+time.Duration(i)*ms, []byte{byte(i * 37), byte(i * 91)})
			}
		}, quality: drivers.Protocol, within: 700 * ms, owes: true},
		{name: "its own address without end", play: func(r []byte, say sayer) {
			for i := range 2000 {
				say(sent+time.Duration(i)*ms, []byte{3})
			}
		}, quality: drivers.Protocol, within: 700 * ms, owes: true},

		{name: "illegal function", play: func(r []byte, say sayer) { say(sent+20*ms, exception(r, 1)) }, quality: drivers.Exception, code: 1, within: 40 * ms},
		{name: "a code nobody knows", play: func(r []byte, say sayer) { say(sent+20*ms, exception(r, 0x77)) }, quality: drivers.Exception, code: 0x77, within: 40 * ms},
		{name: "busy", play: func(r []byte, say sayer) { say(sent+20*ms, exception(r, 6)) }, quality: drivers.Exception, code: 6, within: 40 * ms},
		{name: "acknowledge", play: func(r []byte, say sayer) { say(sent+20*ms, exception(r, 5)) }, quality: drivers.Exception, code: 5, within: 40 * ms},
		{name: "exception of another function", play: func(r []byte, say sayer) { say(sent+20*ms, crced(3, 0x84, 2)) }, quality: drivers.Protocol, within: 530 * ms, owes: true},
		{name: "exception with a bad checksum", play: func(r []byte, say sayer) { say(sent+20*ms, flip(exception(r, 2), 2)) }, quality: drivers.Protocol, again: true, within: 40 * ms},
	}
	for _, st := range stories {
		t.Run(st.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStand(t, line9600(wide("p", 7)), func(i int, r []byte, say sayer) {
					if i == 0 {
						st.play(r, say)
					}
				})
				start := time.Now()
				rs, err := s.read(0)
				took := time.Since(start)
				if took > st.within {
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
				checkOwes(t, s, st.owes)
			})
		})
	}
}

// checkOwes asks once more: a unit that owes an answer must not be sent anything.
func checkOwes(t *testing.T, s *stand, owes bool) {
	t.Helper()
	before := len(s.asked)
	_, err := s.read(0)
	asked := len(s.asked) > before
	if asked == owes {
		t.Errorf("asked again: %v, owes: %v", asked, owes)
	}
	if held := err != nil && !drivers.FaultOf(err).Until.IsZero(); held != owes {
		t.Errorf("held: %v, owes: %v: %v", held, owes, err)
	}
}

func flip(b []byte, i int) []byte {
	b[i] ^= 0x10
	return b
}

func TestNothingIsPublishedAfterAHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stand
		s = newStand(t, line9600(wide("p", 7)), func(i int, r []byte, say sayer) {
			say(sent+20*time.Millisecond, registers(r)[:5])
			s.tape.drop(sent + 30*time.Millisecond)
		})
		start := time.Now()
		rs, err := s.read(0)
		if rs[0].Quality != drivers.Comm || err == nil {
			t.Errorf("%v, %v", rs[0].Quality, err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("took %v to notice", took)
		}
	})
}

func TestALineThatNeverFallsSilentIsNotTalkedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, line9600(wide("p", 7)), func(i int, r []byte, say sayer) {
			say(sent, registers(r))
			for i := range 5000 {
				say(sent+20*time.Millisecond+time.Duration(i)*time.Millisecond, []byte{0x5A})
			}
		})
		s.read(0)
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		rs, err := s.read(0)
		if rs[0].Quality != drivers.Protocol || !errors.Is(err, errTalks) || len(s.asked) != 1 {
			t.Errorf("%v, %v, %d requests", rs[0].Quality, err, len(s.asked))
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestALineThatIsNotThereIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, line9600(holding("p", 7)), func(i int, r []byte, say sayer) { say(sent, registers(r)) })
		s.away = true
		for range 3 {
			if rs, err := s.read(0); rs[0].Quality != drivers.Comm || err == nil {
				t.Errorf("%v, %v", rs[0].Quality, err)
			}
		}
		s.away = false
		if rs, err := s.read(0); rs[0].Quality != drivers.Good {
			t.Errorf("%v, %v", rs[0].Quality, err)
		}
	})
}

// goburrow's transport sleeps for 750 µs a character above 19200 baud: 199 ms
// for 125 registers at 115200, where the wire needs 23.
func TestAnAnswerIsTakenAsSoonAsItIsWhole(t *testing.T) {
	for _, c := range []struct {
		baud     int
		quantity int
	}{{9600, 1}, {9600, 125}, {19200, 60}, {115200, 125}, {115200, 1}} {
		synctest.Test(t, func(t *testing.T) {
			config := line9600()
			config.Baud = c.baud
			u := &config.Units[0]
			for i := range c.quantity {
				u.Points = append(u.Points, holding(string(rune('a'+i)), uint16(i)))
			}
			pace := paceOf(config)
			s := newStand(t, config, func(i int, r []byte, say sayer) {
				at := pace.wire(8) + pace.silence // a slave that takes no time at all
				for i, b := range registers(r) {
					say(at+pace.wire(i+1), []byte{b})
				}
			})
			s.read(0)
			start := time.Now()
			const rounds = 20
			for range rounds {
				if rs, err := s.read(0); err != nil || rs[0].Quality != drivers.Good {
					t.Fatal(rs[0].Quality, err)
				}
			}
			pure, _ := WireTime(config, Plan(config)[0])
			if took := time.Since(start); took > rounds*pure*100/95 || took < rounds*pure*99/100 {
				t.Errorf("%d baud, %d registers: %v a request, the wire needs %v", c.baud, c.quantity, took/rounds, pure)
			}
		})
	}
}

// exactTape is a tape that can wait exactly, as a tty can.
type exactTape struct {
	*tape
	waits []time.Duration
	late  time.Duration // how much later than asked for it comes back with bytes
}

func (t *exactTape) await(until time.Time) (some bool, err error) {
	t.waits = append(t.waits, time.Until(until))
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case t.rest = <-t.in:
		time.Sleep(t.late)
		return true, nil
	case <-timer.C:
		return false, nil
	}
}

// The last two milliseconds of a silence are waited for exactly; what comes within
// them is discarded, also by a machine that is late.
func TestTheEndOfASilenceIsWaitedForExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &exactTape{tape: newTape(func([]byte, sayer) {}), late: 5 * time.Millisecond}
		l := newRTULine(Config{Baud: 9600}, nil)
		l.wire, l.busy = w, time.Now()
		began := time.Now()
		if err := l.quiet(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != l.pace.between || len(w.waits) != 1 || w.waits[0] != coarse {
			t.Errorf("quiet for %v of %v, exactly for %v", took, l.pace.between, w.waits)
		}
		w.say(l.pace.between-time.Millisecond, []byte{1, 2, 3})
		l.busy = time.Now()
		if err := l.quiet(); err != nil {
			t.Fatal(err)
		}
		if len(w.rest) > 0 || time.Since(l.busy) != l.pace.between {
			t.Errorf("%d bytes are left; quiet for %v since the last", len(w.rest), time.Since(l.busy))
		}
	})
}

// So does a bus, which notes the frames on its wire.
func TestABusWaitsAsExactlyAsItsWireCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &exactTape{tape: newTape(func(r []byte, say sayer) { say(sent, registers(r)) })}
		b, err := open(line9600(holding("a", 0)), func(context.Context, time.Duration) (Wire, error) { return w, nil })
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context()); err != nil || rs[0].Quality != drivers.Good {
				t.Fatal(rs, err)
			}
		}
		if len(w.waits) != 2 {
			t.Errorf("of two silences it waited for %d exactly", len(w.waits))
		}
	})
}
