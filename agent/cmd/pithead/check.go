package main

import (
	"context"
	"encoding/json"
	"fmt"

	"pithead/config"
)

func runCheck(_ context.Context, args []string, s streams) int {
	f := newFlags("check", s)
	file := f.String("site", defaultSite, "")
	asJSON := f.Bool("json", false, "")
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
		_ = json.NewEncoder(s.out).Encode(problems)
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
	}
	return done
}
