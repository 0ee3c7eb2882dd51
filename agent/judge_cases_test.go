package agent

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

// A case is a story of one alarm in the whole judge, with a column a second:
//
//	v 5   . 7   - 9   ^ 12   good values      x comm  s sensor  o over  u under
//	a acknowledge      r reset           h shelve     H unshelve
//	w when turns false W when turns true m when's input turns bad (then it counts as true)
//	t a test begins    T it ends         i out of service    I back in
//
// and a space for nothing. Told are the changes of the alarm and its outputs,
// in order: R raised at its level, E escalated, k acked, c cleared but held, z
// reset, n normal; S and s the siren, on and off, C the cut-off on.
type caseOf struct {
	story, alarm string
	in, want     string
	once         bool // a restart may raise it, or the fault, at once: both sides of it were so
}

var cases = []caseOf{
	{"above comes and goes", "above: 10, clear: 8", "..^^-^..", "RS C n s", false},
	{"below, past its end", "below: 8, clear: 10", "^^uu-x^^", "RSCns", false},
	{"outside on both sides", "outside: [6, 10], clear: [7, 9]", ".^-.v.", "RSCnsRSCns", false},
	{"equals", "equals: 9", "..--..", "RSCns", false},
	{"rise", "rise: 4, within: 3s", "....vv--^^^^^^^", "RSCns", false},
	{"fall", "fall: 4, within: 3s", "----vvvvvv", "RSCns", false},
	{"flat", "flat: 4s", ".-.-......-.-", "RSCns", false},
	{"the fault", "fault: 10s", "..xxxxxxxxxxxxxx.............", "RSCns", false},
	{"a delay", "above: 10, for: 3s", "..^^^^^^...", "RSCns", false},
	{"a delay, bad samples in it", "above: 10, for: 3s", "..^xxxxx^...", "RSCns", true},
	{"a delay that is too short", "above: 10, for: 3s", "..^^..^^..", "", true},
	{"it clears after an unbroken run", "above: 10, clear-for: 3s", "..^^..x.........", "RSCns", false},
	{"acknowledged", "above: 10", "..^^a^^..", "RSCkns", false},
	{"latched, acknowledged, reset", "above: 10, latch: on", "..^^a^....r.r", "RSCkczs", false},
	{"reset refused while it is bad", "above: 10, latch: on", "..^^..xrx.r.r", "RSCczs", false},
	{"acknowledged when it is over", "above: 10, latch: on", "..^^..a..r.r", "RSCckzs", false},
	{"raised again while held", "above: 10, latch: on", "..^^..^^..r.r", "RSCcRczs", false},
	{"bad quality clears nothing", "above: 10", "..^^xxsxo^xx..", "RSCns", false},
	{"shelved: quiet, the trip stays", "above: 10", "..^^h^^H^..", "RSCsSns", false},
	{"shelved before", "above: 10", "..h^^^..H.", "RCn", false},
	{"suppressed by design", "above: 10", "..w^^^..W.", "", false},
	{"suppressed, and then not", "above: 10", "..w^^^W^^..", "RSCns", false},
	{"suppressed while it stands", "above: 10", "..^^w^^..W.", "RSCsn", false},
	{"what suppresses it can't be read", "above: 10", "..m^^^..", "RSCns", false},
	{"it is suppressed, and then that can't be read", "above: 10", "..w^^m^^..", "RSCns", false},
	{"under test", "above: 10", "..t^^o^xx..T..", "", false},
	{"raised before a test, and through it", "above: 10", "..^^t....T^..", "RSCns", false},
	{"latched through a test", "above: 10, latch: on", "..^^t...rT..r.r", "RSCczs", false},
	{"out of service", "above: 10", "..i^^^..I..", "", false},
	{"out of service while it stands", "above: 10", "..^^i^^..I.", "RSCsn", false},
	{"back in service, and it is so", "above: 10", "..i^^^I^..", "RSCns", false},
	{"nobody acknowledges", "above: 10, escalate: {after: 4s, to: red}", "..^^^^^^^^a^..", "RSCEkns", false},
}

const caseSite = `
version: 1
site: s
gateway: g
buses:
  rs1: {serial: /dev/ttyS1}
devices:
  d: {bus: rs1, unit: 1, every: 10s}
  e: {bus: rs1, unit: 2, every: 10s}
points:
  p: {device: d, holding: 0, alarms: [{%s%s, do: [siren, cutoff]%s}]}
  run: {device: e, discrete: 0}
outputs:
  siren: {device: d, coil: 0}
  cutoff: {kind: trip, device: d, coil: 1, on-start: off, first-line: x}
`

func (c caseOf) site() string {
	level, when := "level: orange, ", `, when: "run == 1"`
	if strings.HasPrefix(c.alarm, "fault") {
		return fmt.Sprintf(caseSite, "level: orange, ", c.alarm, when)
	}
	return fmt.Sprintf(caseSite, level, c.alarm, when) + "defaults: {fault: {for: 1h}}\n"
}

