package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/config"
	"pithead/drivers"
)

// A stop leaves notices as the file says, and trips as they are.
func TestAStopLeavesTripsAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := loopOf(&fakeBus{}, &collect{})
		a := &agent{buses: map[string]*busLoop{"board": b}, site: &config.Site{Outputs: []config.Output{
			{ID: "cutoff", Bus: "board", Trip: true, OnExit: "off"},
			{ID: "siren", Bus: "board", OnExit: "off"},
			{ID: "lamp", Bus: "board", OnExit: "on"},
			{ID: "horn", Bus: "board", OnExit: "hold"},
		}}}
		a.leaveOutputs()
		wants, _ := b.mail.take()
		if on, ok := wants["siren"]; len(wants) != 2 || on || !ok || !wants["lamp"] {
			t.Errorf("wants %v", wants)
		}
	})
}

func TestASiteFileThatDoesNotRunIsARedAlarmUntilOneDoes(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	quiet := Options{Log: slog.New(slog.DiscardHandler)}
	for _, step := range []struct {
		degraded, refused string
		want              string
	}{
		{"", "", ""},
		{"line 3", "", "agent/config=active"},
		{"", "", "agent/config=active agent/config=normal"},
		{"", "line 4", "agent/config=active agent/config=normal agent/config=active"},
		{"", "", "agent/config=active agent/config=normal agent/config=active agent/config=normal"},
	} {
		synctest.Test(t, func(t *testing.T) {
			o, refused := quiet, make(chan string, 1)
			o.Degraded, o.Refused = step.degraded, refused
			if step.refused != "" {
				refused <- step.refused
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if _, err := Run(ctx, site, o); err != nil {
				t.Fatal(err)
			}
		})
		if got := told(t, eventsOf(t, dir)); got != step.want {
			t.Errorf("degraded %q, refused %q: told %q", step.degraded, step.refused, got)
		}
	}
}

// Whoever may acknowledge may not fill the record with one sentence.
func TestAReasonFitsIntoAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := &agent{judge: b.judge}
		for i := range 7 {
			b.good("level", 11+float64(i))
			time.Sleep(time.Second)
		}
		say := func(why string) int {
			w := httptest.NewRecorder()
			body := fmt.Sprintf(`{"op":"ack","args":{"alarm":"level/high"},"why":%q}`, why)
			r := httptest.NewRequest("POST", "/command", strings.NewReader(body))
			a.serveCommand(w, r.WithContext(t.Context()))
			return w.Code
		}
		for _, long := range []int{command.MaxWhy + 1, 2 * command.MaxEnvelope} {
			if code := say(strings.Repeat("x", long)); code < 400 {
				t.Errorf("%d bytes: %d", long, code)
			}
		}
		if s := b.alarm("level/high").State(); s != alarm.Active {
			t.Fatalf("a command that was refused was done: %v", s)
		}
		if code := say("seen"); code != 200 || b.alarm("level/high").State() != alarm.Acked {
			t.Errorf("%d", code)
		}
	})
}

// gaps is a bus that says how many edges it has lost.
type gaps struct {
	fakeBus
	lost uint64
}

func (g *gaps) Lost(string) uint64 { return g.lost }

func TestLostEdgesAreToldOnceEach(t *testing.T) {
	g := &gaps{}
	b := loopOf(g, &collect{})
	var told []uint64
	b.losses = func(_ string, n uint64) { told = append(told, n) }
	for _, lost := range []uint64{0, 3, 3, 3, 5} {
		g.lost = lost
		b.remark([]drivers.Reading{{Point: "rain"}})
	}
	if !slices.Equal(told, []uint64{3, 2}) {
		t.Errorf("told %v", told)
	}
}

func TestAUnitIsOfflineAfterThreeFailuresAndTwoSeconds(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		story string
		fails []int // ms
		want  Life
	}{
		{"two, far apart", []int{0, 5000}, Suspect},
		{"many at once", []int{0, 10, 20, 30, 1900}, Suspect},
		{"three over two seconds", []int{0, 1000, 2000}, Offline},
	} {
		u := &unit{most: pauseMost}
		for _, ms := range c.fails {
			u.bad(begin.Add(time.Duration(ms) * time.Millisecond))
		}
		if u.life != c.want {
			t.Errorf("%s: %v", c.story, u.life)
		}
	}
}

// m of another boot says nothing of how long an alarm has stood.
func TestAnAlarmOfAnotherBootStandsSinceNow(t *testing.T) {
	f := newFold()
	f.Alarms["ch4/cut"] = remembered{State: alarm.Active.String(), Boot: 9, M: 1 << 50, T: 1000}
	f.Alarms["level/high"] = remembered{State: alarm.Active.String(), Boot: 1, M: 70}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), f, nil)
		if s := b.alarm("ch4/cut"); s.since > b.now() || s.t != 1000 {
			t.Errorf("since %v, %d", s.since, s.t)
		}
		if s := b.alarm("level/high"); s.since != 70*time.Millisecond {
			t.Errorf("since %v", s.since)
		}
	})
}

// After crashes nothing runs but what guards, and that is told until all runs again.
func TestASafeStartGuardsAndNoMore(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	site.Web.Listen, site.Stats = "127.0.0.1:0", time.Minute
	site.Uplinks = []config.Uplink{{ID: "county", Data: true, Stats: true, Events: true, Health: true, Snapshot: time.Minute}}
	safe := safely(site)
	want := config.Uplink{ID: "county", Events: true}
	if fmt.Sprint(safe.Uplinks) != fmt.Sprint([]config.Uplink{want}) || safe.Web.Listen != "" || safe.Stats != 0 || !site.Uplinks[0].Data {
		t.Errorf("safe %+v, and the site it is from %+v", safe.Uplinks, site.Uplinks)
	}
	site.Uplinks, site.Web.Listen = nil, ""
	for _, step := range []struct{ safe, want string }{
		{"3 crashes", "agent/safe=active"},
		{"", "agent/safe=active agent/safe=normal"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if _, err := Run(ctx, site, Options{Log: slog.New(slog.DiscardHandler), Safe: step.safe, Crashed: step.safe}); err != nil {
				t.Fatal(err)
			}
		})
		if got := told(t, eventsOf(t, dir)); got != step.want {
			t.Errorf("safe %q: told %q", step.safe, got)
		}
	}
}
