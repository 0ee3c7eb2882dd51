package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

func pump() *config.Site {
	return &config.Site{Site: "pit", Gateway: "g", Points: []config.Point{
		{ID: "pump", Common: &config.Common{Bus: "board", Decimals: -1, OnChange: true, AtLeast: 5 * time.Minute}, Own: &config.Own{}},
		{ID: "pump.hours", Common: &config.Common{HoursOf: "pump", Decimals: 4, OnChange: true, AtLeast: 5 * time.Minute}, Own: &config.Own{}},
	}}
}

func TestHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pump(), newFold(), map[string]record.Last{"pump.hours": {Good: drivers.NumberValue(100.5)}})
		for _, c := range []struct {
			story string
			do    func()
			want  string
		}{
			{"it goes on from what was stored", func() { b.good("pump", 0) }, "100.5"},
			{"standing counts nothing", func() { time.Sleep(time.Hour); b.good("pump", 1) }, "100.5"},
			{"an hour and a half", func() { time.Sleep(90 * time.Minute); b.good("pump", 1) }, "102"},
			{"up to the moment it stops", func() { time.Sleep(30 * time.Minute); b.good("pump", 0) }, "102.5"},
			{"what was not seen is not counted", func() {
				b.good("pump", 1)
				time.Sleep(time.Hour)
				b.bad("pump", drivers.Comm)
				time.Sleep(time.Hour)
				b.good("pump", 1)
			}, "102.5"},
			{"and goes on from there", func() { time.Sleep(time.Hour); b.good("pump", 1) }, "103.5"},
		} {
			c.do()
			if r := b.latest("pump.hours"); r.Quality != drivers.Good || r.Value.String() != c.want {
				t.Errorf("%s: %v %v, want %s", c.story, r.Value, r.Quality, c.want)
			}
		}
		b.bad("pump", drivers.Comm)
		if r := b.latest("pump.hours"); r.Quality != drivers.Input || r.Value.Kind() != drivers.None {
			t.Errorf("while the pump is not seen: %v %v", r.Value, r.Quality)
		}
	})
}

// Who asks for hours by name gets them, or hears who counts them.
func TestHoursAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pump(), newFold(), map[string]record.Last{"pump.hours": {Good: drivers.NumberValue(100.5)}})
		a := &agent{site: b.judge.site, judge: b.judge, clock: b.judge.clock}
		if rs := a.computedNow(t.Context(), nil); len(rs) != 1 || rs[0].Quality != "input" || rs[0].Why != "has no value yet" {
			t.Errorf("before the first sample: %+v", rs)
		}
		b.good("pump", 0)
		for _, points := range [][]string{nil, {"pump.hours"}} {
			rs := a.computedNow(t.Context(), points)
			if len(rs) != 1 || rs[0].Point != "pump.hours" || rs[0].Value.String() != "100.5" {
				t.Errorf("%v: %+v", points, rs)
			}
		}
		if _, _, err := ReadOnce(t.Context(), pump(), []string{"pump.hours"}); err == nil || !strings.Contains(err.Error(), "is counted by the agent") {
			t.Errorf("without an agent: %v", err)
		}
	})
}
