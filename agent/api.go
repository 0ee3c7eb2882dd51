package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/agent/uplink"
	"pithead/agent/web"
	"pithead/drivers"
)

// What the local page's API returns. Ages are ms; so are times, since 1970,
// absent while the clock is unknown.
type (
	apiPoints struct {
		Site    string     `json:"site"`
		Gateway string     `json:"gateway"`
		Name    string     `json:"name,omitempty"`
		Points  []apiPoint `json:"points"`
	}
	apiPoint struct {
		ID      string        `json:"id"`
		Name    string        `json:"name,omitempty"`
		Unit    string        `json:"unit,omitempty"`
		T       int64         `json:"t,omitempty"`
		Age     int64         `json:"age"`
		Value   drivers.Value `json:"value"`
		Quality string        `json:"quality"`
		Code    uint8         `json:"code,omitempty"`
		States  []apiState    `json:"states,omitempty"`
	}
	apiState struct {
		Value drivers.Value `json:"value"`
		Label string        `json:"label"`
	}
	apiAlarms struct {
		Alarms  []apiAlarm  `json:"alarms"`
		Outputs []apiOutput `json:"outputs"`
		Mode    string      `json:"mode"`

		Shelved    []apiAside `json:"shelved"`
		Suppressed []apiAside `json:"suppressed"`
		Out        []apiAside `json:"out"`
		Test       []apiAside `json:"test"`
	}
	// apiAside is an alarm that is shelved or suppressed, or a point that is out of
	// service or under test; left is ms.
	apiAside struct {
		ID    string `json:"id"`
		T     int64  `json:"t,omitempty"`
		Until int64  `json:"until,omitempty"`
		Left  int64  `json:"left,omitempty"`
		By    string `json:"by,omitempty"`
		Why   string `json:"why,omitempty"`
	}
	apiAlarm struct {
		ID    string        `json:"id"`
		Name  string        `json:"name,omitempty"`
		Point string        `json:"point,omitempty"`
		State string        `json:"state"`
		Level string        `json:"level"`
		T     int64         `json:"t,omitempty"`
		Age   int64         `json:"age"`
		Value drivers.Value `json:"value"`
		Limit *float64      `json:"limit,omitempty"`

		Shelved    bool   `json:"shelved,omitempty"`
		Suppressed bool   `json:"suppressed,omitempty"`
		Out        bool   `json:"out,omitempty"`
		Covered    string `json:"covered,omitempty"` // by which alarm
	}
	apiOutput struct {
		ID    string   `json:"id"`
		Name  string   `json:"name,omitempty"`
		On    bool     `json:"on"`
		Why   []string `json:"why,omitempty"`
		Fault string   `json:"fault,omitempty"`
	}
	apiBus struct {
		Bus    string `json:"bus"`
		Down   string `json:"down,omitempty"` // why the line itself is not there
		Missed int    `json:"missed"`         // cycles that passed without a read
		apiCounts
		Bad []apiBad `json:"bad,omitempty"` // points that are bad though their unit answers
	}
	apiUnit struct {
		Bus    string `json:"bus"`
		Unit   string `json:"unit"`
		State  string `json:"state"`
		Missed int    `json:"missed"` // cycles that passed without a read
		// Polls of this minute and the one before, and how many had a sound answer.
		Asked    int    `json:"asked"`
		Answered int    `json:"answered"`
		Setup    string `json:"setup,omitempty"` // why it can't be set up
		apiCounts
	}
	// apiCounts are what became of requests since the start; of a bus that makes
	// none (GPIO, simulated) they are left out.
	apiCounts struct {
		Requests   uint64  `json:"requests,omitempty"`
		Comm       uint64  `json:"comm,omitempty"`       // got no answer
		Protocol   uint64  `json:"protocol,omitempty"`   // a broken one
		Exceptions uint64  `json:"exceptions,omitempty"` // the device refused
		Held       uint64  `json:"held,omitempty"`       // not sent: an answer that is owed could be mistaken for theirs
		P50        float64 `json:"p50-ms,omitempty"`     // time to answer, of late
		P99        float64 `json:"p99-ms,omitempty"`
		Share      float64 `json:"share,omitempty"` // of the bus's time, of the last minute or two
	}
	apiBad struct {
		Point string `json:"point"`
		Line  int    `json:"line,omitempty"` // in the site file
		Why   string `json:"why"`
	}
	apiUplink struct {
		uplink.UplinkHealth
		URL     string `json:"url,omitempty"` // of the broker that it is connected to
		LastAck int64  `json:"last-ack,omitempty"`
		AckAge  *int64 `json:"ack-age,omitempty"` // a phone's clock is not the gateway's
	}
	apiLane struct {
		Name    string `json:"name"`
		Records uint64 `json:"records"`
		First   uint64 `json:"first"`
		Last    uint64 `json:"last"`
		Bytes   int64  `json:"bytes"`
	}
)

