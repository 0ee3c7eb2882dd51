// Command uplink measures how fast an uplink drains a backlog: a buffer gets
// what an outage of three days leaves of 2,000 readings a second, as many as fit,
// a mosquitto is started on loopback, and a process of its own drains the one
// into the other while this one counts what arrives. Each goal has a yes or no
// beside it.
//
//	go run ./cross/bench/uplink [-size BYTES] [-compress zstd]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/klauspost/compress/zstd"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/uplink"
	"pithead/buffer"
	"pithead/config"
	"pithead/drivers"
)

const (
	points  = 200
	perTick = 2000 // readings a second of the simulated outage
	outage  = 72 * time.Hour
)

func main() {
	size := flag.Int64("size", 128<<20, "bytes of the buffer that readings may take")
	compress := flag.String("compress", "none", "none or zstd")
	drain := flag.String("drain", "", "the process that drains: this folder, to the broker at the next argument")
	flag.Parse()
	err := run(*size, *compress, *drain)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(size int64, compress, drain string) error {
	if drain != "" {
		return drainTo(drain, size, flag.Arg(0), compress)
	}
	dir, err := os.MkdirTemp("", "pithead-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := fill(filepath.Join(dir, "buffer"), size)
	if err != nil {
		return err
	}
	port, stop, err := broker(dir)
	if err != nil {
		return err
	}
	defer stop()
	return measure(dir, port, compress, b)
}

func ids() (out []string) {
	for i := range points {
		out = append(out, fmt.Sprintf("mine.level%d.gas%d", i/20, i%20))
	}
	return out
}

func open(dir string, size int64, key func() []byte) (*buffer.Log, error) {
	l, _, err := buffer.Open(buffer.Config{Dir: dir, Lanes: []buffer.LaneConfig{
		{Name: "events", Size: 64 << 20}, {Name: "stats", Size: 64 << 20}, {Name: "data", Size: size, Key: key}}})
	return l, err
}

// A backlog is what the buffer holds.
type backlog struct {
	first, last uint64
	bytes       int64
}

// fill stores readings as a mine makes them, each point every 100 ms, with
// noise, until three days are over or the buffer has begun to drop the oldest.
func fill(dir string, size int64) (backlog, error) {
	names := ids()
	enc, err := record.NewEncoder(names, nil)
	if err != nil {
		return backlog{}, err
	}
	l, err := open(dir, size, enc.Key)
	if err != nil {
		return backlog{}, err
	}
	defer l.Close()
	data := l.Lane("data")
	wall := time.Now().Add(-outage - time.Minute).UnixMilli()
	for n := 0; n < int(outage/time.Second)*perTick && data.First() == 1; {
		b := record.Batch{Boot: 1, Clock: record.Synced, Offset: wall}
		for ; len(b.Readings) < perTick; n++ {
			v := math.Round((20+10*math.Sin(float64(n)/1e5)+rand.NormFloat64()*0.05)*100) / 100
			b.Readings = append(b.Readings, record.Reading{Point: names[n%points], M: int64(n/points)*100 + int64(n%points)/7 + rand.Int64N(3), Value: drivers.NumberValue(v)})
		}
		frame, err := enc.Append(nil, b)
		if err == nil {
			err = data.Append(frame, len(b.Readings))
		}
		if err != nil {
			return backlog{}, err
		}
		enc.Commit()
	}
	return backlog{data.First(), data.Next() - 1, data.Bytes()}, nil
}

func broker(dir string) (port int, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	conf := filepath.Join(dir, "mosquitto.conf")
	text := fmt.Sprintf("user root\nlistener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 10000000\nmax_inflight_messages 0\nlog_dest none\n", port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return 0, nil, err
	}
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	cmd := exec.Command(path, "-c", conf)
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			break
		}
	}
	return port, func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() }, nil
}

