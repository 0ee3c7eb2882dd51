// Command platform is the least that a platform must do with what a gateway
// sends: it keeps payloads as they came and which numbers are covered, asks again
// for holes, verifies events, sends receipts, says who is silent, and whose card
// was changed or is an old image.
//
//	go run ./cross/platform -broker tcp://127.0.0.1:1883 -key county.pem -pin BASE64 -dir store
//
// The key is Ed25519 (PKCS #8, as pithead key new makes it), and stands in the
// uplink's commands with allow: [resend]; the pin is what pithead key printed.
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"pithead/agent/event"
)

// A gateway is what is known of one, by its topic <prefix>/<site>/<gateway>.
type gateway struct {
	topic, session, epoch string
	covered               []span                    // of readings in this epoch, in order, apart from each other
	pin                   ed25519.PublicKey         // as commissioned, or as that key handed over
	former                []former                  // keys that handed over
	head                  event.Head                // the newest event
	seen                  map[event.Head]event.Hash // by epoch and number
	heard                 time.Time                 // zero: it is silent, and that was told
	broken                string                    // the epoch of which there are two histories
	asked                 uint64                    // for again, from here
}

type span struct{ after, to uint64 } // covers (after, to]

// A former key signed up to the event that handed over.
type former struct {
	key  ed25519.PublicKey
	last event.Head
}

type platform struct {
	mu       sync.Mutex
	client   mqtt.Client
	dir      string
	key      *event.Key
	pin      ed25519.PublicKey
	gateways map[string]*gateway
}

func main() {
	broker, keyFile := flag.String("broker", "tcp://127.0.0.1:1883", ""), flag.String("key", "county.pem", "")
	pin, dir := flag.String("pin", "", ""), flag.String("dir", "store", "")
	flag.Parse()
	p := &platform{dir: *dir, gateways: map[string]*gateway{}}
	var err error
	if p.key, err = event.LoadKey(*keyFile); err == nil {
		p.pin, err = event.ParsePublic(*pin)
	}
	if err != nil {
		log.Fatal(err)
	}
	o := mqtt.NewClientOptions().AddBroker(*broker).SetClientID("platform").SetOrderMatters(true)
	o.SetOnConnectHandler(func(c mqtt.Client) { c.Subscribe("pithead/v1/#", 1, nil) })
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { p.take(m.Topic(), m.Payload(), time.Now()) })
	p.client = mqtt.NewClient(o)
	if t := p.client.Connect(); t.Wait() && t.Error() != nil {
		log.Fatal(t.Error())
	}
	for now := range time.Tick(10 * time.Second) {
		p.tick(now)
	}
}

// take stores a payload before anything else is done with it.
func (p *platform) take(topic string, payload []byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	part := strings.SplitN(topic, "/", 5) // pithead v1 site gateway kind
	if len(part) < 5 {
		return
	}
	name := strings.Join(part[:4], "/")
	if p.gateways[name] == nil {
		p.gateways[name] = &gateway{topic: name, pin: p.pin, seen: map[event.Head]event.Hash{}}
	}
	g := p.gateways[name]
	g.heard = now
	file := filepath.Join(p.dir, part[2]+"-"+part[3]+"-"+strings.ReplaceAll(part[4], "/", "-")+".ndjson")
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintf(f, "%s\n", payload)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		log.Fatal("nothing is receipted that is not stored: ", err)
	}
	var m struct {
		State, Session, Epoch string
		Event, Prev, Last     uint64
	}
	_ = json.Unmarshal(payload, &m) // what is none says nothing
	switch part[4] {
	case "status":
		g.session = m.Session
		if m.State == "online" && m.Epoch == g.head.Epoch && m.Event < g.head.N { // a will is as old as its connection
			log.Printf("TAMPERING %s: it knows %d events, %d were received: an old image", name, m.Event, g.head.N)
		}
	case "data": // what was lost or thinned is covered too: it is told, and comes by resend or not at all
		if m.Epoch != g.epoch {
			g.epoch, g.covered, g.asked = m.Epoch, nil, 0
		}
		if m.Last > m.Prev {
			g.covered = cover(g.covered, span{m.Prev, m.Last})
		}
	case "events", "events/late": // sound no siren for what is late
		g.take(payload)
	}
}

