package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"pithead/config"
)

const runHelp = `
  FILE         the site file; also --site FILE
  --log json   log lines for machines; default is text
  --socket P   the local socket (default $PITHEAD_SOCKET, else /run/pithead/pithead.sock)

It always comes up judging: with a bad file it runs the last good one, kept in
the buffer's folder, under a red alarm agent/config. SIGTERM and SIGINT stop it
in order (exit 0), SIGHUP makes it read the site file again. After three crashes
in 10 min it runs no more than what guards (drivers, alarms, outputs, events),
under a red alarm agent/safe, for an hour or until SIGHUP.`

const checkHelp = `
  FILE         the site file; also --site FILE
  --timing     also how old each point's newest reading can be at worst, and how
               long each alarm takes from its sensor to its output: while all
               answer, when any one unit of the bus dies, when all others die
  --json       the problems as JSON

Prints FILE:LINE:COL: what is wrong, each on its own line, all in one run; or
one line that says that the file is good. Exit 0 good (warnings allowed), 1 bad.
It touches no hardware and needs no agent.`

const readHelp = `
  POINT…       points of the site file; default all
  -v           also what became of the requests to each unit: asked, good, silent,
               broken, refused, held back, cycles missed, share of the bus's time,
               time to answer (half, and 99 of 100, within)
  --site FILE  the site file, where no agent runs
  --json       one JSON array; with -v an object with readings and units

Raw registers are in protocol order. A number of two or four registers is shown
in all four byte orders, that of the site file in brackets: the sane one is right.

Asks the running agent; where none runs it opens the bus itself. Exit 1 when a
point could not be read.`

const watchHelp = `
  --json       one line of JSON for each change, for scripts

On a terminal a table that changes in place, alarms on top; otherwise one line
for each change. Ctrl-C ends it, and the agent goes on.`

const scanHelp = `
  BUS          a bus of the site file; or /dev/ttyUSB0, or host:port (Modbus TCP),
               or rtu-over-tcp://host:port
  --units 1-247         which; also 1,3,5-9
  --baud 9600,19200     speeds to try on a serial line; default the bus's, else 9600
  --parity none,even    parities to try; default the bus's, else none
  --all-speeds          every usual speed and parity
  --timeout 510ms       how long a unit has to begin its answer; who is slower is
                        noticed while others are asked, and asked again. With
                        less some slaves (libmodbus's) miss what they are asked
  --site FILE  the site file, where no agent runs
  --json       one JSON array

Asks for one register, and who is there (functions 43/14 and 17); it never
writes. Any answer shows that a unit is there, an exception too. A running agent
does it between its polls, at the speed of the bus; where none runs the line is
opened, and nobody else may have it open. Exit 1 when nobody answered.`

const writeHelp = `
  OUTPUT       an output of the site file
  --for 1m     how long; then it is again as alarms ask for it
  --yes        don't ask, for scripts
  --why TEXT   recorded with it
  --site FILE  the site file, where no agent runs

A running agent switches, and records who asked; off ends what was switched on by
hand, and nothing that an alarm asks for. Where no agent runs the line is opened, and nobody else may have
it open; the output is held until the time is over or Ctrl-C, then put back. A
trip is never switched off that way, and stays on once it is.`

const ackHelp = `
  ALARM        the alarm's id, such as pond.level/red
  --event N    the number of the event that you saw; refused where the alarm was
               raised again after it
  --why TEXT   recorded with it

Acknowledging says that somebody knows. It ends no alarm, releases no trip.`

const resetHelp = `
  ALARM        the alarm's id, such as pond.level/red; or an output that is held
               because the alarm that asked for it has left the site file
  --why TEXT   recorded with it

Refused while the condition holds or the quality is bad. Where the site file
names keys that may command, only a signed command may reset: see pithead help
command.`

const shelveHelp = `
  ALARM        the alarm's id, such as pond.level/yellow
  --for TIME   30m, 8h; at most 24h
  --why TEXT   recorded with it

Shelving holds back notice and notice outputs (siren, horn, lamp); the alarm is
judged and recorded as ever, and no trip is released. At the gateway one may
shelve what is blue or yellow; the rest needs a signed command.`

const unshelveHelp = `
  ALARM        the alarm's id
  --why TEXT   recorded with it`

const testHelp = `
  POINT        the point's id
  --for TIME   30m; 0s ends the test
  --why TEXT   recorded with it

For calibration and bump tests (标校). Its readings are stored with quality
"test" and are neither judged nor in statistics; begin and end are events, and
the end tells which alarms' values were reached. No trip is released by it. At
the gateway one may test one point at a time, for 30 min at once and 2 h a day
in all; more needs a signed command.`

