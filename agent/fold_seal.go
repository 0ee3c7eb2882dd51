package agent

import (
	"encoding/json"
	"slices"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/seal"
	"pithead/drivers"
)

// sealedAs is where a seal stands by its newest event.
type sealedAs struct {
	Closed  bool               `json:"closed,omitempty"`
	Latched []string           `json:"latched,omitempty"` // tampered, breached, unwatched
	Until   *moment            `json:"until,omitempty"`
	Briefs  []moment           `json:"briefs,omitempty"`
	Still   map[string]float64 `json:"still,omitempty"`
	Zero    float64            `json:"zero,omitempty"`
	Told    []string           `json:"told,omitempty"`
	Removed bool               `json:"removed,omitempty"` // from the site file
	Since   moment             `json:"since"`
	State   string             `json:"state"`
}

// on is a moment, past or to come, on this boot's clock; false if nobody knows.
func (j *judge) on(w moment) (time.Duration, bool) {
	if w.Boot == j.boot {
		return time.Duration(w.M) * time.Millisecond, true
	}
	now, t := j.clock.Now(), w.T
	if o, ok := j.offsets[w.Boot]; ok {
		t = w.M + o
	}
	return time.Duration(now.M+t-now.T) * time.Millisecond, t != 0 && now.Known()
}

// sealMembers are the members of an event by which a start knows where the seal stands.
func (j *judge) sealMembers(g *guard) []event.Field {
	m := g.Memory()
	fs := []event.Field{{Name: "closed", Value: m.Closed}}
	var latched []string
	for _, l := range []struct {
		is   bool
		name seal.State
	}{{m.Tampered, seal.Tampered}, {m.Breached, seal.Breached}, {m.Unwatched, seal.Unwatched}} {
		if l.is {
			latched = append(latched, l.name.String())
		}
	}
	if latched != nil {
		fs = append(fs, event.Field{Name: "latched", Value: latched})
	}
	if m.Ends {
		fs = append(fs, j.when("until", m.Until)...)
	}
	if m.Still != nil {
		fs = append(fs, event.Field{Name: "still", Value: m.Still})
	}
	if m.Zero != 0 {
		fs = append(fs, event.Field{Name: "zero", Value: m.Zero})
	}
	if m.Told != nil {
		fs = append(fs, event.Field{Name: "told", Value: m.Told})
	}
	return fs
}

// seal takes one event of a seal in. Of the brief departures the event says
// only the newest; the others are in the fold.
func (f *fold) seal(p event.Parsed) {
	id := p.ID[min(len(p.ID), len(sealID(""))):]
	was := f.Seals[id]
	s := sealedAs{State: p.State, Since: was.Since, Removed: p.State == removedSeal}
	if s.Removed {
		was.Removed = true
		f.Seals[id] = was
		return
	}
	if p.State != was.State {
		s.Since = moment{p.Boot, p.M, p.T}
	}
	for name, to := range map[string]any{"closed": &s.Closed, "latched": &s.Latched, "still": &s.Still, "zero": &s.Zero, "told": &s.Told} {
		if raw := p.Member(name); raw != nil {
			_ = json.Unmarshal(raw, to) // a member of another form is none
		}
	}
	if raw := p.Member("until-m"); raw != nil {
		u := moment{Boot: p.Boot}
		_ = json.Unmarshal(raw, &u.M)
		_ = json.Unmarshal(p.Member("until"), &u.T)
		s.Until = &u
	}
	switch p.Text("what") {
	case seal.HasBriefly:
		s.Briefs = append(was.Briefs, moment{p.Boot, p.M, p.T})
		s.Briefs = s.Briefs[max(0, len(s.Briefs)-3):]
	case seal.TooOften, seal.WasReset:
	default:
		s.Briefs = was.Briefs
	}
	f.Seals[id] = s
}

// forgetBoots makes moments of another epoch count by wall time only.
func (f *fold) forgetBoots() {
	for id, s := range f.Seals {
		s.Since.Boot = 0
		if s.Until != nil {
			s.Until = &moment{M: s.Until.M, T: s.Until.T}
		}
		for i := range s.Briefs {
			s.Briefs[i].Boot = 0
		}
		f.Seals[id] = s
	}
}

