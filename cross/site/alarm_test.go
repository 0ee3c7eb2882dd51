//go:build site

package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An alarm raised by writing a register arrives once, switches a coil on the
// slave, and is read back; a latched one waits for a person.
func TestAnAlarmRaisedByARegisterArrivesOnce(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s := tcpSlave(t, port)
	s.set("holding", 0, 50, 50)
	s.set("coil", 4, 1) // the cut-off is active low: 1 = fed
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	g := install(t, pithead, fmt.Sprintf(`
buses: {plc: {tcp: "127.0.0.1:%d"}}
devices: {d: {bus: plc, unit: 1, every: 500ms}}
points:
  pond.level:
    device: d
    holding: 0
    alarms: [{level: red, above: 100, clear: 90, do: [siren]}]
  gas.ch4:
    device: d
    holding: 1
    alarms: [{id: cut, level: red, above: 100, clear: 90, latch: true, do: [cutoff]}]
  feed: {device: d, coil: 4}
outputs:
  siren: {device: d, coil: 3}
  cutoff: {kind: trip, device: d, coil: 4, active: low, on-start: off, first-line: none, verify: {point: feed, is: 0, within: 3s}}
`, port)+b.uplink())
	g.start(t)
	eventually(t, 15*time.Second, "the first readings", func() bool { return w.shows("pond.level", "50") && w.shows("gas.ch4", "50") })

	began := time.Now()
	s.set("holding", 0, 150, 150)
	eventually(t, 10*time.Second, "pond.level/red", func() bool { return w.counts("pond.level/red", "active") > 0 })
	eventually(t, 10*time.Second, "gas.ch4/cut", func() bool { return w.counts("gas.ch4/cut", "active") > 0 })
	took := time.Since(began)
	eventually(t, 5*time.Second, "the siren's coil is 1", func() bool { return s.get("coil", 3) == 1 })
	eventually(t, 5*time.Second, "the cut-off's coil is 0", func() bool { return s.get("coil", 4) == 0 })
	time.Sleep(3 * time.Second) // time in which a second one would come
	if said, err := g.command("reset", "gas.ch4/cut"); err == nil {
		t.Errorf("reset was not refused while the condition holds: %s", said)
	}

	if said, err := g.command("ack", "gas.ch4/cut"); err != nil {
		t.Errorf("ack: %v: %s", err, said)
	}
	eventually(t, 5*time.Second, "gas.ch4/cut is acked", func() bool { return w.counts("gas.ch4/cut", "acked") > 0 })
	s.set("holding", 0, 80, 80)
	eventually(t, 10*time.Second, "pond.level/red is normal", func() bool { return w.counts("pond.level/red", "normal") > 0 })
	eventually(t, 5*time.Second, "the siren's coil is 0", func() bool { return s.get("coil", 3) == 0 })
	latched(t, g, s, w)
	g.stop(t)
	eventually(t, 5*time.Second, "status stopped", func() bool { return w.state() == "stopped" })

	l := w.ledger()
	l.whole(t)
	if got := strings.Join(l.states("pond.level/red"), " "); got != "active normal" {
		t.Errorf("pond.level/red went %s, want active normal", got)
	}
	if got := strings.Join(l.states("gas.ch4/cut"), " "); got != "active acked cleared normal" {
		t.Errorf("gas.ch4/cut went %s, want active acked cleared normal", got)
	}
	verified(t, g, l)
	g.sound(t)
	figure(t, "from the register to the subscriber %v (poll 500ms, commit 200ms, batch 200ms)", took.Round(time.Millisecond))
}

// latched follows the trip, acknowledged and over: only a reset releases it.
func latched(t *testing.T, g *agent, s *slave, w *watcher) {
	t.Helper()
	eventually(t, 5*time.Second, "gas.ch4/cut is cleared", func() bool { return w.counts("gas.ch4/cut", "cleared") > 0 })
	time.Sleep(2 * time.Second)
	if s.get("coil", 4) != 0 {
		t.Error("the trip was released without a reset")
	}
	if said, err := g.command("reset", "gas.ch4/cut"); err != nil {
		t.Errorf("reset: %v: %s", err, said)
	}
	eventually(t, 5*time.Second, "gas.ch4/cut is normal", func() bool { return w.counts("gas.ch4/cut", "normal") > 0 })
	eventually(t, 5*time.Second, "the cut-off's coil is 1", func() bool { return s.get("coil", 4) == 1 })
	for _, args := range [][]string{{"ack", "gas.ch4/nosuch"}, {"reset", "pond.level/red"}, {"ack"}} {
		if said, err := g.command(args...); err == nil {
			t.Errorf("pithead %s: exit status 0: %s", strings.Join(args, " "), said)
		}
	}
}

// verified lets pithead itself judge the chain as it was received, and wants it
// to notice one changed byte.
func verified(t *testing.T, g *agent, l *ledger) {
	t.Helper()
	file := filepath.Join(g.dir, "events.ndjson")
	whole := l.chain()
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := g.command("verify", file); err != nil {
		t.Errorf("verify: %v: %s", err, said)
	}
	broken := strings.Replace(string(whole), `"level":"red"`, `"level":"rad"`, 1)
	if broken == string(whole) {
		return
	}
	os.WriteFile(file, []byte(broken), 0o600)
	if said, err := g.command("verify", file); err == nil {
		t.Errorf("verify found nothing wrong with a changed event: %s", said)
	}
}
