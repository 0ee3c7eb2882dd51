package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"pithead/agent/command"
)

// recent keeps the last lines of the log for diag; it passes everything on.
type recent struct {
	slog.Handler
	text slog.Handler // the same as a line, into lines
}

// lines is a log's end, whole lines of at most mostLines bytes. Any goroutine
// may write.
type lines struct {
	mu   sync.Mutex
	text []byte
}

const (
	mostLines = 24 << 10
	mostDiag  = 64_000 // of diag, as it goes out
)

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if over := len(l.text) - mostLines; over > 0 {
		_, rest, _ := bytes.Cut(l.text[over:], []byte{'\n'})
		l.text = append(l.text[:0], rest...)
	}
	return len(p), nil
}

// last is the newest lines.
func (l *lines) last() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for line := range bytes.Lines(l.text) {
		out = append(out, string(bytes.TrimSpace(line)))
	}
	return out
}

func (r recent) Handle(ctx context.Context, rec slog.Record) error {
	_ = r.text.Handle(ctx, rec) // lines takes everything
	return r.Handler.Handle(ctx, rec)
}

func (r recent) WithAttrs(as []slog.Attr) slog.Handler {
	return recent{r.Handler.WithAttrs(as), r.text.WithAttrs(as)}
}

func (r recent) WithGroup(name string) slog.Handler {
	return recent{r.Handler.WithGroup(name), r.text.WithGroup(name)}
}

// keepRecent makes a logger that leaves its last lines in the second result.
func keepRecent(log *slog.Logger) (*slog.Logger, *lines) {
	l := &lines{}
	o := &slog.HandlerOptions{Level: slog.LevelDebug} // what the logger itself passes
	return slog.New(recent{log.Handler(), slog.NewTextHandler(l, o)}), l
}

// diag is what somebody far away needs to see what is wrong here.
type diag struct {
	Go      string         `json:"go"`
	Uptime  int64          `json:"uptime"` // ms
	Units   []apiUnit      `json:"units"`
	Buses   []apiBus       `json:"buses"`
	Uplinks []apiUplink    `json:"uplinks"`
	Buffer  any            `json:"buffer"`
	Queue   map[string]int `json:"queue"` // what waits for the disk
	// Frames are the last on each Modbus line: time, out or in, bytes in hex.
	Frames map[string][]string `json:"frames,omitempty"`
	Log    []string            `json:"log"`
}

// A framed bus knows the last frames on its line.
type framed interface{ Frames() []string }

// diagCommand leaves out the oldest lines of the log, then frames, and then units,
// where all would be too long.
func diagCommand(ctx context.Context, a *agent, _ command.Command) (any, error) {
	d := diag{Go: runtime.Version(), Uptime: time.Since(a.started).Milliseconds(), Units: a.apiUnits(), Buses: a.apiBusList(), Uplinks: a.apiUplinkList(), Log: a.lines.last()}
	d.Buffer, _ = a.apiBuffer(ctx) // it can't fail
	readings, events := a.queue.waiting()
	d.Queue = map[string]int{"readings": readings, "events": events}
	d.Frames = map[string][]string{}
	for _, b := range a.loops {
		if h, ok := b.bus.(framed); ok {
			d.Frames[b.id] = h.Frames()
		}
	}
	for {
		text, err := json.Marshal(d)
		switch {
		case err != nil:
			return nil, err
		case len(text) <= mostDiag:
			return json.RawMessage(text), nil
		case len(d.Log) > 0:
			d.Log = d.Log[(len(d.Log)+1)/2:]
		case halve(d.Frames):
		case len(d.Units) > 0:
			d.Units = d.Units[:len(d.Units)/2]
		case len(d.Buses) > 0:
			d.Buses = d.Buses[:len(d.Buses)/2]
		default:
			return nil, errors.New("it would be too long, whatever is left out")
		}
	}
}

// halve leaves out the older half of all frames; false where there were none.
func halve(frames map[string][]string) (any bool) {
	for bus, fs := range frames {
		any = any || len(fs) > 0
		frames[bus] = fs[(len(fs)+1)/2:]
	}
	return any
}
