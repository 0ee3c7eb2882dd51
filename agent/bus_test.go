package agent

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
	"pithead/drivers/lent"
)

// fakeBus is a line in virtual time: each read costs what its unit says.
type fakeBus struct {
	units   []drivers.Unit
	outputs map[string]*fakeOutput
}

func (b *fakeBus) Units() []drivers.Unit { return b.units }
func (b *fakeBus) Close() error          { return nil }
func (b *fakeBus) Output(id string) drivers.Output {
	if o, ok := b.outputs[id]; ok {
		return o
	}
	return nil
}

// fakeUnit answers after cost, or not at all for timeout.
type fakeUnit struct {
	id            string
	cost, timeout time.Duration

	mu    sync.Mutex
	dead  bool
	reads []time.Time
}

func (u *fakeUnit) kill(dead bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.dead = dead
}

func (u *fakeUnit) Read(ctx context.Context) ([]drivers.Reading, error) {
	u.mu.Lock()
	u.reads = append(u.reads, time.Now())
	dead := u.dead
	u.mu.Unlock()
	if dead {
		time.Sleep(u.timeout)
		now := time.Now()
		return []drivers.Reading{drivers.Bad(u.id, now, drivers.Comm)},
			&drivers.Fault{Quality: drivers.Comm, Err: errors.New("no answer")}
	}
	time.Sleep(u.cost)
	return []drivers.Reading{{Point: u.id, At: time.Now(), Value: drivers.NumberValue(1)}}, nil
}

func (u *fakeUnit) unit(every time.Duration) drivers.Unit {
	return drivers.Unit{ID: u.id, Polls: []drivers.Poll{{Every: every, Points: []string{u.id}, Driver: u}}}
}

type fakeOutput struct {
	mu   sync.Mutex
	on   bool
	sets []time.Time
	fail error
}

func (o *fakeOutput) Set(_ context.Context, on bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sets = append(o.sets, time.Now())
	if o.fail != nil {
		return o.fail
	}
	o.on = on
	return nil
}

func (o *fakeOutput) Get(context.Context) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.on, o.fail
}

// collect gathers what a loop emits, by point.
type collect struct {
	mu sync.Mutex
	by map[string][]drivers.Reading
}

func (c *collect) emit(_ context.Context, rs []drivers.Reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string][]drivers.Reading{}
	}
	for _, r := range rs {
		c.by[r.Point] = append(c.by[r.Point], r)
	}
}

func (c *collect) of(point string) []drivers.Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.by[point])
}

func loopOf(bus drivers.Bus, c *collect) *busLoop {
	b := newBusLoop("rs1", bus, func(string) time.Duration { return pauseMost })
	b.log = slog.New(slog.DiscardHandler)
	b.emit = c.emit
	b.hand = func(ctx context.Context, rs []drivers.Reading) {
		c.emit(ctx, rs)
		lent.Over(rs) // as the judge does, or another bus, as soon as it has them
	}
	b.report = func(switched) {}
	return b
}

// turnFor runs the loop for a time in the bubble.
func turnFor(t *testing.T, b *busLoop, during func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { b.run(ctx); close(done) }()
	during()
	cancel()
	<-done
}

func TestALiveBusKeepsItsGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "a", cost: 37 * time.Millisecond}
		begin := time.Now()
		turnFor(t, loopOf(&fakeBus{units: []drivers.Unit{u.unit(time.Second)}}, &collect{}), func() { time.Sleep(100*time.Second + time.Millisecond) })
		if len(u.reads) != 101 {
			t.Fatalf("%d reads in 100 s", len(u.reads))
		}
		for i, at := range u.reads {
			if want := begin.Add(time.Duration(i) * time.Second); !at.Equal(want) {
				t.Fatalf("read %d came at %v, want %v: the grid drifts", i, at.Sub(begin), want.Sub(begin))
			}
		}
	})
}

