//go:build site

package site

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	silenceEvery   = time.Second
	silenceTimeout = 300 * time.Millisecond
)

// One unit of a serial line, one of a TCP bus and a whole libmodbus slave stop
// answering. Their points say so in time, the others keep their cycle, the
// fault alarms come, and all of it ends by itself. Things that were never there
// disturb nothing. Runs alone, since it measures.
func TestSlavesThatStopAnswering(t *testing.T) {
	machine := watchStalls(t)
	w, g, l, dead := silenceSite(t)
	others := []string{"rtu1", "rtu3", "tcp1", "tcp3"}
	gone := []string{"rtu2", "tcp2", "whole"}
	for _, p := range append(append([]string{}, others...), gone...) {
		eventually(t, 20*time.Second, p+" is read", func() bool { r := w.point(p); return r.N != 0 && r.Q == "" })
	}
	time.Sleep(3 * time.Second)

	went := time.Now()
	l.be(2, silent)
	dead.signal(syscall.SIGSTOP)
	for _, p := range gone {
		eventually(t, 10*time.Second, p+" is comm", func() bool { return w.point(p).Q == "comm" })
	}
	for _, p := range gone {
		eventually(t, 30*time.Second, "the fault alarm of "+p, func() bool { return w.alarm(p+"/fault") == "active" })
	}
	faults := time.Since(went)
	time.Sleep(5 * time.Second)
	from := time.Now()
	asked := l.requests(2)
	time.Sleep(30 * time.Second)
	to := time.Now()
	probes := l.requests(2) - asked

	l.be(2, honest)
	dead.signal(syscall.SIGCONT)
	back := time.Now()
	for _, p := range gone {
		eventually(t, 60*time.Second, p+" is good again", func() bool { return w.point(p).Q == "" })
	}
	returned := time.Since(back)
	for _, p := range gone { // half the attempts of the last 50 s have to be good
		eventually(t, 60*time.Second, "the fault of "+p+" is over", func() bool { return w.alarm(p+"/fault") == "normal" })
	}
	over := time.Since(back)
	time.Sleep(8 * time.Second) // time for a second one to be raised
	g.stop(t)
	g.sound(t)

	book := w.ledger()
	book.whole(t)
	for _, p := range gone {
		if got := fmt.Sprint(book.states(p + "/fault")); got != "[active normal]" {
			t.Errorf("%s/fault went %s, want active and normal once", p, got)
		}
	}
	late := inTime(t, book, gone, went, machine)
	usual, worst := cycles(t, book, others, from, to, machine)
	figure(t, "silent: comm at most %v after the last good reading (cycle 1s + timeout 300ms); fault alarms after %v (for 5s); %d probes in 30s; others' cycle: usually off by %.2f%%, worst %.1f%%; good again %v after the return, the alarms over after %v",
		late, faults.Round(100*time.Millisecond), probes, usual, worst, returned.Round(100*time.Millisecond), over.Round(100*time.Millisecond))
}

// silenceSite runs an agent over a line and a TCP bus of three units each, a
// libmodbus slave, and buses and an uplink that were never there.
func silenceSite(t *testing.T) (*watcher, *agent, *liar, *slave) {
	l := newLiar()
	a, b := serialLine(t)
	l.openLine(t, b)
	addr := l.listen(t, "127.0.0.1:0")
	port := freePort(t)
	dead := tcpSlave(t, port)
	t.Cleanup(func() { dead.signal(syscall.SIGCONT) })
	br := newBroker(t)
	br.start(t)
	w := watch(t, br)
	text := fmt.Sprintf(`
defaults: {fault: {for: 5s, level: orange}}
buses:
  rs1: {serial: %s, baud: 115200, timeout: %v}
  plc: {tcp: "%s", timeout: %v}
  other: {tcp: "127.0.0.1:%d", timeout: %v}
  ghost: {tcp: "127.0.0.1:%d"}
  nowhere: {serial: /dev/serial-that-is-not-there}
devices:
  away1: {bus: ghost, unit: 1, every: 1s}
  away2: {bus: nowhere, unit: 1, every: 1s}
  whole: {bus: other, unit: 1, every: 1s}
`, a, silenceTimeout, addr, silenceTimeout, port, silenceTimeout, freePort(t))
	points := "points:\n  whole: {device: whole, holding: 0}\n  away1: {device: away1, holding: 0}\n  away2: {device: away2, holding: 0}\n"
	for _, bus := range []string{"rtu rs1", "tcp plc"} {
		kind, id, _ := strings.Cut(bus, " ")
		for unit := 1; unit <= 3; unit++ {
			text += fmt.Sprintf("  %s%d: {bus: %s, unit: %d, every: %v}\n", kind, unit, id, unit, silenceEvery)
			points += fmt.Sprintf("  %s%d: {device: %s%d, holding: 0}\n", kind, unit, kind, unit)
		}
	}
	absent := fmt.Sprintf("  nobody:\n    mqtt: tcp://127.0.0.1:%d\n", freePort(t))
	g := install(t, pithead, text+points+br.uplink()+absent)
	g.start(t)
	return w, g, l, dead
}

