package agent

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"pithead/agent/event"
	"pithead/agent/uplink"
	"pithead/config"
)

// An ear is a broker that keeps what is published, by the last word of its topic.
type ear struct {
	addr string
	mu   sync.Mutex
	said map[string][]string
}

func listening(t *testing.T) *ear {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{addr: l.Addr().String(), said: map[string][]string{}}
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.AddListener(listeners.NewNet("ear", l)); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	err = s.Subscribe("#", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		e.mu.Lock()
		defer e.mu.Unlock()
		kind := pk.TopicName[strings.LastIndex(pk.TopicName, "/")+1:]
		e.said[kind] = append(e.said[kind], string(pk.Payload))
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *ear) heard(kind string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.said[kind]...)
}

// A woken board is in 1970 for an hour; then its clock is set, by hand; then
// somebody sets it back by ten minutes; then it boots again, and its clock is
// synced. The platform gets all of it with the true time, or none, and alarms come
// when they should.
func TestABoardThatWakesIn1970(t *testing.T) {
	dir := t.TempDir()
	e := listening(t)
	to := func(addr string) *config.Site {
		site := simSite(t, dir, strings.NewReplacer("every: 1s", "every: 2s",
			"stats: 1m", "uplinks: {county: {mqtt: \"tcp://"+addr+"\", rate: 0}}").Replace(pondSite))
		site.Buffer.Size = 64 << 20 // all of it
		return site
	}
	site := to("127.0.0.1:1") // where nobody listens
	built := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	// What is true, and what the board's clock says, of a moment of the bubble.
	const ahead = 27 * 365 * 24 * time.Hour
	truth := func(now time.Time) time.Time { return now.Add(ahead) }
	const since1970 = 56 * 365 * 24 * time.Hour
	var wrong atomic.Int64 // by so much the board's clock is behind
	var synced atomic.Bool
	k := machine{boot: "a", up: 20 * time.Second, wall: func() wall {
		now := time.Now()
		return wall{now, truth(now).Add(-time.Duration(wrong.Load())).UnixMilli(), synced.Load()}
	}}
	boots := map[uint32]time.Time{} // when m was 0, by the truth
	for i, boot := range []func(){
		func() {
			time.Sleep(time.Hour)
			wrong.Store(0)
			time.Sleep(10 * time.Minute)
			wrong.Store(int64(10 * time.Minute))
			time.Sleep(5 * time.Minute)
		},
		func() {
			wrong.Store(0)
			synced.Store(true)
			time.Sleep(5 * time.Minute)
		},
	} {
		began := boots[uint32(i)].Add(2 * time.Hour)
		synctest.Test(t, func(t *testing.T) {
			if i > 0 {
				time.Sleep(began.Add(-ahead).Sub(time.Now()))
				k.boot = "b"
			}
			wrong.Store(int64(since1970))
			boots[uint32(i+1)] = truth(time.Now()).Add(-k.up)
			a, err := prepare(site, Options{Version: "test", Built: built, Log: discard(), kernel: &k})
			if err != nil {
				t.Fatal(err)
			}
			runUntil(t, a, boot)
		})
	}
	told := eventsOf(t, dir)
	verified(t, dir, told)
	alarmsComeWhenTheyShould(t, told)
	clocks := ""
	for line := range bytes.Lines(told) {
		if p, _ := event.Parse(line); p.Kind == "clock" {
			clocks += p.State + " "
		}
	}
	if clocks != "free unknown synced " {
		t.Errorf("told of the clock: %s", clocks)
	}

	a, err := prepare(to(e.addr), Options{Version: "test", Built: built, Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	stored := a.rec.data.Next() - 1
	delivered := func() uint64 {
		n, _ := a.buf.Position(uplink.Position(laneData, "county"))
		return n
	}
	runUntil(t, a, func() {
		for end := time.Now().Add(5 * time.Minute); time.Now().Before(end) && delivered() < stored; time.Sleep(10 * time.Millisecond) {
		}
	})
	came := trueTimes(t, e.heard("data"), boots)
	if came < int(stored) {
		t.Errorf("%d readings came, %d were stored", came, stored)
	}
}

// trueTimes holds each reading against the truth: it came with the right time, or
// with none.
func trueTimes(t *testing.T, messages []string, boots map[uint32]time.Time) (came int) {
	t.Helper()
	by := map[string]int{}
	for _, text := range messages {
		var m struct {
			Boot     uint32
			Clock    string
			Offset   int64
			Readings []struct {
				N    uint64
				T, M *int64
			}
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		zero, past := boots[m.Boot]
		for _, r := range m.Readings {
			if !past {
				continue // of the run that delivers
			}
			came++
			by[m.Clock]++
			switch {
			case m.Clock == "unknown":
			case r.M != nil && m.Clock == "corrected":
				if off := zero.UnixMilli() - m.Offset; off < -5 || off > 5 {
					t.Fatalf("reading %d: the offset of boot %d is wrong by %d ms", r.N, m.Boot, off)
				}
			case r.T == nil || *r.T < zero.UnixMilli() || *r.T > zero.Add(2*time.Hour).UnixMilli():
				t.Fatalf("reading %d of boot %d, clock %s: %s", r.N, m.Boot, m.Clock, text)
			}
		}
	}
	if by["corrected"] < 3600 || by["free"] < 600 || by["synced"] < 100 {
		t.Errorf("readings by clock: %v", by)
	}
	return came
}

// alarmsComeWhenTheyShould: the level rises ten seconds into each minute of a run
// and falls at thirty; the alarm comes three seconds behind the first sample above.
func alarmsComeWhenTheyShould(t *testing.T, events []byte) {
	t.Helper()
	var start int64
	up := 0
	for line := range bytes.Lines(events) {
		p, err := event.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if p.Kind == "start" {
			start = p.M
		}
		if p.Kind != "alarm" || p.ID != "pond.level/red" || p.State != "active" {
			continue
		}
		up++
		if into := (p.M - start) % 60_000; into < 12_500 || into > 15_500 {
			t.Errorf("the alarm comes %d ms into the minute: %s", into, line)
		}
	}
	if up != 80 {
		t.Errorf("%d alarms in 80 minutes", up)
	}
}