func TestADeadUnitIsCommWithinOneTimeoutAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "a", cost: time.Millisecond, timeout: 500 * time.Millisecond, dead: true}
		c := &collect{}
		b := loopOf(&fakeBus{units: []drivers.Unit{u.unit(time.Second)}}, c)
		begin := time.Now()
		turnFor(t, b, func() {
			time.Sleep(501 * time.Millisecond)
			if rs := c.of("a"); len(rs) != 1 || rs[0].Quality != drivers.Comm || rs[0].Value.Kind() != drivers.None {
				t.Errorf("after one timeout: %v", rs)
			}
			time.Sleep(2 * time.Minute)
			rs := c.of("a")
			for i := 1; i < len(rs); i++ {
				if gap := rs[i].At.Sub(rs[i-1].At); gap > 1600*time.Millisecond {
					t.Errorf("nothing was said of a for %v", gap)
				}
			}
			u.kill(false)
			back := time.Now()
			time.Sleep(31 * time.Second)
			rs = c.of("a")
			i := slices.IndexFunc(rs, func(r drivers.Reading) bool { return r.Quality == drivers.Good })
			if i < 0 {
				t.Fatal("it never came back")
			}
			if took := rs[i].At.Sub(back); took > 30*time.Second {
				t.Errorf("it was seen again after %v", took)
			}
		})
		if n := len(u.reads); n > 40+31 {
			t.Errorf("%d requests to a unit that was dead for two minutes", n)
		}
		_ = begin
	})
}

// Twenty units on a line, five of them dead: the living keep their cycle within
// a tenth, and each of the dead is asked at least twice a minute.
func TestTheDeadTakeNoMoreThanTheirShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var units []drivers.Unit
		var fakes []*fakeUnit
		for i := range 20 {
			u := &fakeUnit{id: string(rune('a' + i)), cost: 45 * time.Millisecond, timeout: 300 * time.Millisecond, dead: i < 5}
			fakes = append(fakes, u)
			units = append(units, u.unit(time.Second))
		}
		turnFor(t, loopOf(&fakeBus{units: units}, &collect{}), func() { time.Sleep(10 * time.Minute) })
		for i, u := range fakes {
			var after []time.Time
			for _, at := range u.reads {
				if at.Sub(fakes[19].reads[0]) > time.Minute { // once all five are known to be dead
					after = append(after, at)
				}
			}
			least := 2 * 9
			if i >= 5 {
				least = 9 * 60 * 9 / 10
			}
			if len(after) < least {
				t.Errorf("unit %s was read %d times in 9 min, want %d", u.id, len(after), least)
			}
		}
	})
}

func TestAnOutputGoesBeforePollsAndIgnoresBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "a", timeout: 500 * time.Millisecond, dead: true}
		out := &fakeOutput{}
		bus := &fakeBus{units: []drivers.Unit{u.unit(time.Second)}, outputs: map[string]*fakeOutput{"siren": out}}
		b := loopOf(bus, &collect{})
		b.lines = []*line{{id: "siren", out: bus.Output("siren")}}
		var mu sync.Mutex
		var told []switched
		b.report = func(s switched) { mu.Lock(); told = append(told, s); mu.Unlock() }
		turnFor(t, b, func() {
			time.Sleep(30*time.Second + 100*time.Millisecond)
			wished := time.Now()
			b.mail.want("siren", true)
			time.Sleep(501 * time.Millisecond)
			out.mu.Lock()
			if !out.on || out.sets[0].Sub(wished) > 500*time.Millisecond {
				t.Errorf("the siren is %v, first written after %v", out.on, out.sets)
			}
			out.mu.Unlock()
			time.Sleep(31 * time.Second)
			out.mu.Lock()
			if n := len(out.sets); n != 4 { // again each 10 s
				t.Errorf("written %d times in 31 s", n)
			}
			out.fail = errors.New("gone")
			out.mu.Unlock()
			b.mail.want("siren", false)
			time.Sleep(5500 * time.Millisecond)
			out.mu.Lock()
			if n := len(out.sets); n < 4+5 { // each second until it obeys
				t.Errorf("tried %d times in 5.5 s", n-4)
			}
			out.fail = nil
			out.mu.Unlock()
			time.Sleep(2 * time.Second)
		})
		var oks []bool
		for _, s := range told {
			oks = append(oks, s.Err == nil)
		}
		if !slices.Equal(oks, []bool{true, false, true}) {
			t.Errorf("told %v", told)
		}
		if out.on {
			t.Error("the siren is still on")
		}
	})
}

