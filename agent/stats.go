package agent

import (
	"time"

	"pithead/agent/record"
	"pithead/drivers"
)

// tally counts one point over one period, from all samples, before the deadband.
type tally struct {
	good, bad  uint32
	max, min   float64
	tmax, tmin int64   // unix ms, or ms since boot while the clock is unknown
	sum        float64 // in parts of summed, so that it can't pass what a float holds
}

const summed = 1 << 32 // a power of two takes no digit away

// period is the one that runs now.
type period struct {
	any     bool
	clock   record.Clock // from is unix ms, or ms since boot if unknown
	number  int64        // of the period, so that a new one is noticed
	from    int64
	partial bool
	over    time.Duration // since boot: from then on a sample is of the next one
}

// count takes one sample into its point's tally.
func (j *judge) count(p *point, r drivers.Reading, at time.Duration) {
	if j.site.Stats <= 0 || !p.cfg.Stats || r.Quality == drivers.Test || r.Value.Kind() == drivers.Text {
		return
	}
	if j.period.any && at >= j.period.over {
		j.endPeriod(at) // the tick would be up to a second late
	}
	t := &p.stats
	if r.Quality != drivers.Good {
		t.bad++
		return
	}
	v := r.Value.Float()
	if t.good == 0 || v > t.max {
		t.max, t.tmax = v, j.clock.At(at).time()
	}
	if t.good == 0 || v < t.min {
		t.min, t.tmin = v, j.clock.At(at).time()
	}
	t.good++
	t.sum += v / summed
}

// time is unix ms if known, else ms since boot.
func (s Stamp) time() int64 {
	if s.Known() {
		return s.T
	}
	return s.M
}

// zone is what days and shifts follow, in ms east of Greenwich.
func (j *judge) zone() int64 { return j.site.UTCOffset.Milliseconds() }

// endPeriod hands on the tallies when the period is over, or when the clock
// moved so that it can't be told apart from another.
func (j *judge) endPeriod(now time.Duration) {
	if j.site.Stats <= 0 {
		return
	}
	s := j.clock.At(now)
	length := j.site.Stats.Milliseconds()
	number := (s.time() + j.zone()) / length
	old := j.period
	over := now + time.Duration((number+1)*length-j.zone()-s.time())*time.Millisecond
	j.period.over = over
	same := old.known() == s.Known()
	if old.any && old.number == number && same {
		return
	}
	whole := same && number == old.number+1
	j.period = period{any: true, clock: s.Clock, number: number, from: number*length - j.zone(), over: over}
	if !old.any || !whole {
		j.period.from, j.period.partial = s.time(), true
	}
	if !old.any {
		return
	}
	end := (old.number+1)*length - j.zone()
	if !same && !old.known() {
		end = s.M
	}
	j.queue.addStats(j.tallies(old, end, old.partial || !whole))
}

// cutPeriod hands on what was counted of a period that a stop cuts.
func (j *judge) cutPeriod(now time.Duration) {
	if j.endPeriod(now); j.period.any {
		j.queue.addStats(j.tallies(j.period, j.clock.At(now).time(), true))
	}
}

func (p period) known() bool { return p.clock != record.Unknown }

// tallies are all points' counts of a period up to a time, which begin anew.
func (j *judge) tallies(of period, to int64, partial bool) []stat {
	ss := make([]stat, 0, len(j.points))
	for _, p := range j.points {
		t := p.stats
		if t.good+t.bad == 0 {
			continue
		}
		st := record.Stat{Point: p.cfg.ID, From: of.from, To: to, Good: int(t.good), Bad: int(t.bad), Partial: partial}
		if t.good > 0 {
			st.Max, st.Min, st.TMax, st.TMin = t.max, t.min, t.tmax, t.tmin
			st.Mean = min(max(t.sum/float64(t.good)*summed, t.min), t.max) // of equal samples their sum is rounded
		}
		ss = append(ss, stat{st, of.clock})
		p.stats = tally{}
	}
	return ss
}
