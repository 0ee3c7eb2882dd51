package gpio

import "time"

// rate measures pulses a second over windows of one length, by the kernel's
// times: between the first and the last pulse of a window, so that it is right
// to a part in as many as there were microseconds, not pulses.
type rate struct {
	window time.Duration
	from   time.Time // of the window in hand; zero before the first pulse or read
	pulses uint64
	first  time.Time
	last   time.Time
	before time.Time // the last pulse of an earlier window

	known bool // there was a whole window; then:
	hertz float64
}

// add takes pulses that ended with one at that time.
func (r *rate) add(pulses uint64, at time.Time) {
	r.roll(at)
	if r.pulses == 0 {
		r.first = at
	}
	r.pulses += pulses
	r.last = at
}

// roll closes every window that is over at a time.
func (r *rate) roll(now time.Time) {
	if r.from.IsZero() {
		r.from = now
	}
	for over := now.Sub(r.from); over >= r.window; over = now.Sub(r.from) {
		r.close()
		r.from = r.from.Add(r.window)
		if over >= 2*r.window && r.pulses == 0 { // silence
			r.hertz, r.from = 0, r.from.Add((over/r.window-2)*r.window)
		}
	}
}

func (r *rate) close() {
	r.known, r.hertz = true, 0
	switch since := r.first.Sub(r.before); {
	case r.pulses > 1:
		r.hertz = float64(r.pulses-1) / r.last.Sub(r.first).Seconds()
	case r.pulses == 1 && !r.before.IsZero() && since <= 2*r.window:
		r.hertz = 1 / since.Seconds()
	case r.pulses == 1:
		r.hertz = 1 / r.window.Seconds()
	}
	if r.pulses > 0 {
		r.before = r.last
	}
	r.pulses = 0
}

// halt forgets the window in hand: the line was not ours for a time.
func (r *rate) halt() { *r = rate{window: r.window} }
