package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"pithead/agent"
	"pithead/config"
	"pithead/drivers"
)

func runRead(ctx context.Context, args []string, s streams) int {
	f := newFlags("read", s)
	file := f.String("site", defaultSite, "")
	asJSON := f.Bool("json", false, "")
	verbose := f.Bool("v", false, "")
	points, status, ok := f.parse(args, s, -1)
	if !ok {
		return status
	}
	reads, units, err := readPoints(ctx, *file, points, s)
	if err != nil {
		fmt.Fprintln(s.err, "pithead read:", err)
		return wrong
	}
	switch {
	case *asJSON && *verbose:
		_ = json.NewEncoder(s.out).Encode(map[string]any{"readings": reads, "units": units})
	case *asJSON:
		_ = json.NewEncoder(s.out).Encode(reads)
	default:
		printReads(s.out, reads)
		if *verbose {
			printUnits(s.out, units)
		}
	}
	for _, r := range reads {
		if r.Quality != "good" {
			return wrong
		}
	}
	return done
}

// readPoints asks the running agent, or opens the buses where none runs.
func readPoints(ctx context.Context, file string, points []string, s streams) (reads []agent.LocalRead, units []agent.LocalUnit, err error) {
	body, err := askAgent(ctx, http.MethodGet, "/read", url.Values{"point": points}, nil)
	if err == nil {
		if err = json.Unmarshal(body, &reads); err != nil {
			return nil, nil, err
		}
		if body, err = askAgent(ctx, http.MethodGet, "/units", nil, nil); err == nil {
			err = json.Unmarshal(body, &units)
		}
		return reads, units, err
	}
	if !errors.Is(err, errNoAgent) {
		return nil, nil, err
	}
	site, problems := config.Load(file)
	if site == nil {
		for _, p := range problems {
			fmt.Fprintln(s.err, p.String())
		}
		return nil, nil, fmt.Errorf("%w, and %s is bad", errNoAgent, file)
	}
	return agent.ReadOnce(ctx, site, points)
}

func printReads(out io.Writer, reads []agent.LocalRead) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "POINT\tVALUE\tQUALITY\tRAW\tTOOK\t")
	for _, r := range reads {
		q := r.Quality
		if r.Code != 0 {
			q = fmt.Sprintf("%s %d", q, r.Code)
		}
		raw := "-"
		if len(r.Raw) > 0 {
			raw = ""
			for _, register := range r.Raw {
				raw += fmt.Sprintf(" %04x", register)
			}
			raw = raw[1:]
		}
		value := r.Value.String()
		if r.Value.Kind() != drivers.None {
			value = strings.TrimSpace(value + " " + r.Unit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f ms\t%s\n", r.Point, value, q, raw, r.TookMS, strings.TrimSpace(r.Why+" "+inOrders(r.Orders)))
	}
	_ = w.Flush()
}

// inOrders is a number in each byte order, that of the site file in brackets.
func inOrders(orders []agent.LocalOrder) string {
	var out []string
	for _, o := range orders {
		text := o.Order + " " + o.Value.String()
		if o.Set {
			text = "[" + text + "]"
		}
		out = append(out, text)
	}
	return strings.Join(out, "  ")
}

// printUnits shows what became of the requests to each unit.
func printUnits(out io.Writer, units []agent.LocalUnit) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nUNIT\tBUS\tIS\tASKED\tGOOD\tSILENT\tBROKEN\tREFUSED\tHELD\tMISSED\tBUS TIME\tP50\tP99\t")
	for _, u := range units {
		is := u.Life
		if is == "" {
			is = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f %%\t%.1f ms\t%.1f ms\t%s\n", u.Unit, u.Bus, is,
			u.Requests, u.Good, u.Comm, u.Protocol, u.Exceptions, u.Held, u.Missed, 100*u.Share, u.P50, u.P99, u.Setup)
	}
	_ = w.Flush()
}
