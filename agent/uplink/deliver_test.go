package uplink

import (
	"slices"
	"strings"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"

	"pithead/agent/record"
)

func TestAConnectionBeginsWithWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	mine(b.site)
	b.readings(20)
	b.happen("red", 0)
	b.stats(record.Stat{Point: "pond.level", Good: 1})
	c := uplinkConfig("tcp://" + br.addr)
	c.Health, c.Snapshot = true, time.Minute
	u := b.uplink(c)
	stop := b.start(u)
	eventually(t, "everything is acknowledged", func() bool {
		s := u.State() // which counts a message a moment after its position has moved
		return b.position("data") == 20 && b.position("events") == 1 && b.position("stats") == 1 && s.Acked == s.Published
	})
	kinds := br.kinds()
	if kinds[0] != "status" {
		t.Errorf("the first message is %s, want status", kinds[0])
	}
	for _, k := range []string{"meta", "snapshot", "health", "events", "stats", "data"} {
		if n := slices.Index(kinds, k); n < 0 {
			t.Errorf("no %s among %v", k, kinds)
		}
	}
	// Promise 3: events and what is true now go before readings.
	if last := slices.Index(kinds, "data"); last < slices.Index(kinds, "events") || last < slices.Index(kinds, "snapshot") {
		t.Errorf("readings before events or the snapshot: %v", kinds)
	}
	for _, h := range br.of("status", "meta", "snapshot", "health", "events", "data", "stats") {
		if want := h.kind() == "status" || h.kind() == "meta" || h.kind() == "snapshot"; h.retained != want {
			t.Errorf("%s: retained %v", h.kind(), h.retained)
		}
	}
	s := u.State()
	if !s.Connected || s.Data+s.Stats+s.Events != 0 || s.Behind != 0 || s.Published != s.Acked || s.LastAck.IsZero() {
		t.Errorf("state %+v", s)
	}
	stop()
	if last := br.of("status"); len(last) != 2 || !strings.Contains(last[1].payload, `"state":"stopped"`) {
		t.Errorf("status was %v", last)
	}
	eventually(t, "the broker has noticed", func() bool {
		br.mu.Lock()
		defer br.mu.Unlock()
		return br.gone == 1
	})
	br.mu.Lock()
	defer br.mu.Unlock()
	if len(br.wills) != 0 {
		t.Errorf("after an orderly end the broker published the will: %v", br.wills)
	}
}

// Promise 4.
func TestNothingRunsOnAfterRun(t *testing.T) {
	br, b := newBroker(t), newBench(t, 1<<20)
	for i := range 3 {
		b.readings(5)
		stop := b.start(b.uplink(uplinkConfig("tcp://" + br.addr)))
		eventually(t, "the readings are acknowledged", func() bool { return b.position("data") == uint64(5*i+5) })
		stop()
	}
	br.set(func(heard) verdict { return hangUp })
	stop := b.start(b.uplink(uplinkConfig("tcp://" + br.addr)))
	eventually(t, "it connected again and again", func() bool { return len(br.of("status")) > 7 })
	stop()
	// The client's very last deferred calls may take a moment.
	end := time.Now().Add(10 * time.Second)
	n, stacks := goroutines()
	for ; n > 0 && time.Now().Before(end); n, stacks = goroutines() {
		time.Sleep(time.Millisecond)
	}
	if n > 0 {
		t.Errorf("%d goroutines are left:\n%s", n, stacks)
	}
}

// Promises 5 and 6: a broker that takes everything and acknowledges nothing
// gets a window full, and is left within twice the keepalive.
func TestABrokerThatNeverAcknowledges(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(100)
	br.set(func(heard) verdict { return swallow })
	c := uplinkConfig("tcp://" + br.addr)
	c.Batch, c.Window, c.Keepalive = 1, 4, 2*time.Second
	u := b.uplink(c)
	began := time.Now()
	b.start(u)
	eventually(t, "a window is full", func() bool { return len(br.kinds()) >= 4 })
	eventually(t, "it is given up", func() bool { return strings.Contains(u.State().LastError, "nothing was acknowledged") })
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("given up after %v, want about twice the keepalive of 2 s", took)
	}
	if n := br.first(); n != 4 {
		t.Errorf("%d messages went out unacknowledged, the window is 4", n)
	}
	if b.position("data") != 0 {
		t.Errorf("the position moved to %d", b.position("data"))
	}
	br.set(nil)
	eventually(t, "all of it is delivered in the end", func() bool { return b.position("data") == 100 })
}

