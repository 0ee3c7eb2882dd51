package command

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"pithead/agent/event"
)

// An Envelope is a signed command as it comes: sig signs the exact bytes of
// the string cmd.
type Envelope struct {
	Cmd string `json:"cmd"`
	Kid string `json:"kid"` // first 16 hex digits of the SHA-256 of the raw public key
	Sig string `json:"sig"` // standard base64
}

// order is what cmd holds.
type order struct {
	ID      string          `json:"id"`
	Gateway string          `json:"gateway"` // site/gateway
	Session string          `json:"session"`
	Op      string          `json:"op"`
	Args    json.RawMessage `json:"args"`
	By      string          `json:"by"`
	Why     string          `json:"why"`
	Expires int64           `json:"expires"` // Unix ms
}

// A Commander is a key that may command, and what.
type Commander struct {
	ID    string
	Key   ed25519.PublicKey
	Allow []string
}

// A Gate lets commands of one session through, whoever brings them. Its methods
// may be called from any goroutine.
type Gate struct {
	Gateway string // site/gateway
	Session string // of status, new at every start

	mu   sync.Mutex
	seen map[string]bool
}

// MaxAhead is how far ahead a command may expire.
const MaxAhead = 24 * time.Hour

// maxSeen is how many commands one session takes: a day of one each second.
const maxSeen = 1 << 17

// A Refusal is why a command is not done; ID is that of the command, if it
// could be read.
type Refusal struct {
	ID  string
	Why string
}

func (r Refusal) Error() string { return r.Why }

// Open takes a payload as it came, and who may command there. Now is the wall
// time in Unix milliseconds; while it is not known expiry is not judged, since
// the session alone stops replays.
func (g *Gate) Open(payload []byte, who []Commander, now int64, known bool) (Command, error) {
	if len(payload) > MaxEnvelope {
		return Command{}, Refusal{Why: fmt.Sprintf("%d bytes are too many, want at most %d", len(payload), MaxEnvelope)}
	}
	var e Envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		return Command{}, Refusal{Why: "it is no envelope: want cmd, kid and sig"}
	}
	by, err := signer(e, who)
	if err != nil {
		return Command{}, Refusal{Why: err.Error()}
	}
	var o order // read only now: before, it is anybody's bytes
	if err := json.Unmarshal([]byte(e.Cmd), &o); err != nil {
		return Command{}, Refusal{Why: "cmd is not the JSON of a command"}
	}
	c := Command{ID: o.ID, Op: o.Op, By: o.By, Why: o.Why, Signed: true, Key: by.ID}
	if c.Args, err = ParseArgs(o.Args); err == nil {
		err = c.Check()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if wrong := g.meant(o, by, now, known); wrong != nil {
		err = wrong
	}
	if err != nil {
		return Command{}, Refusal{ID: clip(o.ID), Why: err.Error()}
	}
	if g.seen == nil {
		g.seen = map[string]bool{}
	}
	g.seen[o.ID] = true
	return c, nil
}

// signer is the commander whose key signed the envelope.
func signer(e Envelope, who []Commander) (Commander, error) {
	if len(who) == 0 {
		return Commander{}, errors.New("no key may command here")
	}
	sig, err := base64.StdEncoding.DecodeString(e.Sig)
	if err != nil || len(sig) != ed25519.SignatureSize {
		return Commander{}, errors.New("sig is no Ed25519 signature in base64")
	}
	for _, c := range who {
		if event.KidOf(c.Key) == e.Kid {
			if !ed25519.Verify(c.Key, []byte(e.Cmd), sig) {
				return Commander{}, errors.New("the signature does not fit")
			}
			return c, nil
		}
	}
	return Commander{}, fmt.Errorf("key %q may not command here", clip(e.Kid))
}

// meant judges whether a signed order is for here and now.
func (g *Gate) meant(o order, by Commander, now int64, known bool) error {
	switch {
	case o.Gateway != g.Gateway:
		return fmt.Errorf("it is for gateway %q, this is %q", clip(o.Gateway), g.Gateway)
	case o.Session != g.Session:
		return errors.New("it is of another session: take the one in status")
	case o.ID == "" || len(o.ID) > maxID:
		return fmt.Errorf("want an id of 1 to %d bytes", maxID)
	case g.seen[o.ID]:
		return fmt.Errorf("command %q was given already", o.ID)
	case len(g.seen) >= maxSeen:
		return errors.New("too many commands since the start")
	case o.Expires <= 0:
		return errors.New("it says not when it expires")
	case known && o.Expires < now:
		return errors.New("it has expired")
	case known && o.Expires-now > MaxAhead.Milliseconds():
		return errors.New("it expires more than 24 h ahead")
	case !slices.Contains(by.Allow, o.Op):
		return fmt.Errorf("%s may not %q", by.ID, clip(o.Op))
	}
	return nil
}