// A unit that falls silent with several polls costs the others one timeout a
// cycle each, not one for each of its polls.
func TestASilentUnitDelaysTheOthersByNoMoreThanOneTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timeout := 300 * time.Millisecond
		dead := &fakeUnit{id: "a", cost: time.Millisecond, timeout: timeout}
		live := &fakeUnit{id: "b", cost: time.Millisecond}
		du := dead.unit(500 * time.Millisecond)
		du.Polls = append(du.Polls, du.Polls[0], du.Polls[0])
		begin := time.Now()
		turnFor(t, loopOf(&fakeBus{units: []drivers.Unit{du, live.unit(500 * time.Millisecond)}}, &collect{}), func() {
			time.Sleep(5*time.Second + 100*time.Millisecond)
			dead.kill(true)
			time.Sleep(20 * time.Second)
		})
		for i, at := range live.reads {
			if late := at.Sub(begin) - time.Duration(i)*500*time.Millisecond; late > timeout+10*time.Millisecond {
				t.Errorf("read %d came %v late", i, late)
			}
		}
	})
}

// A silent unit is asked once a cycle: all its points are comm within one
// timeout of being due. A poll that alone gets no answer takes none with it.
func TestASilentUnitIsCommAsAWholeWithinOneTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &fakeUnit{id: "a", cost: time.Millisecond, timeout: 300 * time.Millisecond}
		b := &fakeUnit{id: "b", cost: time.Millisecond, timeout: 300 * time.Millisecond}
		du := a.unit(time.Second)
		du.Polls = append(du.Polls, b.unit(time.Second).Polls...)
		c := &collect{}
		turnFor(t, loopOf(&fakeBus{units: []drivers.Unit{du}}, c), func() {
			time.Sleep(1900 * time.Millisecond)
			a.kill(true)
			time.Sleep(10 * time.Second) // a alone is silent
			for _, r := range c.of("b")[3:] {
				if r.Quality != drivers.Good {
					t.Errorf("b is %v, though it answers", r.Quality)
				}
			}
			b.kill(true)
			due := time.Now().Truncate(time.Second).Add(time.Second)
			time.Sleep(time.Until(due) + 305*time.Millisecond)
			for _, id := range []string{"a", "b"} {
				rs := c.of(id)
				if r := rs[len(rs)-1]; r.Quality != drivers.Comm || r.At.Before(due) {
					t.Errorf("%s is %v of %v, one timeout after it was due", id, r.Quality, r.At.Sub(due))
				}
			}
		})
	})
}

// refused answers with an exception.
type refused struct{ point string }

func (r refused) Read(context.Context) ([]drivers.Reading, error) {
	return []drivers.Reading{{Point: r.point, At: time.Now(), Quality: drivers.Exception, Code: 2}}, nil
}

// Readings are the judge's once they are passed on: what is told of them is looked at before.
func TestWhatIsPassedOnIsNotLookedAtAgain(t *testing.T) {
	c := &collect{}
	u := drivers.Unit{ID: "u", Polls: []drivers.Poll{{Every: time.Hour, Points: []string{"a"}, Driver: refused{"a"}}}}
	b := loopOf(&fakeBus{units: []drivers.Unit{u}}, c)
	b.turn(t.Context(), time.Now())
	if got := c.of("a"); len(got) != 1 || got[0].Code != 2 {
		t.Fatalf("it reads %v", got)
	}
	if why, told := b.whys["a"]; !told || len(b.whys) != 1 || why == "" {
		t.Errorf("why points are bad: %q", b.whys)
	}
}
