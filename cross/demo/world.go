package main

import (
	"math"
	"sync"
	"time"
)

// A world is the pond and the shaft. What moves by itself is a function of the
// time since it began; the rest is what the agent's relays made of it.
type world struct {
	mu     sync.Mutex
	began  time.Time
	closed bool      // the relay that feeds the face: coil 3, 1 = fed
	since  time.Time // of the relay's last change
}

func newWorld() *world {
	return &world{began: time.Now(), closed: true}
}

func (w *world) age() time.Duration { return time.Since(w.began) }

// level is the pond's in metres above the sea. It is over 1249.5 m from the
// 11th to the 25th second of each 60, and under 1249.2 m again from the 27th.
func level(age time.Duration) float32 {
	return float32(1248.9 + math.Sin(turns(age-4*time.Second, time.Minute)))
}

// methane is in percent: calm, and once a minute, from the 28th second on, a
// gust of 1.8 that is over in twelve seconds.
func methane(age time.Duration) float64 {
	calm := 0.4 + 0.08*math.Sin(turns(age, 17*time.Second))
	at := (age % time.Minute).Seconds() - 28
	if at < 0 || at > 12 {
		return calm
	}
	return calm + 1.4*math.Sin(math.Pi*at/12)
}

// weir is what the seepage gauge shows, in its own counts.
func weir(age time.Duration) uint16 {
	return uint16(1000 + 400*math.Sin(turns(age, 45*time.Second)))
}

// weirBroken is the time in which the gauge answers with an exception.
func weirBroken(age time.Duration) bool {
	at := age % time.Minute
	return at > 42*time.Second && at < 48*time.Second
}

func turns(age, period time.Duration) float64 {
	return 2 * math.Pi * age.Seconds() / period.Seconds()
}

// switchFeed moves the relay; the contactor behind it takes its time.
func (w *world) switchFeed(closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if closed != w.closed {
		w.closed, w.since = closed, time.Now()
	}
}

func (w *world) relay() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// fed says whether the face has power: what the relay says, 300 ms later.
func (w *world) fed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.since) < 300*time.Millisecond {
		return !w.closed
	}
	return w.closed
}
