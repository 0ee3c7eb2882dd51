//go:build site

package site

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A minute without a broker leaves no hole, and nothing out of order; a platform
// with a broker of its own, which is sent some of the points, does not notice.
func TestABrokerAwayForAMinuteLosesNothing(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s := tcpSlave(t, port)
	s.set("holding", 0, 50)
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	second := newBroker(t)
	second.start(t)
	other := watch(t, second)
	g := install(t, racer, counters(port, 20)+b.uplink()+second.another())
	machine := watchStalls(t)
	g.start(t)
	marks := newMarks(s)
	marks.pass(t, w, 20*time.Second)
	time.Sleep(5 * time.Second)

	down := time.Now()
	b.stop(t)
	time.Sleep(20 * time.Second)
	s.set("holding", 0, 150) // an alarm meanwhile
	time.Sleep(20 * time.Second)
	s.set("holding", 0, 50)
	time.Sleep(time.Until(down.Add(60 * time.Second)))
	b.start(t)
	up := time.Now()
	away := up.Sub(down)
	marks.pass(t, w, 150*time.Second) // the agent's pauses between tries grow meanwhile
	caughtUp := time.Since(up)
	mark := w.point("mark").N
	eventually(t, 20*time.Second, "the other platform has what was before the mark, too", func() bool { return other.reached() >= mark })
	g.stop(t)
	eventually(t, 5*time.Second, "status stopped", func() bool { return w.state() == "stopped" })

	l := w.ledger()
	l.whole(t)
	part := newPartLedger(other.messages(), func(point string) bool { return strings.HasPrefix(point, "c00") })
	part.whole(t)
	part.sameAs(t, l)
	if gap := part.waited; gap > away/3 {
		t.Errorf("the other platform waited %v while this one's broker was away for %v", gap, away)
	}
	for _, one := range []*ledger{l, part} {
		if got := fmt.Sprint(one.states("c000/red")); got != "[active normal]" {
			t.Errorf("the alarm of the outage went %s", got)
		}
	}
	steady(t, l, "c001", 500*time.Millisecond, down, up, machine)
	verified(t, g, l)
	g.sound(t)
	figure(t, "broker away %v: %d readings, n %d to %d without a hole, %d messages, %d repeats, caught up %v after its return; the other platform, with its own share of %d, waited at most %v",
		away.Round(time.Second), len(l.readings), l.first+1, l.last, l.messages, l.repeats, caughtUp.Round(100*time.Millisecond), len(part.readings), part.waited.Round(10*time.Millisecond))
}

// counters is a site with n points c000, c001, ... on holding registers; c000
// has an alarm above 100.
func counters(port, n int) string {
	text := fmt.Sprintf(`
buses: {plc: {tcp: "127.0.0.1:%d", timeout: 500ms}}
devices: {d: {bus: plc, unit: 1, every: 500ms}}
points:
  c000: {device: d, holding: 0, alarms: [{level: red, above: 100, clear: 90}]}
  mark: {device: d, holding: 5000, type: u32}
`, port)
	for i := 1; i < n; i++ {
		text += fmt.Sprintf("  c%03d: {device: d, holding: %d}\n", i, i)
	}
	return text
}

// marks are numbers written into the slave. Since readings come in order, all
// that was before a mark has come when it has.
type marks struct {
	s    *slave
	next uint32
}

func newMarks(s *slave) *marks { return &marks{s: s} }

func (m *marks) pass(t *testing.T, w *watcher, d time.Duration) {
	t.Helper()
	m.next += 70001
	m.s.set("holding", 5000, uint16(m.next>>16), uint16(m.next))
	eventually(t, d, fmt.Sprintf("mark %d arrives", m.next), func() bool { return w.shows("mark", fmt.Sprint(m.next)) })
}

// steady wants that a point was read on from one time to another as often as it
// should, but for a tenth, and without a pause that is not the machine's own.
func steady(t *testing.T, l *ledger, point string, every time.Duration, from, to time.Time, machine *stalls) {
	t.Helper()
	var before time.Time
	var worst time.Duration
	n := 0
	for _, r := range l.of(point) {
		at := time.UnixMilli(r.T)
		if at.Before(from) || at.After(to) {
			continue
		}
		if n++; n > 1 {
			worst = max(worst, at.Sub(before)-machine.between(before, at))
		}
		before = at
	}
	stood := machine.between(from, to)
	if want := int(float64(to.Sub(from)-stood) / float64(every) * 0.9); n < want || worst > 6*every {
		t.Errorf("%s, read every %v, has %d readings (want %d) and a pause of %v while the broker was away for %v, of which the machine stood still for %v", point, every, n, want, worst, to.Sub(from), stood)
	}
}
