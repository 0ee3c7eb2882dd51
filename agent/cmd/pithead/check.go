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
	if *asJSON {
		if problems == nil {
			problems = []config.Problem{}
		}
		var report any = problems
		if *timing {
			report = reportTiming(problems, site)
		}
		_ = json.NewEncoder(s.out).Encode(report)
	} else {
		for _, p := range problems {
			fmt.Fprintln(s.out, p.String())
		}
	}
	if site == nil {
		return wrong
	}
	if !*asJSON {
		fmt.Fprintln(s.out, site.Summary())
		tellTraffic(site, s)
		if *timing {
			fmt.Fprintln(s.out)
			ages, actions := site.Timing()
			printTiming(s.out, ages, actions)
		}
	}
	return checkForms(site, s)
}

// tellTraffic says what each uplink is to carry a day, and where that is more
// than its budget.
func tellTraffic(site *config.Site, s streams) {
	for _, u := range site.Uplinks {
		l := uplink.Daily(site, u)
		mb := float64(l.Bytes) / 1e6
		fmt.Fprintf(s.out, "uplink %s: at most %.1f MB a day (%d readings, deadbands not counted), and what happens\n", u.ID, mb, l.Readings)
		if u.Budget > 0 && l.Bytes > u.Budget {
			fmt.Fprintf(s.out, "%s:%d: warning: uplinks.%s.budget: %.1f MB a day may come, the budget is %.1f MB: the rest is left out, readings first\n",
				site.File, u.Line, u.ID, mb, float64(u.Budget)/1e6)
		}
	}
}

// checkForms judges what the files of templates hold. One that is not there was
// warned of: a laptop has none of them.
func checkForms(site *config.Site, s streams) int {
	status := done
	for _, u := range site.Uplinks {
		for _, err := range uplink.CheckForms(site, u) {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			fmt.Fprintf(s.err, "%s:%d: uplinks.%s.template: %v\n", site.File, u.Line, u.ID, err)
			status = wrong
		}
	}
	return status
}