// Promise 1: acknowledgements out of order move nothing before their turn.
func TestAcknowledgementsOutOfOrder(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(4)
	br.set(func(h heard) verdict {
		if h.kind() == "data" {
			return swallow
		}
		return acknowledge
	})
	c := uplinkConfig("tcp://" + br.addr)
	c.Batch = 1
	b.start(b.uplink(c))
	eventually(t, "four messages wait", func() bool { return len(br.of("data")) == 4 })
	waiting := br.of("data")
	for _, i := range []int{3, 1} {
		br.puback(waiting[i])
	}
	time.Sleep(50 * time.Millisecond) // nothing may happen, and that takes time to see
	if n := b.position("data"); n != 0 {
		t.Fatalf("the position is %d, and the first message is not acknowledged", n)
	}
	br.puback(waiting[0])
	eventually(t, "the position stands before the third", func() bool { return b.position("data") == 2 })
	time.Sleep(20 * time.Millisecond)
	if n := b.position("data"); n != 2 {
		t.Fatalf("the position is %d, and the third message is not acknowledged", n)
	}
	br.puback(waiting[2])
	eventually(t, "the position is at the end", func() bool { return b.position("data") == 4 })
}

func TestANewUplinkBeginsNowAndRemembersIt(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(30)
	b.happen("red", 0)
	c := uplinkConfig("tcp://" + freePort(t))
	c.Oldest = false
	b.start(b.uplink(c))() // it was never connected
	b.readings(5)
	b.happen("red", 0)
	c.URLs = []string{"tcp://" + br.addr}
	b.start(b.uplink(c))
	eventually(t, "the new readings came", func() bool { return b.position("data") == 35 && b.position("events") == 2 })
	e := parse(t, []byte(br.of("data")[0].payload))
	if e.Prev != 30 || e.Readings[0].N != 31 {
		t.Errorf("the first message begins behind %d with %d, want 30 and 31", e.Prev, e.Readings[0].N)
	}
	if evs := br.of("events"); len(evs) != 1 || !strings.Contains(evs[0].payload, `"n":2,`) {
		t.Errorf("events %v", evs)
	}
}

func TestWhatTheSiteFileLeavesOutIsNotSent(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(5)
	b.happen("red", 0)
	b.stats(record.Stat{Point: "pond.level", Good: 1})
	c := uplinkConfig("tcp://" + br.addr)
	c.Data, c.Stats, c.Health, c.Snapshot = false, false, false, 0
	b.start(b.uplink(c))
	eventually(t, "all that it sends came", func() bool { return b.position("events") == 1 && len(br.of("meta")) == 1 })
	b.happen("red", 0) // after which it would have sent the rest, too
	eventually(t, "one more event came", func() bool { return b.position("events") == 2 })
	if kinds := br.kinds(); !slices.Equal(kinds, []string{"status", "events", "meta", "events"}) && !slices.Equal(kinds, []string{"status", "meta", "events", "events"}) {
		t.Errorf("sent %v", kinds)
	}
}

func TestTheRunEndsThoughTheBrokerIsSilent(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(100)
	br.set(func(heard) verdict { return swallow })
	c := uplinkConfig("tcp://" + br.addr)
	c.Batch, c.Window = 1, 2
	stop := b.start(b.uplink(c))
	eventually(t, "the window is full", func() bool { return len(br.kinds()) == 2 })
	began := time.Now()
	stop()
	if took := time.Since(began); took > c.Keepalive/2 {
		t.Errorf("it took %v", took)
	}
	eventually(t, "it said that it stopped", func() bool { // to a broker that may read it a moment later
		last := br.of("status")
		return strings.Contains(last[len(last)-1].payload, "stopped")
	})
}

func TestAGatewayThatDisappearsIsOffline(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(1)
	br.set(func(h heard) verdict {
		if h.kind() == "data" {
			return hangUp
		}
		return acknowledge
	})
	b.start(b.uplink(uplinkConfig("tcp://" + br.addr)))
	eventually(t, "the will is published", func() bool {
		br.mu.Lock()
		defer br.mu.Unlock()
		return len(br.wills) > 0
	})
	br.mu.Lock()
	defer br.mu.Unlock()
	if w := br.wills[0]; w.kind() != "status" || !w.retained || !strings.Contains(w.payload, `"state":"offline"`) || !strings.Contains(w.payload, `"session":"5e55"`) {
		t.Errorf("the will is %+v", w)
	}
}

func TestThreeQuickEndsAreToldAsAFault(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	c := uplinkConfig("tcp://" + br.addr)
	c.Batch = 1
	u := b.uplink(c)
	b.start(u)
	thrown := map[*mochi.Client]int{}
	eventually(t, "the fault is told", func() bool {
		b.readings(1)
		for _, h := range br.of("data") {
			if thrown[h.client]++; thrown[h.client] == 5 { // amid messages that are acknowledged, as when another takes over
				h.client.Net.Conn.Close()
			}
		}
		return u.State().Fault == sameID
	})
}

// Some brokers hang up on what their access list forbids, or what is too long.
func TestABrokerThatHangsUpOnOneTopicIsToldAsThat(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(3)
	br.set(func(h heard) verdict {
		if h.kind() == "data" {
			return hangUp
		}
		return acknowledge
	})
	u := b.uplink(uplinkConfig("tcp://" + br.addr))
	b.start(u)
	eventually(t, "the fault is told", func() bool {
		return strings.Contains(u.State().Fault, "each message on pithead/v1/shidian-tsf/gw-01/data")
	})
	if b.position("data") != 0 {
		t.Error("what the broker hung up on counts as delivered")
	}
}
