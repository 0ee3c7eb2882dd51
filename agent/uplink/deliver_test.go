package uplink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
		return b.position("data") == 20 && b.position("events") == 1 && b.position("stats") == 1
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
	end := time.Now().Add(500 * time.Millisecond)
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
	c.Batch, c.Window = 1, 4
	u := b.uplink(c)
	began := time.Now()
	b.start(u)
	eventually(t, "a window is full", func() bool { return len(br.kinds()) == 4 })
	eventually(t, "it is given up", func() bool { return strings.Contains(u.State().LastError, "nothing was acknowledged") })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("given up after %v, want about twice the keepalive of 2 s", took)
	}
	if n := len(br.kinds()); n != 4 {
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
	c.Keepalive = 10 * time.Second
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

func TestABrokerThatStopsAndStarts(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 4<<20)
	u := b.uplink(uplinkConfig("tcp://127.0.0.1:1", "tcp://"+br.addr)) // and the first of two is never there
	b.start(u)
	sent := 0
	for range 3 {
		b.readings(50)
		sent += 50
		eventually(t, "the readings are acknowledged", func() bool { return b.position("data") == uint64(sent) })
		br.stop()
		b.readings(50)
		b.happen("blue", 0)
		sent += 50
		eventually(t, "the loss is noticed", func() bool { return !u.State().Connected })
		if s := u.State(); s.Data != 50 || s.Events != 1 {
			t.Errorf("backlog %d and %d, want 50 and 1", s.Data, s.Events)
		}
		br.start()
		eventually(t, "it is there again", func() bool { return u.State().Connected })
	}
	eventually(t, "the rest came", func() bool { return b.position("data") == uint64(sent) && b.position("events") == 3 })
	p := newPlatform(t, 0, func(uint64) bool { return true })
	for _, h := range br.of("data") {
		// All was acknowledged before each stop, so nothing may come twice.
		if err := p.take(parse(t, []byte(h.payload)), false); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(br.of("events")); n != 3 {
		t.Errorf("3 events came %d times", n)
	}
	if err := p.whole(uint64(sent)); err != nil {
		t.Error(err)
	}
}

// Promises 1 to 3 through the client: at random the broker hangs up, forgets
// to acknowledge, or the gateway is started anew, while readings and events come.
func TestRandomLossesOfTheLink(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 4<<20)
	var dice atomic.Uint64
	br.set(func(h heard) verdict {
		switch rand.New(rand.NewPCG(dice.Add(1), 9)).IntN(30) {
		case 0:
			return hangUp
		case 1:
			h.client.Net.Conn.Close()
		}
		return acknowledge
	})
	r := rand.New(rand.NewPCG(5, 5))
	c := uplinkConfig("tcp://" + br.addr)
	c.Points = []string{"pond.*"}
	var sent uint64
	for range 6 {
		c.Batch, c.Window = 1+r.IntN(20), 1+r.IntN(10)
		stop := b.start(b.uplink(c))
		for range 10 {
			b.readings(30)
			b.happen("blue", 0)
			sent += 30
			time.Sleep(5 * time.Millisecond)
		}
		stop()
	}
	br.set(nil)
	b.start(b.uplink(c))
	eventually(t, "the rest came", func() bool { return b.position("data") >= sent-3 && b.position("events") == 60 })
	p := newPlatform(t, 0, func(n uint64) bool { return n%4 < 2 })
	var client any
	for _, h := range br.of("data") {
		if err := p.take(parse(t, []byte(h.payload)), h.client != client); err != nil {
			t.Fatal(err)
		}
		client = h.client
	}
	if err := p.whole(sent); err != nil {
		t.Error(err)
	}
	inOrder(t, br.of("events"), 60)
}

// inOrder says that events 1 to n came, in order but for going back.
func inOrder(t *testing.T, hs []heard, n int) {
	t.Helper()
	next := 1
	for _, h := range hs {
		var got int
		if _, err := fmt.Sscanf(h.payload, `{"v":1,"n":%d,`, &got); err != nil {
			t.Fatal(err)
		}
		if got > next {
			t.Fatalf("event %d comes after %d", got, next-1)
		}
		next = max(next, got+1)
	}
	if next != n+1 {
		t.Errorf("event %d was the last, want %d", next-1, n)
	}
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
	eventually(t, "the event came", func() bool { return b.position("events") == 1 })
	time.Sleep(30 * time.Millisecond)
	if kinds := br.kinds(); !slices.Equal(kinds, []string{"status", "events", "meta"}) && !slices.Equal(kinds, []string{"status", "meta", "events"}) {
		t.Errorf("sent %v", kinds)
	}
}

