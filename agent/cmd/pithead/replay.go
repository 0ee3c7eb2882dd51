package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sort"
	"time"

	"pithead/agent"
	"pithead/config"
	"pithead/drivers"
)

const replayHelp = `
  FILE            the site file whose alarms judge; also --site FILE
  READINGS        NDJSON as pithead buffer export writes it, or CSV with the columns
                  time,point,value,quality; time in RFC 3339 or Unix milliseconds,
                  quality empty for good; - is standard input
  --compare OTHER what another site file would have told: - only FILE, + only OTHER
  --json          one JSON object

The real judge, with the readings' own clock: the events that would have been,
and for each alarm how often it was raised, how long it stood, and how many raises
were the third or a later one within a minute. Outputs count as obeying at once.
Points that FILE computes are computed anew. It is approximate where a deadband
kept samples from being stored.`

func runReplay(ctx context.Context, args []string, s streams) int {
	f := newFlags("replay", s)
	file := f.String("site", "", "")
	compare := f.String("compare", "", "")
	asJSON := f.Bool("json", false, "")
	rest, status, ok := f.parse(args, s, 2)
	if !ok {
		return status
	}
	if len(rest) == 2 && *file == "" {
		*file, rest = rest[0], rest[1:]
	}
	if len(rest) != 1 {
		fmt.Fprintln(s.err, "pithead replay: want pithead replay [FILE] READINGS; see pithead help replay")
		return usage
	}
	if *file == "" {
		*file = defaultSite
	}
	files := []string{*file}
	if *compare != "" {
		files = append(files, *compare)
	}
	plays := make([]*play, len(files))
	for i, name := range files {
		site, problems := config.Load(name)
		if site == nil {
			for _, p := range problems {
				fmt.Fprintln(s.err, p.String())
			}
			return wrong
		}
		plays[i] = &play{site: site}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // what is live is small: memory for a seventh of the time
	from, err := replayAll(ctx, rest[0], s.in, plays)
	if err != nil {
		fmt.Fprintf(s.err, "pithead replay: %s: %v\n", rest[0], err)
		return wrong
	}
	rep := newReplayReport(from, plays)
	switch {
	case *asJSON:
		rep.writeJSON(s.out)
	default:
		rep.print(s.out)
	}
	return done
}

// A play is one site file's judgement of the readings.
type play struct {
	site   *config.Site
	replay *agent.Replay
	told   []agent.Told
	end    time.Time
}

// overlap is how far back one bus's readings may lie behind another's.
const overlap = time.Minute

// mostSorted bounds what is sorted in memory.
const mostSorted = 20_000_000

var errDisorder = errors.New("the readings are not in order of time; sort the file by time")

// replayAll gives every reading to every play. Readings that are out of order,
// as a table that was sorted by point, are put in order first.
func replayAll(ctx context.Context, file string, stdin io.Reader, plays []*play) (*recorded, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	begin(plays)
	var newest time.Time
	rec, err := readAll(ctx, in, plays, func(x drivers.Reading) error {
		if newest.Sub(x.At) > overlap {
			return errDisorder
		}
		if x.At.After(newest) {
			newest = x.At
		}
		give(plays, x)
		return nil
	})
	if again, ok := in.(io.Seeker); errors.Is(err, errDisorder) && ok && file != "-" {
		if _, err := again.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		rec, err = replaySorted(ctx, in, plays)
	}
	end(plays)
	return rec, err
}

func replaySorted(ctx context.Context, in io.Reader, plays []*play) (*recorded, error) {
	var all []drivers.Reading
	rec, err := readAll(ctx, in, plays, func(x drivers.Reading) error {
		if all = append(all, x); len(all) > mostSorted {
			return fmt.Errorf("%w, and too many to be sorted here", errDisorder)
		}
		return nil
	})
	sort.SliceStable(all, func(i, j int) bool { return all[i].At.Before(all[j].At) })
	begin(plays)
	for _, x := range all {
		give(plays, x)
	}
	return rec, err
}

// readAll gives every reading of a file to each.
func readAll(ctx context.Context, in io.Reader, plays []*play, each func(drivers.Reading) error) (*recorded, error) {
	var sites []*config.Site
	for _, p := range plays {
		sites = append(sites, p.site)
	}
	rec := newRecorded(in, sites...)
	c := rec.chunks()
	defer c.close()
	for {
		x := <-c.full
		for i, rd := range x.readings {
			if err := each(rd); err != nil {
				return nil, fmt.Errorf("line %d: %w", x.first+int(x.lines[i]), err)
			}
		}
		switch {
		case errors.Is(x.err, io.EOF):
			return rec, nil
		case x.err != nil:
			return nil, x.err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		c.empty <- x
	}
}

func begin(plays []*play) {
	for _, p := range plays {
		p.told = nil
		p.replay = agent.NewReplay(p.site, func(t agent.Told) { p.told = append(p.told, t) })
	}
}

func give(plays []*play, x drivers.Reading) {
	for _, p := range plays {
		p.replay.Add(x)
	}
}

func end(plays []*play) {
	for _, p := range plays {
		p.end = p.replay.End()
	}
}