// removedSeal is the state of a seal that has left the site file.
const removedSeal = "removed"

// sealMemory is what the seal package needs of it.
func (j *judge) sealMemory(s sealedAs) (m seal.Memory, why string) {
	m = seal.Memory{Closed: s.Closed, Still: s.Still, Zero: s.Zero, Told: s.Told,
		Tampered:  slices.Contains(s.Latched, seal.Tampered.String()),
		Breached:  slices.Contains(s.Latched, seal.Breached.String()),
		Unwatched: slices.Contains(s.Latched, seal.Unwatched.String())}
	for _, b := range s.Briefs {
		at, ok := j.on(b)
		if !ok {
			at = j.now() // sooner than it was: it counts longer
		}
		m.Briefs = append(m.Briefs, at)
	}
	if s.Until != nil {
		at, ok := j.on(*s.Until)
		if !ok {
			at, why = j.now(), "nobody knows how long the power was off, so the opening has ended"
		}
		m.Until, m.Ends = at, true
	}
	return m, why
}

// watchedUntil is the newest time at which the last run is known to have watched.
func (j *judge) watchedUntil(f *fold, last map[string]record.Last) (at time.Duration, known bool) {
	newest := func(w moment) {
		if t, ok := j.on(w); ok && (!known || t > at) {
			at, known = t, true
		}
	}
	if p, err := event.Parse(f.Last); err == nil {
		newest(moment{p.Boot, p.M, p.T})
	}
	for _, l := range last {
		w := moment{Boot: l.Boot, M: l.M}
		if f.Last == nil { // of a log that was set aside: its boots are not ours
			w.Boot = 0
		}
		if l.Clock != record.Unknown {
			w.T = l.M + l.Offset
		}
		newest(w)
	}
	return at, known
}

// restoreSeals puts the seals where the last run left them; carried is those of
// that run, where it was this process's own before a reload.
func (j *judge) restoreSeals(f *fold, last map[string]record.Last, carried map[string]*seal.Seal) {
	from, known := j.watchedUntil(f, last)
	if carried != nil {
		from, known = j.now(), true
	}
	for _, g := range j.seals {
		d := g.Def()
		if was, ok := carried[d.ID]; ok && sameSeal(was.Def(), d) {
			g.Seal = was
			j.sealDid(g, nil, "", "")
			continue
		}
		s, ok := f.Seals[d.ID]
		if !ok {
			continue
		}
		m, why := j.sealMemory(s)
		if g.since, ok = j.on(s.Since); !ok {
			g.since = j.now()
		}
		g.t = s.Since.T
		cs := g.Restore(m, func(p string) (drivers.Value, bool) {
			l, ok := last[p]
			return l.Good, ok && l.Good.Kind() != drivers.None
		}, from, known && !s.Removed)
		j.sealDid(g, cs, "", why)
		if why != "" {
			j.sealDid(g, g.Tick(j.now()), "", why)
		}
	}
	for id, s := range f.Seals {
		if j.sealed[id] == nil && !s.Removed {
			j.log.Warn("a seal was removed from the site file", "id", id)
			j.tell(event.Event{Kind: "seal", ID: sealID(id), State: removedSeal, Why: "removed from the site file",
				More: []event.Field{{Name: "was", Value: s.State}}}, j.now())
		}
	}
}

// sealsLeft are the seals for the run that follows a reload.
func (j *judge) sealsLeft() map[string]*seal.Seal {
	m := make(map[string]*seal.Seal, len(j.seals))
	for _, g := range j.seals {
		m[g.Def().ID] = g.Seal
	}
	return m
}

func sameSeal(a, b seal.Def) bool {
	if a.ID != b.ID || a.Name != b.Name || a.Confirm != b.Confirm || len(a.Watches) != len(b.Watches) {
		return false
	}
	for i, x := range a.Watches {
		y := b.Watches[i]
		if x.Role != y.Role || x.Point != y.Point || x.For != y.For || (x.Above == nil) != (y.Above == nil) || x.Above != nil && *x.Above != *y.Above {
			return false
		}
	}
	return true
}
