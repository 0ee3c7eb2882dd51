package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"pithead/config"
)

// printTiming shows how old each point can get, and how long each alarm needs at
// worst from its sensor to its output.
func printTiming(out io.Writer, ages []config.Age, actions []config.Action) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "POINT\tCYCLE\tWORST AGE\tONE UNIT DEAD\tALL OTHERS DEAD")
	for _, a := range ages {
		cycle := "-"
		if a.Every > 0 {
			cycle = a.Every.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Point, cycle, bound(a.Alive), bound(a.OneDead), bound(a.AllDead))
	}
	if len(actions) > 0 {
		fmt.Fprintln(w, "\nSENSOR TO ACTION\tOUTPUT\tWORST\tONE UNIT DEAD\tALL OTHERS DEAD")
	}
	for _, a := range actions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Alarm, a.Output, bound(a.Alive), bound(a.OneDead), bound(a.AllDead))
	}
	_ = w.Flush()
}

// bound is a time that a person would write, rounded up.
func bound(d time.Duration) string {
	step := time.Millisecond
	if d >= 10*time.Second {
		step = 100 * time.Millisecond
	}
	if d <= 0 {
		return "no bound"
	}
	return ((d + step - 1) / step * step).String()
}

// worstMS is a Worst for scripts, in ms; null where there is no bound.
type worstMS struct {
	Alive   *float64 `json:"worst-ms"`
	OneDead *float64 `json:"one-dead-ms"`
	AllDead *float64 `json:"all-dead-ms"`
}

func inMS(w config.Worst) worstMS {
	ms := func(d time.Duration) *float64 {
		if d <= 0 {
			return nil
		}
		f := float64(d.Microseconds()) / 1000
		return &f
	}
	return worstMS{ms(w.Alive), ms(w.OneDead), ms(w.AllDead)}
}

// timingReport is check --timing --json.
type timingReport struct {
	Problems []config.Problem `json:"problems"`
	Points   []pointTiming    `json:"points"`
	Actions  []actionTiming   `json:"actions"`
}

type pointTiming struct {
	Point string  `json:"point"`
	Every float64 `json:"every-ms"` // 0 for what comes by itself
	worstMS
}

type actionTiming struct {
	Alarm  string `json:"alarm"`
	Output string `json:"output"`
	worstMS
}

func reportTiming(problems []config.Problem, site *config.Site) timingReport {
	r := timingReport{Problems: problems, Points: []pointTiming{}, Actions: []actionTiming{}}
	if site == nil {
		return r
	}
	ages, actions := site.Timing()
	for _, a := range ages {
		r.Points = append(r.Points, pointTiming{a.Point, float64(a.Every.Microseconds()) / 1000, inMS(a.Worst)})
	}
	for _, a := range actions {
		r.Actions = append(r.Actions, actionTiming{a.Alarm, a.Output, inMS(a.Worst)})
	}
	return r
}
