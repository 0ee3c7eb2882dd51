package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"pithead/agent"
)

// siteZone is where times are shown: days and shifts follow it.
var siteZone = time.FixedZone("", 8*60*60)

// An alarmSum is what one alarm did in a replay.
type alarmSum struct {
	ID         string  `json:"id"`
	Level      string  `json:"level"`
	Raised     int     `json:"raised"`
	Seconds    float64 `json:"seconds"` // raised, in all
	Longest    float64 `json:"longest"`
	Chattering int     `json:"chattering"` // raises that were the third or a later one within a minute
	Stands     bool    `json:"stands,omitempty"`

	since  time.Time
	raises []time.Time // of the last minute
}

// chatter is how many raises within a minute make an alarm chatter (ISA-18.2).
const chatter = 3

func (a *alarmSum) take(t agent.Told) {
	switch t.Event.State {
	case "active":
		if !a.Stands {
			a.raise(t.At)
		}
	case "cleared", "normal":
		a.end(t.At)
		a.Stands = false
	}
}

func (a *alarmSum) raise(at time.Time) {
	a.Raised, a.Stands, a.since = a.Raised+1, true, at
	a.raises = append(a.raises, at)
	for at.Sub(a.raises[0]) > time.Minute {
		a.raises = a.raises[1:]
	}
	if len(a.raises) >= chatter {
		a.Chattering++
	}
}

func (a *alarmSum) end(at time.Time) {
	if a.Stands {
		d := at.Sub(a.since).Seconds()
		a.Seconds, a.Longest = a.Seconds+d, max(a.Longest, d)
	}
}

// sums is what every alarm of the site file did, and every other that was told.
func (p *play) sums() []*alarmSum {
	by := map[string]*alarmSum{}
	var all []*alarmSum
	get := func(id, level string) *alarmSum {
		if by[id] == nil {
			by[id] = &alarmSum{ID: id, Level: level}
			all = append(all, by[id])
		}
		return by[id]
	}
	for _, pt := range p.site.Points {
		for _, d := range pt.Alarms {
			if !strings.HasSuffix(d.ID, "/fault") {
				get(d.ID, d.Level.String())
			}
		}
	}
	for _, t := range p.told {
		if isAlarm(t) {
			get(t.Event.ID, t.Event.Level).take(t)
		}
	}
	for _, a := range all {
		a.end(p.end)
	}
	return all
}

func isAlarm(t agent.Told) bool { return t.Event.Kind == "alarm" || t.Event.Kind == "group" }

// A replayReport is what a replay came to.
type replayReport struct {
	from        *recorded
	plays       []*play
	Events      []replayEvent `json:"events"`
	Alarms      []*alarmSum   `json:"alarms"`
	Other       []*alarmSum   `json:"other,omitempty"` // of the file to compare with
	Readings    int           `json:"readings"`
	Unknown     int           `json:"unknown,omitempty"`  // of points that the site file does not have
	Timeless    int           `json:"timeless,omitempty"` // left out
	Approximate []string      `json:"approximate,omitempty"`
}

// A replayEvent is one event; In says in which of two files only.
type replayEvent struct {
	agent.Told
	In string // "", "-": only the first file's, "+": only the other's
}

func newReplayReport(from *recorded, plays []*play) *replayReport {
	r := &replayReport{from: from, plays: plays, Alarms: plays[0].sums(), Readings: from.Readings, Timeless: from.Timeless}
	has := map[string]bool{}
	for _, p := range plays[0].site.Points {
		has[p.ID] = true
		if p.Deadband > 0 {
			r.Approximate = append(r.Approximate, fmt.Sprintf("%s (deadband %v)", p.ID, p.Deadband))
		}
	}
	for id, p := range from.points {
		if !has[id] {
			r.Unknown += p.n
		}
	}
	if len(plays) == 1 {
		for _, t := range plays[0].told {
			r.Events = append(r.Events, replayEvent{t, ""})
		}
		return r
	}
	r.Other = plays[1].sums()
	r.Events = differing(plays[0].told, plays[1].told)
	return r
}

