package agent

import (
	"time"

	"pithead/agent/alarm"
	"pithead/drivers"
)

// sleepsOn notes a reading, and says whether the point's fault can go on sleeping over
// it: while that is the site's default and every reading of this run was good, the
// time of the first and their number stand for the alarm, which is made when it is
// needed. That takes a tenth of the memory, for nearly all points nearly always. It
// comes before the reading is the point's last.
func (p *point) sleepsOn(judged drivers.Quality, at time.Duration) bool {
	if judged != drivers.Good {
		return false
	}
	if p.naps == 0 || alarm.Lapsed(p.cfg.Fault, p.at, at) {
		p.napFrom, p.naps = at, 0
	}
	p.naps++
	return true
}

// wake makes the fault alarm of a point that slept so far.
func (j *judge) wake(p *point) *standing {
	p.asleep = false
	d := *p.cfg.Fault
	d.ID, d.Point, d.Name, d.Line = p.cfg.ID+"/fault", p.cfg.ID, p.cfg.Name, p.cfg.Line
	last := alarm.Sample{At: p.at, Value: p.last, Quality: p.mark.quality}
	s := &standing{Alarm: alarm.Slept(&d, p.napFrom, p.naps, last), bonds: &noBonds, life: &noLife, of: p, good: p.naps > 0}
	p.stand(s)
	j.suspend(s, j.now())
	return s
}

// sleepers are the points whose fault sleeps, as they are, for the run that follows a reload.
func (j *judge) sleepers() map[string]sleeper {
	m := map[string]sleeper{}
	for _, p := range j.points {
		if p.asleep && p.naps > 0 {
			m[p.cfg.ID] = sleeper{p.napFrom, p.at, p.naps, p.mark, p.last, p.cfg.Fault}
		}
	}
	return m
}

// A sleeper is what stands for a fault that sleeps.
type sleeper struct {
	from, at time.Duration
	n        uint32
	mark     mark
	last     drivers.Value
	rule     *alarm.Def
}

// sleepAgain lets faults sleep on over a reload that did not change them. It is for
// after restore: what has been woken stays awake.
func (j *judge) sleepAgain(m map[string]sleeper) {
	for _, p := range j.points {
		if s, ok := m[p.cfg.ID]; ok && p.asleep && s.rule.Same(p.cfg.Fault) {
			p.napFrom, p.naps, p.at, p.last, p.mark = s.from, s.n, s.at, s.last, s.mark
		}
	}
}
