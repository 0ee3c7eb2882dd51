package config

import (
	"time"

	"pithead/drivers"
	"pithead/drivers/sim"
)

// judgeSignals reads what the points of a simulated bus show. A point without
// a signal is a mistake: nothing is made up.
func (j *judge) judgeSignals(b *bus) {
	if b.kind != "sim" || b.sub("sim") == nil || b.sub("sim").broken("signals") {
		return
	}
	var have *object
	if v := b.sub("sim").given("signals"); v != nil {
		have = v.obj
	}
	var ids []string
	for _, p := range j.points.all {
		if p.bus != b || p.source == "value" {
			continue
		}
		ids = append(ids, p.id)
		if !p.dormant && (have == nil || !have.has(p.id)) && !b.sub("sim").strange {
			j.errorf(p.place, "has no signal on the simulated bus %q; want one under buses.%s.sim.signals", b.id, b.id)
		}
	}
	if have == nil {
		return
	}
	for _, id := range have.keys {
		p, known := j.points.by[id]
		switch {
		case known && p.bus == b:
			if o := have.vals[id]; o != nil {
				b.sim.Signals[id] = j.signal(b, p, o.obj)
			}
		case known && p.bus != nil:
			j.keyf(have, id, "point %q is on bus %q; want a point of this bus", id, p.bus.id)
		case !known:
			j.noSuch(&value{place: have.at[id], text: id}, ids, "points", "point")
		}
	}
}

// signal is what one point shows.
func (j *judge) signal(b *bus, p *point, o *object) sim.Signal {
	s := sim.Signal{Repeat: o.dur("repeat"), Noise: o.num("noise")}
	shape, sure := j.only(o, []string{"value", "wave", "steps", "follows"}, "shape")
	if shape == "" && sure && !o.strange {
		j.errorf(o.place, "has no shape; want value, wave, steps or follows")
	}
	if o.has("repeat") && shape != "steps" && shape != "" {
		j.keyf(o, "repeat", "belongs to steps")
	}
	switch shape {
	case "value":
		if v := o.given("value"); v != nil {
			j.shows(p, v, v.num)
			s.Steps = []sim.Step{{Value: v.num}}
		}
	case "wave":
		if w := o.sub("wave"); w != nil {
			if p.kind == drivers.Bool {
				j.errorf(w.place, "a point that is 0 or 1 makes no waves; want steps")
			}
			s.Wave = &sim.Wave{Mean: w.num("mean"), Swing: w.num("swing"), Period: w.dur("period")}
		}
	case "steps":
		s.Steps = j.steps(p, o, s.Repeat)
	case "follows":
		s.Follows = j.follows(b, p, o.sub("follows"))
	}
	s.Drops = j.drops(o.given("drops"))
	return s
}

// shows refuses what the point can't show.
func (j *judge) shows(p *point, v *value, f float64) {
	switch {
	case p.kind == drivers.Bool && f != 0 && f != 1:
		j.errorf(v.place, "%s is no value of a point that is 0 or 1; want 0 or 1", v.text)
	case p.has("counts") && f < 0:
		j.errorf(v.place, "%s pulses a second; want at least 0", v.text)
	}
}

func (j *judge) steps(p *point, o *object, repeat time.Duration) []sim.Step {
	v := o.given("steps")
	if v == nil {
		return nil
	}
	var out []sim.Step
	for i, e := range v.list {
		at, to := value{text: e.list[0].text}, value{text: e.list[1].text}
		if problem := span(0, year).scan(&at); problem != "" {
			j.errorf(e.list[0].place, "%s", problem)
			continue
		}
		if problem := number.scan(&to); problem != "" {
			j.errorf(e.list[1].place, "%s", problem)
			continue
		}
		j.shows(p, e.list[1], to.num)
		switch n := len(out); {
		case i == 0 && at.n != 0:
			j.errorf(e.list[0].place, "says nothing of the time before; want the first step at 0s")
		case n > 0 && at.dur() <= out[n-1].At:
			j.errorf(e.list[0].place, "%s is not after %s before it; want steps in order", at.text, writtenD(out[n-1].At))
		case repeat > 0 && at.dur() >= repeat:
			j.errorf(e.list[0].place, "%s is never reached with repeat: %s; want it earlier", at.text, writtenD(repeat))
		}
		out = append(out, sim.Step{At: at.dur(), Value: to.num})
	}
	return out
}

func (j *judge) follows(b *bus, p *point, o *object) *sim.Follows {
	if o == nil {
		return nil
	}
	for _, k := range []string{"on", "off"} {
		if v := o.given(k); v != nil {
			j.shows(p, v, v.num)
		}
	}
	out, ok := find(j, o.given("output"), &j.outputs, "outputs", "output")
	if ok && out.bus != nil && out.bus != b {
		j.errorf(o.where("output"), "output %q is on bus %q; want an output of this bus", out.id, out.bus.id)
	}
	return &sim.Follows{Output: o.text("output"), On: o.num("on"), Off: o.num("off"), Delay: o.dur("delay")}
}

func (j *judge) drops(v *value) []sim.Drop {
	if v == nil {
		return nil
	}
	var out []sim.Drop
	for _, e := range v.list {
		q, _ := drivers.ParseQuality(e.obj.text("quality"))
		d := sim.Drop{At: e.obj.dur("at"), For: e.obj.dur("for"), Every: e.obj.dur("every"), Quality: q}
		if d.Every > 0 && d.For >= d.Every {
			j.errorf(e.obj.where("every"), "%s is not longer than for: %s; want a time with an answer between", writtenD(d.Every), writtenD(d.For))
		}
		out = append(out, d)
	}
	return out
}
