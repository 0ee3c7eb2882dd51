package main

import (
	"fmt"
	"strings"

	"pithead/config"
)

const standardsHelp = `pithead help standards [NAME]

A preset brings a standard's numbers as alarms of a point. In the site file:

  alarms:
    - {standard: aq1029.heading-return, do: {alarm: [horn], cutoff: [cutoff]}, accepted: {by: 王工, date: 2026-03-01}}

The point must be in the preset's unit. Alarms are called POINT/alarm and
POINT/cutoff, or POINT/ID.alarm where id: ID stands beside the preset. pithead
check prints what each comes to. A number that nobody has compared with the
printed standard (checked: no) drives no trip until the file says who accepts it.
pithead help standards NAME shows clause, source and numbers of one standard.

`

// helpStandards lists the presets, or shows the numbers of one standard.
func helpStandards(names []string, s streams) int {
	name := ""
	if len(names) > 0 {
		name, _, _ = strings.Cut(names[0], ".")
	}
	text, err := config.StandardText(name)
	if err != nil {
		fmt.Fprintf(s.err, "pithead help standards: there is no standard %q; pithead help standards lists them\n", name)
		return usage
	}
	if name == "" {
		fmt.Fprint(s.out, standardsHelp)
	}
	fmt.Fprintf(s.out, "%s", text)
	return done
}
