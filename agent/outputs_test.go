package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/config"
	"pithead/config/expr"
	"pithead/drivers"
)

// fanEnv lets an expression name the points of the tests, as numbers.
type fanEnv struct{}

func (fanEnv) Points() []string                  { return nil }
func (fanEnv) Point(id string) (expr.Info, bool) { return expr.Info{Kind: drivers.Number}, true }

func releasedBy(t *testing.T, text string) *expr.Expr {
	t.Helper()
	e, err := expr.Parse(text, fanEnv{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// script plays steps on a bench: "ch4=2", "ch4=comm", "3s", "hand siren 10s",
// "off siren", "ack level/high".
func script(b *bench, step string) string {
	b.t.Helper()
	words := strings.Fields(step)
	if point, value, is := strings.Cut(step, "="); is {
		var v float64
		if _, err := fmt.Sscan(value, &v); err != nil {
			q, _ := drivers.ParseQuality(value)
			b.bad(point, q)
		} else {
			b.good(point, v)
		}
		return b.told("")
	}
	if long, err := time.ParseDuration(step); err == nil {
		time.Sleep(long)
		return b.told("")
	}
	c := command.Command{Op: "output", By: "me"}
	do := (*judge).outputCommand
	switch words[0] {
	case "hand", "far":
		long, _ := command.ParseDuration(words[2])
		c.Args = command.Args{Output: words[1], For: command.Duration(long)}
		c.Signed = words[0] == "far"
	case "off":
		no := false
		c.Args = command.Args{Output: words[1], On: &no}
	case "ack":
		c.Args.Alarm, do = words[1], (*judge).ackCommand
	case "reset":
		c.Args.Alarm, do = words[1], (*judge).resetCommand
	}
	if err := b.do(func() error { _, err := do(b.judge, c); return err }); err != nil {
		return b.told("no: " + err.Error())
	}
	return b.told("")
}

// told is what the outputs were told, and their alarms.
func (b *bench) told(first string) string {
	b.settled()
	out := []string{}
	if first != "" {
		out = append(out, first)
	}
	for _, e := range b.events {
		id, is := strings.CutPrefix(e.ID, "output:")
		if !is {
			continue
		}
		word := id + "=" + e.State
		for _, f := range e.More {
			if f.Name == "ended" {
				word += "(hand ended)"
			}
			if f.Name == "asked" && (f.Value == byHand || f.Value == "release" || f.Value == "min-on") {
				word += "(" + f.Value.(string) + ")"
			}
		}
		out = append(out, word)
	}
	b.events = nil
	return strings.Join(out, " ")
}

func TestOutputStories(t *testing.T) {
	notice := func(f func(*config.Output)) func(*config.Site) {
		return func(s *config.Site) { f(&s.Outputs[1]); s.Outputs = s.Outputs[1:2] }
	}
	trip := func(f func(*config.Output)) func(*config.Site) {
		return func(s *config.Site) { s.Outputs = s.Outputs[:1]; s.Outputs[0].Verify = nil; f(&s.Outputs[0]) }
	}
	fan := func(o *config.Output) { o.Release = releasedBy(t, "feed = 1") }
	zero, one := drivers.NumberValue(0), drivers.NumberValue(1)
	for _, c := range []struct {
		story string
		with  func(*config.Site)
		steps [][2]string
	}{
		{"a trip waits for the fan", trip(fan), [][2]string{
			{"feed=0", ""}, {"ch4=0.2", ""}, {"feed=1", "cutoff=off"},
			{"ch4=2", "cutoff=on"}, {"feed=0", ""}, {"ch4=0.2", ""}, {"reset ch4/cut", ""}, {"2s", ""},
			{"feed=comm", ""}, {"feed=1", "cutoff=off"}, {"feed=0", ""}, {"2s", ""}}},
		{"the fan alone releases nothing", trip(fan), [][2]string{{"feed=1", ""}, {"ch4=2", ""}, {"feed=1", ""}, {"ch4=0.2", ""}, {"feed=1", ""}, {"reset ch4/cut", "cutoff=off"}}},
		{"a pulse", notice(func(o *config.Output) { o.Pulse = 2 * time.Second }), [][2]string{
			{"level=11", ""}, {"5s", "siren=on"}, {"1900ms", ""}, {"100ms", "siren=off"}, {"1h", ""}, {"level=8", ""}, {"level=11", ""}, {"5s", "siren=on"}, {"2s", "siren=off"}}},
		{"a pulse by hand", notice(func(o *config.Output) { o.Pulse = 2 * time.Second }), [][2]string{
			{"hand siren 10s", "siren=off(by hand) siren=on(by hand)"}, {"2s", "siren=off"}, {"8s", "siren=off(hand ended)"}}},
		{"on for a while at least", notice(func(o *config.Output) { o.MinOn = 10 * time.Second }), [][2]string{
			{"level=11", ""}, {"5s", "siren=on"}, {"level=8", ""}, {"9900ms", ""}, {"100ms", "siren=off"}}},
		{"off for a while at least", notice(func(o *config.Output) { o.MinOff = 10 * time.Second }), [][2]string{
			{"level=11", ""}, {"5s", "siren=on"}, {"level=8", "siren=off"}, {"level=11", ""}, {"5s", ""}, {"4900ms", ""}, {"100ms", "siren=on"}}},
		{"by hand, with an end", notice(func(o *config.Output) {}), [][2]string{
			{"hand siren 0s", "no: it must say for how long; want for, at most 24h"}, {"hand siren 25h", "no: it must say for how long; want for, at most 24h"},
			{"hand siren 10s", "siren=off(by hand) siren=on(by hand)"}, {"9900ms", ""}, {"100ms", "siren=on(hand ended) siren=off"}}},
		{"off ends only what a hand did", notice(func(o *config.Output) {}), [][2]string{
			{"off siren", "no: it was not switched on by hand, and off ends only that"}, {"hand siren 1m", "siren=off(by hand) siren=on(by hand)"},
			{"level=11", ""}, {"5s", ""}, {"off siren", "siren=on(hand ended)"}, {"1h", ""}, {"level=8", "siren=off"}}},
		{"from afar only where the file says so", notice(func(o *config.Output) {}), [][2]string{
			{"far siren 10s", "no: the site file does not let a platform switch it (remote: true)"}}},
		{"from afar", notice(func(o *config.Output) { o.Remote = true }), [][2]string{{"far siren 10s", "siren=off(by hand) siren=on(by hand)"}}},
		{"a trip by hand does not outstay its time, nor undo its alarm", trip(func(o *config.Output) {}), [][2]string{
			{"ch4=0.2", "cutoff=off"}, {"hand cutoff 10s", "cutoff=off(by hand) cutoff=on(by hand)"}, {"ch4=2", ""}, {"10s", "cutoff=on(hand ended)"}, {"1h", ""}}},
		{"what is fed while it should not be", func(s *config.Site) {
			s.Outputs = s.Outputs[:1]
			s.Outputs[0].Verify.Else = &one
			s.Outputs[0].Verify.Is = zero
		}, [][2]string{
			{"feed=0", ""}, {"ch4=0.2", "cutoff=off"}, {"3s", ""}, {"feed=1", ""}, {"ch4=0.2", ""}, {"3s", ""}, {"feed=0", ""}, {"ch4=0.2", ""},
			{"3s", ""}, {"feed=0", ""}, {"ch4=0.2", ""}, {"2s", "cutoff/fault=active"}, {"feed=1", "cutoff/fault=normal"}}},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				site := pit()
				c.with(site)
				b := newBench(t, site, newFold(), nil)
				b.told("")
				for i, s := range c.steps {
					if got := script(b, s[0]); got != s[1] {
						t.Fatalf("step %d, %s: told %q, want %q", i+1, s[0], got, s[1])
					}
				}
			})
		})
	}
}

