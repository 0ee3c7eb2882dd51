package agent

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
	"pithead/drivers/gpio"
	"pithead/drivers/modbus"
	"pithead/drivers/probe"
	"pithead/drivers/sim"
)

// open opens a bus by its kind. It touches no hardware.
func open(b config.Bus, alarmed map[string]bool) (drivers.Bus, error) {
	switch {
	case b.Modbus != nil:
		for _, u := range b.Modbus.Units {
			for i := range u.Points {
				u.Points[i].Alarmed = alarmed[u.Points[i].ID]
			}
		}
		return modbus.Open(*b.Modbus)
	case b.GPIO != nil:
		return gpio.Open(*b.GPIO)
	case b.Sim != nil:
		return sim.Open(*b.Sim)
	case b.Probe != nil:
		return probe.Open(*b.Probe)
	}
	return nil, fmt.Errorf("bus %s has no kind", b.ID)
}

// openBuses opens every bus of the site with its outputs.
func openBuses(site *config.Site, last map[string]record.Last, counters map[string]counted, before boards, log *slog.Logger) (map[string]*busLoop, []*busLoop, error) {
	defer before.close(log) // what no bus of this site has taken
	byID := map[string]*busLoop{}
	points := newIndex(len(site.Points), func(i int) string { return site.Points[i].ID })
	where := func(point string) int {
		if i, ok := points.find(point); ok {
			return site.Points[i].Line
		}
		return 0
	}
	alarmed := alarmedOf(site)
	var loops []*busLoop
	for _, cb := range site.Buses {
		bus, kept := before.take(cb, log)
		if !kept {
			var err error
			if bus, err = open(cb, alarmed); err != nil {
				return nil, nil, fmt.Errorf("bus %s: %w", cb.ID, err)
			}
		}
		b := newBusLoop(cb.ID, bus, func(unit string) time.Duration {
			if alarmed[unit] {
				return pauseAlarmed
			}
			return pauseMost
		})
		b.log = log
		b.lines = linesOf(site, b)
		if cb.DeadShare > 0 {
			b.share = cb.DeadShare
		}
		b.where = where
		b.addresses = addressesOn(site, cb.ID)
		if c, ok := bus.(drivers.Counters); ok {
			for id, s := range counters {
				c.Resume(drivers.CounterStart{Point: id, Form: s.Form, Ahead: s.Ahead})
			}
		}
		if t, ok := bus.(drivers.Totals); ok && !kept {
			for id, l := range last {
				if k := l.Good.Kind(); k != drivers.None && k != drivers.Text {
					t.SetTotal(id, l.Good.Float())
				}
			}
		}
		byID[cb.ID] = b
		loops = append(loops, b)
	}
	return byID, loops, nil
}

// alarmedOf is every point, device and bus that an alarm or a seal hangs on, by its id;
// the fault alarm that each point has does not count, unless it asks for outputs.
func alarmedOf(site *config.Site) map[string]bool {
	alarmed := map[string]bool{}
	for _, p := range site.Points {
		for _, d := range p.Alarms {
			if d.Condition != alarm.Fault || len(d.Do) > 0 {
				alarmed[p.ID], alarmed[p.Device], alarmed[p.Bus] = true, true, true
			}
		}
	}
	for _, d := range site.Seals {
		for _, w := range d.Watches {
			alarmed[w.Point] = true
			for _, p := range site.Points {
				if p.ID == w.Point {
					alarmed[p.Device], alarmed[p.Bus] = true, true
				}
			}
		}
	}
	return alarmed
}

// timeoutsOf is the longest timeout on each bus.
func timeoutsOf(site *config.Site) map[string]time.Duration {
	m := map[string]time.Duration{}
	for _, b := range site.Buses {
		if b.Modbus == nil {
			continue
		}
		m[b.ID] = b.Modbus.Timeout
		for _, u := range b.Modbus.Units {
			m[b.ID] = max(m[b.ID], u.Timeout)
		}
	}
	return m
}

// linesOf is the outputs of one bus, trips first.
func linesOf(site *config.Site, b *busLoop) []*line {
	var trips, notices []*line
	for _, o := range site.Outputs {
		if o.Bus != b.id {
			continue
		}
		l := &line{id: o.ID, out: b.bus.Output(o.ID), unit: b.unit(o.Device)}
		if l.out == nil {
			continue
		}
		if o.Trip {
			trips = append(trips, l)
		} else {
			notices = append(notices, l)
		}
	}
	if site.Alive != nil && site.Alive.Bus == b.id {
		notices = append(notices, &line{id: config.AliveID, out: b.bus.Output(config.AliveID), unit: b.unit("")})
	}
	return append(trips, notices...)
}

