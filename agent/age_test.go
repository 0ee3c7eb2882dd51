package agent

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/config"
	"pithead/drivers"
	"pithead/drivers/modbus"
	"pithead/drivers/modbus/modbustest"
)

// aged is the longest time between two good readings of a point.
func aged(rs []drivers.Reading) (longest time.Duration) {
	var last time.Time
	for _, r := range rs {
		if r.Quality != drivers.Good {
			continue
		}
		if !last.IsZero() {
			longest = max(longest, r.At.Sub(last))
		}
		last = r.At
	}
	return longest
}

// What check --timing calls the worst age of a point is not exceeded on a line
// that goes at its speed, whatever else dies on it and whenever; and it is no
// empty word: over all lines the ages come to a good part of it.
func TestNoPointGetsOlderThanItsWorstAge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 9))
	var seen, said time.Duration
	for n := range 12 {
		var text strings.Builder
		units := 2 + rnd.IntN(6)
		text.WriteString("version: 1\nsite: s\ngateway: g\nbuses: {b: {serial: /dev/x, timeout: 300ms}}\ndevices:\n")
		cycles := []string{"1s", "2s", "3s", "5s"}
		for i := 1; i <= units; i++ {
			fmt.Fprintf(&text, "  d%d: {bus: b, unit: %d, every: %s, pause: %dms}\n", i, i, cycles[rnd.IntN(4)], 50*rnd.IntN(2))
		}
		text.WriteString("points:\n")
		for i := 1; i <= units; i++ {
			for k := range 1 + rnd.IntN(3) {
				fmt.Fprintf(&text, "  p%d.x%d: {device: d%d, holding: %d, type: f32}\n", i, k, i, k*10)
			}
		}
		site, problems := config.Parse("site.yaml", []byte(text.String()))
		if site == nil {
			t.Fatal(problems)
		}
		ages, _ := site.Timing()
		for _, all := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				line := &modbustest.Line{Char: modbustest.CharOf(9600), Units: map[byte]*modbustest.Unit{}}
				for i := 1; i <= units; i++ {
					line.Units[byte(i)] = &modbustest.Unit{Turnaround: 20 * time.Millisecond}
				}
				bus, err := modbus.OpenOn(*site.Buses[0].Modbus, line.Open)
				if err != nil {
					t.Fatal(err)
				}
				c := &collect{}
				b := newBusLoop("b", bus, func(string) time.Duration { return pauseMost })
				b.log, b.emit, b.report = slog.New(slog.DiscardHandler), c.emit, func(switched) {}
				turnFor(t, b, func() {
					time.Sleep(10*time.Second + time.Duration(rnd.IntN(3000))*time.Millisecond)
					for i := 2; i <= units && (all || i == 2); i++ {
						line.Units[byte(i)].Kill(true)
					}
					time.Sleep(2 * time.Minute)
				})
				for _, a := range ages {
					if !strings.HasPrefix(a.Point, "p1.") {
						continue
					}
					worst, got := a.OneDead, aged(c.of(a.Point))
					if all {
						worst = a.AllDead
						seen, said = seen+got, said+worst
					}
					if worst == 0 || got > worst {
						t.Errorf("line %d: %s of %v was %v old, at worst %v\n%s", n, a.Point, a.Every, got, worst, text.String())
					}
				}
			})
		}
	}
	if said > 3*seen {
		t.Errorf("the worst ages come to %v, those seen to %v", said, seen)
	}
	t.Logf("the worst ages come to %v, those seen to %v", said, seen)
}
