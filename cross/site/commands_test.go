//go:build site

package site

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Ten mistakes, each marked on the line below by a ^ under where it begins.
// The marks are comments of the file, so that they count as lines.
const mistakes = `version: 1
site: mine
gateway: gw-01
buses:
  rs1: {serial: /dev/ttyS1, boud: 9600}
#                           ^ an unknown word
  plc: {tcp: "192.168.1.10:502"}
devices:
  a: {bus: rs1, unit: 300}
#                     ^ no such unit
  b: {bus: plx, unit: 1}
#          ^ no such bus
  c: {bus: plc, unit: 2, every: 5x}
#                               ^ not a duration
points:
  p1: {device: a, holding: 0, type: f33}
#                                   ^ no such type
  p2: {device: zz, holding: 0}
#              ^ no such device
  p3: {device: c, holding: 70000}
#                          ^ out of range
  p4: {device: c, holding: 4, type: f32, order: ABDC}
#                                               ^ no such order
  p5:
    device: c
    holding: 10
    alarms:
      - {level: red, above: 10, clear: 12}
#                                      ^ could never clear
      - {level: purple, above: 20}
#               ^ no such level
`

func TestCheckNamesTenMistakes(t *testing.T) {
	file := filepath.Join(folder(t), "site.yaml")
	if err := os.WriteFile(file, []byte(mistakes), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &agent{bin: pithead, dir: filepath.Dir(file)}
	said, err := g.command("check", file)
	if err == nil {
		t.Errorf("exit status 0 for a file with mistakes")
	}
	named := 0
	lines := strings.Split(mistakes, "\n")
	for i, line := range lines {
		col := strings.Index(line, "^")
		if col < 0 {
			continue
		}
		where := fmt.Sprintf("%s:%d:%d: ", file, i, col+1) // i: the line above, from 1
		if !strings.Contains(said, where) {
			t.Errorf("no %s (%s)", where, line[col+2:])
			continue
		}
		named++
	}
	if t.Failed() {
		t.Logf("check said\n%s", said)
	}
	figure(t, "check names %d of 10 mistakes by line and column in %d lines", named, strings.Count(said, "\n")+1)
}

// A clean stop says so for good; after a kill the broker says offline.
func TestTheLastWord(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	tcpSlave(t, port)
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	g := install(t, pithead, counters(port, 3)+b.uplink())
	g.start(t)
	eventually(t, 20*time.Second, "status online", func() bool { return w.state() == "online" })
	eventually(t, 20*time.Second, "readings", func() bool { return w.point("c000").N != 0 })
	g.kill()
	eventually(t, 10*time.Second, "status offline, by the last will", func() bool { return w.state() == "offline" })
	g.start(t)
	eventually(t, 20*time.Second, "status online", func() bool { return w.state() == "online" })
	eventually(t, 20*time.Second, "a snapshot", func() bool {
		m, ok := w.last("snapshot")
		return ok && strings.Contains(string(m.payload), "c000")
	})
	took := g.stop(t)
	eventually(t, 5*time.Second, "status stopped", func() bool { return w.state() == "stopped" })

	// Who comes now finds the last word, what the points are, and their last values.
	late := watchAs(t, b, "latecomer")
	eventually(t, 5*time.Second, "a retained status", func() bool { return late.state() == "stopped" })
	for _, kind := range []string{"meta", "snapshot"} {
		var m message
		eventually(t, 5*time.Second, "a retained "+kind, func() (ok bool) { m, ok = late.last(kind); return ok })
		var v map[string]any
		if err := json.Unmarshal(m.payload, &v); err != nil || !strings.Contains(string(m.payload), "c000") {
			t.Errorf("%s: %v: %s", kind, err, m.payload)
		}
	}
	w.ledger().whole(t)
	g.sound(t)
	figure(t, "SIGTERM to exit status 0 in %v", took.Round(time.Millisecond))
}

// A bad file does not stop a running agent, and is told as an alarm; a good one
// is taken up, and the numbers go on.
func TestReload(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s := tcpSlave(t, port)
	s.set("holding", 0, 150, 1, 2, 3)
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	g := install(t, pithead, counters(port, 3)+b.uplink())
	g.start(t)
	eventually(t, 20*time.Second, "c000/red", func() bool { return w.alarm("c000/red") == "active" })
	good, err := os.ReadFile(g.site)
	if err != nil {
		t.Fatal(err)
	}
	reload := func(text string) {
		if err := os.WriteFile(g.site, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		g.cmd.Process.Signal(syscall.SIGHUP)
	}
	reload(string(good) + "frobnicate: 1\n")
	eventually(t, 10*time.Second, "agent/config", func() bool { return w.alarm("agent/config") == "active" })
	s.set("holding", 1, 77)
	eventually(t, 10*time.Second, "it reads on", func() bool { return w.shows("c001", "77") })
	reload(replaceOnce(string(good), "  c001: {", "  fresh: {device: d, holding: 3}\n  c001: {"))
	eventually(t, 20*time.Second, "a new point", func() bool { return w.shows("fresh", "3") })
	eventually(t, 20*time.Second, "agent/config is over", func() bool { return w.alarm("agent/config") == "normal" })
	g.stop(t)
	eventually(t, 5*time.Second, "status stopped", func() bool { return w.state() == "stopped" })

	l := w.ledger()
	l.whole(t)
	if got := fmt.Sprint(l.states("c000/red")); got != "[active]" {
		t.Errorf("an alarm that a reload does not concern went %s", got)
	}
	verified(t, g, l)
	g.sound(t)
}

// A file that is bad at the start is not run, but the last good one is.
func TestABadFileAtTheStart(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	tcpSlave(t, port)
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	g := install(t, pithead, counters(port, 3)+b.uplink())
	g.start(t)
	eventually(t, 20*time.Second, "readings", func() bool { return w.point("c000").N != 0 })
	g.stop(t)
	good, err := os.ReadFile(g.site)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(g.site, append(good, "frobnicate: 1\n"...), 0o600)
	before := w.point("c000").N
	g.start(t)
	eventually(t, 20*time.Second, "readings of the last good file", func() bool { return w.point("c000").N > before+3 })
	eventually(t, 10*time.Second, "agent/config", func() bool { return w.alarm("agent/config") == "active" })
	g.stop(t)
	w.ledger().whole(t)
	g.sound(t)
}

// Wrong usage has status 2 and a line that helps; what is wrong with a thing has status 1.
func TestExitStatus(t *testing.T) {
	g := &agent{bin: pithead, dir: folder(t)}
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"version", 0, "go1"},
		{"help", 0, "check"},
		{"help check", 0, "check"},
		{"frobnicate", 2, "frobnicate"},
		{"check --frobnicate", 2, "frobnicate"},
		{"check /nosuch/site.yaml", 1, "/nosuch/site.yaml"},
		{"ack a.b/red", 1, ""},
	} {
		said, _ := g.command(strings.Fields(c.args)...)
		if got := g.status; got != c.status || !strings.Contains(said, c.says) || (c.status != 0 && said == "") {
			t.Errorf("pithead %s: status %d, want %d; %q", c.args, got, c.status, said)
		}
	}
}