// drainTo is the process that is measured.
func drainTo(dir string, size int64, address, compress string) error {
	l, err := open(dir, size, nil)
	if err != nil {
		return err
	}
	site := &config.Site{Site: "mine", Gateway: "gw-01"}
	c := config.Uplink{ID: "county", URLs: []string{address}, ClientID: "bench", Keepalive: 30 * time.Second, Prefix: "p", Data: true, Events: true,
		Batch: 500, Within: time.Second, Oldest: true, Window: 32, Max: 256_000, Snapshot: 10 * time.Minute, Compress: compress == "zstd"}
	start := time.Now()
	now := func() uplink.Stamp {
		return uplink.Stamp{M: time.Since(start).Milliseconds(), T: time.Now().UnixMilli(), Known: true, Clock: record.Synced}
	}
	env := uplink.Env{Log: l, Site: site, Boot: 2, Session: "s", Version: "bench", Now: now, TLS: time.Now,
		Offset: func(uint32) (int64, bool) { return 0, false }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Snapshot: func(context.Context) (uplink.Snapshot, error) {
			s := uplink.Snapshot{Mode: "running"}
			for _, id := range ids() {
				s.Points = append(s.Points, uplink.PointNow{Point: id, At: event.Stamp{Boot: 2, T: time.Now().UnixMilli(), Known: true}, Value: drivers.NumberValue(1)})
			}
			return s, nil
		},
		Health: func() uplink.Health { return uplink.Health{} }, Gap: func(uplink.Gap) {}, Heard: func(int64) {}, Anchor: func(uplink.Anchor) {},
		Fork: func(uplink.Fork) {}, Overrun: func(string) {},
		Command: func(context.Context, string, []byte) ([]byte, func()) { return nil, func() {} },
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return uplink.New(c, env).Run(ctx)
}

func measure(dir string, port int, compress string, b backlog) error {
	address := fmt.Sprintf("tcp://127.0.0.1:%d", port)
	var last, wire atomic.Uint64
	var began, snapshot, end atomic.Int64
	var once sync.Once
	done := make(chan struct{})
	unpack, err := zstd.NewReader(nil)
	if err != nil {
		return err
	}
	defer unpack.Close()
	var plain []byte
	o := mqtt.NewClientOptions().AddBroker(address).SetClientID("watcher").SetOrderMatters(true)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		at := time.Now().UnixNano()
		switch {
		case strings.HasSuffix(m.Topic(), "/status"):
			began.CompareAndSwap(0, at)
		case strings.Contains(m.Topic(), "/snapshot"):
			snapshot.CompareAndSwap(0, at)
		case strings.HasSuffix(m.Topic(), "/data"):
			wire.Add(uint64(len(m.Payload())))
			text := m.Payload()
			if !bytes.HasPrefix(text, []byte("{")) {
				plain, _ = unpack.DecodeAll(text, plain[:0])
				text = plain
			}
			last.Store(lastOf(text))
			if last.Load() >= b.last {
				once.Do(func() { end.Store(at); close(done) })
			}
		}
	})
	c := mqtt.NewClient(o)
	if t := c.Connect(); t.WaitTimeout(10*time.Second) && t.Error() != nil {
		return t.Error()
	}
	if t := c.Subscribe("p/#", 0, nil); t.WaitTimeout(10*time.Second) && t.Error() != nil {
		return t.Error()
	}
	cmd := exec.Command(os.Args[0], "-compress", compress, "-size", flag.Lookup("size").Value.String(), "-drain", filepath.Join(dir, "buffer"), address)
	half := strconv.Itoa(max(1, runtime.GOMAXPROCS(0)/2))
	cmd.Env = append(os.Environ(), "GOMEMLIMIT=24MiB", "GOGC=8", "GOMAXPROCS="+half) // as the agent sets them
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	select {
	case <-done:
	case <-time.After(40 * time.Minute):
		return fmt.Errorf("after 40 minutes the platform has up to %d of %d", last.Load(), b.last)
	}
	peak := status(cmd.Process.Pid, "VmHWM:")
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		return err
	}
	readings := float64(b.last - b.first + 1)
	took := time.Duration(end.Load() - began.Load())
	fmt.Printf("compress %s: %.0f readings, %.1f h of 2,000 a second, in %.0f MB (%.1f bytes each), drained in %.1f s\n",
		compress, readings, readings/perTick/3600, float64(b.bytes)/1e6, float64(b.bytes)/readings, took.Seconds())
	each := float64(wire.Load()) / readings
	soon := time.Duration(snapshot.Load() - began.Load())
	ok := goal("readings a second", readings/took.Seconds(), ">=", 100_000)
	ok = goal("MB of memory at most", float64(peak)/1e3, "<=", 30) && ok
	ok = goal("s from the connection to the snapshot", soon.Seconds(), "<=", 2) && ok
	if compress == "zstd" {
		ok = goal("bytes a reading on the wire", each, "<=", 12) && ok
	} else {
		fmt.Printf("  %10.1f bytes a reading on the wire\n", each)
	}
	if !ok {
		return errors.New("a goal is missed")
	}
	return nil
}

func goal(what string, got float64, sign string, want float64) bool {
	ok, word := got <= want == (sign == "<="), "yes"
	if !ok {
		word = "NO"
	}
	fmt.Printf("  %10.2f %s (goal %s %g): %s\n", got, what, sign, want, word)
	return ok
}

// lastOf is the member last of a message.
func lastOf(payload []byte) uint64 {
	head, _, _ := bytes.Cut(payload, []byte(`,"readings"`))
	var e struct{ Last uint64 }
	if json.Unmarshal(append(head[:len(head):len(head)], '}'), &e) != nil {
		return 0
	}
	return e.Last
}

// status is a figure of a process, in kB.
func status(pid int, name string) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}
