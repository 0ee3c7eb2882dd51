package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"pithead/agent"
	cmd "pithead/agent/command"
	"pithead/config"
)

// handTime is how long an output stays as a hand put it, unless told otherwise.
const handTime = "1m"

func runWrite(ctx context.Context, args []string, s streams) int {
	f := newFlags("write", s)
	file := f.String("site", defaultSite, "")
	yes := f.Bool("yes", false, "")
	why := f.String("why", "", "")
	span := f.String("for", handTime, "")
	rest, status, ok := f.parse(args, s, 2)
	if !ok {
		return status
	}
	if len(rest) != 2 || rest[1] != "on" && rest[1] != "off" {
		fmt.Fprintln(s.err, "pithead write: want an output, and on or off; see pithead help write")
		return usage
	}
	until, err := cmd.ParseDuration(*span)
	if err == nil && (until < time.Second || until > 24*time.Hour) {
		err = fmt.Errorf("--for %s; want 1s to 24h", *span)
	}
	if err != nil {
		fmt.Fprintln(s.err, "pithead write:", err)
		return usage
	}
	output, on := rest[0], rest[1] == "on"
	question := fmt.Sprintf("Switch %s on for %v by hand?", output, until)
	if !on {
		question = fmt.Sprintf("Switch %s off?", output)
	}
	if !*yes && !s.agree(question) {
		fmt.Fprintln(s.err, "pithead write: nothing was switched; --yes asks nobody")
		return wrong
	}
	err = writeOutput(ctx, *file, output, on, until, *why, s)
	if err != nil {
		fmt.Fprintf(s.err, "pithead write: %s: %v\n", output, err)
		return wrong
	}
	return done
}

// agree asks whoever sits there; no answer is no.
func (s streams) agree(question string) bool {
	fmt.Fprint(s.out, question, " [y/N] ")
	answer, _ := bufio.NewReader(s.in).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes" || answer == "是"
}

// writeOutput has the running agent switch, which records it; where none runs
// it opens the line, and holds it until the time is over or Ctrl-C.
func writeOutput(ctx context.Context, file, output string, on bool, until time.Duration, why string, s streams) error {
	_, err := commandAgent(ctx, agent.LocalCommand{Op: "output", Why: why,
		Args: cmd.Args{Output: output, On: &on, For: cmd.Duration(until)}})
	switch {
	case err == nil && on:
		fmt.Fprintf(s.out, "%s is on by hand for %v; it is recorded\n", output, until)
		return nil
	case err == nil:
		fmt.Fprintf(s.out, "%s is no longer on by hand, and off unless an alarm asks for it; it is recorded\n", output)
		return nil
	}
	if !errors.Is(err, errNoAgent) {
		return err
	}
	site, problems := config.Load(file)
	if site == nil {
		for _, p := range problems {
			fmt.Fprintln(s.err, p.String())
		}
		return fmt.Errorf("%w, and %s is bad", errNoAgent, file)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, until)
	defer cancel()
	return agent.WriteOnce(ctx, site, output, on, func(text string) { fmt.Fprintln(s.out, text) })
}
