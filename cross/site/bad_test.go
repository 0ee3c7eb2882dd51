//go:build site

package site

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// bad is how long links are bad; make test-links takes half an hour.
var bad = flag.Duration("bad", 2*time.Minute, "how long links are bad")

// swinging is a site whose ten points swing over their limits and back, each
// once in ten seconds.
func swinging(port int) string {
	text := counters(port, 10)
	for i := 1; i < 10; i++ {
		text = replaceOnce(text, fmt.Sprintf("c%03d: {device: d, holding: %d}", i, i),
			fmt.Sprintf("c%03d: {device: d, holding: %d, alarms: [{level: red, above: 100, clear: 90}]}", i, i))
	}
	return text
}

// swing moves one of them each second.
func swing(s *slave, stop chan struct{}) {
	for i := 0; ; i++ {
		s.set("holding", i%10, uint16(50+100*(i/10%2)))
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
	}
}

// through is the broker's block of a site file, by another way.
func (b *broker) through(address string) string {
	text := strings.Replace(b.uplink(), fmt.Sprintf("127.0.0.1:%d", b.port), address, 1)
	return strings.Replace(text, "snapshot: 10s", "snapshot: 10s\n    keepalive: 5s", 1)
}

// Two seconds of latency; gone for half of each minute; cut in the middle of a
// packet, or open in name only, in the other half: no hole, no wrong order, and
// alarms arrive in at most twice the time that a plain client needs over the same link.
func TestABadLink(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	l := newLink(t, b.port)
	port := freePort(t)
	s := tcpSlave(t, port)
	g := install(t, racer, swinging(port)+b.through(fmt.Sprintf("127.0.0.1:%d", l.port)))
	conf, err := ca.client("watcher")
	if err != nil {
		t.Fatal(err)
	}
	made := func(o *mqtt.ClientOptions) {
		o.AddBroker(fmt.Sprintf("ssl://127.0.0.1:%d", l.port)).SetTLSConfig(conf)
	}
	g.start(t)
	marks := newMarks(s)
	marks.pass(t, w, 30*time.Second)
	spent := time.Duration(0)
	for round := range rounds {
		p := &pulse{made: made, name: round}
		stop := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() { p.beats(stop) })
		all.Go(func() { swing(s, stop) })
		began := time.Now()
		for minute := 0; time.Since(began) < *bad; minute++ {
			l.worse(minute)
		}
		close(stop)
		l.without("late")
		marks.pass(t, w, 150*time.Second+*bad/4) // the backlog comes at its rate
		all.Wait()
		if spent += *bad; isFast(w.messages()) {
			break
		}
	}
	g.stop(t)
	time.Sleep(time.Second)
	judgeLink(t, g, w, fmt.Sprintf("%v of a bad link", spent))
}

// worse is one bad minute.
func (l *link) worse(minute int) {
	l.up(false)
	if minute == 0 {
		l.toxic("late", "latency", "upstream", map[string]any{"latency": 2000})
	}
	time.Sleep(30 * time.Second)
	l.up(true)
	time.Sleep(12 * time.Second)
	if minute%2 == 0 {
		l.toxic("cut", "limit_data", "upstream", map[string]any{"bytes": 700 + 37*minute})
		time.Sleep(4 * time.Second)
		l.without("cut")
		time.Sleep(14 * time.Second)
		return
	}
	for _, stream := range []string{"upstream", "downstream"} {
		l.toxic("still-"+stream, "timeout", stream, map[string]any{"timeout": 0})
	}
	time.Sleep(14 * time.Second)
	for _, stream := range []string{"upstream", "downstream"} {
		l.without("still-" + stream)
	}
	time.Sleep(4 * time.Second)
}

// judgeLink judges what came over a link that was bad.
func judgeLink(t *testing.T, g *agent, w *watcher, what string) {
	t.Helper()
	l := newLedger(w.under("pithead/v1"))
	l.whole(t)
	verified(t, g, l)
	g.sound(t)
	asFast(t, w.messages(), what)
	figure(t, "%s: %d readings, n %d to %d without a hole, %d events, %d repeats, %d connections", what, len(l.readings), l.first+1, l.last, len(l.events), l.repeats, l.online)
}
