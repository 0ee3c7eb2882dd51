package agent

import (
	"time"

	"pithead/agent/alarm"
	"pithead/config/expr"
	"pithead/drivers"
)

// A premise is the condition under which an alarm is judged. While an input of it
// is bad it counts as true: what can't be seen silences nothing.
type premise struct {
	*formula
	standing *standing
	shut     bool
	dirty    bool
}

// addPremise gives an alarm its condition.
func (j *judge) addPremise(s *standing, e *expr.Expr) {
	g := &premise{formula: j.formula(e), standing: s}
	g.remembers()
	j.premises = append(j.premises, g)
	for _, p := range g.in {
		if p != nil {
			p.tie().premises = append(p.premises, g)
		}
	}
}

// openPremises evaluates the conditions whose inputs have new samples.
func (j *judge) openPremises() {
	if j.mode != j.premisedIn {
		j.premisedIn = j.mode
		for _, g := range j.premises {
			if g.Moody() {
				g.dirty, j.premiseDirty = true, true
			}
		}
	}
	if !j.premiseDirty {
		return
	}
	j.premiseDirty = false
	for _, g := range j.premises {
		if g.dirty {
			g.dirty = false
			j.open(g)
		}
	}
}

// openWindows evaluates the conditions that time alone can change.
func (j *judge) openWindows() {
	for _, g := range j.premises {
		if g.Reach() > 0 {
			j.open(g)
		}
	}
}

func (j *judge) open(g *premise) {
	at := j.now()
	v, q := j.eval(g.formula, at)
	shut := q == drivers.Good && v.Float() == 0
	if shut == g.shut {
		return
	}
	g.shut = shut
	j.suspend(g.standing, at)
}

// openAll is the first look at all conditions. Whatever an alarm was before a
// reload, from here on it is as these say.
func (j *judge) openAll() {
	for _, g := range j.premises {
		j.open(g)
	}
	for s := range j.all {
		j.suspend(s, j.now())
	}
}

// suspend keeps an alarm from raising as long as anything says so, and tells
// that of one that stands.
func (j *judge) suspend(s *standing, at time.Duration) {
	was := s.Idle()
	s.SetIdle(s.suppressed() || s.isOut(), at)
	if s.Idle() == was {
		return
	}
	j.after(s, alarm.Change{}, false)
	j.soil(s)
	j.moved = true
	if s.State() != alarm.Normal {
		j.tellBeside(s, at)
	}
}

// suppressed says that what the alarm is judged under is not so.
func (s *standing) suppressed() bool { return s.premise != nil && s.premise.shut }

// quiet says that nobody is to be called by it, though it stands.
func (s *standing) quiet() bool { return s.suppressed() || s.isOut() || s.shelf != nil }

// followLinks raises and ends the alarms of uplinks.
func (j *judge) followLinks() {
	if j.links == nil {
		return
	}
	for id, why := range j.links() {
		j.setAgent("uplink:"+id+"/fault", why != "", why)
	}
}