// page is the local page, or nil where the site file wants none.
func (a *agent) page() *web.Server {
	if a.site.Web.Listen == "" {
		return nil
	}
	s := &web.Server{
		Listen: a.site.Web.Listen, Cert: a.site.Web.Cert, Key: a.site.Web.Key, Command: a.pageCommand, Log: a.Log, Turning: a.turning, Metrics: a.metrics, Watch: a.watch,
		API: map[string]func(context.Context) (any, error){
			"points": a.apiPoints, "alarms": a.apiAlarms, "buses": a.apiBuses,
			"uplinks": a.apiUplinks, "buffer": a.apiBuffer, "curves": a.apiCurves,
			"seals": a.apiSeals,
		},
	}
	if a.site.Web.Password != nil {
		s.Password = a.site.Web.Password.Read
	}
	return s
}

// pageCommand does what somebody at the page asks for, as far as somebody at
// the gateway may.
func (a *agent) pageCommand(ctx context.Context, by string, body []byte) (any, error) {
	var c LocalCommand
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("want op, args and why as JSON: %w", err)
	}
	if c.Op == "output" {
		return nil, errors.New("an output is not switched from the page: want pithead write, or a signed command")
	}
	return a.command(ctx, command.Command{Op: c.Op, Args: c.Args, Why: c.Why, By: by})
}

func (a *agent) apiPoints(ctx context.Context) (any, error) {
	out := apiPoints{Site: a.site.Site, Gateway: a.site.Gateway, Name: a.site.Name, Points: []apiPoint{}}
	err := a.judge.ask(ctx, func() {
		now := a.judge.now()
		for _, p := range a.judge.points {
			if !p.seen {
				continue
			}
			out.Points = append(out.Points, a.apiPoint(p, now))
		}
	})
	return out, err
}

// apiPoint is one point as it is now; in the judge's goroutine.
func (a *agent) apiPoint(p *point, now time.Duration) apiPoint {
	q := apiPoint{ID: p.cfg.ID, Name: p.cfg.Name, Unit: p.cfg.Unit, T: a.clock.At(p.at).T, Age: (now - p.at).Milliseconds(),
		Value: p.last, Quality: p.mark.quality.String(), Code: p.mark.code}
	for _, s := range p.cfg.States {
		q.States = append(q.States, apiState(s))
	}
	return q
}

func (a *agent) apiAlarms(ctx context.Context) (any, error) { return a.alarmsNow(ctx) }

// alarmsNow is what stands, newest first, and the outputs.
func (a *agent) alarmsNow(ctx context.Context) (apiAlarms, error) {
	out := apiAlarms{Alarms: []apiAlarm{}, Outputs: []apiOutput{}}
	s, err := a.snapshot(ctx)
	now := a.clock.Now()
	for _, x := range s.Alarms {
		out.Alarms = append(out.Alarms, apiAlarm{ID: x.ID, Name: x.Name, Point: x.Point, State: x.State, Level: x.Level,
			T: x.Since.T, Age: ageOf(x.Since.M, x.Since.T, now), Value: x.Value, Limit: x.Limit,
			Shelved: x.Shelved, Suppressed: x.Suppressed, Out: x.Out, Covered: x.Covered})
	}
	sortByAge(out.Alarms)
	out.Mode = s.Mode
	out.Shelved, out.Suppressed, out.Out, out.Test = apiAsides(s.Shelved, now), apiAsides(s.Suppressed, now), apiAsides(s.Out, now), apiAsides(s.Test, now)
	for _, o := range s.Outputs {
		out.Outputs = append(out.Outputs, apiOutput(o))
	}
	return out, err
}

