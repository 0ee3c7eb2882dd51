package agent

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/seal"
	"pithead/config"
	"pithead/config/expr"
	"pithead/drivers"
)

// bench is a judge on a table: readings go in by hand, what it tells is seen.
type bench struct {
	*judge
	t    *testing.T
	outs map[string]bool
	dead bool // the outputs' bus says nothing
	lost bool // what the run before left can't be read

	carried map[string]*alarm.Alarm // from before a reload
	asleep  map[string]sleeper
	seals0  map[string]*seal.Seal // likewise
	events  []event.Event
	stamps  []event.Stamp // of events
	boot    uint32        // 0: the first
	queued  []queued      // the same with their times
	same    *Clock        // of a bench before, on the same machine
	stored  []record.Reading
	stop    context.CancelFunc
}

func newBench(t *testing.T, site *config.Site, f *fold, last map[string]record.Last) *bench {
	t.Helper()
	return startBench(t, &bench{t: t}, site, f, last)
}

func startBench(t *testing.T, b *bench, site *config.Site, f *fold, last map[string]record.Last) *bench {
	t.Helper()
	q := newQueue(1000)
	b.outs = map[string]bool{}
	if b.same == nil {
		b.same = NewClock(0, false)
	}
	b.judge = newJudge(site, b.same, q, slog.New(slog.DiscardHandler))
	b.wants = func(_, output string, on bool) {
		if was, ok := b.outs[output]; !ok || was != on { // the test reads it meanwhile
			b.outs[output] = on
		}
		if !b.dead {
			select {
			case b.done <- switched{Output: output, On: on}:
			default: // nobody turns the judge: the test does its steps by hand
			}
		}
	}
	b.forgot = b.lost
	if f != nil {
		b.restore(f, max(b.boot, 1), last, b.carried)
		b.sleepAgain(b.asleep)
		b.restoreHours(last)
		b.restoreSeals(f, last, b.seals0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go b.run(ctx)
	b.stop = func() { cancel(); <-b.ended }
	t.Cleanup(b.stop)
	synctest.Wait()
	return b
}

// give hands in readings as a bus would, and waits until they are judged.
func (b *bench) give(rs ...drivers.Reading) {
	b.in <- rs
	b.settled()
}

func (b *bench) settled() {
	synctest.Wait()
	es, _ := b.queue.takeEvents()
	b.queued = append(b.queued, es...)
	for _, e := range es {
		e.stamp.Boot = max(b.boot, 1)
		b.events, b.stamps = append(b.events, e.event), append(b.stamps, e.stamp)
	}
	rs, _ := b.queue.swapReadings(nil)
	b.stored = append(b.stored, rs...)
}

func (b *bench) good(point string, v float64) {
	b.give(drivers.Reading{Point: point, At: time.Now(), Value: drivers.NumberValue(v)})
}

func (b *bench) bad(point string, q drivers.Quality) {
	b.give(drivers.Bad(point, time.Now(), q))
}

// story is what was told, a word each, since the last call.
func (b *bench) story() string {
	b.settled()
	var words []string
	for _, e := range b.events {
		words = append(words, e.ID+"="+e.State)
	}
	b.events = nil
	return strings.Join(words, " ")
}

func (b *bench) want(story string) {
	b.t.Helper()
	if got := b.story(); got != story {
		b.t.Errorf("told %q, want %q", got, story)
	}
}

func (b *bench) do(f func() error) error {
	b.t.Helper()
	var err error
	if e := b.ask(b.t.Context(), func() { err = f() }); e != nil {
		b.t.Fatal(e)
	}
	return err
}

func (b *bench) latest(point string) (r drivers.Reading) {
	b.do(func() error { r = b.reading(b.find(point)); return nil })
	return r
}

func yes() *bool { v := true; return &v }

// pit has a methane point that trips a cut-off, and a level that sounds a siren.
func pit() *config.Site {
	return &config.Site{
		Site: "pit", Gateway: "g1",
		Points: []config.Point{
			{ID: "ch4", Common: &config.Common{Device: "gas", Every: time.Second, Decimals: -1, AtLeast: 5 * time.Minute}, Own: &config.Own{Alarms: []alarm.Def{
				{ID: "ch4/cut", Point: "ch4", Level: alarm.Red, Condition: alarm.Above, Limit: [2]float64{1.5}, Clear: [2]float64{1}, Latch: true, Do: []string{"cutoff"}},
				{ID: "ch4/fault", Point: "ch4", Level: alarm.Red, Condition: alarm.Fault, For: 10 * time.Second, Do: []string{"cutoff"}},
			}}},
			{ID: "level", Common: &config.Common{Device: "lv", Every: time.Second, Decimals: -1, Deadband: 0.5, AtLeast: time.Minute}, Own: &config.Own{Alarms: []alarm.Def{
				{ID: "level/high", Point: "level", Level: alarm.Yellow, Condition: alarm.Above, Limit: [2]float64{10}, Clear: [2]float64{9}, For: 5 * time.Second, Do: []string{"siren", "horn"}},
			}}},
			{ID: "feed", Common: &config.Common{Device: "relays", Every: time.Second, Decimals: -1, OnChange: true, AtLeast: 5 * time.Minute}, Own: &config.Own{}},
		},
		Outputs: []config.Output{
			{ID: "cutoff", Bus: "plc", Trip: true, OnStart: yes(), Verify: &config.Verify{Point: "feed", Is: drivers.NumberValue(0), Within: 5 * time.Second}},
			{ID: "siren", Bus: "board"},
			{ID: "horn", Bus: "board", UntilAck: true},
		},
	}
}

func TestATripIsHeldFromTheStartUntilItsAlarmsHaveSpokenOnGoodSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		if !b.outs["cutoff"] {
			t.Fatal("on-start: on, but it was not switched on")
		}
		if b.outs["siren"] {
			t.Fatal("the siren sounds and nothing asked for it")
		}
		b.bad("ch4", drivers.Comm)
		if !b.outs["cutoff"] {
			t.Error("a bad sample released the trip")
		}
		b.good("ch4", 1.2)
		if !b.outs["cutoff"] {
			t.Error("a good sample between clear and limit released the trip")
		}
		b.good("ch4", 0.4)
		if b.outs["cutoff"] {
			t.Error("its alarms are normal on a good sample, and it is still held")
		}
		b.want("output:cutoff=on output:cutoff=off")
	})
}