// inTime is how long after its last good reading each point was comm, at most,
// but for the time in which the machine stood still.
func inTime(t *testing.T, l *ledger, points []string, went time.Time, machine *stalls) (most time.Duration) {
	t.Helper()
	for _, p := range points {
		var good time.Time
		for _, r := range l.of(p) {
			at := time.UnixMilli(r.T)
			if r.Q == "" || at.Before(went) {
				good = at
				continue
			}
			after := at.Sub(good) - machine.between(good, at)
			most = max(most, after)
			if after > silenceEvery+silenceTimeout+200*time.Millisecond {
				t.Errorf("%s was %s only %v after its last good reading", p, r.Q, after)
			}
			break
		}
	}
	return most
}

// cycles is how far, in percent of the cycle, the others' readings were off:
// the median, and the worst, but for the time in which the machine stood still.
func cycles(t *testing.T, l *ledger, points []string, from, to time.Time, machine *stalls) (usual, worst float64) {
	t.Helper()
	for _, p := range points {
		var before time.Time
		var all []time.Duration
		for _, r := range l.of(p) {
			at := time.UnixMilli(r.T)
			if at.Before(from) || at.After(to) {
				continue
			}
			stood := machine.between(at.Add(-2*silenceEvery), at)
			if r.Q != "" && stood < silenceTimeout/3 {
				t.Errorf("%s was %s while its neighbour was silent", p, r.Q)
			}
			if !before.IsZero() {
				cycle := at.Sub(before)
				all = append(all, cycle)
				worst = max(worst, (cycle-silenceEvery).Abs().Seconds()-stood.Seconds())
			}
			before = at
		}
		if len(all) < 20 {
			t.Errorf("%s has %d cycles in %v", p, len(all), to.Sub(from))
			continue
		}
		slices.Sort(all)
		usual = max(usual, (all[len(all)/2] - silenceEvery).Abs().Seconds())
	}
	usual, worst = 100*usual/silenceEvery.Seconds(), 100*worst/silenceEvery.Seconds()
	if usual > 1 || worst > 10 {
		t.Errorf("the others' cycle was usually off by %.2f%% and by %.1f%% at worst, want at most 10%%", usual, worst)
	}
	return usual, worst
}

// A broker and a slave that come long after the agent find it working.
func TestWhatWasNeverThereMayComeLater(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	b := newBroker(t)
	g := install(t, pithead, fmt.Sprintf(`
buses: {plc: {tcp: "127.0.0.1:%d", timeout: 300ms}}
devices: {d: {bus: plc, unit: 1, every: 500ms}}
points: {p: {device: d, holding: 0}}
`, port)+b.uplink())
	g.start(t)
	time.Sleep(5 * time.Second)
	if g.ended() {
		t.Fatalf("the agent ended: %v", g.err)
	}
	b.start(t)
	w := watch(t, b)
	began := time.Now()
	eventually(t, 120*time.Second, "p is comm at the broker", func() bool { return w.point("p").Q == "comm" })
	toBroker := time.Since(began)
	s := tcpSlave(t, port)
	s.set("holding", 0, 4321)
	began = time.Now()
	eventually(t, 60*time.Second, "p is read", func() bool { return w.shows("p", "4321") })
	figure(t, "a broker that came late had the first data after %v, a slave after %v", toBroker.Round(100*time.Millisecond), time.Since(began).Round(100*time.Millisecond))
	g.stop(t)
	w.ledger().whole(t)
	g.sound(t)
}
