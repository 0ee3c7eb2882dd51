package uplink

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pithead/agent/record"
	"pithead/buffer"
	"pithead/config"
	"pithead/drivers"
)

var update = flag.Bool("update", false, "write the golden files anew")

// points are those of every bench.
var points = []string{"pond.level", "pond.rain", "gas.ch4", "fan.run"}

// A bench is a buffer with what fills it, and the agent that an uplink sees.
type bench struct {
	t    *testing.T
	dir  string
	log  *buffer.Log
	enc  *record.Encoder
	site *config.Site

	mu      sync.Mutex
	now     Stamp
	offsets map[uint32]int64
	gaps    []Gap
	anchors []Anchor
	forks   []Fork
	orders  []string // that came over uplinks
	overrun int
	heard   int64 // the time that a platform told last
}

const boot = 12

func newBench(t *testing.T, dataSize int64) *bench {
	t.Helper()
	b := &bench{t: t, offsets: map[uint32]int64{}, dir: inMemory(t)}
	b.open(b.dir, dataSize)
	t.Cleanup(func() { b.log.Close() })
	b.site = &config.Site{Site: "shidian-tsf", Gateway: "gw-01", Name: "尾矿库 1 号网关", Hash: "sha256:ab12"}
	b.setNow(1_000_000, record.Synced)
	return b
}

// inMemory is a folder on no disk, where there is such: most tests would do
// little but wait for one.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "pithead-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// open opens the buffer as a start of the agent does.
func (b *bench) open(dir string, dataSize int64) {
	b.t.Helper()
	var err error
	if b.enc, err = record.NewEncoder(points, nil); err != nil {
		b.t.Fatal(err)
	}
	b.log, _, err = buffer.Open(buffer.Config{Dir: dir, Lanes: []buffer.LaneConfig{
		{Name: "events", Size: 1 << 20, Key: func() []byte { return []byte("what came before") }}, {Name: "stats", Size: 1 << 20},
		{Name: "data", Size: dataSize, Key: func() []byte { return b.enc.Key() }},
	}})
	if err != nil {
		b.t.Fatal(err)
	}
}

const wall = 1_763_779_200_000 // when the boot began, Unix ms

func (b *bench) setNow(m int64, c record.Clock) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = Stamp{M: m, Clock: c}
	if c != record.Unknown {
		b.now.T, b.now.Known = wall+m, true
	}
}

func (b *bench) stamp() Stamp {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) env() Env {
	return Env{
		Log: b.log, Site: b.site, Boot: boot, Session: "5e55", Version: "1.2.0", Kid: "0123456789abcdef", Key: "cHVibGlj",
		Now: b.stamp, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Offset: func(boot uint32) (int64, bool) {
			b.mu.Lock()
			defer b.mu.Unlock()
			off, ok := b.offsets[boot]
			return off, ok
		},
		Gap: func(g Gap) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.gaps = append(b.gaps, g)
		},
		Snapshot: func(context.Context) (Snapshot, error) { return Snapshot{Mode: "running"}, nil },
		Health:   func() Health { return Health{Clock: "synced", Uptime: 1000} },
		TLS:      time.Now,
		Heard: func(t int64) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.heard = t
		},
		Anchor: func(a Anchor) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.anchors = append(b.anchors, a)
		},
		Fork: func(f Fork) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.forks = append(b.forks, f)
		},
		Command: func(_ context.Context, uplink string, payload []byte) ([]byte, func()) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.orders = append(b.orders, string(payload))
			return []byte("done on " + uplink), func() {}
		},
		Overrun: func(string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.overrun++
		},
	}
}

// uplinkConfig is what the site file gives an uplink that says nothing but its address;
// a machine that stands still for seconds ends no connection.
func uplinkConfig(urls ...string) config.Uplink {
	return config.Uplink{
		ID: "county", URLs: urls, ClientID: "shidian-tsf-gw-01-county", Keepalive: time.Minute, Prefix: "pithead/v1",
		Data: true, Stats: true, Events: true, Batch: 500, Within: 10 * time.Millisecond,
		Oldest: true, Window: 8, Max: 256_000,
	}
}

// uplink is one whose waits between tries are a hundredth.
func (b *bench) uplink(c config.Uplink) *Uplink {
	u := New(c, b.env())
	u.timing.pause = func(d time.Duration) time.Duration { return d / 100 }
	return u
}

// batch stores readings of one era.
func (b *bench) batch(batch record.Batch) {
	b.t.Helper()
	frame, err := b.enc.Append(nil, batch)
	if err == nil {
		err = b.log.Lane("data").Append(frame, len(batch.Readings))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.enc.Commit()
}

// readings stores count readings of the points in turn.
func (b *bench) readings(count int) {
	b.t.Helper()
	batch := record.Batch{Boot: boot, Clock: record.Synced, Offset: wall}
	n := b.log.Lane("data").Next()
	for i := range count {
		k := n + uint64(i)
		batch.Readings = append(batch.Readings, record.Reading{Point: points[k%4], M: int64(k), Value: drivers.NumberValue(float64(k))})
	}
	b.batch(batch)
}

func (b *bench) stats(ss ...record.Stat) {
	b.t.Helper()
	f := record.AppendStats(nil, record.StatBatch{Boot: boot, Clock: record.Synced, Stats: ss})
	if err := b.log.Lane("stats").Append(f, len(ss)); err != nil {
		b.t.Fatal(err)
	}
}

// event stores one of a level that happened so long ago.
func (b *bench) happen(level string, ago time.Duration) string {
	b.t.Helper()
	n := b.log.Lane("events").Next()
	s := b.stamp()
	payload := fmt.Sprintf(`{"v":1,"n":%d,"boot":%d,"m":%d,"t":%d,"kind":"alarm","level":%q,"sig":"x"}`, n, boot, s.M-ago.Milliseconds(), s.T-ago.Milliseconds(), level)
	if err := b.log.Lane("events").Append([]byte(payload), 1); err != nil {
		b.t.Fatal(err)
	}
	return payload
}

func (b *bench) position(lane string) uint64 {
	n, _ := b.log.Position(Position(lane, "county"))
	return n
}

// start runs u; the returned function ends it and waits.
func (b *bench) start(u *Uplink) (stop func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					b.t.Errorf("Run: %v", err)
				}
			case <-time.After(10 * time.Second):
				b.t.Error("Run does not end")
			}
		})
	}
	b.t.Cleanup(stop)
	return stop
}

// eventually waits for a condition that sockets bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// golden compares with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}

// envelope is what the tests read of data and stats.
type envelope struct {
	Epoch      string
	Boot       uint32
	Clock      string
	Offset     int64
	Prev, Last uint64
	Lost       *struct{ From, To, Count uint64 }
	Thinned    *struct{ From, To, Count uint64 }
	Resend     string
	H          string
	Readings   []struct {
		P string
		N uint64
		T *int64
		M *int64
		V json.RawMessage
	}
	Stats []struct{ N uint64 }
}

func parse(t *testing.T, payload []byte) envelope {
	t.Helper()
	var e envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatalf("%v in %s", err, payload)
	}
	return e
}

// goroutines counts those that run this package's or the client's code.
func goroutines() (n int, stacks string) {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for _, g := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(g, "paho.mqtt.golang") || strings.Contains(g, "(*Uplink)") {
			n++
			stacks += g + "\n\n"
		}
	}
	return n, stacks
}
