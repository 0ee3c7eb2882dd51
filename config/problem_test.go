package config

import (
	"fmt"
	"strings"
	"testing"
)

// A file with ten mistakes and one names them all where they are, and nothing
// that only follows from them.
func TestTenMistakes(t *testing.T) {
	src := `version: 1
site: pond
gateway: gw-01
buses:
  rs1: {serail: /dev/ttyS1, parity: evne}
devices:
  level1: {bus: rs1, unit: 010}
points:
  pond.level:
    devcie: level1
    register: 50001
    range: [1200, 1260]
    alarms:
      - {level: yellow, above: 1248.0, clear: 1248.5}
      - {level: red, above: 1249.5, for: 30, do: [sirne]}
  pond.free: {value: "1250 - pond.levle"}
outputs:
  siren: {gpio: bord/22}
uplinks:
  county: {mqtt: tcp://10.0.0.5, window: none}
`
	site, problems := Parse("site.yaml", []byte(src))
	if site != nil {
		t.Error("a site in spite of its mistakes")
	}
	want := []string{
		`5:9: buses.rs1.serail`, `5:37: buses.rs1.parity`, `7:28: devices.level1.unit`, `10:5: points.pond.level.devcie`,
		`11:15: points.pond.level.register`, `14:47: points.pond.level.alarms[0].clear`, `15:42: points.pond.level.alarms[1].for`,
		`15:51: points.pond.level.alarms[1].do[0]`, `16:30: points.pond.free.value`, `18:17: outputs.siren.gpio`, `20:42: uplinks.county.window`,
	}
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d:%d: %s", p.Line, p.Col, p.Path))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%swant\n%s", said(problems), strings.Join(want, "\n"))
	}
}

