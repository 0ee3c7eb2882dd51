// Command pithead stands at the pithead of a mine, on a dam, beside a tank: it
// reads sensors, judges them, switches a siren or a cut-off, keeps everything
// on disk and forwards it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Set by the linker.
var (
	version = "dev"
	commit  = "unknown"
)

// The exit statuses that scripts rely on.
const (
	done  = 0 // it is as it should be
	wrong = 1 // the thing asked about is wrong: a bad file, a dead device
	usage = 2 // the command line is wrong
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// streams is where a command reads and writes: what a person reads goes to
// out, logs and errors to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// A command is one word of the command line.
type command struct {
	name string
	args string // as help shows them
	what string // one line
	more string // further lines of help
	run  func(ctx context.Context, args []string, s streams) int
}

// commands stand in the order in which help lists them. It is a function
// because help is one of them.
func commands() []command {
	return []command{
		{"run", "[FILE]", "run the agent on a site file (default " + defaultSite + ")", runHelp, runRun},
		{"check", "[FILE]", "judge a site file: every mistake with its line and column", checkHelp, runCheck},
		{"init", "KIND [DIR]", "write a commented site file to start from; init alone lists the kinds", initHelp, runInit},
		{"scan", "BUS", "which units answer on a bus, and what they say of themselves", scanHelp, runScan},
		{"read", "[POINT…]", "read points once, now: value, quality, raw registers, time taken", readHelp, runRead},
		{"write", "OUTPUT on|off", "switch an output by hand, to test a siren; asks first", writeHelp, runWrite},
		{"watch", "", "live values and alarms of the running agent", watchHelp, runWatch},
		{"replay", "[FILE] READINGS", "judge recorded readings by a site file's alarms: what would have been told", replayHelp, runReplay},
		{"ack", "ALARM", "acknowledge an alarm of the running agent", ackHelp, telling(ackOp)},
		{"reset", "ALARM", "let a latched alarm go, when its condition is over", resetHelp, telling(resetOp)},
		{"shelve", "ALARM --for TIME", "hold back an alarm's notice for a time", shelveHelp, telling(shelveOp)},
		{"unshelve", "ALARM", "end its shelving", unshelveHelp, telling(unshelveOp)},
		{"test", "POINT --for TIME", "a calibration or bump test: the point is not judged meanwhile", testHelp, telling(testOp)},
		{"out", "POINT --why TEXT", "take a point out of service (signed only)", outHelp, telling(outOp)},
		{"in", "POINT", "put it back (signed only)", inHelp, telling(inOp)},
		{"mode", "MODE", "the site's mode (signed only)", modeHelp, telling(modeOp)},
		{"command", "FILE", "give the running agent a command that a platform signed", commandHelp, runCommand},
		{"buffer", "stat|export|check [DIR]", "what is in the buffer; readings or events out of it; is it sound", bufferHelp, runBuffer},
		{"verify", "FILE… [--key KEY]", "are events and readings whole, and signed", verifyHelp, plain(runVerify)},
		{"key", "[new|next]", "the gateway's public key; new makes an identity, next one to follow it", keyHelp, plain(runKey)},
		{"schema", "", "JSON Schema of the site file, for editors", "", runSchema},
		{"version", "", "version, commit, Go version", "", runVersion},
		{"help", "[COMMAND]", "this, or all of a command", "", runHelpCommand},
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	s := streams{in, out, err}
	if len(args) == 0 {
		printHelp(err)
		return usage
	}
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-v", "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, args[1:], s)
		}
	}
	fmt.Fprintf(err, "pithead: there is no command %q%s; pithead help lists them\n", name, nearCommand(name))
	return usage
}

// plain fits commands that need no context.
func plain(f func(args []string, in io.Reader, out, err io.Writer) int) func(context.Context, []string, streams) int {
	return func(_ context.Context, args []string, s streams) int { return f(args, s.in, s.out, s.err) }
}

// flags is a command's flag set; it says what is wrong in one line, and takes
// flags before and behind other arguments.
type flags struct {
	*flag.FlagSet
	err io.Writer
}

func newFlags(name string, s streams) flags {
	f := flags{flag.NewFlagSet(name, flag.ContinueOnError), s.err}
	f.SetOutput(io.Discard)
	return f
}

// parse returns the arguments that are no flags; ok is false when help was
// asked for or something is wrong, and status is then the exit status.
func (f flags) parse(args []string, s streams, most int) (rest []string, status int, ok bool) {
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			runHelpCommand(context.Background(), []string{f.Name()}, s)
			return nil, done, false
		} else if err != nil {
			fmt.Fprintf(f.err, "pithead %s: %v; see pithead help %s\n", f.Name(), err, f.Name())
			return nil, usage, false
		}
		if f.NArg() == 0 {
			break
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
	if most >= 0 && len(rest) > most {
		fmt.Fprintf(f.err, "pithead %s: %q is too much; see pithead help %s\n", f.Name(), rest[most], f.Name())
		return nil, usage, false
	}
	return rest, done, true
}

// nearCommand is ", did you mean …?" where a command begins alike.
func nearCommand(name string) string {
	cs := commands()
	i := slices.IndexFunc(cs, func(c command) bool {
		n := min(2, len(name))
		return len(name) > 1 && strings.HasPrefix(c.name, name[:n])
	})
	if i < 0 {
		return ""
	}
	return "; did you mean " + cs[i].name + "?"
}
