package agent

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/config"
	"pithead/drivers"
)

var update = flag.Bool("update", false, "write the golden files")

// A story is config/examples/<kind>.story: how long the scenario is played, what
// people do meanwhile, and below the line what the agent told.
type story struct {
	file  string
	head  string // up to the line
	long  time.Duration
	deeds []deed
	told  string
}

// A deed is a line as
//
//	> 00:06:00 ack pond.level/yellow 值班员
//	> 00:07:00 shelve pond.level/yellow 值班员 5m
type deed struct {
	at   time.Duration
	op   string
	what string
	by   string
	long time.Duration
}

const rule = "---\n"

func readStory(t *testing.T, kind string) *story {
	t.Helper()
	s := &story{file: "../config/examples/" + kind + ".story"}
	b, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	s.head, s.told, _ = strings.Cut(string(b), rule)
	for l := range strings.Lines(s.head) {
		w := strings.Fields(l)
		switch {
		case len(w) == 2 && w[0] == "for":
			if s.long, err = time.ParseDuration(w[1]); err != nil {
				t.Fatal(err)
			}
		case len(w) >= 5 && w[0] == ">":
			d := deed{at: clock(t, w[1]), op: w[2], what: w[3], by: w[4]}
			if len(w) == 6 {
				if d.long, err = time.ParseDuration(w[5]); err != nil {
					t.Fatal(err)
				}
			}
			s.deeds = append(s.deeds, d)
		case len(w) > 0 && w[0] != "#":
			t.Fatalf("%s: what is %q?", s.file, l)
		}
	}
	if s.long == 0 {
		t.Fatalf("%s says not how long: want for 20m", s.file)
	}
	return s
}