// Everything a trip must survive, and the one thing that lets it go.
func TestWhatReleasesATrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.good("ch4", 0.4)
		b.story()
		b.good("ch4", 1.5)
		b.want("ch4/cut=active output:cutoff=on")
		on := func(after string) {
			t.Helper()
			b.settled()
			if !b.outs["cutoff"] {
				t.Fatalf("%s released the trip", after)
			}
		}
		if err := b.do(func() error { return b.ack("ch4/cut", "me", "") }); err != nil {
			t.Fatal(err)
		}
		on("an acknowledgement")
		if err := b.do(func() error { return b.reset("ch4/cut", "me", "") }); err == nil {
			t.Fatal("reset while the condition holds")
		}
		on("a refused reset")
		b.bad("ch4", drivers.Comm)
		time.Sleep(11 * time.Second)
		on("a sensor that is silent")
		if err := b.do(func() error { return b.reset("ch4/cut", "me", "") }); err == nil {
			t.Fatal("reset while the quality is bad")
		}
		b.good("ch4", 0.9)
		on("a good sample under clear, while latched")
		if err := b.do(func() error { return b.reset("cutoff", "me", "") }); err == nil {
			t.Fatal("a trip was let go that its alarm asks for")
		}
		if err := b.do(func() error { return b.reset("ch4/cut", "me", "checked the face") }); err != nil {
			t.Fatal(err)
		}
		b.settled()
		if b.outs["cutoff"] {
			t.Error("reset on a good sample, and it is still on")
		}
	})
}

