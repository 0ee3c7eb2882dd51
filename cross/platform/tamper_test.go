package main

import (
	"context"
	"crypto/ed25519"
	"io"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"pithead/agent"
	"pithead/agent/event"
	"pithead/agent/export"
	"pithead/buffer"
	"pithead/config"
)

const site = `
version: 1
site: pond
gateway: g1
identity: {key: KEY}
buses:
  pit: {sim: {signals: {pond.level: {steps: [[0s, 4], [200ms, HIGH], [400ms, 4]], repeat: 600ms}}}}
devices:
  level1: {bus: pit, unit: 3, every: 100ms}
points:
  pond.level: {unit: m, device: level1, holding: 0, type: f32, alarms: [{level: red, above: 5, clear: 4.5}]}
uplinks:
  county:
    mqtt: tcp://BROKER
    confirm: platform
    commands: [{id: county, key: "COUNTY", allow: [resend]}]
buffer: {dir: DIR, size: 16MB}
`

// A story is one gateway, a broker and the platform that listens there.
type story struct {
	*testing.T
	*platform
	dir, key, addr string
	quiet          bool // nothing happens at the pond

	mu   sync.Mutex
	said strings.Builder // by the platform
}

func (s *story) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

// heard is what the platform said since the last time.
func (s *story) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.said.String()
	s.said.Reset()
	return text
}

// says is whether the platform has said all of this since the last time.
func (s *story) says(all ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(all, func(one string) bool { return !strings.Contains(s.said.String(), one) })
}

// came is how many events and readings the platform has.
func (s *story) came() (events, readings int) {
	s.platform.mu.Lock()
	defer s.platform.mu.Unlock()
	for _, g := range s.platform.gateways {
		events += len(g.seen)
	}
	text, _ := os.ReadFile(filepath.Join(s.platform.dir, "pond-g1-data.ndjson"))
	return events, strings.Count(string(text), `"n":`)
}

// some is when the platform has got some more events and readings than now.
func (s *story) some() func() bool {
	events, readings := s.came()
	return func() bool {
		e, r := s.came()
		return e >= events+3 && r >= readings+8
	}
}

