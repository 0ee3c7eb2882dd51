package modbus

import (
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

// twoShapes is a line whose unit 3 has two blocks of one length, one of
// another, and one of another function; unit 4 has one block.
func twoShapes() Config {
	far := func(id string, address uint16) PointConfig { return holding(id, address) }
	in := holding("input", 0)
	in.Table = Input
	c := line9600(far("a", 0), far("b", 10), wide("long", 20), in)
	c.Units = append(c.Units, UnitConfig{ID: "u4", Unit: 4, Every: time.Second, Points: []PointConfig{holding("other", 0)}})
	return c
}

const (
	pollA = iota
	pollB
	pollLong
	pollInput
)

func TestALateAnswerIsNotTakenForAnotherRegister(t *testing.T) {
	// The answer to the request for a comes so long after its timeout.
	for _, late := range []time.Duration{1, 10, 100, 480, 700, 1500, 2900} {
		late *= time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			s := newStand(t, twoShapes(), func(i int, r []byte, say sayer) {
				after := sent + 10*time.Millisecond
				if i == 0 {
					after = sent + 500*time.Millisecond + late
				}
				say(after, registers(r))
			})
			if rs, _ := s.read(pollA); rs[0].Quality != drivers.Comm {
				t.Fatal(rs[0].Quality)
			}
			start := time.Now()
			for time.Since(start) < 4*time.Second {
				rs, _ := s.read(pollB)
				if rs[0].Quality == drivers.Good && rs[0].Value != drivers.NumberValue(10) {
					t.Fatalf("late by %v: register 10 reads %v after %v", late, rs[0].Value, time.Since(start))
				}
				time.Sleep(7 * time.Millisecond)
			}
			if rs, _ := s.read(pollB); rs[0].Quality != drivers.Good {
				t.Errorf("late by %v: still %v", late, rs[0].Quality)
			}
		})
	}
}

func TestDoubtEndsByItselfAfterLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, twoShapes(), func(i int, r []byte, say sayer) {
			if i > 0 {
				say(sent, registers(r))
			}
		})
		s.read(pollA)
		timeout := time.Now()
		for {
			rs, err := s.read(pollB)
			if err == nil {
				break
			}
			f := drivers.FaultOf(err)
			if rs[0].Quality != drivers.Comm || f.Quality != drivers.Comm || f.Again || f.Until != timeout.Add(3*time.Second) {
				t.Fatalf("%v, %+v", rs[0].Quality, f)
			}
			time.Sleep(time.Until(f.Until))
		}
		if d := time.Since(timeout); !near(d, 3*time.Second, 30*time.Millisecond) || len(s.asked) != 2 {
			t.Errorf("asked again after %v, %d requests", d, len(s.asked))
		}
	})
}

func TestDoubtLastsAsLongAsTheUnitSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := twoShapes()
		c.Units[0].Late = 5 * time.Second
		s := newStand(t, c, func(int, []byte, sayer) {})
		s.read(pollA)
		time.Sleep(4900 * time.Millisecond)
		if _, err := s.read(pollA); drivers.FaultOf(err).Until.IsZero() {
			t.Error("asked before the answer could no longer come")
		}
		time.Sleep(200 * time.Millisecond)
		if _, err := s.read(pollA); !drivers.FaultOf(err).Until.IsZero() {
			t.Error("held for longer than said")
		}
	})
}

func TestAnotherShapeEndsDoubt(t *testing.T) {
	for _, other := range []int{pollLong, pollInput} {
		synctest.Test(t, func(t *testing.T) {
			s := newStand(t, twoShapes(), func(i int, r []byte, say sayer) {
				if i > 0 {
					say(sent, registers(r))
				}
			})
			s.read(pollA)
			if rs, err := s.read(other); rs[0].Quality != drivers.Good {
				t.Fatalf("another shape: %v, %v", rs[0].Quality, err)
			}
			if rs, err := s.read(pollB); rs[0].Quality != drivers.Good {
				t.Errorf("after another shape was answered: %v, %v", rs[0].Quality, err)
			}
		})
	}
}

// The late answer arrives while another shape is waited for: it is dropped,
// and what was asked for still comes.
func TestTheOwedAnswerArrivesInAnothersWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, twoShapes(), func(i int, r []byte, say sayer) {
			switch i {
			case 0:
				say(sent+600*time.Millisecond, registers(r))
			case 1:
				say(sent+200*time.Millisecond, registers(r))
			default:
				say(sent, registers(r))
			}
		})
		s.read(pollA)
		if rs, err := s.read(pollLong); rs[0].Value != drivers.NumberValue(20<<16|21) {
			t.Errorf("%v %v, %v", rs[0].Quality, rs[0].Value, err)
		}
		if rs, _ := s.read(pollB); rs[0].Value != drivers.NumberValue(10) {
			t.Errorf("%v %v", rs[0].Quality, rs[0].Value)
		}
	})
}

