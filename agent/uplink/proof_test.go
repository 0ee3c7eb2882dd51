package uplink

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// hashes follows the rule of agent/event/README.md over messages, and says
// where a connection began anew.
func hashes(t *testing.T, payloads []string) (begins int, last string) {
	t.Helper()
	var h [sha256.Size]byte
	for i, p := range payloads {
		open, rest, ok := strings.Cut(p, `,"h":"sha256:`)
		if !ok || len(rest) != 66 {
			t.Fatalf("message %d has no h at its end: %s", i, p)
		}
		want := rest[:64]
		next := sha256.Sum256(append(h[:], open...))
		if hex.EncodeToString(next[:]) != want {
			next = sha256.Sum256(append(make([]byte, 32), open...))
			begins++
		} else if i == 0 {
			begins++
		}
		if hex.EncodeToString(next[:]) != want {
			t.Fatalf("message %d does not follow the one before it", i)
		}
		h, last = next, "sha256:"+want
	}
	return begins, last
}

func TestReadingsCarryARunningHashThatAnAnchorSigns(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(100)
	c := uplinkConfig("tcp://" + br.addr)
	c.Batch = 10
	u := b.uplink(c)
	stop := b.start(u)
	eventually(t, "all is there", func() bool { return b.position("data") == 100 })
	if err := u.Resend("7f", 11, 30); err != nil {
		t.Fatal(err)
	}
	eventually(t, "and again", func() bool { return !u.waits("7f") })
	stop()
	stop = b.start(b.uplink(c))
	b.readings(5)
	eventually(t, "more is there", func() bool { return b.position("data") == 105 })
	stop()
	var payloads []string
	for _, h := range br.of("data") {
		payloads = append(payloads, h.payload)
	}
	begins, last := hashes(t, payloads)
	b.mu.Lock()
	defer b.mu.Unlock()
	if begins != 2 || len(b.anchors) != 2 || b.anchors[1] != (Anchor{Uplink: "county", Epoch: b.log.Epoch(), Last: 105, H: last}) {
		t.Errorf("%d connections, anchors %+v, the last h is %s", begins, b.anchors, last)
	}
}

func TestTheVectorsOfReadings(t *testing.T) {
	text, err := os.ReadFile("../event/testdata/readings.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	payloads := strings.Split(strings.TrimSpace(string(text)), "\n")
	begins, last := hashes(t, payloads)
	if begins != 1 {
		t.Errorf("%d runs", begins)
	}
	readme, err := os.ReadFile("../event/README.md")
	if err != nil || !strings.Contains(string(readme), last) {
		t.Errorf("the README does not say %s; %v", last, err)
	}
	var p proof
	for i, want := range payloads {
		open, _, _ := strings.Cut(want, `,"h":`)
		if got := p.add(message{kind: dataLane, payload: []byte(open + "}")}); string(got.payload) != want {
			t.Errorf("message %d: %s", i, got.payload)
		}
	}
}

func TestWhatThePlatformRemembersIsJudgedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status string
		head   uint64 // where the run before ended; this one has told the rest of the two
		forks  int
	}{
		"an old image":                          {`{"v":1,"epoch":"EPOCH","event":5,"kid":"k"}`, 2, 1},
		"as it was":                             {`{"v":1,"epoch":"EPOCH","session":"of before","event":2}`, 2, 0},
		"an old image that has caught up since": {`{"v":1,"epoch":"EPOCH","session":"of before","event":2}`, 1, 1},
		"of this very run":                      {`{"v":1,"epoch":"EPOCH","session":"5e55","event":2}`, 1, 0},
		"another card":                          {`{"v":1,"epoch":"ffff","event":1}`, 2, 1},
		"no status at all":                      {`online`, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			br, b := newBroker(t), newBench(t, 1<<20)
			b.happen("red", 0)
			b.happen("red", 0)
			br.say("status", strings.ReplaceAll(c.status, "EPOCH", b.log.Epoch()), true)
			e := b.env()
			e.Head = c.head
			b.start(New(uplinkConfig("tcp://"+br.addr), e))
			eventually(t, "all is sent", func() bool { return b.position("events") == 2 })
			told := func() int {
				b.mu.Lock()
				defer b.mu.Unlock()
				return len(b.forks)
			}
			eventually(t, "what is retained was judged", func() bool { return told() >= c.forks }) // it comes beside what is sent
			if told() != c.forks {
				t.Errorf("forks %+v", b.forks)
			}
		})
	}
}