// newJudge builds the judge as the site file says and as the last run left it.
func newJudge(site *config.Site, clock *Clock, q *queue, log *slog.Logger) *judge {
	j := &judge{
		site: site, clock: clock, log: log, queue: q, mode: "running", computedIn: "running",
		in: make(chan []drivers.Reading, 256), free: make(chan []drivers.Reading, 32), done: make(chan switched, 64), calls: make(chan func()),
		ended: make(chan struct{}),
		apart: map[string]*standing{}, byName: map[string]*output{},
	}
	j.bursts, j.began = map[string]*burst{}, j.now()
	now := j.now()
	j.timeouts, j.came = timeoutsOf(site), now
	j.index = newIndex(len(site.Points), func(i int) string { return site.Points[i].ID })
	all := make([]point, len(site.Points))
	j.points = make([]*point, 0, len(all))
	for i := range site.Points {
		p := &all[i]
		p.cfg, p.ties, p.roots, p.heard = &site.Points[i], &noTies, &noRoots, now
		p.storedAt = -1
		if every := p.cfg.Every; every > 0 && (j.stalest == 0 || 4*every < j.stalest) {
			j.stalest = 4 * every
		}
		p.drawn = site.Web.Listen != "" && i < mostCurves
		j.points = append(j.points, p)
		for k := range p.cfg.Alarms {
			s := newStanding(&p.cfg.Alarms[k])
			s.of = p
			p.stand(s)
		}
		p.asleep = p.cfg.Fault != nil
		p.ladder()
	}
	for i := range site.Outputs {
		o := &output{cfg: &site.Outputs[i]}
		o.fault = j.stand(faultOf(o.cfg))
		o.timer.fire = func(time.Duration) {} // each turn decides at its end
		if o.cfg.Release != nil {
			o.release = j.formula(o.cfg.Release)
		}
		j.outputs = append(j.outputs, o)
		j.byName[o.cfg.ID] = o
	}
	for i := range site.Groups {
		j.addGroup(&site.Groups[i])
	}
	j.addRoots(site)
	j.addSetups(site)
	j.addProofs()
	for _, u := range site.Uplinks {
		j.stand(&alarm.Def{ID: "uplink:" + u.ID + "/fault", Level: alarm.Yellow, Condition: alarm.Equals, Equal: drivers.BoolValue(true)})
	}
	j.takeHours()
	j.takeSeals(site)
	for _, id := range []string{agentConfig, agentBuffer, agentSafe} {
		j.stand(&alarm.Def{ID: id, Level: alarm.Red, Condition: alarm.Equals, Equal: drivers.BoolValue(true)})
	}
	for s := range j.all {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(s.Def().Do))) {
			if o, ok := j.byName[id]; ok {
				o.askers = append(o.askers, s)
			}
		}
	}
	j.orderComputed()
	for _, p := range j.points {
		for _, s := range p.standing() {
			if e := p.cfg.When[s.Def().ID]; e != nil {
				j.addPremise(s, e)
				s.bond().premise = j.premises[len(j.premises)-1]
			}
		}
	}
	return j
}

// stand takes an alarm in that is of no point.
func (j *judge) stand(d *alarm.Def) *standing {
	s := newStanding(d)
	j.apart[d.ID], j.own = s, append(j.own, s)
	return s
}

func newStanding(d *alarm.Def) *standing {
	return &standing{Alarm: alarm.New(d), bonds: &noBonds, life: &noLife}
}

// orderComputed sorts computed points so that inputs come before outputs (the
// site file was judged: there is no cycle), and starts those with a grid.
func (j *judge) orderComputed() {
	done := map[string]bool{}
	var visit func(p *point)
	visit = func(p *point) {
		if p.cfg.Value == nil || done[p.cfg.ID] {
			return
		}
		done[p.cfg.ID] = true
		p.tie().formula = j.formula(p.cfg.Value)
		p.formula.timer.fire = func(at time.Duration) {
			j.evaluate(p, j.clock.Of(at))
			j.compute()
		}
		for _, id := range p.cfg.Value.Inputs() {
			if in := j.find(id); in != nil {
				visit(in)
			}
		}
		place := len(j.computed)
		j.computed = append(j.computed, p)
		for _, id := range p.cfg.Value.Inputs() {
			if in := j.find(id); in != nil {
				in.tie().feeds = append(in.feeds, place)
			}
		}
	}
	for _, p := range j.points {
		visit(p)
		if p.cfg.Value != nil && p.cfg.Every > 0 {
			j.onGrid(p)
		}
	}
	j.dirty = make([]bool, len(j.computed))
}

// onGrid computes a point each Every, whenever its inputs come.
func (j *judge) onGrid(p *point) {
	t := &timer{}
	t.fire = func(at time.Duration) {
		j.evaluate(p, j.clock.Time())
		j.compute()
		for at += p.cfg.Every; at <= j.now(); at += p.cfg.Every { // what was slept over was not computed
		}
		j.timers.set(t, at, true)
	}
	j.timers.set(t, j.now()+p.cfg.Every, true)
}

