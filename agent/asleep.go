package agent

import (
	"time"

	"pithead/agent/alarm"
	"pithead/drivers"
)

// A nap is what stands for a point's fault alarm while that is the site's default
// and every reading of this run was good: the alarm itself is made when it is
// needed. It takes a tenth of the memory, for nearly all points nearly always.
type nap struct {
	first  time.Duration // of the readings
	n      uint32        // 0: there is none yet
	asleep bool
}

// sleepsOn notes a reading, and says whether the fault can go on sleeping over it.
// It comes before the reading is the point's last.
func (p *point) sleepsOn(judged drivers.Quality, at time.Duration) bool {
	if judged != drivers.Good {
		return false
	}
	if p.n == 0 || alarm.Lapsed(p.cfg.Fault, p.at, at) {
		p.first, p.n = at, 0
	}
	p.n++
	return true
}

// wake makes the fault alarm of a point that slept so far.
func (j *judge) wake(p *point) *standing {
	p.asleep = false
	d := *p.cfg.Fault
	d.ID, d.Point, d.Name, d.Line = p.cfg.ID+"/fault", p.cfg.ID, p.cfg.Name, p.cfg.Line
	last := alarm.Sample{At: p.at, Value: p.last.Value, Quality: p.last.Quality}
	s := &standing{Alarm: alarm.Slept(&d, p.first, p.n, last), bonds: &noBonds, life: &noLife, of: p, good: p.n > 0}
	p.standing = append(p.standing, s)
	j.suspend(s, j.now())
	return s
}

// sleepers are the naps by point, for the run that follows a reload.
func (j *judge) sleepers() map[string]sleeper {
	m := map[string]sleeper{}
	for _, p := range j.points {
		if p.asleep && p.n > 0 {
			m[p.cfg.ID] = sleeper{p.nap, p.at, p.last, p.cfg.Fault}
		}
	}
	return m
}

// A sleeper is a nap with the newest of its readings.
type sleeper struct {
	nap
	at   time.Duration
	last latest
	rule *alarm.Def
}

// sleepAgain lets faults sleep on over a reload that did not change them. It is for
// after restore: what has been woken stays awake.
func (j *judge) sleepAgain(m map[string]sleeper) {
	for _, p := range j.points {
		if s, ok := m[p.cfg.ID]; ok && p.asleep && s.rule.Same(p.cfg.Fault) {
			p.nap, p.at, p.last = s.nap, s.at, s.last
		}
	}
}
