package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
	"pithead/drivers/conform"
	"pithead/drivers/sim"
)

const s = time.Second

// mine is a board and a device: a door and a rain gauge on the one, a level, a
// feed behind a cut-off and a sensor that drops out on the other.
func mine() sim.Config {
	exact := drivers.Scale{Decimals: -1}
	return sim.Config{
		ID: "pit", Seed: 7,
		Outputs: []string{"cutoff", "siren"},
		Inputs: []sim.InputConfig{
			{ID: "door", Every: 5 * s, Truth: true},
			{ID: "rain", Every: 5 * s, Counts: 0.2},
			{ID: "echo", Every: 5 * s, Truth: true},
		},
		Units: []sim.UnitConfig{{ID: "plc", Every: 1 * s, Points: []sim.InputConfig{
			{ID: "level", Scale: exact},
			{ID: "feed", Truth: true},
			{ID: "gas", Scale: drivers.Scale{Decimals: 2, Range: &[2]float64{0, 4}}},
			{ID: "noisy", Every: 2 * s, Scale: exact},
		}}},
		Signals: map[string]sim.Signal{
			"door":  {Steps: []sim.Step{{At: 0, Value: 0}, {At: 3 * s, Value: 1}, {At: 4*s + 500*time.Millisecond, Value: 0}}, Repeat: 10 * s},
			"rain":  {Steps: []sim.Step{{At: 0, Value: 0}, {At: 10 * s, Value: 2}, {At: 20 * s, Value: 0}}},
			"echo":  {Follows: &sim.Follows{Output: "siren", On: 1, Delay: 200 * time.Millisecond}},
			"level": {Wave: &sim.Wave{Mean: 1247, Swing: 2, Period: 40 * s}},
			"feed":  {Follows: &sim.Follows{Output: "cutoff", On: 0, Off: 1, Delay: 1 * s}},
			"gas":   {Steps: []sim.Step{{At: 0, Value: 0.126}, {At: 5 * s, Value: 4.5}, {At: 6 * s, Value: -0.1}}},
			"noisy": {Steps: []sim.Step{{Value: 10}}, Noise: 0.5, Drops: []sim.Drop{{At: 20 * s, For: 5 * s, Every: 60 * s}, {At: 30 * s, For: 1 * s, Quality: drivers.Protocol}}},
		},
	}
}

func open(t *testing.T, c sim.Config) drivers.Bus {
	t.Helper()
	b, err := sim.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read is the reading of one point, by the poll that has it.
func read(t *testing.T, b drivers.Bus, id string) drivers.Reading {
	t.Helper()
	for _, u := range b.Units() {
		for _, p := range u.Polls {
			for _, have := range p.Points {
				if have != id {
					continue
				}
				rs, _ := p.Driver.Read(t.Context())
				for _, r := range rs {
					if r.Point == id {
						return r
					}
				}
			}
		}
	}
	t.Fatalf("no reading of %s", id)
	return drivers.Reading{}
}

func show(r drivers.Reading) string {
	if r.Quality != drivers.Good {
		return r.Quality.String()
	}
	return r.Value.String()
}

func TestConforms(t *testing.T) {
	dead := mine()
	for id, sig := range dead.Signals {
		sig.Drops = []sim.Drop{{For: math.MaxInt64}}
		dead.Signals[id] = sig
	}
	conform.Check(t, conform.Subject{
		Open:    func(t *testing.T) drivers.Bus { return open(t, mine()) },
		Outputs: []string{"cutoff", "siren"},
	})
	// Outputs of a simulated board work even while its signals drop out.
	conform.Check(t, conform.Subject{
		Open: func(t *testing.T) drivers.Bus { return open(t, mine()) },
		Dead: func(t *testing.T) drivers.Bus { return open(t, dead) },
	})
}

func TestSignalsOverTime(t *testing.T) {
	for _, c := range []struct {
		story, point string
		at           time.Duration
		want         string
	}{
		{"a wave begins at its mean", "level", 0, "1247"},
		{"a quarter later it is at its height", "level", 10 * s, "1249"},
		{"and comes round", "level", 70 * s, "1245"},
		{"a step holds", "door", 2 * s, "false"},
		{"the next one begins at its time", "door", 3 * s, "true"},
		{"and ends", "door", 5 * s, "false"},
		{"it begins again", "door", 13 * s, "true"},
		{"decimals are rounded", "gas", 0, "0.13"},
		{"a value over its range", "gas", 5 * s, "over"},
		{"a value under its range", "gas", 6 * s, "under"},
		{"no rain yet", "rain", 10 * s, "0"},
		{"two pulses a second for 5 s", "rain", 15 * s, "2"},
		{"and for 10 s; then it stops", "rain", 90 * s, "4"},
		{"the feed is there while nothing cuts it", "feed", 10 * s, "true"},
		{"a drop says comm unless told", "noisy", 21 * s, "comm"},
		{"it comes again", "noisy", 84 * s, "comm"},
		{"a drop with a quality of its own", "noisy", 30 * s, "protocol"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := open(t, mine())
				read(t, b, "level") // time begins
				time.Sleep(c.at)
				if got := show(read(t, b, c.point)); got != c.want {
					t.Errorf("%s after %v is %s, want %s", c.point, c.at, got, c.want)
				}
			})
		})
	}
}

func TestOpeningDoesNotBeginTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, mine())
		time.Sleep(time.Hour + 7*s)
		if got := show(read(t, b, "level")); got != "1247" {
			t.Errorf("the wave has moved before the first read: %s", got)
		}
	})
}

func TestCountsDoNotDependOnHowOftenTheyAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		often, once := open(t, mine()), open(t, mine())
		read(t, often, "rain")
		read(t, once, "rain")
		for range 700 {
			time.Sleep(33 * time.Millisecond)
			read(t, often, "rain")
		}
		if a, b := show(read(t, often, "rain")), show(read(t, once, "rain")); a != b || a != "4" {
			t.Errorf("read often %s, read once %s, want 4", a, b)
		}
	})
}

func TestAPulseComesAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, sim.Config{
			ID:      "x",
			Inputs:  []sim.InputConfig{{ID: "p", Counts: 1}},
			Signals: map[string]sim.Signal{"p": {Steps: []sim.Step{{Value: 10}}}},
		})
		for i := range 50 { // ten tenths are a whole
			if got := show(read(t, b, "p")); got != fmt.Sprint(i) {
				t.Fatalf("after %d00 ms there are %s pulses", i, got)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// A bucket that is shaken: of twenty pulses a second the bound lets ten count.
func TestPulsesThatComeTooFastAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, sim.Config{
			ID:      "x",
			Inputs:  []sim.InputConfig{{ID: "rain", Counts: 0.2, Least: 90 * time.Millisecond}},
			Signals: map[string]sim.Signal{"rain": {Steps: []sim.Step{{Value: 5}, {At: 10 * s, Value: 20}}}},
		})
		read(t, b, "rain")
		time.Sleep(10 * s)
		if got := show(read(t, b, "rain")); got != "10" {
			t.Errorf("rain counts %s, want all 50 tips", got)
		}
		time.Sleep(10 * s)
		got, refused := show(read(t, b, "rain")), b.(drivers.Bounds).Refused("rain")
		if got != "30" || refused != 100 {
			t.Errorf("a shaken bucket: %s, %d refused; want 30 and 100", got, refused)
		}
	})
}

func TestTotalGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, mine())
		b.(drivers.Totals).SetTotal("rain", 1234.6)
		b.(drivers.Totals).SetTotal("door", 9)      // does not count
		b.(drivers.Totals).SetTotal("elsewhere", 9) // is not here
		read(t, b, "rain")
		time.Sleep(11 * s)
		if got := show(read(t, b, "rain")); got != "1235" {
			t.Errorf("total %s, want 1235", got)
		}
	})
}

func TestNoiseIsSeeded(t *testing.T) {
	draw := func(seed int64) (out []string) {
		synctest.Test(t, func(t *testing.T) {
			c := mine()
			c.Seed = seed
			b := open(t, c)
			for range 8 {
				r := read(t, b, "noisy")
				if f := r.Value.Float(); f < 9.5 || f > 10.5 {
					t.Errorf("%v lies outside 10 +- 0.5", f)
				}
				out = append(out, show(r))
				time.Sleep(2 * s)
			}
		})
		return out
	}
	a, b, other := fmt.Sprint(draw(1)), fmt.Sprint(draw(1)), fmt.Sprint(draw(2))
	if a != b {
		t.Errorf("one seed, two noises: %s and %s", a, b)
	}
	if a == other {
		t.Error("two seeds, one noise")
	}
}

func TestAUnitThatDropsOutIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, sim.Config{
			ID:      "x",
			Units:   []sim.UnitConfig{{ID: "u", Every: s, Points: []sim.InputConfig{{ID: "p"}, {ID: "q"}}}},
			Signals: map[string]sim.Signal{"p": dropping(0, 10*s), "q": dropping(5*s, 10*s)},
		})
		for _, want := range []struct{ p, q, err string }{
			{"exception", "1", "<nil>"},
			{"exception", "exception", "exception: u drops out as its signal says"},
			{"1", "exception", "<nil>"},
		} {
			rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context())
			if show(rs[0]) != want.p || show(rs[1]) != want.q || fmt.Sprint(err) != want.err {
				t.Errorf("got %s, %s, %v; want %v", show(rs[0]), show(rs[1]), err, want)
			}
			if rs[0].Quality == drivers.Exception && rs[0].Code != 4 {
				t.Errorf("exception code %d, want 4", rs[0].Code)
			}
			time.Sleep(6 * s)
		}
	})
}

func dropping(at, long time.Duration) sim.Signal {
	return sim.Signal{
		Steps: []sim.Step{{Value: 1}},
		Drops: []sim.Drop{{At: at, For: long, Quality: drivers.Exception}},
	}
}

func TestFollowsAnOutputAfterItsDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, mine())
		cut := b.Output("cutoff")
		read(t, b, "feed")
		time.Sleep(3 * s)
		cut.Set(t.Context(), true)
		line := show(read(t, b, "feed"))
		for range 4 {
			time.Sleep(500 * time.Millisecond)
			line += " " + show(read(t, b, "feed"))
		}
		cut.Set(t.Context(), false)
		time.Sleep(s)
		line += " " + show(read(t, b, "feed"))
		if want := "true true false false false true"; line != want {
			t.Errorf("the feed goes %s, want %s", line, want)
		}
	})
}

func TestEdgesArriveAtTheTimeOfTheirStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, mine())
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		done := make(chan error)
		go func() {
			done <- b.(drivers.Watcher).Watch(ctx, func(rs []drivers.Reading) {
				for _, r := range rs {
					if late := time.Since(r.At); late != 0 {
						t.Errorf("%s came %v after its time", r.Point, late)
					}
					got = append(got, fmt.Sprintf("%v %s=%s", r.At.Sub(began), r.Point, show(r)))
				}
			})
		}()
		synctest.Wait()
		b.Output("siren").Set(t.Context(), true) // at the very time Watch began
		time.Sleep(4 * s)
		b.Output("siren").Set(t.Context(), false)
		time.Sleep(10 * s)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := "200ms echo=true|3s door=true|4.2s echo=false|4.5s door=false|13s door=true"
		if line := strings.Join(got, "|"); line != want {
			t.Errorf("edges\n%s, want\n%s", line, want)
		}
	})
}

func TestClosedBusDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, mine())
		done := make(chan error)
		go func() { done <- b.(drivers.Watcher).Watch(t.Context(), func([]drivers.Reading) {}) }()
		synctest.Wait()
		b.Close()
		if err := <-done; err == nil {
			t.Error("Watch of a closed bus ended as if it had been told to")
		}
		if err := b.Output("siren").Set(t.Context(), true); err == nil {
			t.Error("an output of a closed bus was set")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := open(t, mine()).Output("siren").Set(ctx, true); !errors.Is(err, context.Canceled) {
			t.Errorf("set after its context ended: %v", err)
		}
	})
}

func TestWhatCannotBeDrawnIsRefused(t *testing.T) {
	for _, c := range []struct {
		story  string
		signal map[string]sim.Signal
		want   string
	}{
		{"no signal", nil, "sim x: p has no signal"},
		{"an empty one", map[string]sim.Signal{"p": {}}, "neither"},
		{"a wave without a period", map[string]sim.Signal{"p": {Wave: &sim.Wave{Mean: 1}}}, "period"},
		{"an output that is not there", map[string]sim.Signal{"p": {Follows: &sim.Follows{Output: "y"}}}, `"y"`},
	} {
		t.Run(c.story, func(t *testing.T) {
			_, err := sim.Open(sim.Config{ID: "x", Inputs: []sim.InputConfig{{ID: "p"}}, Signals: c.signal})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want something about %s", err, c.want)
			}
		})
	}
}
