package agent

import (
	"context"
	"slices"
	"time"

	"pithead/agent/web"
)

// watch begins a look-out over points, alarms, outputs and seals. The first call of
// what it returns tells all there is, each later one what changed since.
func (a *agent) watch() func(context.Context) ([]web.Change, error) {
	points := map[string]time.Duration{} // when each was read that was told last
	alarms := map[string]apiAlarm{}
	outputs := map[string]apiOutput{}
	seals := map[string]apiSeal{}
	return func(ctx context.Context) ([]web.Change, error) {
		var out []web.Change
		err := a.judge.ask(ctx, func() {
			now := a.judge.now()
			for _, p := range a.judge.points {
				if at, told := points[p.cfg.ID]; p.seen && (!told || at != p.at) {
					points[p.cfg.ID] = p.at
					out = append(out, web.Change{Kind: "point", Data: a.apiPoint(p, now)})
				}
			}
		})
		if err != nil {
			return nil, err
		}
		s, err := a.alarmsNow(ctx)
		for _, x := range s.Alarms {
			if was, told := alarms[x.ID]; !told || was.State != x.State || was.Level != x.Level || was.T != x.T ||
				was.Shelved != x.Shelved || was.Suppressed != x.Suppressed || was.Out != x.Out || was.Covered != x.Covered {
				out = append(out, web.Change{Kind: "alarm", Data: x})
			}
		}
		for id, was := range alarms {
			if !slices.ContainsFunc(s.Alarms, func(x apiAlarm) bool { return x.ID == id }) {
				was.State, was.Age, was.T = "normal", 0, a.clock.Now().T
				delete(alarms, id)
				out = append(out, web.Change{Kind: "alarm", Data: was})
			}
		}
		for _, x := range s.Alarms {
			alarms[x.ID] = x
		}
		for _, x := range s.Outputs {
			if was, told := outputs[x.ID]; !told || was.On != x.On || was.Fault != x.Fault {
				out = append(out, web.Change{Kind: "output", Data: x})
			}
			outputs[x.ID] = x
		}
		guards, err := a.sealsNow(ctx)
		for _, x := range guards {
			if was, told := seals[x.ID]; !told || was.State != x.State || was.Closed != x.Closed || was.Until != x.Until {
				out = append(out, web.Change{Kind: "seal", Data: x})
			}
			seals[x.ID] = x
		}
		return out, err
	}
}
