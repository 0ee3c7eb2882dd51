package agent

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/uplink"
	"pithead/drivers"
)

// orderer gives the judge of a bench commands, as somebody at the gateway or as
// somebody who signs, and keeps the fold of all that was told.
type orderer struct {
	*bench
	fold  *fold
	words []string // of all that was told: states, of groups that stand their levels
}

func (o *orderer) order(signed bool, c command.Command) error {
	o.t.Helper()
	c.Signed = signed
	if c.By == "" {
		c.By, c.Why = "wang", "checked"
	}
	var err error
	e := o.ask(o.t.Context(), func() { _, err = o.judge.command(c, ops()[c.Op]) })
	if e != nil {
		o.t.Fatal(e)
	}
	o.settled()
	return err
}

func (o *orderer) may(signed bool, op string, a command.Args) {
	o.t.Helper()
	if err := o.order(signed, command.Command{Op: op, Args: a}); err != nil {
		o.t.Errorf("%s %+v: %v", op, a, err)
	}
}

func (o *orderer) mayNot(why string, signed bool, op string, a command.Args) {
	o.t.Helper()
	if err := o.order(signed, command.Command{Op: op, Args: a}); err == nil || !strings.Contains(err.Error(), why) {
		o.t.Errorf("%s %+v: %v, want an error with %q", op, a, err, why)
	}
}

// testKey signs what the tests fold.
var testKey = sync.OnceValue(func() *event.Key {
	dir, err := os.MkdirTemp("", "pithead")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	key, err := event.NewKey(dir + "/k")
	if err != nil {
		panic(err)
	}
	return key
})

// remember folds what was told since, as the recorder would, and returns it as a story.
func (o *orderer) remember() string {
	o.settled()
	key := testKey()
	var words []string
	for i, e := range o.events {
		p, err := event.Parse(event.Unstored(key, "e", e, o.stamps[i]))
		if err != nil {
			o.t.Fatal(err)
		}
		o.fold.add(p)
		words = append(words, e.ID+"="+e.State)
		if e.Kind == "group" && e.State == "active" {
			e.State = e.Level
		}
		if e.Kind != "command" {
			for _, f := range e.More {
				switch {
				case f.Name == "acked" && f.Value == true && e.State == "cleared":
					e.State += " acked"
				case f.Name == "escalated":
					e.State += " " + e.Level
				}
			}
			o.words = append(o.words, e.ID+"="+e.State)
		}
	}
	o.events, o.stamps = nil, nil
	return strings.Join(words, " ")
}

// restart stops the judge and starts it from the fold, in the same boot or in the
// next one.
func (o *orderer) restart(boot uint32, last map[string]record.Last) {
	o.t.Helper()
	o.remember()
	o.bench.stop()
	site := o.site
	b := &bench{t: o.t, boot: boot}
	if boot == 1 {
		b.same = o.clock
	}
	o.bench = startBench(o.t, b, site, o.fold, last)
}

func (o *orderer) isShelved(alarm string) (is bool) {
	o.do(func() error { is = o.alarm(alarm).shelf != nil; return nil })
	return is
}

// sleep lets time pass; what the test has read before is read before it.
func (b *bench) sleep(d time.Duration) {
	select {
	case <-b.ended:
	default:
		b.do(func() error { return nil })
	}
	time.Sleep(d)
}

// on says whether an output was told to be on.
func (b *bench) on(output string) (on bool) {
	b.do(func() error { on = b.outs[output]; return nil })
	return on
}

// snap is the judge's snapshot.
func (b *bench) snap() (s uplink.Snapshot) {
	b.do(func() error { s = b.judge.snapshot(1); return nil })
	return s
}

// health is the judge's figures.
func (b *bench) health() (h *uplink.AlarmHealth) {
	b.do(func() error { h = b.judge.alarmHealth(); return nil })
	return h
}

func hours(h float64) command.Duration {
	return command.Duration(h * float64(time.Hour))
}

func newOrderer(t *testing.T) *orderer {
	o := &orderer{fold: newFold()}
	o.bench = newBench(t, pit(), o.fold, nil)
	o.good("ch4", 0.5)
	o.good("level", 5)
	o.good("feed", 0)
	o.remember()
	return o
}

func TestWhatSomebodyAtTheGatewayMayPutAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		o.may(false, "shelve", command.Args{Alarm: "level/high", For: hours(1)})
		o.may(false, "unshelve", command.Args{Alarm: "level/high"})
		o.mayNot("not shelved", false, "unshelve", command.Args{Alarm: "level/high"})
		o.mayNot("red needs a signed", false, "shelve", command.Args{Alarm: "ch4/cut", For: hours(1)})
		o.may(true, "shelve", command.Args{Alarm: "ch4/cut", For: hours(1)})
		o.mayNot("red needs a signed", false, "unshelve", command.Args{Alarm: "ch4/cut"})
		o.mayNot("at most 24h", true, "shelve", command.Args{Alarm: "ch4/cut", For: hours(25)})
		o.mayNot("at most 24h", false, "shelve", command.Args{Alarm: "level/high"})
		o.mayNot("did you mean", false, "shelve", command.Args{Alarm: "level/hi", For: hours(1)})
		o.mayNot("no mode", true, "mode", command.Args{Mode: "asleep"})
		for _, op := range []string{"out", "in", "mode"} {
			if ops()[op].here != nil {
				t.Errorf("%s needs no signature", op)
			}
		}
		if err := o.order(true, command.Command{Op: "out", Args: command.Args{Point: "ch4"}, By: "li"}); err == nil {
			t.Error("out of service without a reason")
		}
	})
}

func TestTestsAreBoundedADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		ch4 := command.Args{Point: "ch4", For: hours(0.5)}
		o.mayNot("more than 30m", false, "test", command.Args{Point: "ch4", For: hours(0.6)})
		o.may(false, "test", ch4)
		o.mayNot("second point", false, "test", command.Args{Point: "level", For: hours(0.5)})
		o.sleep(10 * time.Minute)
		o.may(false, "test", command.Args{Point: "ch4"}) // over
		o.mayNot("not under test", false, "test", command.Args{Point: "ch4"})
		for range 3 {
			o.may(false, "test", ch4)
			o.sleep(30*time.Minute + time.Second)
		}
		o.restart(1, nil)
		o.mayNot("1h40m0s of 2h0m0s a day", false, "test", ch4)
		o.may(false, "test", command.Args{Point: "ch4", For: hours(0.3)})
		o.mayNot("a day", false, "test", command.Args{Point: "ch4", For: hours(0.35)})
		o.may(true, "test", command.Args{Point: "ch4", For: hours(3)})
		o.may(true, "test", command.Args{Point: "ch4"})
		o.mayNot("a day", false, "test", ch4)
		o.do(func() error { // a day later
			for i := range o.spent {
				o.spent[i].M -= longest.Milliseconds()
			}
			return nil
		})
		o.may(false, "test", ch4)
	})
}

func TestAPointUnderTestIsStoredAndNotJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		o.stored = nil
		o.may(false, "test", command.Args{Point: "ch4", For: hours(0.5)})
		o.good("ch4", 2)
		if r := o.stored[len(o.stored)-1]; r.Quality != drivers.Test || r.Value.Float() != 2 {
			t.Errorf("stored %+v", r)
		}
		o.bad("ch4", drivers.Over)
		for range 60 { // nor is its fault
			o.sleep(time.Second)
			o.bad("ch4", drivers.Comm)
		}
		if i := slices.IndexFunc(o.stored, func(r record.Reading) bool { return r.Point == "ch4" && r.Quality == drivers.Comm }); i < 0 {
			t.Errorf("stored %+v, want the cause as it is", o.stored)
		}
		if got := o.remember(); got != "ch4=test" {
			t.Errorf("told %q", got)
		}
		o.sleep(30 * time.Minute)
		o.settled()
		e := o.events[0]
		if e.ID != "ch4" || e.State != "ended" || e.Why != "its time is over" {
			t.Fatalf("%+v", e)
		}
		more := map[string]any{}
		for _, f := range e.More {
			more[f.Name] = f.Value
		}
		if got, _ := more["reached"].([]string); len(got) != 1 || got[0] != "ch4/cut" {
			t.Errorf("reached %v", more)
		}
		o.good("ch4", 0.5)
		o.good("ch4", 2)
		if got := o.remember(); !strings.Contains(got, "ch4/cut=active") {
			t.Errorf("judged again: %q", got)
		}
	})
}

// Whatever is put aside, a trip that is on stays on, and a latch stays.
func TestNoTripIsReleasedByWhatIsPutAside(t *testing.T) {
	for _, c := range []struct {
		op string
		a  command.Args
	}{
		{"ack", command.Args{Alarm: "ch4/cut"}},
		{"shelve", command.Args{Alarm: "ch4/cut", For: hours(1)}},
		{"test", command.Args{Point: "ch4", For: hours(1)}},
		{"out", command.Args{Point: "ch4"}},
		{"mode", command.Args{Mode: "maintenance"}},
	} {
		t.Run(c.op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOrderer(t)
				o.good("ch4", 2)
				o.may(true, c.op, c.a)
				for range 20 {
					o.sleep(time.Second)
					o.good("ch4", 2)
				}
				if !o.on("cutoff") {
					t.Error("released")
				}
				o.restart(1, nil)
				if !o.on("cutoff") {
					t.Error("released by the restart")
				}
				if c.op == "test" {
					o.sleep(time.Hour)
				}
				o.good("ch4", 0.5)
				if o.alarm("ch4/cut").State().String() != "cleared" || !o.on("cutoff") {
					t.Errorf("%v, cutoff %v; want it held by its latch", o.alarm("ch4/cut").State(), o.on("cutoff"))
				}
			})
		})
	}
}

func TestShelvingHoldsBackNoticesUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		o.good("level", 11)
		o.sleep(6 * time.Second)
		if !o.on("siren") {
			t.Fatal("no siren")
		}
		o.may(false, "shelve", command.Args{Alarm: "level/high", For: hours(1)})
		if o.on("siren") || o.on("horn") {
			t.Error("a shelved alarm sounds")
		}
		o.restart(1, nil)
		if o.on("siren") {
			t.Error("the restart ended the shelving")
		}
		o.good("level", 11)
		o.sleep(time.Hour + 10*time.Second)
		if got := o.remember(); !strings.Contains(got, "level/high=ended") || !o.on("siren") {
			t.Errorf("%q, siren %v", got, o.on("siren"))
		}
	})
}

func TestOutOfServiceRaisesNothingUntilItIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		o.may(true, "out", command.Args{Point: "level"})
		o.mayNot("already", true, "out", command.Args{Point: "level"})
		o.mayNot("until it is put back", true, "out", command.Args{Point: "ch4", For: hours(1)})
		o.good("level", 11)
		o.sleep(10 * time.Second)
		o.restart(1, nil)
		o.good("level", 11)
		o.sleep(10 * time.Second)
		s := o.snap()
		if len(s.Out) != 1 || s.Out[0].By != "wang" || s.Out[0].Why != "checked" || s.Out[0].Ends {
			t.Errorf("snapshot %+v", s.Out)
		}
		if got := o.remember(); strings.Contains(got, "level/high=active") {
			t.Errorf("raised: %q", got)
		}
		o.good("level", 11)
		o.may(true, "in", command.Args{Point: "level"})
		o.sleep(6 * time.Second)
		if got := o.remember(); !strings.Contains(got, "level=ended") || !strings.Contains(got, "level/high=active") {
			t.Errorf("put back: %q", got)
		}
	})
}

// Time without power counts only if the clock was known on both sides.
func TestWhatIsPutAsideEndsInTheDark(t *testing.T) {
	for _, c := range []struct {
		story  string
		known  bool
		dark   time.Duration
		want   string
		shelve bool // still
	}{
		{"a short cut", true, 10 * time.Minute, "", true},
		{"a long cut", true, 2 * time.Hour, "its time is over", false},
		{"nobody knows how long", false, time.Minute, "how long the power was away is not known", false},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOrderer(t)
				o.may(false, "shelve", command.Args{Alarm: "level/high", For: hours(1)})
				o.may(true, "mode", command.Args{Mode: "maintenance"})
				o.may(true, "out", command.Args{Point: "ch4"})
				o.remember()
				if !c.known {
					for id, a := range o.fold.Aside["shelve"] {
						a.T = 0
						o.fold.Aside["shelve"][id] = a
					}
				}
				o.bench.stop()
				o.sleep(c.dark)
				o.restart(2, nil)
				o.settled()
				var why string
				for _, e := range o.events {
					if e.ID == "level/high" {
						why = e.Why
					}
				}
				if why != c.want || (o.isShelved("level/high")) != c.shelve {
					t.Errorf("%q, shelved %v", why, o.isShelved("level/high"))
				}
				o.do(func() error {
					if out := o.find("ch4").out; o.mode != "maintenance" || out == nil {
						t.Errorf("mode %s, out %v", o.mode, out)
					}
					return nil
				})
				if c.shelve {
					o.sleep(51 * time.Minute)
					if o.settled(); o.isShelved("level/high") {
						t.Error("it lasts longer for the cut")
					}
				}
			})
		})
	}
}

func TestAnAckOfAnEarlierRaiseIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		o.good("ch4", 2)
		o.mayNot("no number yet", false, "ack", command.Args{Alarm: "ch4/cut", Event: 7})
		o.alarm("ch4/cut").number.Store(7) // as the recorder does
		o.mayNot("earlier raise", false, "ack", command.Args{Alarm: "ch4/cut", Event: 6})
		o.may(false, "ack", command.Args{Alarm: "ch4/cut", Event: 7})
		o.good("ch4", 0.5)
		o.good("ch4", 2)
		o.alarm("ch4/cut").number.Store(12)
		o.mayNot("raised again with event 12", false, "ack", command.Args{Alarm: "ch4/cut", Event: 8})
		o.may(false, "ack", command.Args{Alarm: "ch4/cut"})
	})
}

func TestWhatASealWatchesCannotBePutAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		o.do(func() error {
			o.watched = func(p string) string {
				if p == "level" {
					return "shaft1"
				}
				return ""
			}
			return nil
		})
		o.mayNot("seal shaft1 watches level", true, "test", command.Args{Point: "level", For: hours(1)})
		o.mayNot("seal shaft1 watches level", true, "out", command.Args{Point: "level"})
		o.mayNot("seal shaft1 watches level", true, "shelve", command.Args{Alarm: "level/high", For: hours(1)})
		o.may(true, "test", command.Args{Point: "ch4", For: hours(1)})
	})
}
