package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"pithead/buffer"
	"pithead/config"
)

// bufferStat is what buffer stat prints with --json.
type bufferStat struct {
	Dir       string            `json:"dir"`
	Epoch     string            `json:"epoch"`
	Lanes     []laneStat        `json:"lanes"`
	Positions map[string]uint64 `json:"positions"` // lane/uplink: the last acknowledged number
	Faults    []string          `json:"faults,omitempty"`
}

type laneStat struct {
	Name  string `json:"name"`
	First uint64 `json:"first"` // oldest number that is still there
	Last  uint64 `json:"last"`
	Bytes int64  `json:"bytes"` // on disk
}

func runBuffer(_ context.Context, args []string, s streams) int {
	f := newFlags("buffer", s)
	file := f.String("site", defaultSite, "")
	asJSON := f.Bool("json", false, "")
	rest, status, ok := f.parse(args, s, 2)
	if !ok {
		return status
	}
	if len(rest) == 0 || rest[0] != "stat" {
		fmt.Fprintln(s.err, "pithead buffer: want pithead buffer stat [DIR]; see pithead help buffer")
		return usage
	}
	var dir string
	if len(rest) == 2 {
		dir = rest[1]
	} else if dir, ok = bufferDir(*file, s); !ok {
		return wrong
	}
	st, err := statBuffer(dir)
	if err != nil {
		fmt.Fprintln(s.err, "pithead buffer stat:", err)
		return wrong
	}
	if *asJSON {
		_ = json.NewEncoder(s.out).Encode(st)
		return done
	}
	st.print(s)
	return done
}

// bufferDir is where the site file says that its buffer is.
func bufferDir(file string, s streams) (string, bool) {
	site, problems := config.Load(file)
	if site != nil {
		return site.Buffer.Dir, true
	}
	for _, p := range problems {
		fmt.Fprintln(s.err, p.String())
	}
	fmt.Fprintln(s.err, "pithead buffer: name the folder, or mend the site file")
	return "", false
}

func statBuffer(dir string) (bufferStat, error) {
	v, err := buffer.OpenView(dir)
	if err != nil {
		return bufferStat{}, err
	}
	st := bufferStat{Dir: dir, Epoch: v.Epoch, Positions: v.Positions}
	for _, l := range v.Lanes {
		st.Lanes = append(st.Lanes, laneStat{Name: l.Name, First: l.First, Last: l.Next - 1, Bytes: l.Bytes})
	}
	for _, f := range v.Faults {
		st.Faults = append(st.Faults, f.String())
	}
	return st, nil
}

func (st bufferStat) print(s streams) {
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
}
