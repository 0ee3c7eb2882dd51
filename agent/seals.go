package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/agent/seal"
	"pithead/agent/uplink"
	"pithead/config"
	"pithead/drivers"
)

// guard is a seal as the judge has it.
type guard struct {
	*seal.Seal
	alarm *standing
	timer timer
	since time.Duration // when its state changed last, since boot
	t     int64         // the same in unix ms; 0 = unknown
}

// takeSeals takes the seals of the site in.
func (j *judge) takeSeals(site *config.Site) {
	j.sealed, j.watched = map[string]*guard{}, j.guardedBy
	for _, d := range site.Seals {
		g := &guard{Seal: seal.New(d, j.now()), since: j.now()}
		g.timer.fire = func(at time.Duration) { j.sealDid(g, g.Tick(at), "", "") }
		g.alarm = j.stand(&alarm.Def{ID: sealID(d.ID), Name: d.Name, Level: alarm.Orange, Condition: alarm.Ranked,
			Do: d.Do, Line: d.Line})
		j.seals = append(j.seals, g)
		j.sealed[d.ID] = g
		for _, p := range j.points {
			if g.Watches(p.cfg.ID) {
				p.tie().guards = append(p.guards, g)
			}
		}
	}
}

func sealID(id string) string { return "seal:" + id }

// heartbeat is the longest that nothing is stored while a seal is closed: from
// what was stored last a start knows since when nobody watched.
const heartbeat = 20 * time.Second

// watch shows a sample to the seals that watch its point, and says whether it is
// to be stored for them. A change is, and at once: it is what a start compares with.
func (j *judge) watch(p *point, r drivers.Reading, at time.Duration) (keep bool) {
	for _, g := range p.guards {
		j.sealDid(g, g.Step(r.Point, seal.Sample{At: at, Value: r.Value, Quality: r.Quality}), "", "")
		keep = keep || g.Closed() && at-j.lastStored >= heartbeat
	}
	if len(p.guards) > 0 && p.cfg.OnChange && (p.stored == nil || r.Value != *p.stored || r.Quality != p.storedAs.quality) {
		j.hurry, keep = true, true
	}
	return keep
}

// sealDid tells what became of a seal, and keeps its timer and its alarm true.
func (j *judge) sealDid(g *guard, cs []seal.Change, by, why string) {
	due, is := g.Due()
	j.timers.set(&g.timer, due, is)
	what := ""
	for _, c := range cs {
		if c.From != c.To {
			g.since, g.t = c.At, j.clock.At(c.At).T
		}
		if c.To >= seal.Blind && what == "" {
			what = strings.TrimSpace(c.What + " " + c.Point)
		}
		j.tellSeal(g, c, by, why)
	}
	j.sealAlarm(g, what)
}

// sealAlarm makes the seal's alarm follow its state.
func (j *judge) sealAlarm(g *guard, why string) {
	level := alarm.NoLevel
	switch state := g.State(); {
	case state >= seal.Breached:
		level = alarm.Red
	case state >= seal.Blind:
		level = alarm.Orange
	case !g.Sees():
		return // nobody knows yet
	}
	s := g.alarm
	s.good = true
	c, changed := s.Step(alarm.Sample{At: j.now(), Value: drivers.NumberValue(float64(level)), Quality: drivers.Good})
	if changed {
		j.changed(s, c, "", why)
	}
}

// tellSeal tells one change, and where the seal stands with it: a start learns
// that from the newest event.
func (j *judge) tellSeal(g *guard, c seal.Change, by, why string) {
	d := g.Def()
	e := event.Event{Kind: "seal", ID: sealID(d.ID), Name: d.Name, State: c.To.String(), Point: c.Point,
		Value: c.Value, Quality: c.Quality, By: by, Why: why}
	if c.Point != "" && c.Quality != drivers.Good {
		e.Value = drivers.Value{}
	}
	if c.What == seal.HasChanged {
		e.Kind, e.ID, e.State, e.Why = "input", c.Point, "changed", "changed while off"
		e.More = append(e.More, event.Field{Name: "was", Value: c.Was}, event.Field{Name: "seal", Value: d.ID})
		e.More = append(e.More, j.when("from", c.Since)...)
		j.tell(e, c.At)
		return
	}
	e.More = append(e.More, event.Field{Name: "what", Value: c.What}, event.Field{Name: "was", Value: c.From.String()})
	if c.Point != "" {
		e.More = append(e.More, event.Field{Name: "role", Value: c.Role.String()})
	}
	if c.Since != 0 {
		e.More = append(e.More, j.when("from", c.Since)...)
	}
	e.More = append(e.More, j.sealMembers(g)...)
	j.tell(e, c.At)
	level := slog.LevelInfo
	if c.To >= seal.Blind {
		level = slog.LevelWarn
	}
	j.log.Log(context.Background(), level, "seal", "id", d.ID, "state", c.To.String(), "what", c.What, "point", c.Point, "value", c.Value.String())
}

