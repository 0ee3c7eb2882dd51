package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"pithead/drivers"
)

func runWatch(ctx context.Context, args []string, s streams) int {
	f := newFlags("watch", s)
	asJSON := f.Bool("json", false, "")
	if _, status, ok := f.parse(args, s, 0); !ok {
		return status
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	body, err := openAgent(ctx, http.MethodGet, "/stream", nil, nil)
	if err != nil {
		fmt.Fprintln(s.err, "pithead watch:", err)
		return wrong
	}
	defer body.Close()
	show := printChange
	if *asJSON {
		show = printJSON
	} else if isTerminal(s.out) {
		show = new(screen).change
	}
	err = follow(body, func(c change) error { return show(s.out, c) })
	if ctx.Err() != nil {
		return done
	}
	if err == nil {
		err = errors.New("the agent has stopped")
	}
	fmt.Fprintln(s.err, "pithead watch:", err)
	return wrong
}

// change is one server-sent event; its kind is empty at the end of a turn.
type change struct {
	kind string
	data []byte
}

// shown is what watch shows of a point, an alarm or an output.
type shown struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Unit    string        `json:"unit"`
	T       int64         `json:"t"`
	Value   drivers.Value `json:"value"`
	Quality string        `json:"quality"`
	State   string        `json:"state"`
	Level   string        `json:"level"`
	On      bool          `json:"on"`
	Fault   string        `json:"fault"`
	States  []struct {
		Value drivers.Value `json:"value"`
		Label string        `json:"label"`
	} `json:"states"`
}

// maxChange bounds one event of the stream.
const maxChange = 1 << 20

// follow reads server-sent events until the stream ends.
func follow(r io.Reader, tell func(change) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxChange)
	kind := ""
	for lines.Scan() {
		var err error
		switch word, rest, colon := strings.Cut(lines.Text(), ":"); {
		case word == "event":
			kind = strings.TrimSpace(rest)
		case word == "data":
			err = tell(change{kind, []byte(strings.TrimSpace(rest))})
		case word == "" && colon:
			err = tell(change{})
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

func printJSON(w io.Writer, c change) error {
	if c.kind == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "{\"kind\":%q,\"data\":%s}\n", c.kind, c.data)
	return err
}

func printChange(w io.Writer, c change) error {
	if c.kind == "" {
		return nil
	}
	var x shown
	if err := json.Unmarshal(c.data, &x); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s  %-6s %s  %s\n", clockOf(x.T), c.kind, x.ID, x.text(c.kind))
	return err
}

// text is what x says, as a person would.
func (x shown) text(kind string) string {
	switch kind {
	case "alarm":
		return strings.TrimSpace(x.Level + " " + x.State)
	case "output":
		on := "off"
		if x.On {
			on = "on"
		}
		return strings.TrimSpace(on + " " + x.Fault)
	case "seal":
		return x.State
	}
	if x.Quality != "good" && x.Quality != "test" {
		return x.Quality
	}
	for _, s := range x.States {
		if s.Value.Float() == x.Value.Float() {
			return s.Label
		}
	}
	return strings.TrimSpace(x.Value.String() + " " + x.Unit)
}

func clockOf(t int64) string {
	if t == 0 {
		return "--:--:--" // the clock is not known
	}
	return time.UnixMilli(t).Format("15:04:05")
}

// screen is everything that is, drawn again at the end of each turn.
type screen struct {
	points, alarms, outputs, seals map[string]shown
	fresh                          bool // nothing to draw
}

func (s *screen) change(w io.Writer, c change) error {
	if s.points == nil {
		s.points, s.alarms, s.outputs, s.seals = map[string]shown{}, map[string]shown{}, map[string]shown{}, map[string]shown{}
	}
	if c.kind == "" {
		if s.fresh {
			return nil
		}
		s.fresh = true
		return s.draw(w)
	}
	var x shown
	if err := json.Unmarshal(c.data, &x); err != nil {
		return err
	}
	s.fresh = false
	switch c.kind {
	case "point":
		s.points[x.ID] = x
	case "output":
		s.outputs[x.ID] = x
	case "seal":
		s.seals[x.ID] = x
	case "alarm":
		if s.alarms[x.ID] = x; x.State == "normal" {
			delete(s.alarms, x.ID)
		}
	}
	return nil
}

func (s *screen) draw(w io.Writer) error {
	fmt.Fprint(w, "\x1b[H\x1b[2J")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, part := range []struct {
		kind string
		all  map[string]shown
	}{{"alarm", s.alarms}, {"seal", s.seals}, {"output", s.outputs}, {"point", s.points}} {
		for _, id := range slices.Sorted(maps.Keys(part.all)) {
			x := part.all[id]
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", id, x.text(part.kind), clockOf(x.T), x.Name)
		}
		if len(part.all) > 0 {
			fmt.Fprintln(t)
		}
	}
	return t.Flush()
}

// isTerminal says whether a person looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