func TestAStopOrCrashReleasesNoTripAndRaisesNothingTwice(t *testing.T) {
	f := newFold()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.good("ch4", 0.4)
		b.good("ch4", 1.6)
		b.settled()
		foldIn(t, f, b.events)
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), f, nil)
		if !b.outs["cutoff"] {
			t.Fatal("the trip was released by a restart")
		}
		b.good("ch4", 1.7)
		b.want("")
		b.good("ch4", 0.5)
		b.want("ch4/cut=cleared")
		if !b.outs["cutoff"] {
			t.Fatal("the latch did not outlive the restart")
		}
	})
}

// A trip whose alarm has left the file stays on until a person lets it go,
// whatever comes into the file later.
func TestATripThatLostItsAlarmIsLetGoByAPersonOnly(t *testing.T) {
	without := func(site *config.Site, alarm, output bool) *config.Site {
		if alarm {
			site.Points[0].Alarms = site.Points[0].Alarms[1:]
		}
		if output {
			site.Outputs = site.Outputs[1:]
			site.Points[0].Alarms[len(site.Points[0].Alarms)-1].Do = nil
		}
		return site
	}
	for _, c := range []struct {
		name string
		then []*config.Site // one start after another; the last has all of it again
	}{
		{"the alarm goes", []*config.Site{without(pit(), true, false), without(pit(), true, false)}},
		{"its latch goes", []*config.Site{unlatched(pit())}},
		{"the alarm comes back", []*config.Site{without(pit(), true, false), pit()}},
		{"both go, the output comes back first", []*config.Site{without(pit(), true, true), without(pit(), true, false), pit()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFold()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, pit(), newFold(), nil)
				b.good("ch4", 0.4)
				b.good("ch4", 1.6)
				b.settled()
				foldIn(t, f, b.events)
			})
			for i, site := range c.then {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, site, f, nil)
					b.good("ch4", 0.2)
					b.settled()
					foldIn(t, f, b.events)
					if _, there := b.byName["cutoff"]; there && !b.outs["cutoff"] {
						t.Fatal("released by a good sample")
					}
					if i == len(c.then)-1 {
						if err := b.do(func() error { return b.reset("cutoff", "me", "") }); err != nil || b.outs["cutoff"] {
							t.Errorf("a person can't let it go: %v", err)
						}
					}
				})
			}
		})
	}
}

func unlatched(site *config.Site) *config.Site {
	site.Points[0].Alarms[0].Latch = false
	return site
}

func TestALostAlarmIsToldAfterTheTripThatItHeld(t *testing.T) {
	f := newFold()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.good("ch4", 0.4)
		b.good("ch4", 1.6)
		b.settled()
		foldIn(t, f, b.events)
	})
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points[0].Alarms = site.Points[0].Alarms[1:]
		b := newBench(t, site, f, nil)
		b.want("output:cutoff=on ch4/cut=normal") // a crash may come between
	})
}

func TestAHornIsQuietOnceAcknowledgedAndTheSirenIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		for range 7 {
			b.good("level", 11)
			time.Sleep(time.Second)
		}
		b.settled()
		if !b.outs["siren"] || !b.outs["horn"] {
			t.Fatalf("after the delay: %v", b.outs)
		}
		if err := b.do(func() error { return b.ack("level/high", "me", "") }); err != nil {
			t.Fatal(err)
		}
		b.settled()
		if !b.outs["siren"] || b.outs["horn"] {
			t.Errorf("acknowledged: %v", b.outs)
		}
		b.good("level", 8)
		if b.outs["siren"] {
			t.Error("cleared, and the siren sounds")
		}
	})
}