const outHelp = `
  POINT        the point's id
  --why TEXT   must be said

Out of service: its alarms are not raised and call nobody until it is put back;
what stands clears as ever, and no trip is released. Every snapshot tells it. It
needs a signed command: see pithead help command.`

const inHelp = `
  POINT        the point's id

Puts a point back into service. It needs a signed command: see pithead help
command.`

const modeHelp = `
  MODE         running, maintenance, sealed or closed

What expressions know as mode. It is kept over a restart. It needs a signed
command: see pithead help command.`

const commandHelp = `
  FILE         the signed envelope as a platform would send it; - is standard input

For a gateway whose network is down. The envelope must be signed by a key that
the site file names, and be of the session that runs (see status). Prints the
result as JSON.`

const bufferHelp = `
  stat         records, bytes, oldest and newest of each lane; positions of the uplinks
  export       readings as NDJSON, one a line, to standard output
  check        reads all of it: segment, offset and numbers of what is damaged
  DIR          the buffer's folder, or a log that was set aside; default that of
               the agent that runs, or of the site file
  --site FILE  the site file
  --json       stat and check as JSON

Of export:
  --from X, --to X
               both included. X is a time: 2026-03-01T08:00:00+08:00, or in the
               site's own time (utc-offset) 2026-03-01 or 2026-03-01T08:00, which
               means the whole day or minute; or Unix milliseconds; or a record's
               number, 81120 or n:81120
  --points P   only these points, such as 'pond.*,gas.ch4'; * is any text
  --events     events instead, byte for byte, as pithead verify reads them
  --csv        CSV, also --format csv: time,point,value,quality, as pithead replay
               reads it; of events their members

Also while an agent runs, without disturbing it: the folder is only read, and no
lock is taken. Who may not read the folder gets it through the agent's socket.
Ctrl-C ends an export after a whole line. Exit 1 when something that should be
there can't be read, or when it was ended early; what is missing goes to standard
error, with the numbers.`

const verifyHelp = `
  FILE…        events, and messages of readings (data), one a line, as exported or
               as received; in any number of files; - is standard input
  --key KEY    the gateway's public key (base64, or a file that holds it), as
               pithead key prints it; without it only the chain is checked
  --receipt FILE
               the platform's receipts: only they show that a tail was cut off
  --readings   judge the readings alone: the platform gets only some events (levels)
  --json       one JSON object

Names the line of what is removed, altered, forked, signed by a key that no key
before it introduced, or proven by no anchor. Readings need the events of the same
time beside them: every ten minutes one of them (anchor) signs what was sent.
Exit 0 when all is whole and every signature right, 1 when not.`

const keyHelp = `
  new [FILE]   make an identity; never overwrites one
  next [FILE]  make the key that is to follow it: when the agent starts or reloads
               next, an event that both keys sign makes it the gateway's, and the
               old one is deleted. Who has pinned either key can verify across it
  --site FILE  the site file that says where the identity is
  --file FILE  the identity itself
  --json       one JSON object, for scripts`

func printHelp(w io.Writer) {
	fmt.Fprint(w, "pithead reads sensors, judges them, keeps and forwards what it read.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-28s %s\n", "pithead "+c.name+" "+c.args, c.what)
	}
	fmt.Fprint(w, "\npithead help COMMAND says more, pithead help profiles lists the devices it knows,\npithead help standards the standards. Exit status: 0 done, 1 the thing asked about is wrong, 2 wrong usage.\n")
}

func runHelpCommand(_ context.Context, args []string, s streams) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" {
		printHelp(s.out)
		return done
	}
	if args[0] == "standards" {
		return helpStandards(args[1:], s)
	}
	if args[0] == "profiles" {
		return helpProfiles(args[1:], s)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			fmt.Fprintf(s.out, "pithead %s %s\n\n%s\n%s\n", c.name, c.args, c.what, c.more)
			return done
		}
	}
	fmt.Fprintf(s.err, "pithead help: there is no command %q%s\n", args[0], nearCommand(args[0]))
	return usage
}

func runVersion(_ context.Context, args []string, s streams) int {
	f := newFlags("version", s)
	asJSON := f.Bool("json", false, "")
	if _, status, ok := f.parse(args, s, 0); !ok {
		return status
	}
	if *asJSON {
		_ = json.NewEncoder(s.out).Encode(map[string]string{"version": version, "commit": commit, "go": runtime.Version()})
		return done
	}
	fmt.Fprintf(s.out, "pithead %s (%s, %s %s/%s)\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return done
}

func runSchema(_ context.Context, args []string, s streams) int {
	if _, status, ok := newFlags("schema", s).parse(args, s, 0); !ok {
		return status
	}
	fmt.Fprintf(s.out, "%s\n", config.Schema())
	return done
}
