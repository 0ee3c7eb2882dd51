package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pithead/config"
	"pithead/config/expr"
	"pithead/drivers"
)

// ReadOnce reads points (all, if none is named) without an agent: it opens the
// buses that they need, asks each once, and lets go. It switches no output. It
// also tells what became of the requests.
func ReadOnce(ctx context.Context, site *config.Site, points []string) ([]LocalRead, []LocalUnit, error) {
	need, err := needed(site, points)
	if err != nil {
		return nil, nil, err
	}
	a := &agent{site: site, clock: NewClock(0, false)}
	a.judge = newJudge(site, a.clock, newQueue(0), nil)
	var out []LocalRead
	var units []LocalUnit
	for _, cb := range site.Buses {
		bus, err := open(cb, nil)
		if err != nil {
			return nil, nil, fmt.Errorf("bus %s: %w", cb.ID, err)
		}
		is := readBus(ctx, bus, need)
		units = append(units, countsOf(cb.ID, bus)...)
		if err := bus.Close(); err != nil {
			return nil, nil, fmt.Errorf("bus %s: %w", cb.ID, err)
		}
		for _, i := range is {
			p := a.judge.find(i.Point)
			p.last, p.mark, p.at, p.seen = i.Value, mark{i.Quality, i.Code}, a.clock.M(i.At), true
			out = append(out, a.localRead(i))
		}
	}
	for _, p := range a.judge.computed {
		if !need[p.cfg.ID] {
			continue
		}
		v, q := a.judge.value(p, time.Now())
		p.last, p.mark, p.at, p.seen = v, mark{quality: q}, a.judge.now(), true
		out = append(out, a.localRead(drivers.Inspection{Reading: a.judge.reading(p)}))
	}
	return slices.DeleteFunc(out, func(r LocalRead) bool { return len(points) > 0 && !slices.Contains(points, r.Point) }), units, nil
}

// needed is the points asked for and all that they are computed from.
func needed(site *config.Site, points []string) (map[string]bool, error) {
	values := map[string]*expr.Expr{}
	need, hours := map[string]bool{}, map[string]bool{}
	for _, p := range site.Points {
		hours[p.ID] = p.HoursOf != ""
		values[p.ID] = p.Value
		need[p.ID] = len(points) == 0
	}
	var add func(id string)
	add = func(id string) {
		need[id] = true
		if v := values[id]; v != nil {
			for _, in := range v.Inputs() {
				add(in)
			}
		}
	}
	for _, id := range points {
		if _, ok := values[id]; !ok {
			return nil, errors.New("there is no point " + id)
		}
		if hours[id] {
			return nil, errors.New(id + " is counted by the agent, and none runs here")
		}
		add(id)
	}
	return need, nil
}

func readBus(ctx context.Context, bus drivers.Bus, need map[string]bool) []drivers.Inspection {
	var all []drivers.Inspection
	for _, u := range bus.Units() {
		for _, p := range u.Polls {
			if slices.ContainsFunc(p.Points, func(id string) bool { return need[id] }) {
				all = append(all, inspect(ctx, bus, u, p.Driver)...)
			}
		}
	}
	return slices.DeleteFunc(all, func(i drivers.Inspection) bool { return !need[i.Point] })
}