// Nothing on this list releases a trip.
func TestWhatMustNotReleaseATrip(t *testing.T) {
	no := false
	for story, do := range map[string]func(*bench){
		"an acknowledgement":         func(b *bench) { script(b, "ack ch4/cut") },
		"a reset while it holds":     func(b *bench) { script(b, "reset ch4/cut") },
		"a reset of the output":      func(b *bench) { script(b, "reset cutoff") },
		"off by hand":                func(b *bench) { script(b, "hand cutoff 10s"); script(b, "off cutoff") },
		"the end of a hand's time":   func(b *bench) { script(b, "hand cutoff 10s"); script(b, "20s") },
		"a sensor that is silent":    func(b *bench) { script(b, "ch4=comm"); script(b, "1h") },
		"a sensor that is broken":    func(b *bench) { script(b, "ch4=sensor"); script(b, "1h") },
		"a value past its range":     func(b *bench) { script(b, "ch4=over"); script(b, "1h") },
		"a test of the sensor":       func(b *bench) { script(b, "ch4=test"); script(b, "1h") },
		"a value that falls a bit":   func(b *bench) { script(b, "ch4=1.2") },
		"a good value under a latch": func(b *bench) { script(b, "ch4=0.2"); script(b, "1h") },
		"a device that went stale":   func(b *bench) { script(b, "ch4=stale") },
		"an output that can't be written": func(b *bench) {
			b.done <- switched{Output: "cutoff", On: true, Err: errors.New("no answer")}
			script(b, "1h")
		},
		"a mode": func(b *bench) { b.do(func() error { b.mode = "maintenance"; return nil }); script(b, "1s") },
		"a disk that fails": func(b *bench) {
			b.do(func() error { b.setAgent(agentBuffer, true, "no space"); return nil })
			script(b, "1h")
		},
		"a bad site file": func(b *bench) { b.do(func() error { b.setAgent(agentConfig, true, "x"); return nil }); script(b, "1h") },
		"a shelf, a test, out of service, as far as there are such commands": func(b *bench) {
			for _, op := range []string{"shelve", "out", "test", "mode"} {
				o, ok := ops()[op]
				if !ok || o.judge == nil {
					continue
				}
				c := command.Command{Op: op, By: "me", Why: "x", Args: command.Args{Alarm: "ch4/cut", Mode: "closed", For: command.Duration(time.Minute), On: &no}}
				if op != "shelve" {
					c.Args.Alarm, c.Args.Point = "", "ch4"
				}
				b.do(func() error { _, err := o.judge(b.judge, c); return err })
			}
			script(b, "1s")
		},
	} {
		t.Run(story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, pit(), newFold(), nil)
				b.good("feed", 0)
				b.good("ch4", 0.2)
				b.good("ch4", 2)
				if !b.outs["cutoff"] {
					t.Fatal("not tripped")
				}
				do(b)
				b.settled()
				if !b.outs["cutoff"] {
					t.Error("released")
				}
			})
		})
	}
}