func TestACutOffThatDoesNotCutIsAFaultOfTheOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.good("ch4", 0.4)
		b.good("feed", 1)
		b.story()
		b.good("ch4", 1.6)
		time.Sleep(4 * time.Second)
		b.want("ch4/cut=active output:cutoff=on")
		why := func(want string) { // the feed is still on, or the line is dead: other people are called
			t.Helper()
			b.settled()
			if len(b.events) != 1 || b.events[0].Why != want {
				t.Errorf("told %+v, want %q", b.events, want)
			}
		}
		b.good("feed", 1)
		time.Sleep(1100 * time.Millisecond)
		why("feed is 1")
		b.want("output:cutoff/fault=active")
		b.good("feed", 0)
		why("")
		b.want("output:cutoff/fault=normal")
		_ = b.do(func() error { b.dead = true; return nil })
		b.done <- switched{Output: "cutoff", On: true, Err: fmt.Errorf("no answer")}
		time.Sleep(6 * time.Second)
		why("no answer")
		b.want("output:cutoff/fault=active")
	})
}

func TestADelayEndsByTimerAndNotByTheNextSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.good("feed", 0)
		b.good("ch4", 0.4)
		b.story()
		b.good("level", 11)
		time.Sleep(4900 * time.Millisecond)
		b.want("")
		time.Sleep(200 * time.Millisecond)
		b.want("level/high=active output:siren=on output:horn=on")
	})
}

func TestTheSampleThatDecidesIsStoredWhateverTheDeadband(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		for _, v := range []float64{9.9, 9.95, 10.0, 10.01} {
			b.good("level", v)
			time.Sleep(time.Second)
		}
		var got []float64
		for _, r := range b.stored {
			if r.Point == "level" {
				got = append(got, r.Value.Float())
			}
		}
		if !slices.Equal(got, []float64{9.9, 10.0}) {
			t.Errorf("stored %v", got)
		}
	})
}

func TestTheSameBadCauseIsStoredWhenItBeginsAndEachAtLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		for range 90 {
			b.bad("level", drivers.Comm)
			time.Sleep(time.Second)
		}
		b.bad("level", drivers.Protocol)
		n := 0
		for _, r := range b.stored {
			if r.Point == "level" {
				n++
				if r.Value.Kind() != drivers.None {
					t.Error("a bad reading carries a value")
				}
			}
		}
		if n != 3 {
			t.Errorf("stored %d times", n)
		}
	})
}

func TestALateBusIsStaleAndComputedPointsSaySo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		e, err := expr.Parse("20 - level", pointsOf{"level": expr.Info{Kind: drivers.Number}})
		if err != nil {
			t.Fatal(err)
		}
		site.Points = append(site.Points, config.Point{ID: "free", Common: &config.Common{Decimals: -1, Value: e, AtLeast: time.Minute}, Own: &config.Own{}})
		b := newBench(t, site, newFold(), nil)
		b.good("level", 8)
		if r := b.latest("free"); r.Value.Float() != 12 {
			t.Fatalf("free is %v", r)
		}
		time.Sleep(6 * time.Second)
		if r := b.latest("level"); r.Quality != drivers.Stale {
			t.Errorf("level is %v", r)
		}
		if r := b.latest("free"); r.Quality != drivers.Input || r.Value.Kind() != drivers.None {
			t.Errorf("free is %v", r)
		}
	})
}

// pointsOf is an expression's environment.
type pointsOf map[string]expr.Info

func (p pointsOf) Point(id string) (expr.Info, bool) { i, ok := p[id]; return i, ok }
func (p pointsOf) Points() []string                  { return nil }

// foldIn takes events in as a recorder would, through their bytes.
func foldIn(t *testing.T, f *fold, es []event.Event) {
	t.Helper()
	key, err := event.NewKey(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	c := event.NewChain(key, "e")
	for _, e := range es {
		p, err := event.Parse(c.Next(e, event.Stamp{Boot: 1, M: 1}))
		if err != nil {
			t.Fatal(err)
		}
		c.Commit()
		f.add(p)
	}
}

// newDeadBench is a bench whose outputs' bus never says a word.
func newDeadBench(t *testing.T, site *config.Site, f *fold) *bench {
	t.Helper()
	return startBench(t, &bench{t: t, dead: true}, site, f, nil)
}