// restore puts alarms and outputs where the last run left them; carried is the
// alarms of that run, where it was this process's own before a reload.
func (j *judge) restore(f *fold, boot uint32, last map[string]record.Last, carried map[string]*alarm.Alarm) {
	j.reloaded = carried != nil
	for _, p := range j.points {
		l := last[p.cfg.ID]
		p.last, p.mark = l.Value, mark{l.Quality, l.Code} // it does not count as seen
		if p.asleep && (l.Quality != drivers.Good || carried[p.cfg.ID+"/fault"] != nil) {
			j.wake(p)
		}
	}
	j.boot, j.offsets = boot, maps.Clone(f.Offsets)
	j.restoreOutputs(f) // before an alarm is told as removed: a crash between the two must find the trip stuck
	for id, r := range f.Alarms {
		if s := j.alarm(id); s != nil {
			st := s.tale()
			st.number = new(atomic.Uint64)
			st.number.Store(r.UpN)
			st.since, st.t = time.Duration(r.M)*time.Millisecond, r.T
			if r.Boot != boot {
				st.since = j.now()
			}
			continue
		}
		j.removed(id, r)
	}
	for s := range j.all {
		d := s.Def()
		if was, ok := carried[d.ID]; ok && was.Def().Same(d) {
			s.Alarm, s.carried = was, true // its delays go on
			s.SetIdle(false, j.now())      // what suppresses it is found out anew
			j.after(s, alarm.Change{}, false)
			continue
		}
		l, ok := last[d.Point]
		sample := alarm.Sample{At: j.now(), Value: l.Value, Quality: l.Quality}
		m := f.Alarms[d.ID].memory(d)
		m.Raised, _ = j.ago(f.Alarms[d.ID].Up)
		s.Restore(m, sample, ok && carried == nil) // of a reload no delay counts as run through
		j.after(s, alarm.Change{}, false)
	}
	j.restoreAsides(f)
}

// carryOver tells a record that is not the one which the run before a reload wrote
// how the alarms of that run stand: a start must find there what goes on now.
func (j *judge) carryOver(f *fold) {
	for s := range j.all {
		was, _ := alarm.ParseState(f.Alarms[s.Def().ID].State)
		if now := s.State(); s.carried && now != was {
			j.changed(s, alarm.Change{At: j.now(), What: "carried over", From: was, To: now, Acked: s.Acknowledged(), Level: s.Level()}, "", "the buffer is another one")
		}
	}
}

func (j *judge) restoreOutputs(f *fold) {
	stuck := map[string]string{}
	for id, was := range f.Outputs {
		if stuck[id] = was.Stuck; was.On && was.Stuck == "" {
			stuck[id] = j.stick(id, f)
		}
	}
	for _, o := range j.outputs {
		was, any := f.Outputs[o.cfg.ID]
		o.on, o.stuck = was.On, stuck[o.cfg.ID]
		o.held = o.cfg.Trip && was.On
		if !any && o.cfg.OnStart != nil {
			o.held = o.cfg.Trip && *o.cfg.OnStart // switched, and told, when the judge begins
		}
		o.doubt = j.forgot && !any && o.cfg.Trip && !o.held
		j.restoreHand(o, was)
	}
}

// removed ends an alarm that the site file does not have any more.
func (j *judge) removed(id string, r remembered) {
	j.log.Warn("alarm was removed from the site file while it stood", "id", id)
	j.tell(event.Event{Kind: "alarm", ID: id, State: alarm.Normal.String(), Level: r.Level,
		Why: "removed from the site file", More: []event.Field{{Name: "was", Value: r.State}}}, j.now())
}

// stick finds the alarm that held an output when the last run ended, and that
// is gone, no longer names it, or has lost its latch: no good sample can release
// the trip that it held. That is told, so that it outlives further starts and files, also of an
// output that is itself gone and may come back.
func (j *judge) stick(output string, f *fold) (by string) {
	name := ""
	if o, ok := j.byName[output]; ok {
		if !o.cfg.Trip {
			return ""
		}
		name = o.cfg.Name
	}
	for id, r := range f.Alarms {
		if !slices.Contains(r.Do, output) {
			continue
		}
		if s := j.alarm(id); s != nil && s.asked(output, r) && (s.Def().Latch || !r.Latch) && !s.hollow(output, r, f) {
			continue
		}
		j.log.Warn("a trip stays on: the alarm that asked for it has left the site file; release it with pithead reset "+output, "alarm", id)
		j.tell(event.Event{Kind: "output", ID: "output:" + output, Name: name, State: onOff(true),
			More: []event.Field{{Name: "stuck", Value: id}}}, j.now())
		return id
	}
	return ""
}
