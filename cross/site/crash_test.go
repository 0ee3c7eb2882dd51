//go:build site

package site

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const kills = 50

// Killed fifty times while readings flow and the broker comes and goes, the
// agent loses nothing that was durable, uses no number twice, and raises no
// alarm again. No person helps it.
func TestFiftyPowerCuts(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s := tcpSlave(t, port)
	s.set("holding", 0, 50)
	s.set("holding", 1, 150) // c001 stands from the beginning to the end
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	g := install(t, pithead, latching(counters(port, 30))+b.uplink())
	machine := watchStalls(t)
	machine.disk(t)
	g.start(t)
	marks := newMarks(s)
	marks.pass(t, w, 20*time.Second)
	eventually(t, 10*time.Second, "the standing alarm", func() bool { return w.counts("c001/stand", "active") == 1 })

	dice := rand.New(rand.NewPCG(1, 2))
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { comeAndGo(t, b, stop) })
	others.Go(func() { wiggle(s, stop) })
	cuts := cutPower(t, g, dice)
	close(stop)
	others.Wait()

	s.set("holding", 0, 50)
	marks.pass(t, w, 150*time.Second)
	eventually(t, 20*time.Second, "c000 is normal again", func() bool { return w.alarm("c000/red") == "normal" })
	g.stop(t)
	eventually(t, 10*time.Second, "status stopped", func() bool { return w.state() == "stopped" })
	afterwards(t, w.ledger(), g, cuts, machine)
}

// latching gives c001 an alarm that stays.
func latching(site string) string {
	return replaceOnce(site, "c001: {device: d, holding: 1}",
		"c001: {device: d, holding: 1, alarms: [{id: stand, level: orange, above: 100, clear: 90, latch: true}]}")
}

// cutPower kills and restarts the agent, and returns when each run began and ended.
func cutPower(t *testing.T, g *agent, dice *rand.Rand) (cuts []cut) {
	began := time.Now()
	for i := range kills {
		// Mostly while it runs, now and then while it is still starting.
		live := time.Duration(dice.IntN(5000)) * time.Millisecond
		if i%8 == 0 {
			live = time.Duration(dice.IntN(150)) * time.Millisecond
		}
		time.Sleep(live)
		if g.ended() {
			t.Fatalf("run %d ended by itself: %v", g.starts, g.err)
		}
		g.kill()
		cuts = append(cuts, cut{began, time.Now()})
		g.bin = pithead
		if i%2 == 0 {
			g.bin = racer
		}
		began = time.Now()
		g.start(t)
	}
	return cuts
}

// A cut is one run of the agent, from its start to its kill.
type cut struct{ began, killed time.Time }

// comeAndGo takes the broker away for seconds at a time.
func comeAndGo(t *testing.T, b *broker, stop chan struct{}) {
	dice := rand.New(rand.NewPCG(3, 4))
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(4000+dice.IntN(10000)) * time.Millisecond):
		}
		b.stop(t)
		time.Sleep(time.Duration(500+dice.IntN(5000)) * time.Millisecond)
		b.start(t)
	}
}

// wiggle moves c000 over its limit and back, and c002 up by one ten times a second.
func wiggle(s *slave, stop chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
		s.set("holding", 2, uint16(i))
		if i%70 == 0 {
			s.set("holding", 0, 150)
		}
		if i%70 == 35 {
			s.set("holding", 0, 50)
		}
	}
}

// afterwards judges the whole story.
func afterwards(t *testing.T, l *ledger, g *agent, cuts []cut, machine *stalls) {
	t.Helper()
	l.whole(t)
	g.sound(t)
	if got := fmt.Sprint(l.states("c001/stand")); got != "[active]" {
		t.Errorf("the alarm that stood all the time went %s, want one active", got)
	}
	raised := 0
	last := "normal"
	for _, s := range l.states("c000/red") {
		if s == last {
			t.Errorf("c000/red was %s twice in a row: %v", s, l.states("c000/red"))
			break
		}
		if s == "active" {
			raised++
		}
		last = s
	}
	if raised < 3 {
		t.Errorf("c000/red was raised %d times; the test saw too little", raised)
	}
	if l.epoch == "" {
		t.Error("no epoch")
	}
	verified(t, g, l)
	usual, most := unstored(t, l, cuts, machine)
	figure(t, "%d kills, %d readings and %d events whole, %d repeats, %d alarms raised once each, %d connections; of readings not yet durable at a kill %v in four of five, %v at most",
		kills, len(l.readings), len(l.events), l.repeats, raised, l.online, usual, most)
}

// unstored is the time before a kill from which no reading is there, where the
// agent had been storing some and neither the machine nor its disk stood still: of four kills
// in five, and at most. With a poll each 500 ms and a commit each 200 ms it may be a
// second and a half on a busy machine.
func unstored(t *testing.T, l *ledger, cuts []cut, machine *stalls) (usual, most time.Duration) {
	t.Helper()
	c := l.of("c002")
	i := 0
	var all []time.Duration
	for _, one := range cuts {
		for i < len(c) && c[i].T <= one.killed.UnixMilli() {
			i++
		}
		if i > 0 && c[i-1].T >= one.began.UnixMilli() { // a short run stores nothing
			last := time.UnixMilli(c[i-1].T)
			all = append(all, one.killed.Sub(last)-machine.between(last, one.killed))
		}
	}
	if len(all) < kills/5 {
		t.Fatalf("of %d runs only %d stored something; the test saw too little", len(cuts), len(all))
	}
	slices.Sort(all)
	usual, most = all[len(all)*4/5].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond)
	if usual > 1500*time.Millisecond {
		t.Errorf("%v of readings before a kill are not there, at one kill in five", usual)
	}
	return usual, most
}
