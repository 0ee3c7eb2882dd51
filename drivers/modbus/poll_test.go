package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

// refuser answers requests as a device does that has some registers only: bad
// ones and holes get exception 2.
type refuser struct {
	bad   map[int]bool
	limit int // registers a request; 0 = no limit
}

func (d *refuser) play(_ int, r []byte, say sayer) {
	first, n := int(binary.BigEndian.Uint16(r[2:])), int(binary.BigEndian.Uint16(r[4:]))
	refused := d.limit > 0 && n > d.limit
	for i := first; i < first+n; i++ {
		refused = refused || d.bad[i]
	}
	if refused {
		say(sent, exception(r, 2))
		return
	}
	say(sent, registers(r))
}

// since is what was asked from request i on, as first+quantity.
func (s *stand) since(i int) string {
	var asked []string
	for _, r := range s.asked[i:] {
		asked = append(asked, fmt.Sprintf("%d+%d", binary.BigEndian.Uint16(r[2:]), binary.BigEndian.Uint16(r[4:])))
	}
	return strings.Join(asked, " ")
}

// round reads the first poll and draws it: . good, digits an exception, c comm, p protocol, s sensor.
func (s *stand) round() (drawn, asked string) {
	s.t.Helper()
	before := len(s.asked)
	rs, _ := s.read(0)
	for _, r := range rs {
		switch r.Quality {
		case drivers.Good:
			drawn += "."
		case drivers.Exception:
			drawn += string('0' + rune(r.Code))
		default:
			drawn += r.Quality.String()[:1]
		}
		if r.Quality == drivers.Good && r.Value.Float() != float64(r.Point[0]-'a') {
			s.t.Errorf("%s reads %v", r.Point, r.Value)
		}
	}
	return drawn, s.since(before)
}

// A step of a story: what a round shows, what it asks, and how long to wait first.
type step struct {
	wait         time.Duration
	drawn, asked string
}

func (s *stand) follow(steps []step) {
	s.t.Helper()
	for i, st := range steps {
		time.Sleep(st.wait)
		if drawn, asked := s.round(); drawn != st.drawn || asked != st.asked {
			s.t.Errorf("round %d: %s by %s; want %s by %s", i, drawn, asked, st.drawn, st.asked)
		}
	}
}

func letters(addresses ...uint16) (ps []PointConfig) {
	for _, a := range addresses {
		ps = append(ps, holding(string('a'+rune(a)), a))
	}
	return ps
}

func TestABadRegisterDoesNotTakeTheDeviceDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &refuser{bad: map[int]bool{2: true}}
		s := newStand(t, line9600(letters(0, 1, 2, 3)...), d.play)
		s.follow([]step{
			{0, "..2.", "0+4 0+2 2+2 2+1 3+1"},
			{time.Second, "..2.", "0+2 2+1 3+1"},
			{time.Second, "..2.", "0+2 2+1 3+1"}, // the third time: it is not a stray answer
			{time.Second, "..2.", "0+2 3+1"},
			{9 * time.Minute, "..2.", "0+2 3+1"},
			{time.Minute, "..2.", "0+4 0+2 2+2 2+1 3+1"},
			{time.Second, "..2.", "0+2 2+1 3+1"},
			{time.Second, "..2.", "0+2 2+1 3+1"},
		})
		d.bad = nil
		s.follow([]step{
			{time.Second, "..2.", "0+2 3+1"},
			{10 * time.Minute, "....", "0+4"},
			{time.Second, "....", "0+4"},
		})
	})
}

func TestAnExceptionIsNoDeadUnit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &refuser{bad: map[int]bool{2: true}}
		s := newStand(t, line9600(letters(2)...), d.play)
		for range 4 {
			if rs, err := s.read(0); rs[0].Quality != drivers.Exception || rs[0].Code != 2 || err != nil {
				t.Errorf("%v code %d, %v", rs[0].Quality, rs[0].Code, err)
			}
		}
		if len(s.asked) != 4 {
			t.Error("a register of its own is asked for each time")
		}
	})
}

func TestADeviceThatRefusesHolesGetsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &refuser{bad: map[int]bool{2: true}}
		c := line9600(letters(0, 1, 3, 4)...)
		c.Units[0].Join = 5
		s := newStand(t, c, d.play)
		s.follow([]step{
			{0, "....", "0+5 0+2 3+2"},
			{time.Second, "....", "0+2 3+2"},
			{time.Hour, "....", "0+2 3+2"},
		})
		d.bad[4] = true
		s.follow([]step{
			{time.Second, "...2", "0+2 3+2 3+1 4+1"},
			{time.Second, "...2", "0+2 3+1 4+1"},
			{time.Second, "...2", "0+2 3+1 4+1"},
			{time.Second, "...2", "0+2 3+1"},
		})
		delete(d.bad, 4)
		s.follow([]step{{10 * time.Minute, "....", "0+2 3+2"}})
	})
}

func TestADeviceWithSmallAnswersIsReadInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, line9600(letters(0, 1, 2)...), (&refuser{limit: 2}).play)
		s.follow([]step{
			{0, "...", "0+3 0+1 1+2"},
			{time.Second, "...", "0+1 1+2"},
		})
	})
}

// Among 125 registers one that is refused costs a handful of requests to find,
// and one more than before from then on.
func TestABadRegisterOfManyIsFoundByHalves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var points []PointConfig
		for i := range 125 {
			points = append(points, holding("p", uint16(i)))
		}
		d := &refuser{bad: map[int]bool{77: true}}
		s := newStand(t, line9600(points...), d.play)
		var asked []int
		for range 5 {
			before := len(s.asked)
			rs, err := s.read(0)
			bad := 0
			for _, r := range rs {
				if r.Quality != drivers.Good {
					bad++
				}
			}
			if err != nil || bad != 1 {
				t.Errorf("%d bad, %v", bad, err)
			}
			asked = append(asked, len(s.asked)-before)
			time.Sleep(time.Second)
		}
		if asked[0] > 16 || asked[3] != 2 || asked[4] != 2 {
			t.Errorf("requests in five cycles: %v", asked)
		}
		if why := s.Why("p"); why == nil {
			t.Error("nobody says why")
		}
	})
}

func TestADeviceThatRefusesEverythingIsAskedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &refuser{bad: map[int]bool{0: true, 1: true}}
		s := newStand(t, line9600(letters(0, 1)...), d.play)
		s.follow([]step{
			{0, "22", "0+2 0+1 1+1"},
			{time.Second, "22", "0+1 1+1"},
			{time.Second, "22", "0+1 1+1"},
			{time.Second, "22", "0+2"}, // as one request, until it is worth looking closer again
			{27 * time.Second, "22", "0+2"},
			{time.Second, "22", "0+2"},
			{time.Second, "22", "0+2 0+1 1+1"},
		})
		d.bad = nil
		s.follow([]step{{time.Second, "..", "0+1 1+1"}, {10 * time.Minute, "..", "0+2"}})
	})
}

// One stray refusal, as of a device that is starting, blinds nobody: the next
// cycle asks again.
func TestAStrayRefusalIsOverInTheNextCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &refuser{bad: map[int]bool{0: true, 1: true}}
		s := newStand(t, line9600(letters(0, 1)...), d.play)
		s.follow([]step{{0, "22", "0+2 0+1 1+1"}})
		d.bad = nil
		s.follow([]step{{200 * time.Millisecond, "..", "0+1 1+1"}})
	})
}

func TestABadRegisterThatAnAlarmHangsOnIsLeftAloneForHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &refuser{bad: map[int]bool{1: true}}
		points := letters(0, 1)
		points[1].Alarmed = true
		s := newStand(t, line9600(points...), d.play)
		s.follow([]step{
			{0, ".2", "0+2 0+1 1+1"},
			{time.Second, ".2", "0+1 1+1"},
			{time.Second, ".2", "0+1 1+1"},
			{time.Second, ".2", "0+1"},
			{28 * time.Second, ".2", "0+2 0+1 1+1"},
		})
	})
}

// What is silent is asked once in a poll, not once for each part of it.
func TestSilenceEndsAPollInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &refuser{bad: map[int]bool{2: true}}
		s := newStand(t, line9600(letters(0, 1, 2, 3)...), func(i int, r []byte, say sayer) {
			if i < 6 {
				d.play(i, r, say)
			}
		})
		s.round()
		start := time.Now()
		if drawn, asked := s.round(); drawn != "..cc" || asked != "0+2 2+1" {
			t.Errorf("%s by %s", drawn, asked)
		}
		if took := time.Since(start); took > 600*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestAnyExceptionButTheUnitsOwnIsAFault(t *testing.T) {
	for _, c := range []struct {
		code  byte
		fault bool
		again bool
	}{{1, false, false}, {2, false, false}, {3, false, false}, {4, false, false}, {5, false, false}, {6, false, false}, {8, false, false}, {10, true, false}, {11, true, false}} {
		synctest.Test(t, func(t *testing.T) {
			s := newStand(t, line9600(letters(0)...), func(_ int, r []byte, say sayer) { say(sent, exception(r, c.code)) })
			rs, err := s.read(0)
			if rs[0].Quality != drivers.Exception || rs[0].Code != c.code || (err != nil) != c.fault {
				t.Errorf("code %d: %v code %d, %v", c.code, rs[0].Quality, rs[0].Code, err)
			}
			if err != nil && drivers.FaultOf(err).Again != c.again {
				t.Errorf("code %d: again %v", c.code, !c.again)
			}
		})
	}
}

func TestWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := line9600(letters(0, 1)...)
		c.Units[0].Points[1].Rare = &Rare{WarmUp: time.Minute}
		c.Units[0].Late = time.Millisecond
		dead := true
		s := newStand(t, c, func(_ int, r []byte, say sayer) {
			if !dead {
				say(sent, registers(r))
			}
		})
		s.round()
		dead = false
		s.follow([]step{
			{time.Second, ".s", "0+2"},
			{59 * time.Second, ".s", "0+2"},
			{time.Second, "..", "0+2"},
		})
		dead = true
		s.follow([]step{{time.Second, "cc", "0+2"}, {time.Second, "cc", "0+2"}})
		dead = false
		s.follow([]step{{time.Second, "..", "0+2"}}) // two failures are no loss
		dead = true
		s.follow([]step{{time.Second, "cc", "0+2"}, {time.Second, "cc", "0+2"}, {time.Second, "cc", "0+2"}})
		dead = false
		s.follow([]step{{time.Second, ".s", "0+2"}, {61 * time.Second, "..", "0+2"}})
	})
}

func TestRaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, line9600(holding("a", 4), wide("b", 5)), func(_ int, r []byte, say sayer) { say(sent+20*time.Millisecond, registers(r)) })
		s.read(0)
		in := s.Units()[0].Polls[0].Driver.(drivers.Inspector)
		raw, took := in.Raw("b")
		if len(raw) != 2 || raw[0] != 5 || raw[1] != 6 {
			t.Errorf("% x", raw)
		}
		if !near(took, sent+20*time.Millisecond, time.Millisecond) {
			t.Errorf("took %v", took)
		}
		s.tape.play = func([]byte, sayer) {}
		s.read(0)
		if raw, _ := in.Raw("b"); raw != nil {
			t.Errorf("of what did not come: % x", raw)
		}
	})
}

// A broken answer and a busy one are asked for again within the cycle, as often
// as the device says; a timeout never is. In between the loop may do other things.
func TestWhatMayBeRepeatedIsRepeatedWithinTheCycle(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoilt  int // answers
		code    byte
		steps   int
		quality drivers.Quality
		waits   time.Duration
	}{
		{"bad checksum", 1, 0, 2, drivers.Good, 0},
		{"bad checksum twice", 2, 0, 3, drivers.Good, 0},
		{"bad checksum for ever", 9, 0, 3, drivers.Protocol, 0},
		{"busy", 1, 6, 2, drivers.Good, 100 * time.Millisecond},
		{"busy for ever", 9, 5, 3, drivers.Exception, 200 * time.Millisecond},
		{"failed", 9, 4, 1, drivers.Exception, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			config := line9600(letters(0)...)
			config.Units[0].Retries = 2
			s := newStand(t, config, func(i int, r []byte, say sayer) {
				switch {
				case i >= c.spoilt:
					say(sent, registers(r))
				case c.code != 0:
					say(sent, exception(r, c.code))
				default:
					say(sent, flip(registers(r), 4))
				}
			})
			p := s.Units()[0].Polls[0].Driver.(drivers.Stepper)
			var waits time.Duration
			for n := 1; ; n++ {
				st := p.Step(t.Context(), func() []drivers.Reading { return nil })
				waits += st.Wait
				if len(s.asked) != n {
					t.Fatalf("%s: %d requests in %d steps", c.name, len(s.asked), n)
				}
				if !st.More {
					if n != c.steps || len(st.Readings) != 1 || st.Readings[0].Quality != c.quality || waits != c.waits {
						t.Errorf("%s: %v after %d steps and %v", c.name, st.Readings, n, waits)
					}
					break
				}
				if len(st.Readings) != 0 {
					t.Errorf("%s: told %v before it was known", c.name, st.Readings)
				}
			}
		})
	}
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name  string
		play  func(r []byte, say sayer)
		alive bool
	}{
		{"answers", func(r []byte, say sayer) { say(sent, registers(r)) }, true},
		{"refuses", func(r []byte, say sayer) { say(sent, exception(r, 2)) }, true},
		{"busy", func(r []byte, say sayer) { say(sent, exception(r, 6)) }, true},
		{"the late answer comes now", func(r []byte, say sayer) { say(sent+50*time.Millisecond, crced(3, 3, 2, 0, 0)) }, true},
		{"silent", func([]byte, sayer) {}, false},
		{"another unit", func(r []byte, say sayer) { say(sent, crced(4, 3, 4, 0, 0, 0, 0)) }, false},
		{"no such unit behind the gateway", func(r []byte, say sayer) { say(sent, crced(3, 0x83, 11)) }, false},
		{"bad checksum", func(r []byte, say sayer) { say(sent, flip(registers(r), 4)) }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStand(t, line9600(letters(0)...), func(i int, r []byte, say sayer) {
				if i > 0 {
					c.play(r, say)
				}
			})
			s.read(0)
			err := s.Units()[0].Probe(t.Context())
			if (err == nil) != c.alive {
				t.Errorf("%s: %v", c.name, err)
			}
			if asked := s.since(1); asked != "0+2" {
				t.Errorf("%s: probed by %s: what is owed has the length of one register", c.name, asked)
			}
		})
	}
}