func TestTheRunEndsThoughTheBrokerIsSilent(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(100)
	br.set(func(heard) verdict { return swallow })
	c := uplinkConfig("tcp://" + br.addr)
	c.Keepalive, c.Batch, c.Window = 30*time.Second, 1, 2
	stop := b.start(b.uplink(c))
	eventually(t, "the window is full", func() bool { return len(br.kinds()) == 2 })
	began := time.Now()
	stop()
	if took := time.Since(began); took > 3500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	if last := br.of("status"); !strings.Contains(last[len(last)-1].payload, "stopped") {
		t.Error("it never said that it stopped")
	}
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
	br.set(func(heard) verdict { return hangUp })
	u := b.uplink(uplinkConfig("tcp://" + br.addr))
	b.start(u)
	eventually(t, "the fault is told", func() bool { return u.State().Fault == sameID })
}

func TestFewerPartsTakeBackTheRest(t *testing.T) {
	b := newBench(t, 1<<20)
	c := control{Uplink: b.uplink(uplinkConfig())}
	topics := func(n int) (ts []string) {
		for _, m := range c.parts("meta", slices.Repeat([][]byte{{'{', '}'}}, n)) {
			ts = append(ts, fmt.Sprintf("%s %d", strings.TrimPrefix(m.topic, "pithead/v1/shidian-tsf/gw-01/"), len(m.payload)))
		}
		slices.Sort(ts)
		return ts
	}
	for _, c := range []struct {
		n    int
		want []string
	}{
		{1, []string{"meta 2"}},
		{3, []string{"meta 0", "meta/0 2", "meta/1 2", "meta/2 2"}},
		{2, []string{"meta/0 2", "meta/1 2", "meta/2 0"}},
		{1, []string{"meta 2", "meta/0 0", "meta/1 0"}},
	} {
		if got := topics(c.n); !slices.Equal(got, c.want) {
			t.Errorf("%d parts: %q, want %q", c.n, got, c.want)
		}
	}
}

func TestSnapshotsComeOftenWhileBehind(t *testing.T) {
	b := newBench(t, 1<<20)
	asked := 0
	e := b.env()
	fail := false
	e.Snapshot = func(context.Context) (Snapshot, error) {
		if asked++; fail {
			return Snapshot{}, errors.New("the judge is busy")
		}
		return Snapshot{}, nil
	}
	cfg := uplinkConfig()
	cfg.Snapshot = 10 * time.Minute
	c := control{Uplink: New(cfg, e)}
	now := time.Now()
	at := func(after time.Duration, behind bool) bool {
		_, ok := c.next(t.Context(), now.Add(after), behind)
		return ok
	}
	for _, s := range []struct {
		after  time.Duration
		behind bool
		want   bool
	}{
		{0, false, true}, {time.Minute, false, false}, {time.Minute, true, true}, {79 * time.Second, true, false},
		{80 * time.Second, true, true}, {5 * time.Minute, false, false}, {680 * time.Second, false, true},
	} {
		if got := at(s.after, s.behind); got != s.want {
			t.Errorf("after %v, behind %v: a snapshot %v, want %v", s.after, s.behind, got, s.want)
		}
	}
	fail, asked = true, 0
	at(30*time.Minute, false)
	at(30*time.Minute+9*time.Second, false)
	if asked != 1 {
		t.Errorf("asked %d times within 9 s", asked)
	}
	fail = false
	if !at(30*time.Minute+10*time.Second, false) {
		t.Error("not asked again after 10 s")
	}
}

func TestBehind(t *testing.T) {
	b := newBench(t, 1<<20)
	u := b.uplink(uplinkConfig())
	for _, c := range []struct {
		name string
		old  mark
		want bool
	}{
		{"nothing waits", mark{}, false},
		{"a young one", mark{set: true, boot: boot, m: 950_000}, false},
		{"an old one", mark{set: true, boot: boot, m: 930_000}, true},
		{"of another boot", mark{set: true, boot: 3, m: 999_999}, true},
		{"of another boot, by the clock", mark{set: true, boot: 3, known: true, t: wall + 999_999}, false},
	} {
		u.oldest(c.old)
		if got := u.behind(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
