package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"pithead/agent/export"
	"pithead/buffer"
)

func runBufferCheck(ctx context.Context, f *bufferFlags, p place, s streams) int {
	h, err := checkOf(ctx, p, s)
	if err != nil {
		fmt.Fprintln(s.err, "pithead buffer check:", err)
		return wrong
	}
	if *f.json {
		_ = json.NewEncoder(s.out).Encode(h)
	} else {
		printHealth(h, s)
	}
	if !h.Sound() {
		return wrong
	}
	return done
}

func checkOf(ctx context.Context, p place, s streams) (export.Health, error) {
	if p.ask {
		return fetch[export.Health](ctx, "/buffer/check")
	}
	v, err := buffer.OpenView(p.dir)
	if err != nil {
		return export.Health{}, err
	}
	b := newBar(s.err)
	defer b.end()
	return export.Check(ctx, p.dir, v, b.tell)
}

func printHealth(h export.Health, s streams) {
	fmt.Fprintf(s.out, "%s, epoch %s\n\n", h.Dir, h.Epoch)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LANE\tOLDEST\tNEWEST\tREAD\tBYTES")
	var read uint64
	for _, l := range h.Lanes {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", l.Name, l.First, l.Last, l.Records, l.Bytes)
		read += l.Records
	}
	_ = w.Flush()
	fmt.Fprintln(s.out)
	for _, g := range h.Damage {
		fmt.Fprintln(s.out, "damaged:", g)
	}
	for _, a := range h.Aside {
		fmt.Fprintln(s.out, "set aside:", filepath.Join(h.Dir, a))
	}
	switch {
	case h.Stopped:
		fmt.Fprintf(s.out, "stopped before the end: %d records read\n", read)
	case h.Sound():
		fmt.Fprintf(s.out, "sound: %d records\n", read)
	default:
		fmt.Fprintf(s.out, "%d places are damaged; the other %d records can be read\n", len(h.Damage), read)
	}
}