func newStory(t *testing.T) *story {
	t.Helper()
	t.TempDir() // before the broker: what is stored goes last
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := b.AddHook(new(auth.AllowHook), nil); err != nil {
		t.Fatal(err)
	}
	if err := b.AddListener(listeners.NewNet("b", l)); err != nil {
		t.Fatal(err)
	}
	if err := b.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	file := filepath.Join(t.TempDir(), "gateway.key")
	own, err := event.NewKey(file)
	if err != nil {
		t.Fatal(err)
	}
	county := event.KeyOf(ed25519.NewKeyFromSeed([]byte("the county's key in the tests...")))
	s := &story{T: t, dir: t.TempDir(), key: file, addr: l.Addr().String(),
		platform: &platform{dir: t.TempDir(), key: county, pin: own.PublicKey(), gateways: map[string]*gateway{}}}
	s.platform.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.addr).SetClientID("platform"))
	if token := s.platform.client.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { s.platform.client.Disconnect(0) })
	var over atomic.Bool
	t.Cleanup(func() { over.Store(true) })
	err = b.Subscribe("pithead/v1/#", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		if !over.Load() {
			s.platform.take(pk.TopicName, pk.Payload, time.Now())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	log.SetOutput(s)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return s
}

// run runs the gateway with what is in dir until that has come of it; the platform
// turns meanwhile.
func (s *story) run(dir string, until func() bool) {
	s.Helper()
	high := "6"
	if s.quiet {
		high = "4"
	}
	text := strings.NewReplacer("HIGH", high, "KEY", s.key, "BROKER", s.addr, "DIR", dir, "COUNTY", s.platform.key.Public()).Replace(site)
	parsed, problems := config.Parse("site.yaml", []byte(text))
	if parsed == nil {
		s.Fatal(problems)
	}
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	turns := time.NewTicker(100 * time.Millisecond)
	defer turns.Stop()
	done := make(chan error)
	go func() {
		left, err := agent.Run(ctx, parsed, agent.Options{Version: "test", Log: slog.New(slog.DiscardHandler)})
		left.Close(slog.New(slog.DiscardHandler))
		done <- err
	}()
	for {
		select {
		case now := <-turns.C:
			s.platform.tick(now)
			if until() {
				cancel()
			} else if ctx.Err() != nil {
				s.Errorf("not within 2 min; the platform said\n%s", s.heard())
				<-done
				s.FailNow()
			}
		case err := <-done:
			if err != nil {
				s.Fatal(err)
			}
			return
		}
	}
}

// events are those that the platform stored, in the order in which they came.
func (s *story) events() (all []event.Parsed) {
	s.Helper()
	s.platform.mu.Lock()
	defer s.platform.mu.Unlock()
	for _, kind := range []string{"events", "events-late"} {
		text, _ := os.ReadFile(filepath.Join(s.platform.dir, "pond-g1-"+kind+".ndjson"))
		for line := range strings.Lines(string(text)) {
			p, err := event.Parse([]byte(line))
			if err != nil {
				s.Fatal(err)
			}
			all = append(all, p)
		}
	}
	return all
}

// forked is when that was told of forks, and all of this said.
func (s *story) forked(states []string, said ...string) func() bool {
	return func() bool { return s.says(said...) && slices.Equal(s.forks(), states) }
}

func (s *story) forks() (all []string) {
	seen := map[string]bool{}
	for _, p := range s.events() {
		if p.Kind == "fork" && !seen[string(p.Sig)] { // the same may come again
			seen[string(p.Sig)] = true
			all = append(all, p.State)
		}
	}
	return all
}

// anchors are how many of its readings' hashes a gateway has signed.
func (s *story) anchors() int {
	seen := map[string]bool{}
	for _, p := range s.events() {
		if p.Kind == "anchor" {
			seen[string(p.Sig)] = true
		}
	}
	return len(seen)
}

func (s *story) copyOf(dir string) string {
	s.Helper()
	image := s.TempDir()
	if err := os.CopyFS(image, os.DirFS(dir)); err != nil {
		s.Fatal(err)
	}
	return image
}

// The card is swapped for a new one, and an image of before is put back: the
// gateway tells both, and so does the platform.
func TestTheCardIsChangedAndAnOldImagePutBack(t *testing.T) {
	s := newStory(t)
	s.run(s.dir, s.some())
	image := s.copyOf(s.dir)
	s.run(s.dir, func() bool { // until the image can't catch up by what it tells of its start
		events, _ := s.came()
		return uint64(events) > stored(image, "events")+8
	})
	if got := s.heard(); got != "" && (strings.Contains(got, "TAMPERING") || strings.Contains(got, "ALARM")) {
		t.Fatalf("all is well, and the platform says\n%s", got)
	}

	s.quiet = true
	s.run(image, s.forked([]string{"behind"}, "an old image", "ALARM pithead/v1/pond/g1: the platform has seen later numbers", "a new epoch, "))
	s.quiet = false
	s.heard()
	s.run(image, s.some())
	if got := s.heard(); strings.Contains(got, "ALARM") || strings.Contains(got, "old image") || strings.Contains(got, "new epoch") {
		t.Errorf("once more, and the platform says\n%s", got)
	}

	s.run(s.TempDir(), s.forked([]string{"behind", "other"}, "ALARM pithead/v1/pond/g1: the platform has seen another epoch", "a new epoch, "))
	if f := s.forks(); !slices.Equal(f, []string{"behind", "other"}) { // also at its end
		t.Errorf("forks %v", f)
	}
}

// An image that has gone on by itself, out of reach, until it has more events than
// the platform: only a receipt shows that they are others.
func TestAnImageThatHasOvertakenIsToldByAReceipt(t *testing.T) {
	s := newStory(t)
	s.run(s.dir, s.some())
	image := s.copyOf(s.dir)
	s.run(s.dir, s.some())
	reach := s.addr
	s.addr = "127.0.0.1:1"
	s.run(image, func() bool {
		return stored(image, "events") > stored(s.dir, "events")+3 && stored(image, "data") > stored(s.dir, "data")
	})
	s.addr = reach
	s.heard()
	s.run(image, s.forked([]string{"parted"}, "TAMPERING pithead/v1/pond/g1: event", "ALARM pithead/v1/pond/g1: the platform holds another event"))
	if f := s.forks(); !slices.Equal(f, []string{"parted"}) {
		t.Errorf("forks %v", f)
	}
}

// stored is the newest number of a lane in a gateway's buffer.
func stored(dir, lane string) (last uint64) {
	v, err := buffer.OpenView(dir)
	if err != nil {
		return 0 // it is just being opened
	}
	for _, l := range export.Look(dir, v).Lanes {
		if l.Name == lane {
			last = l.Last
		}
	}
	return last
}

// What the platform stored is whole, across another key, and readings are proven.
func TestWhatThePlatformStoredIsWhole(t *testing.T) {
	s := newStory(t)
	s.run(s.dir, s.some())
	if _, err := event.NewKey(event.NextKey(s.key)); err != nil {
		t.Fatal(err)
	}
	for anchors := range 2 { // what a run sent is signed at its end, and that comes in the next
		some := s.some()
		s.run(s.dir, func() bool { return some() && s.anchors() > anchors })
	}
	if got := s.heard(); strings.Contains(got, "TAMPERING") || strings.Contains(got, "ALARM") || strings.Contains(got, "missing") {
		t.Errorf("the platform says\n%s", got)
	}
	var files []event.File
	for _, kind := range []string{"events", "events-late", "data"} {
		f, err := os.Open(filepath.Join(s.platform.dir, "pond-g1-"+kind+".ndjson"))
		if err == nil {
			defer f.Close()
			files = append(files, event.File{Name: kind, Reader: f})
		}
	}
	r, err := event.VerifyFiles(files, event.Options{Key: s.platform.pin})
	if err != nil || !r.Whole() || len(r.Heirs) != 1 || len(r.Readings) != 1 || r.Readings[0].Anchors < 2 || r.Readings[0].Proven < 10 {
		t.Errorf("%+v, %v", r, err)
	}
}
