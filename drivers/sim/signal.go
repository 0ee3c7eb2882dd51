package sim

import (
	"math"
	"time"

	"pithead/drivers"
)

// at is what the signal shows at a time, without its noise.
func (s *Signal) at(t time.Duration, outputs map[string]*output) float64 {
	switch {
	case s.Wave != nil:
		phase := float64(t%s.Wave.Period) / float64(s.Wave.Period)
		return s.Wave.Mean + s.Wave.Swing*math.Sin(2*math.Pi*phase)
	case s.Follows != nil:
		if outputs[s.Follows.Output].was(t - s.Follows.Delay) {
			return s.Follows.On
		}
		return s.Follows.Off
	}
	return s.step(t)
}

// step is the value of the last step; the first one holds before its time too.
func (s *Signal) step(t time.Duration) float64 {
	if s.Repeat > 0 {
		t %= s.Repeat
	}
	v := s.Steps[0].Value
	for _, step := range s.Steps[1:] {
		if step.At <= t {
			v = step.Value
		}
	}
	return v
}

// next is the first time after t at which the signal may jump; a wave never does.
func (s *Signal) next(t time.Duration, outputs map[string]*output) (time.Duration, bool) {
	if s.Follows != nil {
		at, ok := outputs[s.Follows.Output].next(t - s.Follows.Delay)
		return at + s.Follows.Delay, ok
	}
	var round time.Duration
	if s.Repeat > 0 {
		round = t - t%s.Repeat
	}
	for _, step := range s.Steps {
		if at := round + step.At; at > t && (s.Repeat == 0 || step.At < s.Repeat) {
			return at, true
		}
	}
	return round + s.Repeat, s.Repeat > 0
}

// dropped says which quality stands in for an answer at a time, if any does.
func (s *Signal) dropped(t time.Duration) (drivers.Quality, bool) {
	for _, d := range s.Drops {
		since := t - d.At
		if d.Every > 0 && since > 0 {
			since %= d.Every
		}
		if since < 0 || since >= d.For {
			continue
		}
		if d.Quality == drivers.Good {
			return drivers.Comm, true
		}
		return d.Quality, true
	}
	return drivers.Good, false
}
