package agent

import (
	"time"

	"pithead/agent/record"
	"pithead/drivers"
)

// tally counts one point over one period, from all samples, before the deadband.
type tally struct {
	good, bad  int
	max, min   float64
	tmax, tmin int64 // unix ms, or ms since boot while the clock is unknown
	sum        float64
}

// period is the one that runs now.
type period struct {
	any     bool
	known   bool  // from is unix ms, else ms since boot
	number  int64 // of the period, so that a new one is noticed
	from    int64
	partial bool
}

// count takes one sample into its point's tally.
func (j *judge) count(p *point, r drivers.Reading, at time.Duration) {
	if j.site.Stats <= 0 || !p.cfg.Stats || r.Quality == drivers.Test || r.Value.Kind() == drivers.Text {
		return
	}
	t := &p.stats
	if r.Quality != drivers.Good {
		t.bad++
		return
	}
	v, ms := r.Value.Float(), j.clock.At(at).time()
	if t.good == 0 || v > t.max {
		t.max, t.tmax = v, ms
	}
	if t.good == 0 || v < t.min {
		t.min, t.tmin = v, ms
	}
	t.good++
	t.sum += v
}

// time is unix ms if known, else ms since boot.
func (s Stamp) time() int64 {
	if s.Known() {
		return s.T
	}
	return s.M
}

// zone is what days and shifts follow, in ms east of Greenwich.
const zone = 8 * 3600 * 1000

// endPeriod hands on the tallies when the period is over, or when the clock
// moved so that it can't be told apart from another.
func (j *judge) endPeriod(now time.Duration) {
	if j.site.Stats <= 0 {
		return
	}
	s := j.clock.At(now)
	length := j.site.Stats.Milliseconds()
	number := (s.time() + zone) / length
	old := j.period
	if old.any && old.number == number && old.known == s.Known() {
		return
	}
	start := number*length - zone
	j.period = period{any: true, known: s.Known(), number: number, from: start}
	if !old.any || old.known != s.Known() || number != old.number+1 {
		j.period.from, j.period.partial = s.time(), true
	}
	if old.any {
		end, partial := start, old.partial
		if number != old.number+1 || old.known != s.Known() {
			end, partial = old.from+length, true
		}
		j.queue.addStats(j.tallies(old.from, end, partial))
	}
}

// tallies are all points' counts of a period, which begin anew.
func (j *judge) tallies(from, to int64, partial bool) []record.Stat {
	var ss []record.Stat
	for _, p := range j.points {
		t := p.stats
		if t.good+t.bad == 0 {
			continue
		}
		st := record.Stat{Point: p.cfg.ID, From: from, To: to, Good: t.good, Bad: t.bad, Partial: partial}
		if t.good > 0 {
			st.Max, st.Min, st.TMax, st.TMin = t.max, t.min, t.tmax, t.tmin
			st.Mean = t.sum / float64(t.good)
		}
		ss = append(ss, st)
		p.stats = tally{}
	}
	return ss
}
