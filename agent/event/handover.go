package event

import (
	"bytes"
	"crypto/ed25519"
	"slices"
)

// handOver is the kind of an event that makes another key the chain's.
const handOver = "key"

// A Handover makes another key the one that signs.
type Handover struct{ Old, New ed25519.PublicKey }

// Handover is what an event of kind key says, if both its keys signed it: whoever
// trusts one of them knows the other by it.
func (p Parsed) Handover() (h Handover, ok bool) {
	if p.Kind != handOver {
		return h, false
	}
	old, err := ParsePublic(p.Text("old"))
	if err != nil || KidOf(old) != p.Kid || !p.SignedBy(old) {
		return h, false
	}
	heir, err := ParsePublic(p.Text("new"))
	i := bytes.LastIndex(p.Signed, []byte(newSigMember))
	if err != nil || i < 0 {
		return h, false
	}
	text := p.Signed[i+len(newSigMember):]
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return h, false
	}
	sig, ok := signature(text[1 : len(text)-1])
	return Handover{old, heir}, ok && ed25519.Verify(heir, p.Signed[:i], sig)
}

// mostHandovers bounds what a file of anybody's handovers costs: no gateway has a
// new key each week for years.
const mostHandovers = 1000

// A signer is a key that may have signed some of the events.
type signer struct {
	key ed25519.PublicKey // nil: known by its name alone, since no key was given
	// From the key that was given trust goes on to its heirs, and back to those
	// whose heir it is; but not from those to other heirs, whom a key that was
	// given up for a reason may have made.
	ahead, back bool
}

// keys are those that a record may be signed by.
type keys struct {
	first     string // kid of the key that was given, else of the first event
	known     map[string]signer
	handovers []Handover
	waiting   []waiting
}

// waiting is an event of a key that is not known yet: its handover may come later.
type waiting struct {
	entry, line int // entry is -1 where it is not stored
	Parsed
}

// begin trusts the key that was given; without one, whoever signed first, by name.
func (k *keys) begin(key ed25519.PublicKey, kid string) {
	if key != nil {
		kid = KidOf(key)
	}
	k.first, k.known = kid, map[string]signer{kid: {key, true, true}}
}

// hear takes in a handover, and what follows for others that were heard before.
func (k *keys) hear(h Handover) {
	same := func(o Handover) bool { return o.Old.Equal(h.Old) && o.New.Equal(h.New) }
	if len(k.handovers) >= mostHandovers || slices.ContainsFunc(k.handovers, same) {
		return
	}
	k.handovers = append(k.handovers, h)
	for again := true; again; {
		again = false
		for _, h := range k.handovers {
			old, heir := k.known[KidOf(h.Old)], k.known[KidOf(h.New)]
			if old.ahead && !heir.ahead {
				heir.ahead, again = true, true
				k.trust(h.New, heir)
			}
			if heir.back && !old.back {
				old.back, again = true, true
				k.trust(h.Old, old)
			}
		}
	}
}

func (k *keys) trust(key ed25519.PublicKey, s signer) {
	if k.known[k.first].key != nil {
		s.key = key
	}
	k.known[KidOf(key)] = s
}

// others are the kids that are trusted beside the first.
func (k *keys) others() (kids []string) {
	for _, h := range k.handovers {
		for _, key := range []ed25519.PublicKey{h.Old, h.New} {
			kid := KidOf(key)
			if _, ok := k.known[kid]; ok && kid != k.first && !slices.Contains(kids, kid) {
				kids = append(kids, kid)
			}
		}
	}
	return kids
}