func TestAProbeIsHeldWhenAllShapesAreOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, line9600(letters(0)...), func(int, []byte, sayer) {})
		probe := s.Units()[0].Probe
		s.read(0)
		probe(t.Context())
		err := probe(t.Context())
		if f := drivers.FaultOf(err); f.Until.IsZero() || len(s.asked) != 2 {
			t.Errorf("%v after %d requests", err, len(s.asked))
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, line9600(letters(0)...), func(i int, r []byte, say sayer) {
			switch i {
			case 0, 1:
				say(sent+20*time.Millisecond, registers(r))
			case 2:
				say(sent, exception(r, 4))
			case 3:
				say(sent, flip(registers(r), 4))
			}
		})
		for range 6 {
			s.read(0)
		}
		u := s.Counts("u3")
		if u != s.Counts("") {
			t.Error("the only unit is the line")
		}
		if u.Requests != 5 || u.Good != 2 || u.Exceptions != 1 || u.Protocol != 1 || u.Comm != 1 || u.Held != 1 {
			t.Errorf("%+v", u)
		}
		if !near(u.P99, 30*time.Millisecond, 2*time.Millisecond) || !near(u.P50, 30*time.Millisecond, 2*time.Millisecond) || u.Busy < 500*time.Millisecond {
			t.Errorf("%+v", u)
		}
	})
}

func TestWhatMakesNoSenseIsAnError(t *testing.T) {
	coil := at("p", Coil, 0, U16)
	bit := at("p", Holding, 0, Truth)
	for name, change := range map[string]func(*Config){
		"no address":         func(c *Config) { c.Address = "" },
		"unknown transport":  func(c *Config) { c.Transport = 9 },
		"unit 0 on a line":   func(c *Config) { c.Units[0].Unit = 0 },
		"unit 248 on a line": func(c *Config) { c.Units[0].Unit = 248 },
		"a number of a coil": func(c *Config) { c.Units[0].Points = []PointConfig{coil} },
		"bit -1":             func(c *Config) { c.Units[0].Points = []PointConfig{bit} },
		"beyond the end":     func(c *Config) { c.Units[0].Points = []PointConfig{at("p", Holding, 65535, U32)} },
		"no such table":      func(c *Config) { c.Units[0].Points = []PointConfig{at("p", 0, 1, U16)} },
		"no such type":       func(c *Config) { c.Units[0].Points = []PointConfig{at("p", Holding, 1, 77)} },
		"output on an input": func(c *Config) { c.Outputs = []OutputConfig{{ID: "o", Unit: 3, Table: Input}} },
		"negative timeout":   func(c *Config) { c.Timeout = -1 },
	} {
		c := line9600(holding("p", 0))
		change(&c)
		if b, err := Open(c); err == nil || b != nil {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := Open(line9600(holding("p", 0))); err != nil {
		t.Error(err)
	}
}

func TestNothingIsSentOnceTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, line9600(letters(0)...), func(_ int, r []byte, say sayer) { say(sent, registers(r)) })
		s.Close()
		if rs, err := s.read(0); rs[0].Quality != drivers.Comm || err == nil || errors.Is(err, errTalks) || s.opens != 0 {
			t.Errorf("a closed bus: %v, %v", rs[0].Quality, err)
		}
	})
}