func TestProblemString(t *testing.T) {
	for _, c := range []struct {
		p    Problem
		want string
	}{
		{Problem{"site.yaml", 31, 17, "points.a.alarms[0].clear", "wrong; want right", false}, "site.yaml:31:17: points.a.alarms[0].clear: wrong; want right"},
		{Problem{"site.yaml", 3, 1, "", "wrong", true}, "site.yaml:3:1: warning: wrong"},
		{Problem{File: "site.yaml", Text: "there is no such file"}, "site.yaml: there is no such file"},
	} {
		if got := c.p.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// base is a good file that the cases below add points and more to.
const base = `version: 1
site: s
gateway: g
buses:
  rs1: {serial: /dev/ttyS1}
  board: {gpio: gpiochip0}
devices:
  d: {bus: rs1, unit: 3}
outputs:
  siren: {gpio: board/1}
  cut: {kind: trip, gpio: board/2, on-start: on, first-line: a relay}
points:
  level: {device: d, holding: 0, type: f32, range: [0, 10]}
  door: {gpio: board/3, states: {0: open, 1: shut}}
`

func TestRules(t *testing.T) {
	for _, c := range []struct{ story, add, want string }{
		{"a good file", "", ""},
		{"a full-width colon between braces", "  p: {device：d, input: 0}", "15:7: points.p.device：d: unknown key; it has a full-width colon or comma, want : or ,"},
		{"clear at the threshold is the default", "  p: {device: d, input: 0, alarms: [{level: red, above: 3, clear: 3}]}", ""},
		{"one level twice, for different times", "  p: {device: d, input: 0, alarms: [{level: yellow, above: 3}, {level: red, above: 3, for: 5m}]}", ""},
		{"a lower level further out on the low side", "  p: {device: d, input: 0, alarms: [{level: yellow, below: 3}, {level: red, below: 4}]}",
			"15:84: points.p.alarms[1].below: 4 of level red is above 3 of level yellow; want a higher level further down"},
		{"a higher level inside a lower one", "  p: {device: d, input: 0, alarms: [{level: yellow, outside: [1, 5]}, {level: red, outside: [2, 5]}]}",
			"15:93: points.p.alarms[1].outside: of level red is narrower than that of level yellow; want a higher level further out"},
		{"clear wider than outside", "  p: {device: d, input: 0, alarms: [{level: red, outside: [1, 5], clear: [0, 4]}]}",
			"15:74: points.p.alarms[0].clear: [0, 4] is not inside [1, 5], so the alarm could clear while it should stand; want it inside"},
		{"clear of the wrong form", "  p: {device: d, input: 0, alarms: [{level: red, above: 5, clear: [0, 4]}]}",
			"15:67: points.p.alarms[0].clear: is a list; want one number"},
		{"clear where there are no values", "  p: {device: d, input: 0, range: [0, 9], alarms: [{level: red, above: 5, clear: 0}]}",
			"15:82: points.p.alarms[0].clear: 0 is not inside the range [0, 9], so the alarm could never clear"},
		{"a threshold beyond the range", "  p: {device: d, input: 0, range: [0, 9], alarms: [{level: red, above: 12, clear: 8}]}",
			"15:72: warning: points.p.alarms[0].above: 12 is beyond the range [0, 9]; the alarm comes at the range's end already"},
		{"above of a door", "  p: {gpio: board/4, alarms: [{level: red, above: 1}]}",
			"15:44: points.p.alarms[0].above: belongs to numbers; a point that is 0 or 1 is none"},
		{"a state that no register has", "  p: {device: d, input: 0, states: {70000: x}}", "15:37: points.p.states.70000: 70000 is no u16; want 0 to 65535"},
		{"two states of one name", "  p: {device: d, input: 0, states: {0: x, 1: x}}", `15:46: points.p.states.1: "x" names two values; want a name of its own for each`},
		{"a fraction that no register has", "  p: {device: d, input: 0, alarms: [{level: red, equals: 3.5}]}", "15:58: points.p.alarms[0].equals: 3.5 is no u16; want a whole number"},
		{"a range with two dots", "  p: {device: d, input: 0, range: 0..1}", "15:35: points.p.range: is a text; want a list of 2, as [0, 1]"},
		{"two of a map's four", "  p: {device: d, input: 0, map: [4, 20]}", "15:33: points.p.map: has 2 entries; want a list of 4, as [0, 1, 2, 3]"},
		{"the longest name", "  p: {device: d, input: 0, name: " + strings.Repeat("库", 200) + "}", ""},
		{"a name that no event has room for", "  p: {device: d, input: 0, name: " + strings.Repeat("库", 201) + "}", "15:34: points.p.name: a text of 201 characters; want at most 200"},
		{"a bit of 32", "  p: {device: d, input: 0, type: f32, bit: 3}", "15:39: points.p.bit: a bit of type f32; want a bit of a 16-bit register"},
		{"a string without length", "  p: {device: d, input: 0, type: string}",
			"15:34: points.p.type: says not how long; want length, in registers"},
		{"a string with its words reversed", "  p: {device: d, input: 0, type: string, length: 4, order: CDAB}",
			"15:60: points.p.order: CDAB of a string; want ABCD, or BADC where the bytes of each register are swapped"},
		{"a split total without the worth of its half", "  p: {device: d, input: 0, type: hi-lo}", "15:34: points.p.type: says not what the high register is worth; want hi, as hi: 10000"},
		{"a counter of fractions", "  p: {device: d, input: 0, type: f32, counter: {each: 1}}", "15:39: points.p.counter: of type f32; want a type of whole numbers"},
		{"a counter that never gets so far", "  p: {device: d, input: 0, counter: {wraps: 65537}}", "15:45: points.p.counter.wraps: 65537 is more than u16 can show; want at most 65536"},
		{"a counter that is scaled besides", "  p: {device: d, input: 0, scale: 2, counter: {each: 1}}",
			"15:38: points.p.counter: is a second way of scaling; want at most one of scale and offset, map, curve, counter"},
		{"the last register", "  p: {device: d, input: 65535}", ""},
		{"past the last register", "  p: {device: d, register: 465536, type: u32}", "15:28: points.p.register: u32 takes 2 registers and would end at 65536; want at most 65534"},
		{"a register number past the table", "  p: {device: d, register: 40000}", "15:28: points.p.register: 40000 is out of bounds; want 40001 to 465536"},
		{"a line twice, once with a zero before", "  p: {gpio: board/03}", "15:13: points.p.gpio: line board/03 is used by points.door already; want another line"},
		{"a line of an output", "  p: {gpio: board/1}", "10:17: outputs.siren.gpio: line board/1 is used by points.p already; want another line"},
		{"an id of 65 letters", "  " + strings.Repeat("a", 65) + ": {gpio: board/9}",
			"15:3: points." + strings.Repeat("a", 65) + ": an id of 65 characters; want at most 64"},
		{"a point made from itself", `  p: {value: "p + 1"}`, "15:14: points.p.value: is computed from itself: p <- p; want one of them without the others"},
		{"a cycle that is met four times", "  p: {value: q + q}\n  q: {value: p + p}", "16:14: points.q.value: is computed from itself: p <- q <- p; want one of them without the others"},
		{"an expression of a point that is wrong itself", "  p: {unit: m}\n  q: {value: \"p == 'open'\"}", "15:3: points.p: has no source; want device and a register, gpio, value or probe"},
		{"a list with one wrong entry", "  p: {device: d, input: 0, map: [1, x, 3, 4]}", `15:37: points.p.map[1]: "x" is not a number; want a number such as 12`},
		{"a key that must be, misspelt", "buffer: {size: 1GB, comit: 1s}\nidentity: {kye: x}", `15:21: buffer.comit: unknown key; did you mean "commit"?` + "\n" +
			`16:12: identity.kye: unknown key; did you mean "key"?`},
		{"mistakes under a misspelt key", "uplink: {u: {mqtt: tcp://x, windw: 3, keepalive: 1}}", `15:1: uplink: unknown key; did you mean "uplinks"?` + "\n" +
			`15:29: uplinks.u.windw: unknown key; did you mean "window"?` + "\n" + "15:50: uplinks.u.keepalive: 1 has no unit; want 1m, or ms, s, h, d"},
		{"a cycle that is wrong is not timed", "  p: {device: d, input: 5, every: 1}", "15:35: points.p.every: 1 has no unit; want 1s, or ms, m, h, d"},
		{"a mistake in an expression", `  p: {value: "level + doot * 2"}`, `15:23: points.p.value: unknown point "doot"; did you mean door?`},
		{"an output named twice", "  p: {gpio: board/4, alarms: [{level: red, equals: 1, do: [siren, siren]}]}", `15:67: points.p.alarms[0].do[1]: "siren" is named twice`},
		{"a number as a condition", "  p: {device: d, input: 0, alarms: [{level: red, above: 1, when: level}]}",
			"15:66: points.p.alarms[0].when: a number is neither true nor false; want it compared, as \"level > 0\""},
		{"a day that is none", "  p: {unit: \"%CH4\", device: d, input: 0, type: f32, alarms: [{standard: aq1029.heading, accepted: {by: x, date: 2026-13-01}}]}",
			"15:73: warning: points.p.alarms[0].standard: AQ 1029-2019, 表 1 becomes alarm orange at or above 1 %CH4; cutoff red at or above 1.5 %CH4, over at 1, until reset; not checked against the printed standard, accepted by x on 2026-13-01\n" +
				`15:113: points.p.alarms[0].accepted.date: "2026-13-01" is not a day; want year, month and day, as 2026-03-01`},
		{"rise without within", "  p: {device: d, input: 0, alarms: [{level: red, rise: 1}]}", "15:50: points.p.alarms[0].rise: says not in what time; want within beside it"},
		{"escalation downwards", "  p: {device: d, input: 0, alarms: [{level: red, above: 1, escalate: {after: 1m, to: blue}}]}",
			"15:86: points.p.alarms[0].escalate.to: blue is not above the alarm's own level red; want a higher one"},
		{"an uplink's pattern that matches nothing", "uplinks: {u: {mqtt: tcp://x, points: [levl]}}", `15:39: warning: uplinks.u.points[0]: "levl" matches no point; did you mean "level"?`},
		{"a broker's address out of bounds", "uplinks: {u: {mqtt: tcp://10.0.0.256}}", `15:21: uplinks.u.mqtt: "10.0.0.256" is not an IP address; want four numbers from 0 to 255`},
		{"a snapshot a millisecond", "uplinks: {u: {mqtt: tcp://x, snapshot: 1ms}}", "15:40: uplinks.u.snapshot: 1ms is too short; want 0s, or 1s and more"},
		{"a certificate without a key", "uplinks: {u: {mqtt: tls://x, cert: a}}", "15:30: uplinks.u.cert: has no key beside it; want both"},
		{"a certificate for nothing", "uplinks: {u: {mqtt: tcp://x, ca: a}}", "15:30: warning: uplinks.u.ca: no address of this uplink uses TLS; want tls:// or wss://, or leave it out"},
		{"two uplinks of one name at one broker", "uplinks: {u: {mqtt: tcp://x, client-id: a}, w: {mqtt: tcp://x:1883, client-id: a}}",
			`15:80: uplinks.w.client-id: uplink "u" has the same client id "a" at the same broker; want another`},
		{"more events than the buffer holds", "buffer: {size: 100MB, events: 90MB}", "15:31: buffer.events: 90MB is more than half of the buffer's 100MB; want less, or a larger buffer"},
		{"a seal that watches nothing", "seals: {x: {confirm: 3s}}", "15:9: seals.x: watches nothing; want closed, tamper, idle, run, still or seen"},
		{"pulses that can't be", "  p: {gpio: board/9, counts: 1, at-most: 0/s}", "15:42: points.p.at-most: 0/s bounds nothing; want more than 0, as 10/s"},
		{"a probe of a port that is none", "  p: {probe: \"tcp://10.0.0.5:99999\"}", `15:14: points.p.probe: "99999" is not a port; want 1 to 65535`},
		{"a Chinese key is like no English one", "  p: {gpio: board/9, 波特率: 9600}", "15:22: points.p.波特率: unknown key; a point has none like it"},
		{"a key without a value", "uplinks:", "15:9: uplinks: is empty; want keys and values"},
		{"a key of another section", "baud: 9600", `15:1: baud: unknown key; "baud" belongs to a bus`},
		{"another program's word", "  p: {device: d, input: 0, interval: 3s}", `15:28: points.p.interval: unknown key; did you mean "every"?`},
	} {
		t.Run(c.story, func(t *testing.T) {
			_, problems := Parse("f", []byte(base+c.add+"\n"))
			got := strings.TrimSuffix(strings.ReplaceAll("\n"+said(problems), "\nf:", "\n"), "\n")
			if got = strings.TrimPrefix(got, "\n"); got != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.add, got, c.want)
			}
		})
	}
}

