package modbus

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

func withOutput(table Table, low bool) Config {
	c := line9600(letters(0)...)
	c.Outputs = []OutputConfig{{ID: "cutoff", Unit: 3, Device: "u3", Table: table, Address: 9, Low: low}}
	return c
}

// relay is a device with one coil or register, at 9.
type relay struct{ value uint16 }

func (d *relay) play(_ int, r []byte, say sayer) {
	switch r[1] {
	case 5, 6:
		d.value = uint16(r[4])<<8 | uint16(r[5])
		say(sent, r)
	case 1:
		on := byte(0)
		if d.value == coilOn {
			on = 1
		}
		say(sent, crced(r[0], 1, 1, on))
	default:
		say(sent, registers(r, d.value))
	}
}

func TestOutputs(t *testing.T) {
	for _, c := range []struct {
		name  string
		table Table
		low   bool
		on    bool
		wire  uint16
	}{
		{"coil on", Coil, false, true, 0xFF00},
		{"coil off", Coil, false, false, 0},
		{"low coil on", Coil, true, true, 0},
		{"low coil off", Coil, true, false, 0xFF00},
		{"register on", Holding, false, true, 1},
		{"register off", Holding, false, false, 0},
		{"low register on", Holding, true, true, 0},
		{"low register off", Holding, true, false, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &relay{value: 0x5555}
			s := newStand(t, withOutput(c.table, c.low), d.play)
			o := s.Output("cutoff")
			if err := o.Set(t.Context(), c.on); err != nil || d.value != c.wire {
				t.Errorf("%s: %#x on the wire, %v", c.name, d.value, err)
			}
			if on, err := o.Get(t.Context()); err != nil || on != c.on {
				t.Errorf("%s: reads back %v, %v", c.name, on, err)
			}
		})
	}
}

func TestARegisterThatIsNeitherOnNorOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, withOutput(Holding, false), (&relay{value: 5}).play)
		if _, err := s.Output("cutoff").Get(t.Context()); err == nil {
			t.Error("5 was taken for on or off")
		}
	})
}

func TestAnEchoThatDoesNotFitIsAnError(t *testing.T) {
	for name, echo := range map[string]func(r []byte) []byte{
		"another coil":   func(r []byte) []byte { return crced(3, 5, 0, 8, 0xFF, 0) },
		"another value":  func(r []byte) []byte { return crced(3, 5, 0, 9, 0, 0) },
		"another unit":   func(r []byte) []byte { return crced(4, 5, 0, 9, 0xFF, 0) },
		"bad checksum":   func(r []byte) []byte { return flip(crced(3, 5, 0, 9, 0xFF, 0), 6) },
		"exception":      func(r []byte) []byte { return exception(r, 4) },
		"nothing at all": func(r []byte) []byte { return nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStand(t, withOutput(Coil, false), func(_ int, r []byte, say sayer) { say(sent, echo(r)) })
			if err := s.Output("cutoff").Set(t.Context(), true); err == nil {
				t.Errorf("%s: believed", name)
			}
		})
	}
}

// A cut-off does not wait for doubt to end: to repeat the last write is safe,
// to go back to an older one is not.
func TestAWriteIsRepeatedAfterATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent bool
		s := newStand(t, withOutput(Coil, false), func(_ int, r []byte, say sayer) {
			if !silent {
				say(sent, r)
			}
		})
		o := s.Output("cutoff")
		set := func(on bool) error { return o.Set(t.Context(), on) }
		silent = true
		for range 2 {
			if set(true) == nil {
				t.Fatal("silence was believed")
			}
		}
		silent = false
		if err := set(true); err != nil || len(s.asked) != 3 {
			t.Errorf("repeated: %v after %d requests", err, len(s.asked))
		}
		silent = true
		set(false)
		silent = false
		if err := set(true); err == nil || drivers.FaultOf(err).Until.IsZero() {
			t.Errorf("the echo of the older write would pass for this one's: %v", err)
		}
		time.Sleep(3 * time.Second)
		if err := set(true); err != nil {
			t.Error(err)
		}
	})
}

func TestAnOutputOfADeviceWithoutPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := withOutput(Coil, false)
		c.Outputs[0].Unit, c.Outputs[0].Device = 8, "relays"
		s := newStand(t, c, (&relay{}).play)
		if err := s.Output("cutoff").Set(t.Context(), true); err != nil || s.asked[0][0] != 8 {
			t.Error(err)
		}
		if len(s.Units()) != 1 || s.Output("nothing") != nil {
			t.Error("units or outputs that are not there")
		}
	})
}

func TestADeviceThatCanBeWrittenOnlyIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, withOutput(Coil, false), func(_ int, r []byte, say sayer) {
			if r[1] == 5 {
				say(sent, r)
				return
			}
			say(sent, crced(r[0], r[1]|0x80, 1))
		})
		o := s.Output("cutoff")
		if err := o.Set(t.Context(), true); err != nil {
			t.Error(err)
		}
		if _, err := o.Get(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("read back: %v", err)
		}
	})
}
