package uplink

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestACommandIsDoneAndAnswered(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	br.say("command", "kept by the broker", true)
	c := uplinkConfig("tcp://" + br.addr)
	u := b.uplink(c)
	b.start(u)
	eventually(t, "it is there", func() bool { return len(br.of("status")) == 1 })
	br.say("command", "from now", false)
	eventually(t, "the reply came", func() bool { return len(br.of("reply")) == 1 })
	if r := br.of("reply")[0]; r.payload != "done on county" || r.retained {
		t.Errorf("got %+v", r)
	}
	br.say("command", strings.Repeat("x", 2<<20), false)
	eventually(t, "the long one is answered too", func() bool { return len(br.of("reply")) == 2 })
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.orders) != 2 || b.orders[0] != "from now" {
		t.Errorf("got %d commands, the first %.20q", len(b.orders), b.orders[0])
	}
	if n := len(b.orders[len(b.orders)-1]); n > mostIn || n < mostIn/2 {
		t.Errorf("of 2 MB %d bytes came", n)
	}
}

func TestMoreCommandsThanCanWaitAreCounted(t *testing.T) {
	b := newBench(t, 1<<20)
	u := b.uplink(uplinkConfig())
	for range mostOrders + 5 {
		u.hear(arrived{topic: u.topic("command"), payload: []byte("x")})
	}
	if b.overrun != 5 || len(u.orders) != mostOrders {
		t.Errorf("%d wait, %d are refused", len(u.orders), b.overrun)
	}
}

// What was asked for again is covered whole, though points are left out and the
// broker cuts the connection in between.
func TestReadingsAreSentAgain(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(1000)
	c := uplinkConfig("tcp://" + br.addr)
	c.Points, c.Batch = []string{"pond.*"}, 50
	u := b.uplink(c)
	b.start(u)
	eventually(t, "all is delivered", func() bool { return b.position("data") >= 997 })
	seen := 0
	br.set(func(h heard) verdict {
		if strings.Contains(h.payload, `"resend"`) {
			if seen++; seen == 3 {
				return hangUp
			}
		}
		return acknowledge
	})
	if err := u.Resend("7f", 101, 900); err != nil {
		t.Fatal(err)
	}
	again := func() (es []envelope) {
		for _, h := range br.of("data") {
			if strings.Contains(h.payload, `"resend":"7f"`) {
				es = append(es, parse(t, []byte(h.payload)))
			}
		}
		return es
	}
	eventually(t, "all was sent again", func() bool { return !u.waits("7f") })
	covered, have := uint64(100), map[uint64]bool{}
	for _, e := range again() {
		if e.Prev > covered {
			t.Errorf("a hole behind %d: the message covers from %d", covered, e.Prev)
		}
		covered = max(covered, e.Last)
		for _, r := range e.Readings {
			if r.N < 101 || r.N > 900 || !strings.HasPrefix(r.P, "pond.") {
				t.Errorf("reading %d of %s was not asked for", r.N, r.P)
			}
			have[r.N] = true
		}
	}
	if covered != 900 || len(have) != 400 {
		t.Errorf("covered to %d, %d readings", covered, len(have))
	}
	if n := b.position("data"); n < 997 {
		t.Errorf("the position went back to %d", n)
	}
	for _, r := range [][2]uint64{{0, 5}, {9, 5}, {5000, 6000}} {
		if err := u.Resend("8", r[0], r[1]); err == nil {
			t.Errorf("%v is taken", r)
		}
	}
}

func TestAnInletShortensWhatIsTooLong(t *testing.T) {
	packet := func(kind byte, n int) []byte {
		return append(appendLength([]byte{kind}, n), bytes.Repeat([]byte{'a'}, n)...)
	}
	stream := bytes.Join([][]byte{packet(0x32, 10), packet(0x40, 2), packet(0x32, mostIn+70_000), packet(0xd0, 0), packet(0x30, mostIn)}, nil)
	want := bytes.Join([][]byte{packet(0x32, 10), packet(0x40, 2), packet(0x32, mostIn), packet(0xd0, 0), packet(0x30, mostIn)}, nil)
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream))} {
		got, err := io.ReadAll(&inlet{r: r})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d; %v", name, len(got), len(want), err)
		}
	}
	for _, bad := range [][]byte{{0x32, 0xff, 0xff, 0xff, 0xff, 1}, packet(0x90, mostIn+1)} {
		if _, err := io.ReadAll(&inlet{r: bytes.NewReader(bad)}); err == nil {
			t.Error("taken")
		}
	}
}

func FuzzInlet(f *testing.F) {
	f.Add([]byte{0x32, 3, 0, 1, 'a', 0xd0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := io.ReadAll(&inlet{r: bytes.NewReader(b)})
		if len(got) > len(b) {
			t.Errorf("%d bytes of %d", len(got), len(b))
		}
	})
}

func TestASnapshotWhenAskedFor(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	u := b.uplink(uplinkConfig("tcp://" + br.addr)) // which sends none by itself
	b.start(u)
	eventually(t, "it is there", func() bool { return len(br.of("meta")) == 1 })
	u.SnapshotNow()
	eventually(t, "the snapshot came", func() bool { return len(br.of("snapshot")) == 1 })
	var s map[string]any
	if err := json.Unmarshal([]byte(br.of("snapshot")[0].payload), &s); err != nil {
		t.Error(err)
	}
}
