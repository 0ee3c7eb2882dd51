package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"pithead/agent"
	"pithead/agent/export"
	"pithead/buffer"
	"pithead/config"
)

// bufferFlags is the command line of the buffer commands.
type bufferFlags struct {
	flags
	site, from, to, format *string
	points                 []string
	json, csv, events      *bool
}

func newBufferFlags(s streams) *bufferFlags {
	f := &bufferFlags{flags: newFlags("buffer", s)}
	f.site = f.String("site", "", "")
	f.json = f.Bool("json", false, "")
	f.from, f.to = f.String("from", "", ""), f.String("to", "", "")
	f.format, f.csv = f.String("format", "", ""), f.Bool("csv", false, "")
	f.events = f.Bool("events", false, "")
	f.Func("points", "", func(p string) error { f.points = append(f.points, p); return nil })
	return f
}

// misplaced is a flag that belongs to export alone.
func (f *bufferFlags) misplaced() string {
	for _, name := range []string{"from", "to", "format", "csv", "events", "points"} {
		if f.given(name) {
			return name
		}
	}
	return ""
}

func (f *bufferFlags) given(name string) (yes bool) {
	f.Visit(func(g *flag.Flag) { yes = yes || g.Name == name })
	return yes
}

func runBuffer(ctx context.Context, args []string, s streams) int {
	f := newBufferFlags(s)
	rest, status, ok := f.parse(args, s, 2)
	if !ok {
		return status
	}
	verbs := map[string]func(context.Context, *bufferFlags, place, streams) int{"stat": runStat, "export": runExport, "check": runBufferCheck}
	if len(rest) == 0 || verbs[rest[0]] == nil {
		fmt.Fprintln(s.err, "pithead buffer: want pithead buffer stat|export|check [DIR]; see pithead help buffer")
		return usage
	}
	if name := f.misplaced(); name != "" && rest[0] != "export" {
		fmt.Fprintf(s.err, "pithead buffer %s: --%s belongs to export\n", rest[0], name)
		return usage
	}
	// A signal ends the work between two frames, so that what was written is whole.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, ok := findBuffer(ctx, f, rest[1:], s)
	if !ok {
		return wrong
	}
	return verbs[rest[0]](ctx, f, p, s)
}

// A place is where a buffer is looked at.
type place struct {
	dir  string
	zone *time.Location
	ask  bool // through the agent that runs, since the folder may not be opened
}

// findBuffer is the folder that was named, or else that of the agent that runs
// here, or else the site file's. The folder itself is read wherever it may be:
// that costs the agent nothing.
func findBuffer(ctx context.Context, f *bufferFlags, named []string, s streams) (place, bool) {
	if len(named) == 1 {
		return place{dir: named[0], zone: zoneOf(*f.site, named[0])}, true
	}
	if *f.site == "" {
		var b agent.LocalBuffer
		text, err := askAgent(ctx, http.MethodGet, "/buffer", nil, nil)
		if err == nil && json.Unmarshal(text, &b) == nil && b.Dir != "" {
			_, err := os.ReadDir(filepath.Join(b.Dir, "log"))
			return place{b.Dir, agent.Zone(b.UTCOffset), errors.Is(err, os.ErrPermission)}, true
		}
		*f.site = defaultSite
	}
	site, problems := config.Load(*f.site)
	if site != nil {
		return place{dir: site.Buffer.Dir, zone: agent.Zone(site.UTCOffset)}, true
	}
	for _, p := range problems {
		fmt.Fprintln(s.err, p.String())
	}
	fmt.Fprintln(s.err, "pithead buffer: no agent runs here; name the folder, or mend the site file")
	return place{}, false
}

// zoneOf is the site's own time: as a site file says, or the one that the agent
// keeps beside its buffer.
func zoneOf(file, dir string) *time.Location {
	for _, path := range []string{file, config.GoodPath(dir)} {
		if path == "" {
			continue
		}
		if site, _ := config.Load(path); site != nil {
			return agent.Zone(site.UTCOffset)
		}
	}
	return agent.Zone(8 * time.Hour)
}

// wholeAnswer is like askAgent, for what may take its time.
func wholeAnswer(ctx context.Context, path string) ([]byte, error) {
	a, err := openAgent(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	return io.ReadAll(a)
}

// fetch asks the agent for what a command would otherwise find by itself.
func fetch[T any](ctx context.Context, path string) (T, error) {
	var v T
	text, err := wholeAnswer(ctx, path)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	return v, err
}

func runStat(ctx context.Context, f *bufferFlags, p place, s streams) int {
	st, err := statOf(ctx, p)
	if err != nil {
		fmt.Fprintln(s.err, "pithead buffer stat:", err)
		return wrong
	}
	if *f.json {
		_ = json.NewEncoder(s.out).Encode(st)
		return done
	}
	printStat(st, s)
	return done
}

func statOf(ctx context.Context, p place) (export.Stat, error) {
	if p.ask {
		return fetch[export.Stat](ctx, "/buffer/stat")
	}
	v, err := buffer.OpenView(p.dir)
	if err != nil {
		return export.Stat{}, err
	}
	return export.Look(p.dir, v), nil
}

func printStat(st export.Stat, s streams) {
	fmt.Fprintf(s.out, "%s, epoch %s\n\n", st.Dir, st.Epoch)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LANE\tRECORDS\tOLDEST\tNEWEST\tBYTES")
	for _, l := range st.Lanes {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", l.Name, l.Last+1-l.First, l.First, l.Last, l.Bytes)
	}
	if len(st.Positions) > 0 {
		fmt.Fprintln(w, "\t\t\t\t\nLANE/UPLINK\tACKNOWLEDGED TO\t\t\t")
	}
	for _, name := range slices.Sorted(maps.Keys(st.Positions)) {
		fmt.Fprintf(w, "%s\t%d\t\t\t\n", name, st.Positions[name])
	}
	_ = w.Flush()
	for _, f := range st.Faults {
		fmt.Fprintln(s.out, "can't be read:", f)
	}
	for _, a := range st.Aside {
		fmt.Fprintln(s.out, "set aside:", filepath.Join(st.Dir, a))
	}
}

// query is an export's, for the agent.
func (f *bufferFlags) query() url.Values {
	q := url.Values{"from": {*f.from}, "to": {*f.to}, "point": f.points, "format": {*f.format}}
	if *f.events {
		q.Set("events", "1")
	}
	return q
}