// Nor does any way to begin again. The stories of reload and removal are told
// in TestATripThatLostItsAlarmIsLetGoByAPersonOnly.
func TestNoStartReleasesATrip(t *testing.T) {
	for story, spoil := range map[string]func(f *fold){
		"a stop, a crash":                 func(f *fold) {},
		"events that can't be read":       func(f *fold) { *f = *newFold() },
		"an alarm that is not remembered": func(f *fold) { f.Alarms = map[string]remembered{} },
		"an alarm remembered as over":     func(f *fold) { f.Alarms["ch4/cut"] = remembered{State: "normal"} },
		"a state that is no state":        func(f *fold) { f.Alarms["ch4/cut"] = remembered{State: "what"} },
	} {
		t.Run(story, func(t *testing.T) {
			f := newFold()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, pit(), newFold(), nil)
				b.good("ch4", 0.2)
				b.good("ch4", 2)
				b.settled()
				foldIn(t, f, b.events)
			})
			spoil(f)
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, pit(), f, nil)
				time.Sleep(time.Hour)
				b.bad("ch4", drivers.Comm)
				b.settled()
				if !b.outs["cutoff"] {
					t.Error("released")
				}
			})
		})
	}
}

// What a hand has switched on outlives a crash until its end, and ends where
// nobody knows when that was.
func TestByHandOverARestart(t *testing.T) {
	for _, c := range []struct {
		story string
		down  time.Duration
		boot  uint32
		known bool
		want  string
	}{
		{"a crash", 10 * time.Second, 1, true, "siren=on(hand ended) siren=off"},
		{"a crash for longer", 50 * time.Second, 1, true, "siren=on(hand ended) siren=off"},
		{"a power cut", 10 * time.Second, 2, true, "siren=on(hand ended) siren=off"},
		{"a power cut without a clock", time.Second, 2, false, "siren=on(hand ended) siren=off"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				site := pit()
				site.Outputs = site.Outputs[1:2]
				b := newBench(t, site, newFold(), nil)
				script(b, "hand siren 30s")
				b.stop()
				f := newFold()
				f.Outputs["siren"] = switchedTo{On: true, Hand: &moment{Boot: 1, M: b.until("siren").Milliseconds(), T: b.clock.At(b.until("siren")).T}}
				time.Sleep(c.down)
				b = &bench{t: t, same: b.same, boot: c.boot}
				if !c.known {
					b.same = NewClock(time.Now().Add(time.Hour).UnixMilli(), false)
				}
				startBench(t, b, site, f, nil)
				got := b.told("")
				if left := 30*time.Second - c.down; c.known && left > 0 {
					if !b.on("siren") || got != "" {
						t.Errorf("told %q, on %v", got, b.on("siren"))
					}
					time.Sleep(left)
					got = b.told("")
				}
				if got != c.want || b.on("siren") {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

func (b *bench) until(output string) time.Duration { return b.byName[output].until }

// The line toggles while all loops move, and not while one stands.
func TestTheAliveLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		moves, toggles := true, 0
		b.do(func() error {
			want := b.wants
			b.wants = func(bus, output string, on bool) {
				if output == config.AliveID && bus == "board" {
					toggles++
				}
				want(bus, output, on)
			}
			b.beat(config.Alive{Bus: "board", Period: time.Second}, func() bool { return moves })
			return nil
		})
		count := func() (n int) {
			b.do(func() error { n, toggles = toggles, 0; return nil })
			return n
		}
		time.Sleep(10*time.Second + 500*time.Millisecond)
		if n := count(); n != 10 {
			t.Errorf("%d toggles in 10 s, want 10", n)
		}
		b.do(func() error { moves = false; return nil })
		time.Sleep(10*time.Second + 500*time.Millisecond)
		if n := count(); n != 0 {
			t.Errorf("%d toggles while a loop stands", n)
		}
	})
}

// Outputs never wait for the disk: what is to be stored only queues.
func TestAnOutputDoesNotWaitForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		for range 3 * mostQueued / 1000 { // nobody empties the queue
			b.queue.addEvent(event.Event{Kind: "x"}, event.Stamp{})
		}
		b.in <- []drivers.Reading{{Point: "ch4", At: time.Now(), Value: drivers.NumberValue(2)}}
		synctest.Wait()
		if !b.outs["cutoff"] {
			t.Error("it waits")
		}
	})
}
