package main

import (
	"context"
	"fmt"
	"time"

	"pithead/agent"
	cmd "pithead/agent/command"
)

// An order is what the running agent can be told about one thing.
type order struct {
	op    string
	about func(*cmd.Args, string)
	what  string // the thing, as the question asks for it
	did   string
	timed bool // it takes --for
	seen  bool // it takes --event
}

func ofAlarm(a *cmd.Args, id string) { a.Alarm = id }
func ofPoint(a *cmd.Args, id string) { a.Point = id }
func ofMode(a *cmd.Args, m string)   { a.Mode = m }

var (
	ackOp      = order{op: "ack", about: ofAlarm, what: "alarm", did: "acknowledged", seen: true}
	resetOp    = order{op: "reset", about: ofAlarm, what: "alarm", did: "reset"}
	shelveOp   = order{op: "shelve", about: ofAlarm, what: "alarm", did: "shelved", timed: true}
	unshelveOp = order{op: "unshelve", about: ofAlarm, what: "alarm", did: "shelved no more"}
	testOp     = order{op: "test", about: ofPoint, what: "point", did: "under test", timed: true}
	outOp      = order{op: "out", about: ofPoint, what: "point", did: "out of service"}
	inOp       = order{op: "in", about: ofPoint, what: "point", did: "in service"}
	modeOp     = order{op: "mode", about: ofMode, what: "mode", did: "is the mode"}
)

// telling is the command that gives the running agent an order. The agent
// decides whether somebody at the gateway may.
func telling(o order) func(context.Context, []string, streams) int {
	return func(ctx context.Context, args []string, s streams) int {
		f := newFlags(o.op, s)
		why := f.String("why", "", "")
		var long string
		var seen uint64
		if o.timed {
			f.StringVar(&long, "for", "", "")
		}
		if o.seen {
			f.Uint64Var(&seen, "event", 0, "")
		}
		rest, status, ok := f.parse(args, s, 1)
		if !ok {
			return status
		}
		if len(rest) != 1 {
			fmt.Fprintf(s.err, "pithead %s: which %s? See pithead help %s\n", o.op, o.what, o.op)
			return usage
		}
		c := agent.LocalCommand{Op: o.op, Args: cmd.Args{Event: seen}, Why: *why}
		o.about(&c.Args, rest[0])
		if o.timed {
			d, err := cmd.ParseDuration(long)
			if err != nil {
				fmt.Fprintf(s.err, "pithead %s: for how long? %v; see pithead help %s\n", o.op, err, o.op)
				return usage
			}
			c.Args.For = cmd.Duration(d)
		}
		if _, err := commandAgent(ctx, c); err != nil {
			fmt.Fprintf(s.err, "pithead %s: %s: %v\n", o.op, rest[0], err)
			return wrong
		}
		fmt.Fprintln(s.out, o.said(rest[0], time.Duration(c.Args.For)))
		return done
	}
}

func (o order) said(id string, long time.Duration) string {
	switch {
	case o.op == "test" && long == 0:
		return id + " is judged again"
	case o.timed:
		return fmt.Sprintf("%s %s for %v", id, o.did, long)
	}
	return id + " " + o.did
}
