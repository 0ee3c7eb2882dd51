package config

import (
	"math"
	"slices"
	"time"

	"pithead/agent/alarm"
	"pithead/drivers/modbus"
)

// Worst is how long something takes at worst: while every unit of its bus
// answers, when any one other dies, and when all others die, in the moments in
// which they do. Retries of broken answers are not in it, nor is a device that
// takes longer than its turnaround. 0 = the line can't keep its cycles, so that
// there is no bound.
type Worst struct{ Alive, OneDead, AllDead time.Duration }

// each applies f to the three.
func (w Worst) each(v Worst, f func(a, b time.Duration) time.Duration) Worst {
	return Worst{f(w.Alive, v.Alive), f(w.OneDead, v.OneDead), f(w.AllDead, v.AllDead)}
}

// both is the sum of two, one after the other; without a bound if one is.
func both(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return 0
	}
	return a + b
}

// longer is the longer of two; without a bound if one is.
func longer(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// An Age is how old the newest reading of a point can be before the next is there.
type Age struct {
	Point string
	Every time.Duration // 0 for what comes by itself: edges, computed points
	Worst
}

// An Action is the time from the moment in which a sensor shows what an alarm
// is about, to that in which the output has been switched. Its on-delay is in it.
type Action struct {
	Alarm, Output string
	Worst
}

// judging is how long a sample takes from a bus to an output that needs no bus.
const judging = 5 * time.Millisecond

// What the loop above the drivers does about units that do not answer.
const (
	failures     = 3               // in a row, until a unit is offline
	patience     = 5 * time.Second // after which what did not answer last time takes its turn like the others
	defaultShare = 10              // percent of a bus's time for those that are offline
	rewriting    = 10 * time.Second
	retrying     = time.Second
	mostBound    = time.Hour // what takes longer is no bound
)

// Timing is the worst ages of all points, and the worst times to act.
func (s *Site) Timing() (ages []Age, actions []Action) {
	lines := map[string]*lineTiming{}
	for _, b := range s.Buses {
		lines[b.ID] = newLineTiming(b)
	}
	by := map[string]Age{}
	var age func(p *Point) Age
	points := map[string]*Point{}
	for i := range s.Points {
		points[s.Points[i].ID] = &s.Points[i]
	}
	age = func(p *Point) Age {
		if a, ok := by[p.ID]; ok {
			return a
		}
		a := Age{Point: p.ID, Every: p.Every}
		if l := lines[p.Bus]; l != nil {
			a.Worst, a.Every = l.age(p)
		} else if p.Value != nil {
			a.Worst = Worst{p.Every + judging, p.Every + judging, p.Every + judging}
			for _, in := range p.Value.Inputs() {
				if q := points[in]; q != nil {
					w := age(q).Worst.each(Worst{p.Every + judging, p.Every + judging, p.Every + judging}, both)
					a.Worst = a.Worst.each(w, longer)
				}
			}
		}
		by[p.ID] = a
		return a
	}
	outputs := map[string]*Output{}
	for i := range s.Outputs {
		outputs[s.Outputs[i].ID] = &s.Outputs[i]
	}
	for i := range s.Points {
		p := &s.Points[i]
		a := age(p)
		ages = append(ages, a)
		for _, d := range p.Alarms {
			for _, id := range d.Do {
				if o := outputs[id]; o != nil {
					actions = append(actions, Action{d.ID, id, lines[o.Bus].act(o, s.Outputs).each(delayed(a.Worst, d), both)})
				}
			}
		}
	}
	return ages, actions
}

// delayed is the age of an alarm's samples and its own delay.
func delayed(w Worst, d alarm.Def) Worst {
	wait := d.For + judging
	return w.each(Worst{wait, wait, wait}, both)
}

// lineTiming is one bus and what it must do.
type lineTiming struct {
	bus      Bus
	requests []request
	writes   map[string]time.Duration // writing, by unit; reading back takes no longer
	outputs  []modbus.OutputConfig
	worst    map[string]Worst // by unit and cycle, since requests of both share them
}

// request is one of the plan.
type request struct {
	modbus.Request
	took   time.Duration // with the unit's turnaround
	silent time.Duration // where it gets no answer
	pause  time.Duration
}

func newLineTiming(b Bus) *lineTiming {
	l := &lineTiming{bus: b, writes: map[string]time.Duration{}, worst: map[string]Worst{}}
	if b.Modbus == nil {
		return l
	}
	pauses := map[string]time.Duration{}
	for _, u := range b.Modbus.Units {
		pauses[u.ID] = u.Pause
	}
	for _, r := range modbus.Plan(*b.Modbus) {
		_, typical := modbus.WireTime(*b.Modbus, r)
		l.requests = append(l.requests, request{r, max(typical, time.Millisecond), modbus.SilentTime(*b.Modbus, r.Unit), pauses[r.Unit]})
	}
	for _, o := range b.Modbus.Outputs {
		l.outputs = append(l.outputs, o)
		l.writes[o.Device] = max(modbus.WriteTime(*b.Modbus, o.Device), time.Millisecond)
	}
	return l
}

// age is that of a point of this bus, and its cycle.
func (l *lineTiming) age(p *Point) (Worst, time.Duration) {
	switch {
	case l.bus.GPIO != nil:
		d := judging
		for _, in := range l.bus.GPIO.Inputs {
			if in.ID == p.ID {
				d += in.Debounce
			}
		}
		return Worst{d, d, d}, 0
	case l.bus.Modbus == nil:
		d := p.Every + judging
		return Worst{d, d, d}, p.Every
	}
	for i := range l.requests {
		if r := &l.requests[i]; slices.Contains(r.Points, p.ID) {
			return l.of(r), r.Every
		}
	}
	return Worst{}, p.Every
}

// of is the worst age of what a request reads: its cycle, and how long after it
// is due the answer can be there.
func (l *lineTiming) of(r *request) Worst {
	key := r.Unit + "/" + r.Every.String()
	if w, ok := l.worst[key]; ok {
		return w
	}
	var others []string
	for _, o := range l.requests {
		if o.Unit != r.Unit && !slices.Contains(others, o.Unit) {
			others = append(others, o.Unit)
		}
	}
	w := Worst{Alive: l.response(r, nil)}
	w.OneDead, w.AllDead = w.Alive, w.Alive
	for _, u := range others {
		w.OneDead = longer(w.OneDead, l.response(r, []string{u}))
	}
	if len(others) > 0 {
		w.AllDead = longer(w.OneDead, l.response(r, others))
	}
	w = w.each(Worst{r.Every, r.Every, r.Every}, both)
	l.worst[key] = w
	return w
}

// response bounds the time from when a request is due to its answer. Whatever
// order requests are made in, it is over when all of them that came up meanwhile
// are done; and ordered by deadline none is later than its cycle and one request,
// unless the dead make it so.
func (l *lineTiming) response(r *request, dead []string) time.Duration {
	var longest time.Duration
	share := 0.0
	for _, o := range l.requests {
		if !slices.Contains(dead, o.Unit) {
			longest = max(longest, o.took)
			share += float64(o.took) / float64(o.Every)
		}
	}
	if share >= 1 {
		return 0
	}
	// What the dead and the outputs take of a time that begins with a request
	// under way.
	besides := func(w time.Duration) time.Duration {
		sum := longest + l.writing(w, dead)
		for _, u := range dead {
			sum += l.silent(u, w)
		}
		if len(dead) > 0 {
			sum += time.Duration(float64(w) * l.share())
		}
		return sum
	}
	step := func(w time.Duration) time.Duration {
		sum := besides(w)
		for _, o := range l.requests {
			if !slices.Contains(dead, o.Unit) {
				sum += times(w, o.Every) * o.took
				if o.Unit == r.Unit {
					sum += times(w, o.Every) * o.pause
				}
			}
		}
		return sum
	}
	deadline := r.Every + longest + besides(r.Every)
	if r.pause > 0 {
		deadline = math.MaxInt64
	}
	w := step(0)
	for range 1000 {
		next := step(w)
		if next == w || next >= deadline {
			return min(next, deadline)
		}
		if w = next; w > mostBound {
			return 0
		}
	}
	return min(w, deadline)
}

func (l *lineTiming) share() float64 {
	if l.bus.DeadShare > 0 {
		return l.bus.DeadShare / 100
	}
	return defaultShare / 100.0
}

// silent is what a unit that does not answer costs in a time: it is asked once
// in its turn, and after that, while it is not offline, only once the patience is
// over with what does not answer; then it has no more than its share.
func (l *lineTiming) silent(unit string, in time.Duration) time.Duration {
	var once, every time.Duration
	for _, o := range l.requests {
		if o.Unit == unit {
			once = max(once, o.silent)
			if every == 0 || o.Every < every {
				every = o.Every
			}
		}
	}
	n := time.Duration(1)
	if in >= patience {
		n = min(failures, 2+(in-patience)/every)
	}
	return n * once
}

// writing is what outputs take in a time: each is written and read back, of a
// dead unit in vain, again and again.
func (l *lineTiming) writing(w time.Duration, dead []string) (sum time.Duration) {
	for _, o := range l.outputs {
		if slices.Contains(dead, o.Device) {
			sum += times(w, retrying) * modbus.SilentTime(*l.bus.Modbus, o.Device)
		} else {
			sum += times(w, rewriting) * 2 * l.writes[o.Device]
		}
	}
	return sum
}

// times is how often something comes up in a time, its beginning included.
func times(in, every time.Duration) time.Duration { return in/every + 1 }

// act is how long it takes until an output has been switched: one request that is
// under way, then the outputs of this bus that go before it.
func (l *lineTiming) act(o *Output, all []Output) Worst {
	if l == nil || l.bus.Modbus == nil {
		return Worst{judging, judging, judging}
	}
	var under, silent, writes time.Duration
	for _, r := range l.requests {
		under = max(under, r.took)
		if r.Unit != o.Device {
			silent = max(silent, r.silent)
		}
	}
	own := modbus.WriteTime(*l.bus.Modbus, o.Device)
	dead := time.Duration(0)
	for _, x := range all {
		if x.Bus == o.Bus && x.ID != o.ID && (x.Trip || !o.Trip) {
			w := modbus.WriteTime(*l.bus.Modbus, x.Device)
			writes += w
			if x.Device != o.Device {
				dead += modbus.SilentTime(*l.bus.Modbus, x.Device) - w
			}
		}
	}
	alive := under + writes + own
	some := max(under, silent) + writes + own
	return Worst{alive, max(alive, some+dead), max(alive, some+dead)}
}