// cover adds a span, and joins those that touch.
func cover(all []span, s span) (out []span) {
	for _, c := range all {
		if c.to < s.after {
			out = append(out, c)
		} else if c.after > s.to {
			out, s = append(out, s), c
		} else {
			s = span{min(c.after, s.after), max(c.to, s.to)}
		}
	}
	return append(out, s)
}

// signed is whether the key that was in force at its number signed it: what was
// missing may come after a handover.
func (g *gateway) signed(e event.Parsed) bool {
	for _, f := range g.former {
		if e.Epoch == f.last.Epoch && e.N <= f.last.N {
			return e.SignedBy(f.key)
		}
	}
	return e.SignedBy(g.pin)
}

// take judges an event: signed by the pinned key, the only one of its number, and
// following the one before it. Until a gateway knows that it has arrived it sends an
// event again, also after another key was made the pinned one.
func (g *gateway) take(payload []byte) {
	e, err := event.Parse(payload)
	at, hash := event.Head{Epoch: e.Epoch, N: e.N}, e.Hash()
	was, again := g.seen[at]
	switch {
	case err == nil && e.Stored && again && was == hash: // a repeat
		return
	case err != nil || !g.signed(e):
		log.Printf("TAMPERING %s: an event that the pinned key did not sign: %.200s", g.topic, payload)
		return
	case !e.Stored: // beside the chain
		return
	case again || g.broken == e.Epoch || e.Epoch == g.head.Epoch && e.N == g.head.N+1 && e.Chain != g.head.Hash.String():
		log.Printf("TAMPERING %s: event %d is another than before, or does not follow event %d", g.topic, e.N, g.head.N)
		g.broken = e.Epoch
		return // and is not receipted: the receipts go on to say what was
	case e.Epoch != g.head.Epoch:
		log.Printf("%s: a new epoch, %s, follows event %d of %s", g.topic, e.Epoch, g.head.N, g.head.Epoch)
	case e.N > g.head.N+1:
		log.Printf("%s: events %d to %d are missing", g.topic, g.head.N+1, e.N-1)
	}
	if e.Kind == "fork" {
		log.Printf("ALARM %s: %s", g.topic, e.Why)
	}
	g.seen[at] = hash
	if e.Epoch == g.head.Epoch && e.N < g.head.N { // it was missing
		return
	}
	if h, ok := e.Handover(); ok {
		g.former, g.pin = append(g.former, former{g.pin, at}), h.New
	}
	at.Hash = hash
	g.head = at
}

// tick receipts what is whole, asks for holes, and notices silence.
func (p *platform) tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.gateways {
		if now.Sub(g.heard) > 3*time.Minute && !g.heard.IsZero() {
			g.heard = time.Time{}
			log.Printf("ALARM %s has been silent for three minutes, whatever its status says", g.topic)
		}
		if len(g.covered) == 0 {
			continue
		}
		receipt := fmt.Appendf(nil, `{"epoch":%q,"last":%d,"t":%d`, g.epoch, g.covered[0].to, now.UnixMilli())
		if g.head.Epoch == g.epoch {
			receipt = fmt.Appendf(receipt, `,"event":%d,"h":%q`, g.head.N, g.head.Hash)
		}
		p.client.Publish(g.topic+"/receipt", 1, false, p.key.Seal(receipt))
		if from := g.covered[0].to + 1; len(g.covered) > 1 && g.asked != from {
			g.asked = from
			p.ask(g, from, g.covered[1].after, now)
		}
	}
}

func (p *platform) ask(g *gateway, from, to uint64, now time.Time) {
	cmd, _ := json.Marshal(map[string]any{"id": rand.Text(), "gateway": strings.TrimPrefix(g.topic, "pithead/v1/"), "session": g.session,
		"op": "resend", "args": map[string]any{"from": from, "to": to}, "by": "platform", "why": "a hole", "expires": now.Add(time.Minute).UnixMilli()})
	envelope, _ := json.Marshal(map[string]string{"cmd": string(cmd), "kid": p.key.Kid(), "sig": p.key.Sign(cmd)})
	p.client.Publish(g.topic+"/command", 1, false, envelope)
	log.Printf("%s: asked again for %d to %d", g.topic, from, to)
}
