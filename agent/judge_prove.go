package agent

import (
	"slices"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/drivers"
)

// A proof is what has to be shown from time to time: that a point's alarms see
// what they are there for, by a bump test, or that a trip acts. What was not shown
// in time, or never, is a blue alarm.
type proof struct {
	*standing
	id    string // of the point, or output:x
	every time.Duration
	last  time.Duration // on this boot's clock, where shown
	shown bool
}

// addProofs stands the alarms of what is to be proved.
func (j *judge) addProofs() {
	add := func(id, name string, every time.Duration, line int) {
		if every <= 0 {
			return
		}
		d := &alarm.Def{ID: id + "/prove", Name: name, Level: alarm.Blue, Condition: alarm.Equals, Equal: drivers.BoolValue(true), Line: line}
		j.proofs = append(j.proofs, &proof{standing: j.stand(d), id: id, every: every})
	}
	for _, p := range j.points {
		add(p.cfg.ID, p.cfg.Name, p.cfg.Prove, p.cfg.Line)
	}
	for _, o := range j.outputs {
		add("output:"+o.cfg.ID, o.cfg.Name, o.cfg.Prove, o.cfg.Line)
	}
}

// restoreProofs takes up what was shown. Where the clock can't tell how long that
// is ago, it is taken for just now: a board without a clock counts what it runs.
func (j *judge) restoreProofs(f *fold) {
	for _, p := range j.proofs {
		var m moment
		if m, p.shown = f.Proved[p.id]; p.shown {
			p.last, _ = j.ago(m)
		}
	}
}

// followProofs raises and ends what is overdue.
func (j *judge) followProofs() {
	for _, p := range j.proofs {
		if overdue := !p.shown || j.now()-p.last > p.every; overdue != p.up() {
			j.step(p.standing, alarm.Sample{At: j.now(), Value: drivers.BoolValue(overdue), Quality: drivers.Good})
		}
	}
}

// proved notes that something was shown.
func (j *judge) proved(id string) {
	for _, p := range j.proofs {
		if p.id == id {
			p.last, p.shown = j.now(), true
		}
	}
}

// acted sees whether a trip that was switched on is seen to act, by a reading from
// after that and in time, and tells it once.
func (j *judge) acted(o *output, wrong bool) {
	v := o.cfg.Verify
	if v == nil || !o.cfg.Trip || !o.on || o.onAt == 0 || wrong || j.find(v.Point).at < o.onAt {
		return
	}
	since := j.now() - o.onAt
	o.onAt = 0
	if since > v.Within {
		return
	}
	o.actedAt = j.now()
	if o.cfg.Prove <= 0 {
		return
	}
	j.tellOutput(o, "", "", event.Field{Name: "verified", Value: since.Milliseconds()})
	j.proved("output:" + o.cfg.ID)
}

// result is what the end of a test tells: the alarms whose value was reached, and
// those whose was not; the trips that they ask for which were seen to act
// meanwhile; and whether the point is proved by it, which takes every alarm that
// asks for a trip, or any where none does.
func (a *aside) result(j *judge) (fs []event.Field) {
	if a.of != "test" {
		return nil
	}
	var reached, missed, verified []string
	proved, tripless := true, true
	for i, s := range j.find(a.id).standing() {
		d := s.Def()
		if d.Condition > alarm.Equals {
			continue
		}
		trips := j.tripsOf(d.Do)
		tripless = tripless && len(trips) == 0
		if a.seen[i] {
			reached = append(reached, d.ID)
		} else {
			missed = append(missed, d.ID)
			proved = proved && len(trips) == 0
		}
		for _, o := range trips {
			if o.actedAt > a.since && !slices.Contains(verified, o.cfg.ID) {
				verified = append(verified, o.cfg.ID)
			}
		}
	}
	for _, l := range []struct {
		name string
		ids  []string
	}{{"reached", reached}, {"missed", missed}, {"verified", verified}} {
		if len(l.ids) > 0 {
			fs = append(fs, event.Field{Name: l.name, Value: l.ids})
		}
	}
	if proved && len(reached) > 0 {
		fs = append(fs, event.Field{Name: "proved", Value: true})
	}
	return fs
}

// tripsOf are the trips among outputs.
func (j *judge) tripsOf(ids []string) (os []*output) {
	for _, id := range ids {
		if o, ok := j.byName[id]; ok && o.cfg.Trip {
			os = append(os, o)
		}
	}
	return os
}

// proves says that the end of a test proves its point.
func proves(fs []event.Field) bool {
	return slices.ContainsFunc(fs, func(f event.Field) bool { return f.Name == "proved" })
}
