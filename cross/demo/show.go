package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A printer turns what a subscriber receives into lines for a person.
type printer struct {
	mu      sync.Mutex
	w       io.Writer
	colour  bool
	points  map[string]point // from meta
	events  chan event       // those shown, for who acts on them; what finds no room is not kept
	stopped chan struct{}    // closed when the agent has said that it stopped
}

func newPrinter(w io.Writer, colour bool) *printer {
	return &printer{w: w, colour: colour, points: map[string]point{}, events: make(chan event, 64), stopped: make(chan struct{})}
}

// point is what meta says about a point, as far as a line shows it.
type point struct {
	ID     string          `json:"id"`
	Unit   string          `json:"unit"`
	States json.RawMessage `json:"states"`
}

type reading struct {
	P string          `json:"p"`
	T int64           `json:"t"`
	V json.RawMessage `json:"v"`
	Q string          `json:"q"`
}

type event struct {
	T     int64           `json:"t"`
	Kind  string          `json:"kind"`
	ID    string          `json:"id"`
	State string          `json:"state"`
	Level string          `json:"level"`
	Value json.RawMessage `json:"value"`
	Limit json.RawMessage `json:"limit"`
}

// message prints one message; the topic ends in its kind.
func (p *printer) message(topic string, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := strings.Split(topic, "/") // pithead/v1/<site>/<gateway>/<kind>
	if len(parts) < 5 {
		return
	}
	switch parts[4] {
	case "data":
		p.data(payload)
	case "events":
		p.event(payload)
	case "status":
		p.status(payload)
	case "meta":
		p.meta(payload)
	case "snapshot":
		p.snapshot(payload)
	}
}

func (p *printer) data(payload []byte) {
	var m struct {
		Readings []reading `json:"readings"`
	}
	if !p.parse(payload, &m) {
		return
	}
	for _, r := range m.Readings {
		p.line(r.T, "", "  %-15s %s", r.P, p.value(r))
	}
}

func (p *printer) value(r reading) string {
	if r.Q != "" {
		return "-  (" + r.Q + ")"
	}
	pt := p.points[r.P]
	var states map[string]string
	if json.Unmarshal(pt.States, &states) == nil {
		if label, ok := states[string(r.V)]; ok {
			return label
		}
	}
	return strings.TrimSpace(string(r.V) + " " + pt.Unit)
}

func (p *printer) event(payload []byte) {
	var e event
	if !p.parse(payload, &e) {
		return
	}
	mark, colour := "◆", cyan
	if e.Kind == "alarm" {
		mark, colour = alarmLook(e)
	}
	words := []string{mark, e.ID, e.State, compare(e)}
	if e.Kind != "alarm" && !strings.HasPrefix(e.ID, e.Kind+":") {
		words[0] += " " + e.Kind
	}
	p.line(e.T, colour, "%s", strings.Join(strings.Fields(strings.Join(words, " ")), " "))
	select {
	case p.events <- e:
	default: // what prints must not wait for what watches
	}
}

func alarmLook(e event) (mark, colour string) {
	switch e.State {
	case "active":
		if e.Level == "red" {
			return "▲", red
		}
		return "▲", yellow
	case "normal":
		return "▽", green
	}
	return "△", yellow
}

// compare says how the value stands to the limit: 1249.6 ≥ 1249.5.
func compare(e event) string {
	var v, l float64
	if json.Unmarshal(e.Value, &v) != nil || string(e.Value) == "null" {
		return ""
	}
	if json.Unmarshal(e.Limit, &l) != nil || string(e.Limit) == "null" {
		return string(e.Value)
	}
	sign := "<"
	if v >= l {
		sign = "≥"
	}
	return fmt.Sprintf("%s %s %s", e.Value, sign, e.Limit)
}

func (p *printer) status(payload []byte) {
	var m struct {
		T       int64  `json:"t"`
		State   string `json:"state"`
		Version string `json:"version"`
	}
	if !p.parse(payload, &m) {
		return
	}
	p.line(m.T, bold, "● status %s  version %s", m.State, m.Version)
	if m.State == "stopped" {
		select {
		case <-p.stopped:
		default:
			close(p.stopped)
		}
	}
}

func (p *printer) meta(payload []byte) {
	var m struct {
		Points  []point           `json:"points"`
		Outputs []json.RawMessage `json:"outputs"`
	}
	if !p.parse(payload, &m) {
		return
	}
	for _, pt := range m.Points {
		p.points[pt.ID] = pt
	}
	p.line(0, dim, "· meta: %d points, %d outputs", len(m.Points), len(m.Outputs))
}

func (p *printer) snapshot(payload []byte) {
	var m struct {
		T      int64             `json:"t"`
		Points []json.RawMessage `json:"points"`
		Alarms []json.RawMessage `json:"alarms"`
	}
	if !p.parse(payload, &m) {
		return
	}
	p.line(m.T, dim, "· snapshot: %d points, %d alarms standing", len(m.Points), len(m.Alarms))
}

func (p *printer) parse(payload []byte, m any) bool {
	if err := json.Unmarshal(payload, m); err != nil {
		p.line(0, red, "! not JSON: %v: %.80s", err, payload)
		return false
	}
	return true
}

const (
	bold, dim    = "1", "2"
	red, green   = "1;31", "32"
	yellow, cyan = "33", "36"
)

// line prints one line, stamped with t in Unix milliseconds or, if it is 0, now.
func (p *printer) line(t int64, colour, format string, args ...any) {
	at := time.Now()
	if t != 0 {
		at = time.UnixMilli(t)
	}
	text := at.Format("15:04:05 ") + fmt.Sprintf(format, args...)
	if p.colour && colour != "" {
		text = "\x1b[" + colour + "m" + text + "\x1b[0m"
	}
	fmt.Fprintln(p.w, text)
}

// say prints what the demo itself has to say.
func (p *printer) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(0, dim, "· "+format, args...)
}