// when is a time as members of an event: in m always, in t where it is known.
func (j *judge) when(name string, at time.Duration) []event.Field {
	s := j.clock.At(at)
	fs := []event.Field{{Name: name + "-m", Value: s.M}}
	if s.Known() {
		fs = append(fs, event.Field{Name: name, Value: s.T})
	}
	return fs
}

// sealNow is a seal for people and platforms.
func (j *judge) sealNow(g *guard, boot uint32) uplink.SealNow {
	d := g.Def()
	n := uplink.SealNow{ID: d.ID, Name: d.Name, State: g.State().String(), Since: j.stamp(g.since, boot), Closed: g.Closed()}
	if g.t != 0 {
		n.Since.T, n.Since.Known = g.t, true
	}
	if at, ends := g.Until(); ends {
		until := j.stamp(at, boot)
		n.Until = &until
	}
	for _, s := range g.Standing() {
		is := s.Value.String()
		if s.Quality != drivers.Good || s.Value.Kind() == drivers.None {
			is = s.Quality.String()
		}
		n.Why = append(n.Why, s.Point+" "+is)
	}
	return n
}

// apiSeal is a seal as /api/v1/seals tells it.
type apiSeal struct {
	ID     string   `json:"id"`
	Name   string   `json:"name,omitempty"`
	State  string   `json:"state"`
	Closed bool     `json:"closed"`
	T      int64    `json:"t,omitempty"` // since when it is so
	Age    int64    `json:"age"`
	Until  int64    `json:"until,omitempty"` // of an opening
	Left   int64    `json:"left,omitempty"`  // ms until then
	Why    []string `json:"why,omitempty"`   // what is not as it must be
}

func (a *agent) apiSeals(ctx context.Context) (any, error) {
	seals, err := a.sealsNow(ctx)
	return map[string]any{"seals": seals}, err
}

func (a *agent) sealsNow(ctx context.Context) ([]apiSeal, error) {
	out := []apiSeal{}
	err := a.judge.ask(ctx, func() {
		now := a.clock.Now()
		for _, g := range a.judge.seals {
			n := a.judge.sealNow(g, a.boot)
			x := apiSeal{ID: n.ID, Name: n.Name, State: n.State, Closed: n.Closed, T: n.Since.T, Age: ageOf(n.Since.M, n.Since.T, now), Why: n.Why}
			if n.Until != nil {
				x.Until, x.Left = n.Until.T, n.Until.M-now.M
			}
			out = append(out, x)
		}
	})
	return out, err
}

// guardedBy is the closed seal that watches a point, or empty: such a point
// can't be put under test, shelved or out of service.
func (j *judge) guardedBy(point string) string {
	if p := j.find(point); p != nil {
		for _, g := range p.guards {
			if g.Closed() {
				return g.Def().ID
			}
		}
	}
	return ""
}

// sealCommand opens, closes or resets a seal.
func (j *judge) sealCommand(c command.Command) (any, error) {
	g, ok := j.sealed[c.Args.Seal]
	if !ok {
		return nil, fmt.Errorf("there is no seal %q", c.Args.Seal)
	}
	if c.Op == "seal.open" && c.Why == "" {
		return nil, errors.New("it says not why")
	}
	now := j.now()
	var cs []seal.Change
	var err error
	switch c.Op {
	case "seal.open":
		cs, err = g.Open(now, time.Duration(c.Args.For))
	case "seal.close":
		cs, err = g.Close(now)
	case "seal.reset":
		cs, err = g.Reset(now)
	}
	j.sealDid(g, cs, c.By, c.Why)
	if err != nil {
		return nil, err
	}
	return map[string]string{"seal": g.Def().ID, "state": g.State().String()}, nil
}
