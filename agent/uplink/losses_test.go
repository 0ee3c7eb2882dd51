package uplink

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

func TestABrokerThatStopsAndStarts(t *testing.T) {
	t.Parallel()
	br, b := (&broker{t: t, addr: ownHost() + ":0"}).start(), newBench(t, 4<<20)
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
	p := newPlatform(0, func(uint64) bool { return true })
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
	eventually(t, "the rest came", func() bool { return b.position("data") == sent && b.position("events") == 60 })
	p := newPlatform(0, func(n uint64) bool { return n%4 < 2 })
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
