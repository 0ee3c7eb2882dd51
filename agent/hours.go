package agent

import (
	"time"

	"pithead/agent/record"
	"pithead/drivers"
)

// running counts how long a point has been 1, as a point of its own. Time in
// which that was not seen is not counted: like a total of pulses it is a lower
// bound.
type running struct {
	to    *point
	total time.Duration
	on    bool // it was, at:
	at    time.Duration
	known bool
}

// count takes a reading of the point, and is the reading of its hours.
func (h *running) count(r drivers.Reading, at time.Duration) drivers.Reading {
	if r.Quality != drivers.Good {
		h.known = false
		return drivers.Bad(h.to.cfg.ID, r.At, drivers.Input)
	}
	if h.known && h.on && at > h.at {
		h.total += at - h.at
	}
	h.on, h.at, h.known = r.Value.Float() == 1, at, true
	return drivers.Reading{Point: h.to.cfg.ID, At: r.At, Value: drivers.NumberValue(drivers.Round(h.total.Hours(), 4))}
}

// takeHours finds the points that count hours.
func (j *judge) takeHours() {
	for _, p := range j.points {
		if of := j.find(p.cfg.HoursOf); of != nil {
			of.tie().running = &running{to: p}
		}
	}
}

// restoreHours lets hours go on from what was stored.
func (j *judge) restoreHours(last map[string]record.Last) {
	for _, p := range j.points {
		if p.running == nil {
			continue
		}
		if h := last[p.running.to.cfg.ID].Good.Float(); h > 0 && h < 1e6 {
			p.running.total = time.Duration(h * float64(time.Hour))
		}
	}
}