// differing is the events that only one of two files told, in order of time.
func differing(a, b []agent.Told) []replayEvent {
	count := map[string]int{}
	for _, t := range b {
		count[same(t)]++
	}
	var out []replayEvent
	for _, t := range a {
		if k := same(t); count[k] > 0 {
			count[k]--
		} else {
			out = append(out, replayEvent{t, "-"})
		}
	}
	// What is left of count is b's alone: the last ones of each kind.
	for i := len(b) - 1; i >= 0; i-- {
		if k := same(b[i]); count[k] > 0 {
			count[k]--
			out = append(out, replayEvent{b[i], "+"})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.Before(out[j].At) })
	return out
}

// same is what makes an event of one file the other's too.
func same(t agent.Told) string {
	return fmt.Sprint(t.At.UnixMilli(), t.Event.Kind, t.Event.ID, t.Event.State, t.Event.Level)
}

func (e replayEvent) MarshalJSON() ([]byte, error) {
	b := append([]byte(`{"t":`), fmt.Sprint(e.At.UnixMilli())...)
	if e.In != "" {
		b = append(b, `,"in":"`+map[string]string{"-": "first", "+": "other"}[e.In]+`"`...)
	}
	return append(e.Event.AppendMembers(b), '}'), nil
}

func (e replayEvent) String() string {
	v := e.Event
	s := fmt.Sprintf("%1s %s  %-8s %-28s %-9s %-7s", e.In, e.At.In(siteZone).Format("2006-01-02 15:04:05.000"), v.Kind, v.ID, v.State, v.Level)
	if v.Value.Kind() != 0 {
		s += "  " + v.Value.String()
	} else if v.Quality != 0 {
		s += "  " + v.Quality.String()
	}
	if v.Limit != nil {
		s += fmt.Sprintf(" (limit %v)", *v.Limit)
	}
	if v.Name != "" {
		s += "  " + v.Name
	}
	return strings.TrimRight(s, " ")
}

func (r *replayReport) writeJSON(w io.Writer) {
	if r.Events == nil {
		r.Events = []replayEvent{}
	}
	_ = json.NewEncoder(w).Encode(r)
}

func (r *replayReport) print(w io.Writer) {
	for _, e := range r.Events {
		fmt.Fprintln(w, e)
	}
	if len(r.plays) == 2 && len(r.Events) == 0 {
		fmt.Fprintln(w, "Both files tell the same events.")
	}
	fmt.Fprintln(w)
	r.table(w)
	fmt.Fprintf(w, "\n%d readings, to %s\n", r.Readings, r.plays[0].end.In(siteZone).Format("2006-01-02 15:04:05"))
	if r.Unknown > 0 {
		fmt.Fprintf(w, "%d of them are of points that %s does not have\n", r.Unknown, r.plays[0].site.File)
	}
	if r.Timeless > 0 {
		fmt.Fprintf(w, "%d more were left out: the clock was not known when they were stored\n", r.Timeless)
	}
	if len(r.Approximate) > 0 {
		fmt.Fprintf(w, "Approximate: what stayed within its deadband was not stored, so the agent may have judged samples that are not here: %s\n",
			strings.Join(r.Approximate, ", "))
	}
}

// table has a line for each alarm; of two files old and new.
func (r *replayReport) table(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ALARM\tLEVEL\tRAISED\tIN ALL\tLONGEST\tCHATTERING\t")
	other := map[string]*alarmSum{}
	for _, o := range r.Other {
		other[o.ID] = o
	}
	for _, a := range r.Alarms {
		o := other[a.ID]
		delete(other, a.ID)
		r.row(t, a, o)
	}
	for _, o := range r.Other {
		if other[o.ID] != nil {
			r.row(t, nil, o)
		}
	}
	_ = t.Flush()
}

func (r *replayReport) row(w io.Writer, a, o *alarmSum) {
	two := len(r.plays) == 2
	cell := func(f func(*alarmSum) string) string {
		of := func(s *alarmSum) string {
			if s == nil {
				return "-"
			}
			return f(s)
		}
		if x, y := of(a), of(o); two && x != y {
			return x + " > " + y
		}
		if a == nil {
			return of(o)
		}
		return of(a)
	}
	id := o
	if a != nil {
		id = a
	}
	note := ""
	if id.Stands {
		note = "stands"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", id.ID, cell(func(s *alarmSum) string { return s.Level }),
		cell(func(s *alarmSum) string { return fmt.Sprint(s.Raised) }), cell(func(s *alarmSum) string { return span(s.Seconds) }),
		cell(func(s *alarmSum) string { return span(s.Longest) }), cell(func(s *alarmSum) string { return fmt.Sprint(s.Chattering) }), note)
}

func span(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
