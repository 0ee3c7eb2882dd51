package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"pithead/agent/uplink"
	"pithead/config"
)

func runCheck(_ context.Context, args []string, s streams) int {
	f := newFlags("check", s)
	file := f.String("site", defaultSite, "")
	asJSON := f.Bool("json", false, "")
	timing := f.Bool("timing", false, "")
	rest, status, ok := f.parse(args, s, 1)
	if !ok {
		return status
	}
	if len(rest) == 1 {
		*file = rest[0]
	}
	site, problems := config.Load(*file)
	status = wrong
	if site != nil {
		var good bool
		if problems, good = checkUplinks(site, problems); good {
			status = done
		}
	}
	if *asJSON {
		if problems == nil {
			problems = []config.Problem{}
		}
		var report any = problems
		if *timing {
			report = reportTiming(problems, site)
		}
		_ = json.NewEncoder(s.out).Encode(report)
		return status
	}
	for _, p := range problems {
		fmt.Fprintln(s.out, p.String())
	}
	if status == done {
		fmt.Fprintln(s.out, site.Summary())
		tellTraffic(site, s)
		if *timing {
			fmt.Fprintln(s.out)
			ages, actions := site.Timing()
			printTiming(s.out, ages, actions)
		}
	}
	return status
}

// checkUplinks adds what only an uplink knows to be wrong: what the files of
// templates hold, and budgets that are too small. A file that is not there was
// warned of: a laptop has none of them.
func checkUplinks(site *config.Site, problems []config.Problem) (all []config.Problem, good bool) {
	all, good = problems, true
	for _, u := range site.Uplinks {
		at := config.Problem{File: u.File, Line: u.Line, Col: 1, Path: "uplinks." + u.ID}
		for _, err := range uplink.CheckForms(site, u) {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			p := at
			p.Path, p.Text = p.Path+".template", err.Error()
			all, good = append(all, p), false
		}
		if l := uplink.Daily(site, u); u.Budget > 0 && l.Bytes > u.Budget {
			p := at
			p.Path, p.Warning = p.Path+".budget", true
			p.Text = fmt.Sprintf("%.1f MB a day may come, the budget is %.1f MB: the rest is left out, readings first", float64(l.Bytes)/1e6, float64(u.Budget)/1e6)
			all = append(all, p)
		}
	}
	return all, good
}

// tellTraffic says what each uplink is to carry a day.
func tellTraffic(site *config.Site, s streams) {
	for _, u := range site.Uplinks {
		l := uplink.Daily(site, u)
		fmt.Fprintf(s.out, "uplink %s: at most %.1f MB a day (%d readings, deadbands not counted), and what happens\n", u.ID, float64(l.Bytes)/1e6, l.Readings)
	}
}