// Where one letter of a line is wrong, every device on it is silent.
func TestLinesThatAreNone(t *testing.T) {
	for _, c := range []struct{ story, buses, want string }{
		{"a path without its folder", "  a: {serial: ttyS1}", `5:15: buses.a.serial: "ttyS1" is not the path of a serial line; want /dev/ttyS1`},
		{"a port of another system", "  a: {serial: COM3}", `5:15: buses.a.serial: "COM3" is not the path of a serial line; want its path, as /dev/ttyS1`},
		{"a speed that no device has", "  a: {serial: /dev/ttyS1, baud: 9601}", "5:33: warning: buses.a.baud: 9601 is no usual speed; was 9600 meant?"},
		{"one path in two spellings", "  a: {serial: /dev/ttyS1}\n  b: {serial: /dev//ttyS1}", `6:15: buses.b.serial: /dev//ttyS1 is bus "a" already; want everything on it under one bus`},
		{"Chinese full stops", `  a: {tcp: "127。0。0。1:502"}`, `5:12: buses.a.tcp: "127。0。0。1" is not a host; want a name or an IP address`},
		{"an address out of bounds", `  a: {tcp: "10.0.0.256:502"}`, `5:12: buses.a.tcp: "10.0.0.256" is not an IP address; want four numbers from 0 to 255`},
	} {
		t.Run(c.story, func(t *testing.T) {
			_, problems := Parse("f", []byte("version: 1\nsite: s\ngateway: g\nbuses:\n"+c.buses+"\npoints:\n  x: {value: \"1\"}\n"))
			if got := strings.TrimSuffix(strings.ReplaceAll(said(problems), "f:", ""), "\n"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSummaryCountsWhatIsWritten(t *testing.T) {
	site, problems := Parse("f", []byte("version: 1\nsite: s\ngateway: g\npoints:\n  cam: {probe: \"rtsp://10.0.0.5/\"}\n"))
	if site == nil {
		t.Fatal(said(problems))
	}
	if got := site.Summary(); got != "f: good: 0 buses, 1 point, 1 alarm, 0 uplinks" {
		t.Error(got)
	}
}