// play plays a case, and does something in its middle that must change nothing.
func (c caseOf) play(t *testing.T, site *config.Site, at int, meanwhile func(*orderer)) (got string) {
	synctest.Test(t, func(t *testing.T) {
		o := &orderer{fold: newFold()}
		o.bench = newBench(t, site, o.fold, nil)
		id := "p/orange"
		if strings.HasPrefix(c.alarm, "fault") {
			id = "p/fault"
		}
		run := drivers.Reading{Point: "run", Value: drivers.BoolValue(true)}
		for i, r := range c.in {
			if i == at {
				meanwhile(o)
				if i == 0 {
					o.fold.Outputs = map[string]switchedTo{}
				}
			}
			switch r {
			case 'w', 'W':
				run.Quality, run.Value = drivers.Good, drivers.BoolValue(r == 'W')
			case 'm':
				run.Quality, run.Value = drivers.Comm, drivers.Value{}
			}
			run.At = time.Now()
			if v, good := map[rune]float64{'v': 5, '.': 7, '-': 9, '^': 12}[r]; good {
				o.give(run, drivers.Reading{Point: "p", At: time.Now(), Value: drivers.NumberValue(v)})
			} else if q, bad := map[rune]drivers.Quality{'x': drivers.Comm, 's': drivers.Sensor, 'o': drivers.Over, 'u': drivers.Under}[r]; bad {
				o.give(run, drivers.Bad("p", time.Now(), q))
			} else {
				o.give(run)
			}
			if op, ok := caseOps[r]; ok {
				op.Args.Alarm = map[bool]string{true: id}[op.Args.Point == ""]
				_ = o.order(true, op)
			}
			o.sleep(time.Second)
		}
		o.remember()
		got = strings.Join(o.drawn(id), "")
	})
	return got
}

var caseOps = map[rune]command.Command{
	'a': {Op: "ack"}, 'r': {Op: "reset"}, 'h': {Op: "shelve", Args: command.Args{For: hours(1)}}, 'H': {Op: "unshelve"},
	't': {Op: "test", Args: command.Args{Point: "p", For: hours(1)}}, 'T': {Op: "test", Args: command.Args{Point: "p"}},
	'i': {Op: "out", Args: command.Args{Point: "p"}}, 'I': {Op: "in", Args: command.Args{Point: "p"}},
}

// drawn is what was told of the alarm and the outputs.
func (o *orderer) drawn(id string) (out []string) {
	was := map[string]string{}
	for _, w := range o.words {
		of, state, _ := strings.Cut(w, "=")
		letter := map[string]string{"output:siren=on": "S", "output:siren=off": "s", "output:cutoff=on": "C"}[w]
		if of == id && was[of] != state {
			letter = map[string]string{"active": "R", "acked": "k", "cleared": "c", "normal": "n", "active red": "E"}[state]
			if state == "normal" && was[of] == "cleared" || state == "normal" && was[of] == "cleared acked" {
				letter = "z"
			}
			if state == "cleared acked" {
				letter = "k"
				if was[of] == "acked" {
					letter = "c"
				}
			}
		}
		if letter != "" {
			out = append(out, letter)
		}
		if of == id {
			was[of] = state
		}
	}
	return out
}

// newestOf is the stored readings as a start finds them.
func newestOf(rs []record.Reading) map[string]record.Last {
	last := map[string]record.Last{}
	for _, r := range rs {
		l := record.Last{Reading: r, Good: last[r.Point].Good, Boot: 1}
		if r.Quality == drivers.Good {
			l.Good = r.Value
		}
		last[r.Point] = l
	}
	return last
}

// Done when: every state and transition, with good and bad quality; and a restart,
// a reload, or a clock that steps by a day, at any moment of it, changes nothing.
func TestCases(t *testing.T) {
	restart := func(o *orderer) {
		window := o.stored
		o.restart(1, newestOf(o.stored))
		o.stored = window
		o.fill()
	}
	reload := func(o *orderer) {
		carried := maps.Clone(o.judge.alarms())
		stored := o.stored
		o.remember()
		o.bench.stop()
		clock := o.clock
		b := &bench{t: o.t, carried: carried}
		b.same = clock
		o.bench = startBench(o.t, b, o.site, o.fold, newestOf(stored))
		o.stored = stored
	}
	step := func(o *orderer) {
		o.do(func() error {
			o.clock.Check(wall{time.Now(), time.Now().Add(24 * time.Hour).UnixMilli(), true})
			return nil
		})
	}
	for _, c := range cases {
		t.Run(c.story, func(t *testing.T) {
			site := parsed(t, c.site())
			want := strings.ReplaceAll(c.want, " ", "")
			if got := c.play(t, site, -1, nil); got != want {
				t.Fatalf("%s\n  in %q\n got %q\nwant %q", c.alarm, c.in, got, want)
			}
			for i := range c.in {
				for name, f := range map[string]func(*orderer){"restart": restart, "reload": reload, "a day": step} {
					// Half of the moments of each story, and a sixth for the others: all in all every kind.
					if name == "restart" && (c.once || (i+len(c.story))%2 == 0) || name != "restart" && (i+len(c.story))%6 != 0 {
						continue
					}
					if got := c.play(t, site, i, f); got != want {
						t.Errorf("%s at %d\n  in %q\n got %q\nwant %q", name, i, c.in, got, want)
					}
				}
			}
		})
	}
}

// fill does what a start does with the stored readings.
func (o *orderer) fill() {
	o.do(func() error {
		for s := range o.judge.all {
			for _, r := range o.stored {
				if s.Reach() > 0 && r.Point == s.Def().Point {
					s.Fill(alarm.Sample{At: time.Duration(r.M) * time.Millisecond, Value: r.Value, Quality: r.Quality}, true)
				}
			}
		}
		return nil
	})
}
