package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"pithead/agent"
	"pithead/agent/export"
)

func runExport(ctx context.Context, f *bufferFlags, p place, s streams) int {
	if *f.csv {
		if *f.json || *f.format != "" && *f.format != "csv" {
			fmt.Fprintln(s.err, "pithead buffer export: --csv is one format, and another is asked for too")
			return usage
		}
		*f.format = "csv"
	}
	q, err := export.Parse(*f.from, *f.to, f.points, *f.events, *f.format, p.zone)
	if err != nil {
		fmt.Fprintln(s.err, "pithead buffer export: --"+err.Error())
		return usage
	}
	r, err := exportTo(ctx, f, p, q, s)
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	tellResult(s.err, r, *f.events)
	if err != nil {
		fmt.Fprintln(s.err, "pithead buffer export:", err)
		return wrong
	}
	if r.Stopped || r.Damaged() {
		return wrong
	}
	return done
}

func exportTo(ctx context.Context, f *bufferFlags, p place, q export.Query, s streams) (export.Result, error) {
	if p.ask {
		return exportThrough(ctx, f, s.out)
	}
	src, err := agent.Look(p.dir)
	if err != nil {
		return export.Result{}, err
	}
	var b bar
	if !isTerminal(s.out) { // rows and a bar would get into each other
		b = newBar(s.err)
	}
	defer b.end()
	return export.Export(ctx, src, q, s.out, b.tell)
}

// exportThrough has the agent read; rows come whole, since the last line is
// written only when all of it is there.
func exportThrough(ctx context.Context, f *bufferFlags, out io.Writer) (r export.Result, err error) {
	a, err := openAgent(ctx, http.MethodGet, "/buffer/export", f.query(), nil)
	if err != nil {
		return r, err
	}
	defer a.Close()
	if err := wholeLines(out, a); err != nil {
		if ctx.Err() != nil {
			return export.Result{Stopped: true}, nil
		}
		return r, err
	}
	text := a.trailer(agent.ResultTrailer)
	if text == "" {
		return r, errors.New("the agent ended in the middle")
	}
	return r, json.Unmarshal([]byte(text), &r)
}

// wholeLines copies as many lines as there are.
func wholeLines(w io.Writer, r io.Reader) error {
	buf := make([]byte, 0, 64<<10)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, cap(buf))...)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		end := 0
		if i := bytes.LastIndexByte(buf[len(buf):len(buf)+n], '\n'); i >= 0 {
			end = len(buf) + i + 1
		}
		buf = buf[:len(buf)+n]
		if _, werr := w.Write(buf[:end]); werr != nil {
			return werr
		}
		buf = buf[:copy(buf, buf[end:])]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

const mostGaps = 20 // lines about what is missing

func tellResult(w io.Writer, r export.Result, events bool) {
	for i, g := range r.Lost {
		if i == mostGaps {
			fmt.Fprintf(w, "… and %d gaps more; pithead buffer check lists them\n", len(r.Lost)-i)
			break
		}
		fmt.Fprintln(w, "missing:", g)
	}
	what := "readings"
	if events {
		what = "events"
	}
	if r.Undated > 0 {
		fmt.Fprintf(w, "left out: %d %s without a wall time, since the clock was unknown; without --from and --to in times NDJSON has them, by boot and m\n", r.Undated, what)
	}
	if r.Stopped && r.Last == 0 {
		fmt.Fprintln(w, "stopped before the first number")
	} else if r.Stopped {
		fmt.Fprintf(w, "stopped after number %d; what was written is whole\n", r.Last)
	} else if r.Rows == 0 {
		fmt.Fprintf(w, "no %s are as asked for\n", what)
	}
}
