package agent

import (
	"time"

	"pithead/drivers"
)

// bound says that a trip which is on may not be released yet.
func (j *judge) bound(o *output, now time.Duration) bool {
	if o.release == nil {
		return false
	}
	v, q := j.eval(o.release, now) // also while it is off: its windows want to see
	return o.on && (q != drivers.Good || v.Float() != 1)
}

// pulse says whether a pulse runs. Each new wish begins one; those of before
// this start had theirs, unless it was cut.
func (o *output) pulse(now time.Duration, on bool) bool {
	fresh := false
	asks := map[*standing]bool{}
	for _, s := range o.askers {
		if o.wantedBy(s) {
			asks[s] = true
			fresh = fresh || !o.pulsed[s]
		}
	}
	if !o.known {
		fresh = fresh && o.on
	}
	o.pulsed = asks
	if fresh {
		o.pulseEnd = now + o.cfg.Pulse
	}
	return on && now < o.pulseEnd
}

// waits says that the output may not be switched yet, and when it may.
func (o *output) waits(now time.Duration, on bool) (until time.Duration, waits bool) {
	if !o.known || on == o.on || o.since == 0 {
		return 0, false
	}
	if until = o.since + o.cfg.MinOn; on {
		until = o.since + o.cfg.MinOff
	}
	return until, now < until
}

// next is when the output is to be looked at again, if nothing happens before.
func (o *output) next(now time.Duration) (at time.Duration, any bool) {
	if o.hand {
		at, any = o.until, true
	}
	if o.cfg.Pulse > 0 && o.pulseEnd > now && (!any || o.pulseEnd < at) {
		at, any = o.pulseEnd, true
	}
	return at, any
}
