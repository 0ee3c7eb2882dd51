package event

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
)

// A Hash is the SHA-256 of an event's signed bytes.
type Hash [sha256.Size]byte

func (h Hash) String() string { return "sha256:" + hex.EncodeToString(h[:]) }

// ParseHash is the inverse of String.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != len("sha256:")+2*len(h) || s[:7] != "sha256:" {
		return h, fmt.Errorf("%.80q is no hash: want sha256: and 64 hex digits", s)
	}
	if _, err := hex.Decode(h[:], []byte(s[7:])); err != nil {
		return h, fmt.Errorf("%.80q is no hash: want sha256: and 64 hex digits", s)
	}
	return h, nil
}

// A Head is the last event of a chain. The zero Head is a chain with no event.
type Head struct {
	Epoch string
	N     uint64
	Hash  Hash
}

// A Chain numbers, links and signs events. It belongs to one goroutine.
type Chain struct {
	key     *Key
	head    Head // the last durable event; without a hash, only where numbers go on
	after   Head // what the first event of this epoch follows; N is 0 where nothing is known
	pending Head // what Commit moves to; N is 0 where nothing was built
	heir    *Key // signs once the pending event is durable; nil: the key stays
}

// NewChain begins an epoch whose first event will be number 1.
func NewChain(key *Key, epoch string) *Chain {
	return &Chain{key: key, head: Head{Epoch: epoch}}
}

// Follow says what the first event of this epoch follows: the last known event
// of the epoch before. That event then names it in its member "after", and
// chains to it; its own number is next.
func (c *Chain) Follow(last Head, next uint64) {
	c.after, c.head.N = last, next-1
}

// Resume goes on after last, the payload of this epoch's last durable event,
// which must be whole and number n.
func (c *Chain) Resume(n uint64, last []byte) error {
	p, err := Parse(last)
	if err != nil {
		return fmt.Errorf("resume the chain after event %d: %w", n, err)
	}
	if p.N != n || p.Epoch != c.head.Epoch {
		return fmt.Errorf("resume the chain after event %d of epoch %s: the payload is event %d of epoch %s", n, c.head.Epoch, p.N, p.Epoch)
	}
	c.head.N, c.head.Hash, c.pending = n, p.Hash(), Head{}
	return nil
}

// Head is the last event that was committed.
func (c *Chain) Head() Head { return c.head }

// Next is the payload of e as the next number. Until Commit says that it is
// durable, another Next takes its place and number.
func (c *Chain) Next(e Event, s Stamp) []byte {
	c.pending, c.heir = c.head, nil
	return c.And(e, s)
}

// HandOver is the payload, as the next number, that makes heir the chain's key:
// both sign it, and from Commit on heir alone.
func (c *Chain) HandOver(heir *Key, s Stamp) []byte {
	c.pending, c.heir = c.head, heir
	return c.And(Event{Kind: handOver, ID: "agent/identity", More: []Field{
		{"old", c.key.Public()}, {"new", heir.Public()}}}, s)
}

// And is the payload of e as the number after the one that Next or And built
// last, so that several can become durable in one go. One Commit confirms all.
func (c *Chain) And(e Event, s Stamp) []byte {
	if c.pending.Epoch == "" {
		c.pending = c.head
	}
	prev, chain := c.pending, ""
	switch {
	case prev.Hash != (Hash{}):
		chain = prev.Hash.String()
	case c.after.N > 0:
		chain = c.after.Hash.String()
		e.More = append([]Field{{"after", after{c.after.Epoch, c.after.N, chain}}}, e.More...)
	}
	b := appendOpening(nil, prev.Epoch)
	b = strconv.AppendUint(appendName(b, "n"), prev.N+1, 10)
	b = e.AppendMembers(s.append(b))
	b = appendString(appendName(b, "chain"), chain)
	b = c.key.appendSigner(b)
	if c.heir != nil {
		b = c.heir.appendSig(b, newSigMember)
	}
	c.pending = Head{Epoch: prev.Epoch, N: prev.N + 1, Hash: sha256.Sum256(b)}
	return c.key.appendSignature(b)
}

type after struct {
	Epoch string `json:"epoch"`
	N     uint64 `json:"n"`
	Chain string `json:"chain"`
}

// Commit moves on: what was built since the last Commit is durable.
func (c *Chain) Commit() {
	if c.pending.Epoch == "" {
		return
	}
	if c.head, c.pending = c.pending, (Head{}); c.heir != nil {
		c.key, c.heir = c.heir, nil
	}
}

// Unstored is the payload of an event that the disk could not take: signed, but
// without a number and outside the chain.
func Unstored(key *Key, epoch string, e Event, s Stamp) []byte {
	b := appendOpening(nil, epoch)
	b = append(appendName(b, "stored"), "false"...)
	b = e.AppendMembers(s.append(b))
	return key.appendSignature(key.appendSigner(b))
}

func appendOpening(b []byte, epoch string) []byte {
	b = append(b, `{"v":1`...)
	return appendText(b, "epoch", epoch)
}

func (k *Key) appendSigner(b []byte) []byte {
	return appendText(appendText(b, "alg", "ed25519"), "kid", k.kid)
}

// What is signed ends where its signature's member begins.
const (
	sigMember    = `,"sig":`
	newSigMember = `,"new-sig":`
)

func (k *Key) appendSignature(b []byte) []byte { return append(k.appendSig(b, sigMember), '}') }

// appendSig signs b and appends the signature as a member.
func (k *Key) appendSig(b []byte, member string) []byte {
	sig := ed25519.Sign(k.private, b)
	b = append(append(b, member...), '"')
	return append(base64.StdEncoding.AppendEncode(b, sig), '"')
}
