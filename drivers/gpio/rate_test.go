package gpio

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	periph "periph.io/x/conn/v3/gpio"

	"pithead/drivers"
)

func gasBoard(low bool) Config {
	return Config{ID: "board", Chip: "gpiochip0", Inputs: []InputConfig{{ID: "ch4", Pin: "5", Low: low, Rate: time.Second, Every: time.Second,
		Scale: drivers.Scale{Curve: [][2]float64{{200, 0}, {1000, 4}}, Decimals: 3}}}}
}

// pulsesAt gives the kernel's edges of a frequency for a while, exactly timed.
func pulsesAt(p *fakePin, hertz float64, long time.Duration) {
	step := time.Duration(float64(time.Second) / hertz)
	for began := time.Now(); time.Since(began) < long; {
		time.Sleep(step)
		p.flip(periph.High, 0)
	}
}

func TestFrequency(t *testing.T) {
	for _, c := range []struct {
		story string
		hertz float64
		want  string
	}{
		{"no methane", 200, "ch4=0 "},
		{"one percent", 400, "ch4=1 "},
		{"the top", 1000, "ch4=4 "},
		{"over its range", 1200, "ch4=over "},
		{"under its range: a sensor that fails", 150, "ch4=sensor "},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newBoard()
				b := openOn(t, f, gasBoard(false))
				expectLook(t, b, "ch4=sensor ") // no window is over
				pulsesAt(f.wire(5), c.hertz, 2500*time.Millisecond)
				expectLook(t, b, c.want)
				time.Sleep(3 * time.Second)
				expectLook(t, b, "ch4=sensor ") // a wire that is cut is no methane, not 0
			})
		})
	}
}

// Promise 5: what the kernel numbered and dropped was there.
func TestAFrequencyOverAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		b := openOn(t, f, gasBoard(false))
		look(t, b)
		p := f.wire(5)
		pulsesAt(p, 400, 1300*time.Millisecond)
		p.drown(100) // a quarter of a second
		time.Sleep(250 * time.Millisecond)
		pulsesAt(p, 400, time.Second)
		expectLook(t, b, "ch4=1 ")
		if n := b.Lost("ch4"); n != 100 {
			t.Errorf("%d edges are told as lost, want 100", n)
		}
	})
}

func TestAFrequencyAsksForOneEdge(t *testing.T) {
	for low, want := range map[bool]periph.Edge{false: periph.RisingEdge, true: periph.FallingEdge} {
		f := newBoard()
		b := openOn(t, f, gasBoard(low))
		if got := b.inputs[0].edges(0); got != want {
			t.Errorf("low %v: %v, want %v", low, got, want)
		}
	}
}

func TestRatesOfFewPulses(t *testing.T) {
	at := func(s float64) time.Time { return time.Unix(0, 0).Add(time.Duration(s * float64(time.Second))) }
	for _, c := range []struct {
		story  string
		pulses []float64 // s
		read   float64
		want   float64
	}{
		{"two in a window", []float64{0.1, 0.6}, 1.1, 2},
		{"one a window", []float64{0.5, 1.4, 2.3}, 3.1, 1 / 0.9},
		{"one after silence", []float64{0.5, 7.5}, 8.1, 1},
		{"silence for years", []float64{0.5}, 1e8, 0},
	} {
		r := rate{window: time.Second}
		r.roll(at(0))
		for _, p := range c.pulses {
			r.add(1, at(p))
		}
		if r.roll(at(c.read)); !r.known || math.Abs(r.hertz-c.want) > 1e-6 {
			t.Errorf("%s: %v Hz, want %v", c.story, r.hertz, c.want)
		}
	}
}

// A tipping bucket can't tip ten times in a hundredth of a second.
func TestPulsesThatComeTooFastAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBoard()
		c := siteBoard()
		c.Inputs = c.Inputs[2:]
		c.Inputs[0].Least = 90 * ms // at-most: 10/s
		b := openOn(t, f, c)
		look(t, b)
		p := f.wire(17)
		for range 5 {
			p.pulses(1)
			time.Sleep(100 * ms)
		}
		expectLook(t, b, "rain=1 ")
		p.pulses(10)
		expectLook(t, b, "rain=1.2 ")
		if n := b.Refused("rain"); n != 9 {
			t.Errorf("%d are told as refused, want 9", n)
		}
		time.Sleep(time.Second)
		p.pulses(1)
		expectLook(t, b, "rain=1.4 ")
	})
}