// A late exception fits every request of its function, whatever the length.
func TestALateExceptionIsNotTakenForAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, twoShapes(), func(i int, r []byte, say sayer) {
			if i == 0 {
				say(sent+600*time.Millisecond, exception(r, 4))
				return
			}
			say(sent+200*time.Millisecond, registers(r))
		})
		s.read(pollA)
		if rs, err := s.read(pollLong); rs[0].Quality != drivers.Good {
			t.Errorf("%v code %d, %v", rs[0].Quality, rs[0].Code, err)
		}
	})
}

func TestOtherUnitsGoOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, twoShapes(), func(i int, r []byte, say sayer) {
			if r[0] == 3 {
				say(sent+515*time.Millisecond, registers(r, 0xDEAD)) // within the other's window
				return
			}
			say(sent+60*time.Millisecond, registers(r, 0x0BEE))
		})
		s.read(pollA)
		start := time.Now()
		rs, err := s.readOf(1, 0)
		if rs[0].Value != drivers.NumberValue(0x0BEE) {
			t.Errorf("%v %v, %v", rs[0].Quality, rs[0].Value, err)
		}
		if d := time.Since(start); d > 80*time.Millisecond {
			t.Errorf("the other unit took %v", d)
		}
	})
}

// Unit 5 on one line is not unit 5 on the other.
func TestDoubtIsPerLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := newStand(t, twoShapes(), func(int, []byte, sayer) {})
		sound := newStand(t, twoShapes(), func(_ int, r []byte, say sayer) { say(sent, registers(r)) })
		silent.read(pollA)
		if rs, _ := sound.read(pollA); rs[0].Quality != drivers.Good {
			t.Error(rs[0].Quality)
		}
	})
}

func TestDebts(t *testing.T) {
	now := time.Now()
	until := now.Add(time.Second)
	read := func(function byte, quantity byte) ask { return ask{3, function, 0, 0, 0, quantity} }
	d := doubt{}
	d.owe(read(3, 1), until)
	d.owe(read(3, 2), until)
	d.owe(read(4, 1), until)
	if _, held := d.holds(read(3, 3), now); held {
		t.Error("another length is held")
	}
	if !d.owes(crced(3, 3, 4, 0, 0, 0, 0), now) || d.owes(crced(3, 3, 6, 0, 0, 0, 0, 0, 0), now) {
		t.Error("what is owed")
	}
	if d.owes(crced(4, 3, 4, 0, 0, 0, 0), now) {
		t.Error("another unit owes nothing")
	}
	if _, held := d.holds(read(4, 1), now); !held {
		t.Error("an answer that is owed passes for another")
	}
	if _, held := d.holds(read(4, 1), until); held {
		t.Error("a debt outlived its time")
	}
	d.owe(read(3, 1), until)
	d.answered(read(3, 3))
	if _, held := d.holds(read(3, 1), now); held {
		t.Error("a debt outlived an answer to a later request")
	}
}

// Coils come in bytes: eight and seven of them have the same answer.
func TestCoilsOfOneByteAreOneShape(t *testing.T) {
	a, b, c := ask{3, 1, 0, 0, 0, 7}, ask{3, 1, 0, 9, 0, 8}, ask{3, 1, 0, 9, 0, 9}
	if !a.mistakes(b) || a.mistakes(c) {
		t.Error("shapes of coils")
	}
}

// It may have been something else that looked like it: a unit that answers
// twice, or one that speaks under another's address.
func TestALateAnswerThatHasComeDoesNotEndDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, twoShapes(), func(i int, r []byte, say sayer) {
			after := sent
			if i == 0 {
				after = sent + 600*time.Millisecond
			}
			say(after, registers(r))
		})
		s.read(pollA)
		time.Sleep(200 * time.Millisecond)
		if _, err := s.read(pollB); drivers.FaultOf(err).Until.IsZero() {
			t.Errorf("asked: %v", err)
		}
	})
}

// While another unit owes an answer, one with a bad checksum may be that, so it
// is not asked for again at once; that it was broken is known all the same.
func TestABrokenAnswerIsToldAlsoWhereItMayNotBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := twoShapes()
		for i := range c.Units {
			c.Units[i].Retries = 1
		}
		requests := 0
		s := newStand(t, c, func(i int, r []byte, say sayer) {
			if requests++; i > 0 { // unit 3 stays silent and owes
				say(sent+10*time.Millisecond, flip(registers(r), 4))
			}
		})
		if rs, _ := s.read(pollA); rs[0].Quality != drivers.Comm {
			t.Fatal(rs[0].Quality)
		}
		rs, err := s.readOf(1, 0) // unit 4
		if rs[0].Quality != drivers.Protocol || requests != 2 {
			t.Errorf("%v after %d requests: %v", rs[0].Quality, requests, err)
		}
	})
}