func clock(t *testing.T, text string) time.Duration {
	t.Helper()
	at, err := time.Parse("15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Sub(at.Truncate(24 * time.Hour))
}

// do does it to a judge, in its goroutine, as a signed command.
func (d deed) do(j *judge) error {
	o, ok := ops()[d.op]
	if !ok || o.judge == nil {
		return fmt.Errorf("nobody can %s", d.op)
	}
	c := command.Command{Op: d.op, By: d.by, Signed: true, Args: command.Args{For: command.Duration(d.long)}}
	switch {
	case strings.HasPrefix(d.op, "seal."):
		c.Args.Seal = d.what
	case d.op == "mode":
		c.Args.Mode = d.what
	case slices.Contains([]string{"test", "out", "in"}, d.op):
		c.Args.Point = d.what
	default:
		c.Args.Alarm = d.what
	}
	_, err := j.command(c, o)
	return err
}

// fromReadings are the kinds of event that come from readings and deeds.
var fromReadings = []string{"alarm", "group", "seal", "output", "input", "flood"}

// storyLine is an event as a line of a story.
func storyLine(at time.Duration, e event.Event) string {
	at = at.Truncate(time.Millisecond)
	s := fmt.Sprintf("%02d:%02d:%02d", int(at.Hours()), int(at.Minutes())%60, int(at.Seconds())%60)
	if ms := at % time.Second; ms != 0 {
		s += fmt.Sprintf(".%03d", ms.Milliseconds())
	}
	s = fmt.Sprintf("%-8s  %-7s %-28s %-9s %-7s", s, e.Kind, e.ID, e.State, e.Level)
	if e.Value.Kind() != drivers.None {
		s += " " + e.Value.String()
	}
	if e.Quality != drivers.Good {
		s += " " + e.Quality.String()
	}
	if e.Limit != nil {
		s += fmt.Sprintf(" (limit %v)", *e.Limit)
	}
	for _, f := range e.More {
		if slices.Contains([]string{"suppressed", "escalated", "across-gap", "shelved"}, f.Name) {
			s += " " + f.Name
		}
	}
	if e.Name != "" {
		s += "  " + e.Name
	}
	if e.By != "" {
		s += "  by " + e.By
	}
	return strings.TrimRight(s, " ") + "\n"
}

// ordered is a story in order of time, and at one moment by what it is about:
// several buses and delays come to it together, in any order.
func ordered(lines []string) string {
	slices.SortStableFunc(lines, func(a, b string) int { return slices.Compare(strings.Fields(a)[:3], strings.Fields(b)[:3]) })
	return strings.Join(lines, "")
}

// difference is the lines that only one of two stories has.
func difference(want, got string) string {
	var out []string
	has := func(s, l string) bool { return strings.Contains("\n"+s, "\n"+l) }
	for l := range strings.Lines(want) {
		if !has(got, l) {
			out = append(out, "- "+l)
		}
	}
	for l := range strings.Lines(got) {
		if !has(want, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "")
}

// simulated is an example on simulated buses, with nothing left that only a real
// site has.
func simulated(t *testing.T, e config.Example, dir string) *config.Site {
	t.Helper()
	text := e.Simulated()
	site, problems := config.Parse(e.Kind+".yaml", text)
	if site == nil {
		t.Fatalf("%v\n%s", problems, text)
	}
	site.Uplinks, site.Web.Listen, site.Identity, site.Stats = nil, "", "", 0
	site.Buffer.Commit = time.Minute // a disk is tried elsewhere
	site.Buffer.Dir, site.Buffer.Size, site.Buffer.Events, site.Buffer.Stats = dir, 16<<20, 4<<20, 1<<20
	for i := range site.Points {
		site.Points[i].Deadband = 0 // so that a replay has every sample
	}
	return site
}

// Every example is played through the whole agent, and tells its story; and so
// does a replay of what was stored.
func TestExamplesTellTheirStories(t *testing.T) {
	for _, e := range config.ExampleKinds() {
		if e.Scenario == nil {
			continue
		}
		t.Run(e.Kind, func(t *testing.T) {
			s := readStory(t, e.Kind)
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				t.Setenv("STATE_DIRECTORY", t.TempDir())
				site := simulated(t, e, dir)
				live := s.live(t, site, dir)
				if *update {
					if err := os.WriteFile(s.file, []byte(s.head+rule+live), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if live != s.told {
					t.Errorf("told what the story has not (+), or not what it has (-)\n%s", difference(s.told, live))
				}
				if again := s.again(t, site, dir); again != live {
					t.Errorf("a replay tells what live was not (+), or not what it was (-)\n%s", difference(live, again))
				}
			})
		})
	}
}

// live plays the story through the whole agent.
func (s *story) live(t *testing.T, site *config.Site, dir string) string {
	t.Helper()
	begun := time.Now()
	a, err := prepare(site, Options{Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	base := a.clock.M(begun).Truncate(time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), s.long)
	defer cancel()
	done := make(chan struct{})
	go func() { a.run(ctx); close(done) }()
	for _, d := range s.deeds {
		time.Sleep(d.at - time.Since(begun))
		var err error
		if e := a.judge.ask(ctx, func() { err = d.do(a.judge) }); e != nil || err != nil {
			t.Errorf("%v %s %s: %v %v", d.at, d.op, d.what, e, err)
		}
	}
	<-done
	a.close()
	var lines []string
	for l := range bytes.Lines(eventsOf(t, dir)) {
		p, err := event.Parse(l)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(fromReadings, p.Kind) {
			lines = append(lines, storyLine(time.Duration(p.M)*time.Millisecond-base, p.Event))
		}
	}
	return ordered(lines)
}

// again is what a replay tells of the readings that the agent stored, when
// people do what they did.
func (s *story) again(t *testing.T, site *config.Site, dir string) string {
	t.Helper()
	var lines []string
	var begun time.Time
	var base int64
	r := NewReplay(site, func(x Told) {
		if slices.Contains(fromReadings, x.Event.Kind) {
			lines = append(lines, storyLine(x.At.Sub(begun), x.Event))
		}
	})
	deeds := s.deeds
	deed := func(at time.Duration) {
		for len(deeds) > 0 && deeds[0].at < at {
			d := deeds[0]
			deeds = deeds[1:]
			r.flush()
			r.until(begun.Add(d.at))
			if err := d.do(r.judge); err != nil {
				t.Errorf("replayed: %v %s %s: %v", d.at, d.op, d.what, err)
			}
			r.settle()
		}
	}
	for _, x := range readingsOf(t, dir) {
		if begun.IsZero() {
			begun, base = time.UnixMilli(1772323200000), x.M
		}
		at := time.Duration(x.M-base) * time.Millisecond
		deed(at)
		r.Add(drivers.Reading{Point: x.Point, At: begun.Add(at), Value: x.Value, Quality: x.Quality, Code: x.Code})
	}
	r.flush()
	deed(s.long)
	r.until(begun.Add(s.long))
	r.settle()
	return ordered(lines)
}
