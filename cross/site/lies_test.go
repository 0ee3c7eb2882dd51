//go:build site

package site

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A lieCase is one way to answer wrongly, and what the quality may say at first.
type lieCase struct {
	m    manner
	want string // first bad quality; several where the wire can't tell them apart
}

// An answer that never fits is broken; one that can't be told from silence is
// silence. Once a unit has failed often enough it is offline, which is comm too.
var liesTCP = []lieCase{
	{silent, "comm"}, {late, "comm"}, {short, "protocol"}, {long, "protocol"}, {truncated, "comm protocol"},
	{wrongUnit, "protocol"}, {wrongCode, "protocol"}, {wrongID, "comm protocol"}, {wrongLength, "comm protocol"},
	{failing, "exception"}, {oddException, "protocol"}, {garbage, "protocol"},
}

// On a serial line a frame from elsewhere is dropped, and the rest is silence.
var liesRTU = []lieCase{
	{silent, "comm"}, {late, "comm"}, {short, "protocol"}, {long, "protocol"}, {truncated, "comm protocol"},
	{wrongUnit, "comm protocol"}, {wrongCode, "comm protocol"}, {badCRC, "protocol"},
	{failing, "exception"}, {oddException, "comm protocol"}, {garbage, "comm protocol"},
}

// No answer that is broken gives a value, over TCP.
func TestNoLieOverTCPBecomesAValue(t *testing.T) {
	t.Parallel()
	l := newLiar()
	var buses, devices strings.Builder
	for i := range liesTCP {
		// A port for each, so that a connection one has spoilt is not another's.
		fmt.Fprintf(&buses, "  bus%d: {tcp: \"%s\", timeout: 300ms}\n", i+1, l.listen(t, "127.0.0.1:0"))
		fmt.Fprintf(&devices, "  u%d: {bus: bus%d, unit: %d, every: 500ms}\n", i+1, i+1, i+1)
	}
	lies(t, l, liesTCP, buses.String(), devices.String())
}

// Nor on a serial line, where all of them lie at the same time to one master.
func TestNoLieOnASerialLineBecomesAValue(t *testing.T) {
	t.Parallel()
	l := newLiar()
	a, b := serialLine(t)
	l.openLine(t, b)
	buses := fmt.Sprintf("  rs1: {serial: %s, baud: 115200, timeout: 300ms}\n", a)
	var devices strings.Builder
	for i := range liesRTU {
		// Numbers apart, so that the next unit's number is nobody's.
		fmt.Fprintf(&devices, "  u%d: {bus: rs1, unit: %d, every: 5s}\n", i+1, 3*(i+1))
	}
	lies(t, l, liesRTU, buses, devices.String())
}

// lies lets all units be honest, then lie, then be honest again.
func lies(t *testing.T, l *liar, cases []lieCase, buses, devices string) {
	machine := watchStalls(t)
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	points := ""
	for i := range cases {
		for at := range 2 { // two registers a request, so that short is one and long is three
			points += fmt.Sprintf("  u%d.r%d: {device: u%d, holding: %d}\n", i+1, at, i+1, at)
		}
	}
	g := install(t, racer, "\nbuses:\n"+buses+"devices:\n"+devices+"points:\n"+points+b.uplink())
	unit := func(i int) byte {
		if strings.Contains(buses, "serial") {
			return byte(3 * (i + 1))
		}
		return byte(i + 1)
	}
	id := func(i, at int) string { return fmt.Sprintf("u%d.r%d", i+1, at) }
	good := func(phase string) {
		for i, c := range cases {
			want := fmt.Sprint(truth(unit(i), 1))
			eventually(t, 60*time.Second, phase+": "+c.m.String()+" is honest", func() bool { return w.shows(id(i, 1), want) })
		}
	}
	g.start(t)
	good("at first")
	began := time.Now()
	for i, c := range cases {
		l.be(unit(i), c.m)
	}
	for i, c := range cases {
		eventually(t, 30*time.Second, c.m.String()+": the quality says so", func() bool { return w.point(id(i, 0)).Q != "" })
	}
	time.Sleep(12 * time.Second) // and go on lying
	for i := range cases {
		l.be(unit(i), honest)
	}
	good("afterwards")
	g.stop(t)
	g.sound(t)
	book := w.ledger()
	book.whole(t)
	for i, c := range cases {
		said := ""
		for at := range uint16(2) {
			said += judgeLies(t, book, c, unit(i), id(i, int(at)), at, began, machine)
		}
		figure(t, "%-14s %s", c.m, said)
	}
}

// judgeLies wants only the truth among the values of a point, and the right
// cause first among the bad ones since the lies began. An honest answer may come
// too late, too, where the machine stands still.
func judgeLies(t *testing.T, l *ledger, c lieCase, unit byte, id string, at uint16, began time.Time, machine *stalls) string {
	t.Helper()
	var causes []string
	for _, r := range l.of(id) {
		if r.Q == "" {
			if string(r.V) != fmt.Sprint(truth(unit, at)) {
				t.Errorf("%s: %s was published as %s", c.m, id, r.V)
			}
			continue
		}
		when := time.UnixMilli(r.T)
		late := r.Q == "comm" && !strings.Contains(c.want, "comm") && len(causes) == 0
		if when.Before(began) || late && machine.between(when.Add(-2*time.Second), when) > 100*time.Millisecond {
			continue
		}
		if len(causes) == 0 || causes[len(causes)-1] != r.Q {
			causes = append(causes, r.Q)
		}
		if r.Q == "exception" && r.X != 4 {
			t.Errorf("%s: %s: exception %d, want 4", c.m, id, r.X)
		}
	}
	if len(causes) == 0 || !strings.Contains(c.want, causes[0]) {
		t.Errorf("%s: %s went %v, want %s first", c.m, id, causes, c.want)
	}
	return fmt.Sprintf("%s %v  ", id, causes)
}
