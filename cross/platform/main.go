// Command platform is the least that a platform must do with what a gateway
// sends: it keeps payloads as they came and which numbers are covered, asks again
// for holes, verifies events, sends receipts, and says who has been silent.
//
//	go run ./cross/platform -broker tcp://127.0.0.1:1883 -key county.pem -pin BASE64 -dir store
//
// The key is Ed25519 (PKCS #8, as pithead key new makes it), and stands in the
// uplink's commands with allow: [resend]; the pin is what pithead key printed
// when the gateway was commissioned.
package main

import (
	"bytes"
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
	covered               []span // of readings in this epoch, in order, apart from each other
	event                 uint64 // the newest event up to which none is missing
	hash                  string // of that one
	heard                 time.Time
	silent                bool
	asked                 span // for again
}

type span struct{ after, to uint64 } // covers (after, to]

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
		p.gateways[name] = &gateway{topic: name}
	}
	g := p.gateways[name]
	g.heard, g.silent = now, false
	file := filepath.Join(p.dir, part[2]+"-"+part[3]+"-"+strings.ReplaceAll(part[4], "/", "-")+".ndjson")
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(append(bytes.Clone(payload), '\n'))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		log.Fatal("nothing is receipted that is not stored: ", err)
	}
	switch part[4] {
	case "status":
		g.status(payload)
	case "data":
		g.data(payload)
	case "events", "events/late": // sound no siren for what is late
		g.take(payload, p.pin)
	}
}

func (g *gateway) status(payload []byte) {
	var s struct {
		Session, Epoch string
		Event          uint64
	}
	_ = json.Unmarshal(payload, &s) // what is no status says nothing
	if s.Epoch == g.epoch && s.Event < g.event {
		log.Printf("TAMPERING %s: its status knows %d events, %d were received", g.topic, s.Event, g.event)
	}
	g.session = s.Session
}

// data notes what a message covers. What was lost or thinned is covered too: it
// is told, and can't come, or only by resend.
func (g *gateway) data(payload []byte) {
	var m struct {
		Epoch      string
		Prev, Last uint64
	}
	if json.Unmarshal(payload, &m) != nil || m.Last <= m.Prev {
		return
	}
	if m.Epoch != g.epoch {
		g.epoch, g.covered, g.asked = m.Epoch, nil, span{}
	}
	g.covered = cover(g.covered, span{m.Prev, m.Last})
}

// cover adds a span, and joins those that touch.
func cover(all []span, s span) []span {
	var out []span
	for _, c := range all {
		switch {
		case c.to < s.after:
			out = append(out, c)
		case c.after > s.to:
			out, s = append(out, s), c
		default:
			s = span{min(c.after, s.after), max(c.to, s.to)}
		}
	}
	return append(out, s)
}

// take judges an event: signed by the pinned key, and following the one before it.
func (g *gateway) take(payload []byte, pin ed25519.PublicKey) {
	e, err := event.Parse(payload)
	switch {
	case err != nil || !e.SignedBy(pin):
		log.Printf("TAMPERING %s: an event that the pinned key did not sign: %.200s", g.topic, payload)
	case !e.Stored || e.N <= g.event && e.Epoch == g.epoch: // beside the chain, or a repeat
	case g.hash != "" && e.N == g.event+1 && e.Chain != g.hash:
		log.Printf("TAMPERING %s: event %d does not follow event %d", g.topic, e.N, g.event)
	default:
		if g.hash != "" && e.N > g.event+1 {
			log.Printf("%s: events %d to %d are missing", g.topic, g.event+1, e.N-1)
		}
		g.event, g.hash = e.N, e.Hash().String()
	}
}

// tick receipts what is whole, asks for holes, and notices silence.
func (p *platform) tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.gateways {
		if now.Sub(g.heard) > 3*time.Minute && !g.silent {
			g.silent = true
			log.Printf("ALARM %s has been silent for three minutes, whatever its status says", g.topic)
		}
		if len(g.covered) == 0 {
			continue
		}
		p.client.Publish(g.topic+"/receipt", 1, false, p.key.Seal(fmt.Appendf(nil,
			`{"epoch":%q,"last":%d,"event":%d,"h":%q,"t":%d`, g.epoch, g.covered[0].to, g.event, g.hash, now.UnixMilli())))
		if hole := (span{g.covered[0].to, 0}); len(g.covered) > 1 && g.asked != hole {
			g.asked = hole
			p.ask(g, span{hole.after, g.covered[1].after}, now)
		}
	}
}

func (p *platform) ask(g *gateway, hole span, now time.Time) {
	cmd, _ := json.Marshal(map[string]any{"id": rand.Text(), "gateway": strings.TrimPrefix(g.topic, "pithead/v1/"), "session": g.session,
		"op": "resend", "args": map[string]any{"from": hole.after + 1, "to": hole.to}, "by": "platform", "why": "a hole", "expires": now.Add(time.Minute).UnixMilli()})
	envelope, _ := json.Marshal(map[string]string{"cmd": string(cmd), "kid": p.key.Kid(), "sig": p.key.Sign(cmd)})
	p.client.Publish(g.topic+"/command", 1, false, envelope)
	log.Printf("%s: asked again for %d to %d", g.topic, hole.after+1, hole.to)
}
