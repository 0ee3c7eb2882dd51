package agent

import (
	"time"

	"pithead/agent/alarm"
	"pithead/agent/record"
	"pithead/config/expr"
	"pithead/drivers"
)

// formula is an expression at work in the judge: of a computed point, or of a
// condition. Its windows are its own.
type formula struct {
	*expr.Expr
	use *expr.Use
	at  time.Duration // when it was evaluated last; an expression's time never goes back
	get func(input int) expr.Sample
	in  []*point // its inputs; nil: this version can't read it

	timer timer // of what changes although no input does
}

// remembers makes a formula take what was stored last for what is not read yet: a
// condition is not to change because the agent has started.
func (f *formula) remembers() {
	get := f.get
	f.get = func(i int) expr.Sample {
		if p := f.in[i]; p != nil && !p.seen && (p.mark.quality != drivers.Good || p.last.Kind() != drivers.None) {
			return expr.Sample{Value: p.last, Quality: p.mark.quality}
		}
		return get(i)
	}
}

func (j *judge) formula(e *expr.Expr) *formula {
	f := &formula{Expr: e, use: e.Use()}
	for _, id := range e.Inputs() {
		f.in = append(f.in, j.find(id))
	}
	f.get = func(i int) expr.Sample {
		p := f.in[i]
		if p == nil || !p.seen {
			return expr.Sample{Quality: drivers.Input}
		}
		return expr.Sample{Value: p.last, Quality: p.mark.quality, At: p.at}
	}
	return f
}

// eval is what a formula comes to now.
func (j *judge) eval(f *formula, at time.Duration) (drivers.Value, drivers.Quality) {
	f.at = max(f.at, at)
	return f.use.Eval(j.moment(f.at), f.get)
}

// moment is a time as expressions know it.
func (j *judge) moment(at time.Duration) expr.Now {
	s := j.clock.At(at)
	return expr.Now{At: at, Local: s.T + j.zone(), Known: s.Known(), Mode: j.mode}
}

// formulas are those of all computed points and conditions.
func (j *judge) formulas() []*formula {
	var fs []*formula
	for _, p := range j.computed {
		fs = append(fs, p.formula)
	}
	for _, p := range j.premises {
		fs = append(fs, p.formula)
	}
	for _, o := range j.outputs {
		if o.release != nil {
			fs = append(fs, o.release)
		}
	}
	return fs
}

// A refill fills the windows of a formula from stored readings.
type refill struct {
	*formula
	held  []expr.Sample
	dirty bool
}

// feedAlarms adds the windows of alarms that are to be filled to what is fed, and
// says how far back they look. Those that go on over a reload have theirs.
func (j *judge) feedAlarms(feeds map[string][]func(expr.Sample)) (reach time.Duration) {
	for s := range j.all {
		if s.Reach() == 0 || s.carried {
			continue
		}
		reach = max(reach, s.Reach())
		d := s.Def()
		feeds[d.Point] = append(feeds[d.Point], func(x expr.Sample) {
			s.Fill(alarm.Sample{At: x.At, Value: x.Value, Quality: x.Quality}, !j.reloaded)
		})
	}
	return reach
}

// refill fills the windows of all formulas and alarms as if the agent had run on. What is
// stored may lie a deadband beside what was measured, and so may they.
func (j *judge) refill(r *reread, fs []*formula) {
	feeds := map[string][]func(expr.Sample){}
	reach := j.feedAlarms(feeds)
	var all []*refill
	for _, f := range fs {
		if f.Reach() == 0 {
			continue
		}
		reach = max(reach, f.Reach())
		x := &refill{formula: f, held: make([]expr.Sample, len(f.in))}
		all = append(all, x)
		for i, id := range f.Inputs() {
			x.held[i].Quality = drivers.Input
			feeds[id] = append(feeds[id], func(s expr.Sample) { x.held[i], x.dirty = s, true })
		}
	}
	if len(feeds) == 0 {
		return
	}
	var now time.Duration
	turn := func() {
		for _, x := range all {
			if x.dirty {
				x.at, x.dirty = max(x.at, now), false
				x.use.Eval(j.moment(x.at), func(i int) expr.Sample { return x.held[i] })
			}
		}
	}
	end := j.now()
	r.since(end-reach-time.Hour, func(s record.Reading, at time.Duration) {
		at = min(at, end) // a clock was set back between two boots
		if at != now {    // what came together is looked at together
			turn()
			now = at
		}
		for _, feed := range feeds[s.Point] {
			feed(expr.Sample{Value: s.Value, Quality: s.Quality, At: at})
		}
	})
	turn()
}