func apiAsides(of []uplink.AsideNow, now Stamp) []apiAside {
	out := []apiAside{}
	for _, x := range of {
		y := apiAside{ID: x.ID, T: x.Since.T, By: x.By, Why: x.Why}
		if x.Ends {
			y.Until, y.Left = x.Until.T, x.Until.M-now.M
		}
		out = append(out, y)
	}
	return out
}

func (a *agent) apiUplinks(context.Context) (any, error) {
	return map[string]any{"uplinks": a.apiUplinkList()}, nil
}

func (a *agent) apiUplinkList() []apiUplink {
	us := []apiUplink{}
	for i, u := range a.uplinks {
		s := u.State()
		x := apiUplink{UplinkHealth: uplink.HealthOf(a.site.Uplinks[i].ID, s, a.clock.TLS()), URL: s.URL}
		if !s.LastAck.IsZero() {
			age := time.Since(s.LastAck).Milliseconds()
			x.LastAck, x.AckAge = s.LastAck.UnixMilli(), &age
		}
		us = append(us, x)
	}
	return us
}

func (a *agent) apiBuffer(context.Context) (any, error) {
	ls := []apiLane{}
	for i, l := range a.lanes() {
		first, next := l.First(), l.Next()
		ls = append(ls, apiLane{[]string{laneEvents, laneStats, laneData}[i], next - first, first, next - 1, l.Bytes()})
	}
	return map[string]any{"epoch": a.buf.Epoch(), "lanes": ls, "lost": a.rec.lost.Load()}, nil
}

// late is how long a loop may stand before it counts as stuck: longer than any
// timeout of a request.
const late = 30 * time.Second

// turning says which loops stand still, and what is degraded all the same.
func (a *agent) turning() (why, degraded []string) {
	for _, b := range a.loops {
		if b.stands() > late+time.Minute {
			why = append(why, "bus "+b.id)
		}
		if about := b.about.Load(); about != nil {
			if about.Down != "" {
				degraded = append(degraded, "bus "+b.id+": "+about.Down)
			}
			for _, bad := range about.Bad {
				degraded = append(degraded, fmt.Sprintf("point %s (line %d): %s", bad.Point, bad.Line, bad.Why))
			}
		}
		if states := b.state.Load(); states != nil {
			for _, u := range *states {
				switch {
				case u.Life == Offline:
					degraded = append(degraded, "device "+u.Unit)
				case u.Setup != "":
					degraded = append(degraded, "device "+u.Unit+": "+u.Setup)
				}
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if a.judge.ask(ctx, func() {
		for _, s := range a.judge.own {
			if s.Def().Point == "" && s.State() != alarm.Normal {
				degraded = append(degraded, s.Def().ID)
			}
		}
	}) != nil {
		why = append(why, "judge")
	}
	for i, u := range a.uplinks {
		if !u.State().Connected {
			degraded = append(degraded, "uplink "+a.site.Uplinks[i].ID)
		}
	}
	return why, degraded
}

// metrics is what Prometheus reads.
func (a *agent) metrics() []byte {
	var b bytes.Buffer
	h := a.health()
	put := func(name, labels string, v any) { fmt.Fprintf(&b, "pithead_%s%s %v\n", name, labels, v) }
	put("uptime_seconds", "", h.Uptime/1000)
	put("resident_bytes", "", h.Memory)
	put("buffer_bytes", "", h.Buffer.Bytes)
	put("readings_lost_total", "", h.Buffer.Lost)
	put("readings_stored_total", "", a.rec.data.Next()-1)
	put("events_total", "", a.rec.events.Next()-1)
	waiting, events := a.queue.waiting()
	put("queue_readings", "", waiting)
	put("queue_events", "", events)
	for _, l := range a.loops {
		l.metrics(put)
	}
	for _, u := range h.Uplinks {
		labels := fmt.Sprintf("{uplink=%q}", u.ID)
		put("uplink_connected", labels, one(u.Connected))
		put("uplink_backlog_readings", labels, u.Data)
		put("uplink_backlog_events", labels, u.Events)
	}
	return b.Bytes()
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ageOf is how long ago it was, by wall time where both are known, since m of
// another boot says nothing.
func ageOf(m, t int64, now Stamp) int64 {
	if t != 0 && now.Known() {
		return now.T - t
	}
	return now.M - m
}

func sortByAge(as []apiAlarm) {
	sort.SliceStable(as, func(i, j int) bool { return as[i].Age < as[j].Age })
}
