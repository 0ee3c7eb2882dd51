package modbus

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"pithead/drivers"
)

// Each story is what the register shows, read after read, and the totals. A new
// agent goes on with the total that was stored and with what Began said of the
// old one; after a ? that is lost, and after a ! the register is another.
func TestCounters(t *testing.T) {
	for _, c := range []struct{ name, shows, want string }{
		{"it counts up", "0 1 5 5 100", "0 0.2 1 1 20"},
		{"what it showed first is in the total", "40 41", "8 8.2"},
		{"over the wrap", "65500 65530 4", "13100 13106 13108"},
		{"over the wrap in great steps", "40000 52000 64000 10464", "8000 10400 12800 15200"},
		{"a device that was restarted", "100 120 0 3", "20 24 24 24.6"},
		{"restarted, and it counted before it was read", "100 120 7 8", "20 24 25.4 25.6"},
		{"restarted near its end", "60000 60010 3", "12000 12002 12002.6"},
		{"an agent that was restarted, and what came meanwhile", "100 agent 130", "20 26"},
		{"over a wrap meanwhile", "65500 agent 20", "13100 13111.2"},
		{"a device that was restarted meanwhile", "100 agent 3 4", "20 20.6 20.8"},
		{"restarted before, and an agent that was", "100 3 agent 8 agent 9", "20 20.6 21.6 21.8"},
		{"twice around and an agent", "65500 4 65500 4 agent 10", "13100 13108 26207.2 26215.2 26216.4"},
		{"what the old agent knew is lost", "100 agent? 130 131 agent 133", "20 20 20.2 20.6"},
		{"another register of the same name", "100 agent! 50000 50001", "20 20 20.2"},
	} {
		p := holding("rain", 7)
		p.Rare = &Rare{Counter: &Counter{Wraps: 1 << 16, Each: 0.2}}
		var got []string
		b, _ := open(line9600(p), nil)
		var start drivers.CounterStart
		for _, f := range strings.Fields(c.shows) {
			if strings.HasPrefix(f, "agent") {
				stored := b.counter("rain").total.Value().Float()
				if f == "agent!" {
					p.Address++
				}
				b, _ = open(line9600(p), nil)
				if f != "agent?" {
					b.Resume(start)
				}
				b.SetTotal("rain", stored)
				continue
			}
			raw, _ := strconv.ParseUint(f, 10, 64)
			v, _ := b.units[0].decode(&b.units[0].config.Points[0], []byte{byte(raw >> 8), byte(raw)}, int(p.Address))
			got = append(got, v.String())
			for s, ok := b.Began(); ok; s, ok = b.Began() {
				start = s
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// A register that wraps at 10000 shows no 10000: what shows it is no reading of it.
func TestACounterThatShowsMoreThanItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := holding("rain", 0)
		p.Rare = &Rare{Counter: &Counter{Wraps: 10000, Each: 1}, Total: &[2]float64{0, 20000}}
		shows := []uint16{9998, 10000, 2, 9000, 9990, 5}
		s := newStand(t, line9600(p), func(i int, r []byte, say sayer) { say(sent, registers(r, shows[i])) })
		var got []string
		for range shows {
			rs, _ := s.read(0)
			got = append(got, rs[0].Quality.String()+" "+rs[0].Value.String())
		}
		if want := "[good 9998 sensor - good 10002 good 19000 good 19990 good 20005]"; fmt.Sprint(got) != strings.Replace(want, "good 20005", "over -", 1) {
			t.Errorf("%v", got)
		}
	})
}

func TestTextsAndSplitTotals(t *testing.T) {
	text := func(order Order, length int) PointConfig {
		return PointConfig{ID: "s", Table: Holding, Type: Text, Length: uint8(length), Order: order, Bit: -1, Scale: &drivers.Scale{Decimals: -1}}
	}
	total := PointConfig{ID: "t", Table: Holding, Type: HiLo, Rare: &Rare{Hi: 10000}, Bit: -1, Scale: &drivers.Scale{Linear: true, Mul: 0.1, Decimals: 1}}
	swapped := total
	swapped.Order = CDAB
	for _, c := range []struct {
		name  string
		point PointConfig
		data  string
		want  string
	}{
		{"text", text(ABCD, 4), "RS-21 A\x00", "good RS-21 A"},
		{"text with swapped bytes", text(BADC, 3), "SRA21 ", "good RS2A 1"},
		{"text filled up with blanks", text(ABCD, 3), "V2    ", "good V2"},
		{"text in Chinese", text(ABCD, 3), "水位", "good 水位"},
		{"no text", text(ABCD, 2), "\x00\x00\x00\x00", "good "},
		{"bytes that are no text", text(ABCD, 2), "\xFF\xFF\xFF\xFF", "sensor -"},
		{"text with a bell in it", text(ABCD, 2), "a\x07bc", "sensor -"},
		{"split total", total, "\x00\x03\x04\xD2", "good 3123.4"},
		{"split total, low half first", swapped, "\x04\xD2\x00\x03", "good 3123.4"},
		{"the low half can't be more than the high one is worth", total, "\x00\x03\x27\x10", "sensor -"},
	} {
		v, q := c.point.decode([]byte(c.data), 0)
		if got := strings.TrimSpace(q.String() + " " + v.String()); got != strings.TrimSpace(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
