//go:build board

package board

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// An ear is a broker on the host's loopback that notes the events of a gateway,
// and signs commands for it.
type ear struct {
	t    *testing.T
	port int
	key  ed25519.PrivateKey

	mu      sync.Mutex
	session string
	events  []heard
	newest  uint64 // number of an event
	next    int    // what was not waited for yet
	asked   int
}

// heard is as much of an event as the tests look at; n is 0 while the disk has
// not taken it.
type heard struct {
	N                      uint64
	Kind, ID, State, Point string
	What, Why              string
	Lost                   int
}

func listen(t *testing.T) *ear {
	t.Helper()
	e := &ear{t: t, key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))}
	e.port = broker(t, e.hear)
	return e
}

func (e *ear) hear(topic string, payload []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case strings.HasSuffix(topic, "/status"):
		var s struct{ State, Session string }
		if json.Unmarshal(payload, &s) == nil && s.State == "online" {
			e.session = s.Session
		}
	case strings.HasSuffix(topic, "/events"), strings.HasSuffix(topic, "/events/late"):
		var h heard
		if json.Unmarshal(payload, &h) == nil && (h.N == 0 || h.N > e.newest) { // a repeat is none
			e.events, e.newest = append(e.events, h), max(e.newest, h.N)
		}
	}
}

func (h heard) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", h.ID, h.State, h.What, h.Point))
}

// wait waits for an event, for so long as an idle machine needs, and patience; those before it that nobody waited for are let go by.
func (e *ear) wait(within time.Duration, want string) heard {
	e.t.Helper()
	within += patience
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		e.mu.Lock()
		for i := e.next; i < len(e.events); i++ {
			if e.events[i].String() == want {
				e.next = i + 1
				h := e.events[i]
				e.mu.Unlock()
				return h
			}
		}
		all := fmt.Sprint(e.events[e.next:])
		e.mu.Unlock()
		if time.Now().After(end) {
			e.t.Fatalf("not told within %v: %q; told was %s", within, want, all)
		}
	}
}

// lost is how many edges of a point were told as lost.
func (e *ear) lost(point string) (edges, gaps int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.events {
		if h.Kind == "fault" && h.Point == point && h.Lost > 0 {
			edges += h.Lost
			gaps++
		}
	}
	return edges, gaps
}

// renewed waits for the session of a new start.
func (e *ear) renewed(was string) string {
	e.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		e.mu.Lock()
		s := e.session
		e.mu.Unlock()
		if s != "" && s != was {
			return s
		}
		if time.Now().After(end) {
			e.t.Fatal("the gateway does not report")
		}
	}
}

// command gives a signed command through the board's local socket.
func (e *ear) command(b *Board, op string, args map[string]any) error {
	e.mu.Lock()
	e.asked++
	cmd, _ := json.Marshal(map[string]any{"id": fmt.Sprint(e.asked), "gateway": "board/gw", "session": e.session, "op": op, "args": args,
		"by": "王工", "why": "检修", "expires": time.Now().Add(time.Hour).UnixMilli()})
	e.mu.Unlock()
	sum := sha256.Sum256(e.key.Public().(ed25519.PublicKey))
	envelope, _ := json.Marshal(map[string]string{"cmd": string(cmd), "kid": hex.EncodeToString(sum[:8]),
		"sig": base64.StdEncoding.EncodeToString(ed25519.Sign(e.key, cmd))})
	if err := b.Put("/tmp/command", string(envelope)); err != nil {
		return err
	}
	_, err := b.Run("pithead command /tmp/command 2>&1")
	return err
}

// public is the key for the site file.
func (e *ear) public() string {
	return base64.StdEncoding.EncodeToString(e.key.Public().(ed25519.PublicKey))
}
