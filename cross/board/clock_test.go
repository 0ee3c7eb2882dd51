//go:build board

package board

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const clockSite = `version: 1
site: board
gateway: gw
buses:
  pit: {sim: {signals: {level: {steps: [[0s, 4], [2s, 6], [6s, 4]], repeat: 8s}}}}
devices:
  level1: {bus: pit, unit: 1, every: 500ms}
points:
  level: {unit: m, device: level1, holding: 0, type: f32, alarms: [{level: red, above: 5, clear: 4.5, for: 2s}]}
uplinks:
  county: {mqtt: "tcp://10.0.2.2:%d", rate: 0}
buffer: {dir: /data/buffer, size: 32MB}
`

// A calendar is what a platform hears of a board whose clock goes astray.
type calendar struct {
	mu     sync.Mutex
	data   []dated
	events []happened
}

type dated struct {
	at       time.Time // of arrival
	Boot     int
	Clock    string
	Offset   int64
	Readings []struct{ T, M *int64 }
}

type happened struct {
	N, Boot         uint64
	M               int64
	T               *int64
	Kind, ID, State string
}

func (c *calendar) hear(topic string, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch topic[strings.LastIndex(topic, "/")+1:] {
	case "data":
		d := dated{at: time.Now()}
		if json.Unmarshal(payload, &d) == nil {
			c.data = append(c.data, d)
		}
	case "events", "late":
		var h happened
		if json.Unmarshal(payload, &h) == nil {
			c.events = append(c.events, h)
		}
	}
}

// wait waits until the clock is told as that in a boot.
func (c *calendar) wait(t *testing.T, boot uint64, state string) {
	t.Helper()
	c.until(t, fmt.Sprintf("in boot %d the clock is %s", boot, state), func() bool {
		return slices.ContainsFunc(c.events, func(h happened) bool { return h.Kind == "clock" && h.Boot == boot && h.State == state })
	})
}

// until waits for what the platform hears.
func (c *calendar) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c.mu.Lock()
		is := holds()
		c.mu.Unlock()
		if is {
			return
		}
	}
	t.Fatalf("not heard of within %v: %s; %+v", patience, what, c.events)
}

// goesOn waits until so many readings came in a boot under a clock, and so many
// alarms in all.
func (c *calendar) goesOn(t *testing.T, boot int, clock string, readings, rises int) {
	t.Helper()
	c.until(t, fmt.Sprintf("%d readings in boot %d, clock %s, and %d alarms", readings, boot, clock, rises), func() bool {
		came, rose := 0, 0
		for _, d := range c.data {
			if d.Boot == boot && d.Clock == clock {
				came += len(d.Readings)
			}
		}
		for _, h := range c.events {
			if h.Kind == "alarm" && h.ID == "level/red" && h.State == "active" {
				rose++
			}
		}
		return came >= readings && rose >= rises
	})
}

// A board that wakes in 1970, is set right by hand, set back by ten minutes, and
// booted anew: the platform gets every reading with its true time or with none, and
// alarms come when they should.
func TestABoardThatWakesIn1970(t *testing.T) {
	var c calendar
	port := broker(t, c.hear)
	disk := t.TempDir() + "/disk"
	if err := NewDisk(disk, 128<<20); err != nil {
		t.Fatal(err)
	}
	p := prepare(t, "arm64")
	zero := map[int]time.Time{} // when the board's boots began, by the host's clock
	boot := func(n int) *Board {
		b, err := Boot(p, Config{Disk: disk, Args: []string{"-rtc", "base=1970-01-01T00:00:00"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Cut)
		out, err := b.Run("cat /proc/uptime; date +%Y")
		words := strings.Fields(out)
		if err != nil || len(words) != 3 || words[2] != "1970" {
			t.Fatalf("%q, %v", out, err)
		}
		up, _ := strconv.ParseFloat(words[0], 64)
		zero[n] = time.Now().Add(-time.Duration(up * float64(time.Second)))
		if err := b.Put("/etc/site.yaml", fmt.Sprintf(clockSite, port)); err != nil {
			t.Fatal(err)
		}
		return b
	}
	set := func(b *Board, to time.Time) {
		if out, err := b.Run(fmt.Sprintf("date -u -s @%d", to.Unix())); err != nil {
			t.Fatalf("%s %v", out, err)
		}
	}
	b := boot(1)
	if _, err := b.Start("pithead run /etc/site.yaml"); err != nil {
		t.Fatal(err)
	}
	c.goesOn(t, 1, "unknown", 16, 1)
	set(b, time.Now())
	c.wait(t, 1, "free")
	c.goesOn(t, 1, "free", 16, 2)
	set(b, time.Now().Add(-10*time.Minute))
	c.wait(t, 1, "unknown")
	time.Sleep(5 * time.Second)
	b.Cut()
	b = boot(2)
	set(b, time.Now())
	if _, err := b.Start("pithead run /etc/site.yaml"); err != nil {
		t.Fatal(err)
	}
	c.wait(t, 2, "free")
	c.goesOn(t, 2, "free", 10, 3)
	b.Cut()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dates(t, zero)
	c.delays(t)
}

// dates holds every reading against the host's clock; date sets whole seconds, and
// a reading may come late.
func (c *calendar) dates(t *testing.T, zero map[int]time.Time) {
	t.Helper()
	by := map[string]int{}
	for _, d := range c.data {
		for _, r := range d.Readings {
			by[fmt.Sprintf("%d %s", d.Boot, d.Clock)]++
			var wrong time.Duration
			switch {
			case d.Clock == "unknown":
				continue
			case r.T != nil:
				wrong = time.UnixMilli(*r.T).Sub(d.at)
			case r.M != nil:
				wrong = time.UnixMilli(d.Offset).Sub(zero[d.Boot])
			}
			if wrong < -2*time.Minute || wrong > 3*time.Second {
				t.Errorf("boot %d, clock %s: a reading is dated %v from when it came or was", d.Boot, d.Clock, wrong)
			}
		}
	}
	if by["1 unknown"] < 10 || by["1 free"] < 10 || by["2 free"] < 5 {
		t.Errorf("readings by boot and clock: %v", by)
	}
	t.Logf("figure: readings by boot and clock: %v", by)
}

// delays: the level is high for four seconds of eight, and the alarm stands two. A
// board that is held up is late by seconds; a clock that steps, by minutes or more.
func (c *calendar) delays(t *testing.T) {
	t.Helper()
	up, rises := map[uint64]int64{}, 0
	last := map[uint64]int64{}
	for _, h := range c.events {
		if h.Kind != "alarm" || h.ID != "level/red" {
			continue
		}
		switch h.State {
		case "active":
			if was, ok := last[h.Boot]; ok && (h.M-was < 4_000 || h.M-was > 12_000) {
				t.Errorf("boot %d: the alarm came again after %d ms, want 8000", h.Boot, h.M-was)
			}
			up[h.Boot], last[h.Boot] = h.M, h.M
			rises++
		case "normal":
			if stood := h.M - up[h.Boot]; up[h.Boot] > 0 && stood > 6_000 {
				t.Errorf("boot %d: the alarm stood %d ms, want 2000", h.Boot, stood)
			}
		}
	}
	if rises < 3 {
		t.Errorf("%d alarms", rises)
	}
	t.Logf("figure: %d alarms, each in time", rises)
}
