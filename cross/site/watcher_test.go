//go:build site

package site

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A message is what the subscriber received, in order.
type message struct {
	at      time.Time
	topic   string
	payload []byte
}

// A watcher subscribes to everything, with a session that the broker keeps, so
// that it misses nothing while the broker is away. It stores all that comes.
type watcher struct {
	client mqtt.Client
	mu     sync.Mutex
	all    []message
	seen   map[string]bool    // what came, for telling the broker's own repeats
	latest map[string]reading // of each point, by number
	events []event
	status []string
	gone   uint64 // the highest number that was told as lost
}

func watch(t *testing.T, b *broker) *watcher {
	t.Helper()
	return watchAs(t, b, "watcher")
}

func watchAs(t *testing.T, b *broker, id string) *watcher {
	t.Helper()
	return watchBy(t, b, id, nil)
}

// watchBy judges the broker's certificate by a clock of its own.
func watchBy(t *testing.T, b *broker, id string, clock func() time.Time) *watcher {
	t.Helper()
	w := newWatcher()
	conf, err := ca.client("watcher")
	if err != nil {
		t.Fatal(err)
	}
	conf.ServerName, conf.Time = b.host, clock
	o := mqtt.NewClientOptions().AddBroker(fmt.Sprintf("ssl://%s:%d", b.ip, b.port)).SetTLSConfig(conf).
		SetClientID(id).SetUsername(b.user).SetPassword(b.password)
	if b.ns != "" {
		o.SetCustomOpenConnectionFn(dials(b.ns))
	}
	w.connect(t, o, 10*time.Second)
	return w
}

func newWatcher() *watcher { return &watcher{seen: map[string]bool{}, latest: map[string]reading{}} }

// connect subscribes, for good: the session is kept where the connection is not.
func (w *watcher) connect(t *testing.T, o *mqtt.ClientOptions, d time.Duration) {
	t.Helper()
	o.SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(300 * time.Millisecond).SetDefaultPublishHandler(w.receive)
	c := mqtt.NewClient(o)
	w.client = c
	for _, step := range []func() mqtt.Token{c.Connect, func() mqtt.Token { return c.Subscribe("#", 1, nil) }} {
		if tok := step(); !tok.WaitTimeout(d+patience) || tok.Error() != nil {
			t.Fatalf("subscriber, within %v: %v", d+patience, tok.Error())
		}
	}
	t.Cleanup(func() { c.Disconnect(100) })
}

// receive stores a message. What the broker itself sends a second time, since
// it did not see our acknowledgement, is not the agent's repeat and is dropped.
func (w *watcher) receive(_ mqtt.Client, m mqtt.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := m.Topic() + "\x00" + string(m.Payload())
	if m.Duplicate() && w.seen[key] {
		return
	}
	w.seen[key] = true
	w.all = append(w.all, message{at: time.Now(), topic: m.Topic(), payload: m.Payload()})
	w.note(m.Topic(), m.Payload())
}

// note keeps what the tests wait for; whether all of it is sound is the ledger's business.
func (w *watcher) note(topic string, payload []byte) {
	switch {
	case strings.HasSuffix(topic, "/data"):
		var d data
		json.Unmarshal(payload, &d)
		if d.Lost != nil {
			w.gone = max(w.gone, d.Lost.To)
		}
		for _, r := range d.Readings {
			if r.N >= w.latest[r.P].N {
				w.latest[r.P] = r
			}
		}
	case strings.Contains(topic, "/events"):
		var e event
		json.Unmarshal(payload, &e)
		w.events = append(w.events, e)
	case strings.HasSuffix(topic, "/status"):
		var s struct{ State string }
		json.Unmarshal(payload, &s)
		w.status = append(w.status, s.State)
	}
}

// say publishes as a platform does.
func (w *watcher) say(t *testing.T, topic, payload string) {
	t.Helper()
	if tok := w.client.Publish(topic, 1, false, payload); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Errorf("publish %s: %v", topic, tok.Error())
	}
}

// under is what came under another prefix than the usual pithead/v1, as if it
// had come under that.
func (w *watcher) under(prefix string) (ms []message) {
	for _, m := range w.messages() {
		if rest, ok := strings.CutPrefix(m.topic, prefix+"/"); ok {
			m.topic = "pithead/v1/" + rest
			ms = append(ms, m)
		}
	}
	return ms
}

// reached is how far the readings are that came.
func (w *watcher) reached() (last uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.latest {
		last = max(last, r.N)
	}
	return last
}

// lost is up to which number readings were told as lost.
func (w *watcher) lost() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

// messages is a copy of all that came.
func (w *watcher) messages() []message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]message(nil), w.all...)
}

func (w *watcher) ledger() *ledger { return newLedger(w.messages()) }

func (w *watcher) point(id string) reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest[id]
}

// shows says whether the newest reading of a point is good and is this JSON value.
func (w *watcher) shows(id, value string) bool {
	r := w.point(id)
	return r.Q == "" && string(r.V) == value
}

// counts is how many events of this alarm came with this state.
func (w *watcher) counts(id, state string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == "alarm" && e.ID == id && e.State == state {
			n++
		}
	}
	return n
}

// alarm is the newest state of an alarm, by its events; empty if none came.
func (w *watcher) alarm(id string) (state string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == "alarm" && e.ID == id {
			state = e.State
		}
	}
	return state
}

// state is the newest status: online, stopped, offline, or nothing yet.
func (w *watcher) state() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.status) == 0 {
		return ""
	}
	return w.status[len(w.status)-1]
}

// last is the newest message of a kind.
func (w *watcher) last(kind string) (message, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.all) - 1; i >= 0; i-- {
		if strings.HasSuffix(w.all[i].topic, "/"+kind) {
			return w.all[i], true
		}
	}
	return message{}, false
}
