package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

// slowOutput is a relay on a dead unit: each try costs a timeout.
type slowOutput struct {
	fakeOutput
	cost time.Duration
}

func (o *slowOutput) Set(ctx context.Context, on bool) error {
	time.Sleep(o.cost)
	return o.fakeOutput.Set(ctx, on)
}

func TestOutputsOfADeadUnitDoNotKeepTheLivingFromBeingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "gas", cost: 20 * time.Millisecond}
		c := &collect{}
		b := loopOf(&fakeBus{units: []drivers.Unit{u.unit(2 * time.Second)}}, c)
		for _, id := range []string{"a", "b", "c", "d"} {
			o := &slowOutput{cost: 500 * time.Millisecond}
			o.fail = errors.New("no answer")
			b.lines = append(b.lines, &line{id: id, out: o})
			b.mail.want(id, true)
		}
		turnFor(t, b, func() {
			for range 60 { // the judge sees that none acts, and asks again
				time.Sleep(time.Second)
				for _, l := range b.lines {
					b.mail.want(l.id, true)
				}
			}
		})
		if n := len(c.of("gas")); n < 28 {
			t.Errorf("the sensor was read %d times in a minute, want 30", n)
		}
		for _, l := range b.lines {
			if n := len(l.out.(*slowOutput).sets); n < 20 {
				t.Errorf("%s was tried %d times in a minute", l.id, n)
			}
		}
	})
}

func TestAPersonsReadHoldsUpNeitherOutputsNorPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var units []drivers.Unit
		var ids []string
		for i := range 20 {
			u := &fakeUnit{id: string(rune('a' + i)), timeout: 500 * time.Millisecond, dead: true}
			ids = append(ids, u.id)
			units = append(units, u.unit(time.Hour))
		}
		living := &fakeUnit{id: "gas", cost: time.Millisecond}
		out := &fakeOutput{}
		c := &collect{}
		b := loopOf(&fakeBus{units: append(units, living.unit(time.Second))}, c)
		b.lines = []*line{{id: "cutoff", out: out}}
		turnFor(t, b, func() {
			time.Sleep(time.Minute)
			before := len(c.of("gas"))
			reply := make(chan []drivers.Inspection, 1)
			b.mail.ask(ask{ctx: t.Context(), points: append(ids, "gas"), reply: reply})
			time.Sleep(600 * time.Millisecond) // in the middle of it
			b.mail.want("cutoff", true)
			wished := time.Now()
			is := <-reply
			if len(is) != 21 || is[20].Quality != drivers.Good || is[0].Value.Kind() != drivers.None {
				t.Errorf("the answer is %v", is)
			}
			if took := time.Since(wished); took < 5*time.Second {
				t.Fatalf("the read took %v: the test shows nothing", took)
			}
			if took := out.sets[0].Sub(wished); took > 500*time.Millisecond {
				t.Errorf("the cut-off was switched after %v", took)
			}
			if n := len(c.of("gas")) - before; n < 8 {
				t.Errorf("the living sensor was read %d times in 10 s", n)
			}
		})
	})
}

func TestAReadThatNobodyWaitsForAnyMoreIsNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fakeUnit{id: "a", cost: time.Second}
		b := loopOf(&fakeBus{units: []drivers.Unit{u.unit(time.Hour)}}, &collect{})
		turnFor(t, b, func() {
			time.Sleep(2 * time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for range 100 {
				b.mail.ask(ask{ctx: ctx, points: []string{"a"}, reply: make(chan []drivers.Inspection, 1)})
			}
			time.Sleep(10 * time.Second)
		})
		if n := len(u.reads); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

// A wish that comes and goes before the loop looks is reported all the same:
// the judge counts on it.
func TestEachWishIsReportedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := loopOf(&fakeBus{}, &collect{})
		b.lines = []*line{{id: "siren", out: &fakeOutput{}}}
		var mu sync.Mutex
		var told []bool
		b.report = func(s switched) { mu.Lock(); told = append(told, s.On); mu.Unlock() }
		turnFor(t, b, func() {
			b.mail.want("siren", true)
			time.Sleep(time.Second)
			b.mail.want("siren", false)
			b.mail.want("siren", true)
			time.Sleep(time.Second)
		})
		if !slices.Equal(told, []bool{true, true}) {
			t.Errorf("told %v", told)
		}
	})
}
