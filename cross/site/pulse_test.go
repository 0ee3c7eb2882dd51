//go:build site

package site

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A pulse measures a link's own time: a plain client that does nothing but
// publish a message of an event's size each second, tries each second to connect
// where it is not, and publishes again what was not acknowledged.
type pulse struct {
	made func(*mqtt.ClientOptions) // how to connect
	name int                       // of several on one link

	mu   sync.Mutex
	owed []beat
	wake chan struct{}
}

type beat struct {
	Of   int // pulse
	N    int
	T    int64 // Unix ms
	Fill string
}

const pulseTopic = "pulse"

// beats runs until stop is closed, and then until all has arrived, for two
// minutes at most.
func (p *pulse) beats(stop chan struct{}) {
	p.wake = make(chan struct{}, 1)
	end := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(end)
	wg.Go(func() { p.deliver(end) })
	defer within(2*time.Minute, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.owed) == 0
	})
	fill := fmt.Sprintf("%600d", 0)
	for n := 0; ; n++ {
		p.mu.Lock()
		p.owed = append(p.owed, beat{p.name, n, time.Now().UnixMilli(), fill})
		p.mu.Unlock()
		select {
		case p.wake <- struct{}{}:
		default:
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
	}
}

func (p *pulse) deliver(stop chan struct{}) {
	for {
		o := mqtt.NewClientOptions().SetClientID(fmt.Sprint("pulse", rand.Uint32())).SetAutoReconnect(false).
			SetKeepAlive(5 * time.Second).SetPingTimeout(5 * time.Second).SetConnectTimeout(60 * time.Second).SetWriteTimeout(20 * time.Second)
		p.made(o)
		c := mqtt.NewClient(o)
		if tok := c.Connect(); tok.Wait() && tok.Error() == nil {
			p.publish(c, stop)
		}
		c.Disconnect(0)
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
	}
}

// publish sends all that is owed, one after the other but without a wait
// between, until the connection ends.
func (p *pulse) publish(c mqtt.Client, stop chan struct{}) {
	type under struct {
		n   int
		tok mqtt.Token
	}
	var way []under
	sent := -1
	for c.IsConnectionOpen() {
		p.mu.Lock()
		for _, b := range p.owed {
			if b.N > sent {
				text, _ := json.Marshal(b)
				way = append(way, under{b.N, c.Publish(pulseTopic, 1, false, text)})
				sent = b.N
			}
		}
		p.mu.Unlock()
		for len(way) > 0 && way[0].tok.WaitTimeout(time.Nanosecond) {
			if way[0].tok.Error() != nil {
				return
			}
			p.mu.Lock()
			p.owed = slices.DeleteFunc(p.owed, func(b beat) bool { return b.N == way[0].n })
			p.mu.Unlock()
			way = way[1:]
		}
		select {
		case <-stop:
			return
		case <-p.wake:
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// times are how long each beat, and each change of an alarm, took to the
// watcher; what did not arrive at all is missing.
func times(ms []message) (beats, alarms []time.Duration) {
	first := map[string]bool{}
	for _, m := range ms {
		var at int64
		key := m.topic
		if m.topic == pulseTopic {
			var b beat
			json.Unmarshal(m.payload, &b)
			at, key = b.T, fmt.Sprint("beat ", b.Of, b.N)
		} else {
			var e event
			if json.Unmarshal(m.payload, &e) != nil || e.Kind != "alarm" || e.T == 0 {
				continue
			}
			at, key = e.T, fmt.Sprint("event ", e.N)
		}
		if first[key] {
			continue
		}
		first[key] = true
		took := m.at.Sub(time.UnixMilli(at))
		if m.topic == pulseTopic {
			beats = append(beats, took)
		} else {
			alarms = append(alarms, took)
		}
	}
	return beats, alarms
}

// quantile sorts ds.
func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[min(len(ds)-1, int(q*float64(len(ds))))].Round(time.Millisecond)
}

// rounds are how often a link is bad at most until alarms were as fast as it: of a
// few minutes the slowest hundredth is one or two messages, and which ones those are
// is luck. What came before counts on.
const rounds = 4

// isFast compares how long alarms took with the link's own time: at most twice that.
func isFast(ms []message) bool {
	beats, alarms := times(ms)
	return quantile(alarms, 0.99) <= 2*quantile(beats, 0.99)
}

// asFast wants that, and tells it.
func asFast(t *testing.T, ms []message, what string) {
	t.Helper()
	beats, alarms := times(ms)
	if len(beats) < 30 || len(alarms) < 30 {
		t.Fatalf("%s: %d beats and %d changes of alarms are too few", what, len(beats), len(alarms))
	}
	own, ours := quantile(beats, 0.99), quantile(alarms, 0.99)
	if !isFast(ms) {
		t.Errorf("%s: of alarms p99 is %v, of the link itself %v", what, ours, own)
	}
	figure(t, "%s: %d changes of alarms, p50 %v, p99 %v; the link's own time, by %d plain publishes, p50 %v, p99 %v",
		what, len(alarms), quantile(alarms, 0.5), ours, len(beats), quantile(beats, 0.5), own)
}
