package modbustest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
	"pithead/drivers/modbus"
)

// allowed is how long one read takes at least: the characters of request and
// answer, and the silence after each.
func allowed(l *Line, registers int) time.Duration {
	return time.Duration(8+5+2*registers)*l.Char + 2*l.Silence()
}

// speed is how long one read takes on the line, of many in a row.
func speed(t *testing.T, baud, registers, polls int) (share float64) {
	t.Helper()
	l := &Line{Char: CharOf(baud), Units: map[byte]*Unit{1: {}}}
	u := modbus.UnitConfig{ID: "u", Unit: 1, Every: time.Second}
	for i := range registers {
		u.Points = append(u.Points, modbus.PointConfig{ID: "p" + string(rune('0'+i)), Table: modbus.Holding, Address: uint16(i), Bit: -1,
			Scale: &drivers.Scale{Decimals: -1}})
	}
	b, err := modbus.OpenOn(modbus.Config{ID: "rs1", Address: "line", Baud: baud, Parity: 'N', DataBits: 8, StopBits: 1,
		Units: []modbus.UnitConfig{u}}, l.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	poll := b.Units()[0].Polls[0].Driver
	read := func() {
		if rs, err := poll.Read(context.Background()); err != nil || rs[registers-1].Value != drivers.NumberValue(float64(registers-1)) {
			t.Fatal(rs, err)
		}
	}
	read()
	begin := time.Now()
	for range polls {
		read()
	}
	return float64(allowed(l, registers)) * float64(polls) / float64(time.Since(begin))
}

// Done when 1: polls reach 95 % of what the wire allows.
func TestPollsReachWhatTheWireAllows(t *testing.T) {
	for _, baud := range []int{9600, 19200, 38400, 57600, 115200} {
		for _, registers := range []int{1, 10, 60, 125} {
			synctest.Test(t, func(t *testing.T) {
				if share := speed(t, baud, registers, 100); share < 0.95 || share > 1.0001 {
					t.Errorf("%d registers at %d baud: %.1f %% of what the wire allows", registers, baud, 100*share)
				}
			})
		}
	}
}

// Once in real time, where the machine's own timers count: at the speed and
// length of most lines, since a shared machine wakes late. What it does not reach
// at any of many tries is held against what one reaches there who does nothing but
// wait for the characters.
func TestPollsReachWhatTheWireAllowsInRealTime(t *testing.T) {
	best, most := 0.0, 0.0
	for range 40 {
		if best = max(best, speed(t, 9600, 10, 3)); best >= 0.95 {
			break
		}
		most = max(most, waiting(9600, 10, 3))
	}
	if best < 0.95 && best < 0.95*most {
		t.Errorf("10 registers at 9600 baud: %.1f %% of what the wire allows, where bare waits reach %.1f %%", 100*best, 100*most)
	}
	t.Logf("10 registers at 9600 baud: %.1f %%", 100*best)
}

// waiting is speed for one who sleeps through request, answer and the silences.
func waiting(baud, registers, polls int) (share float64) {
	poll := allowed(&Line{Char: CharOf(baud)}, registers)
	begin := time.Now()
	for range 4 * polls {
		time.Sleep(poll / 4)
	}
	return float64(poll) * float64(polls) / float64(time.Since(begin))
}
