package event

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// Parsed is a payload taken apart. Event.More holds the members that are not
// common ones, each Value a json.RawMessage.
type Parsed struct {
	Event
	Stamp
	Epoch  string
	N      uint64 // 0 where Stored is false
	Stored bool
	Chain  string
	Alg    string
	Kid    string
	Sig    []byte
	Signed []byte // the bytes that are signed and hashed; part of the payload
}

// Hash is what the next event's chain says of this one.
func (p Parsed) Hash() Hash { return sha256.Sum256(p.Signed) }

// SignedBy says whether the signature is that key's.
func (p Parsed) SignedBy(key ed25519.PublicKey) bool {
	return p.Alg == "ed25519" && ed25519.Verify(key, p.Signed, p.Sig)
}

// Member is a member beyond the common ones as JSON; nil where it is absent.
func (p Parsed) Member(name string) json.RawMessage {
	for _, f := range p.More {
		if f.Name == name {
			raw, _ := f.Value.(json.RawMessage)
			return raw
		}
	}
	return nil
}

// Text is a member that is a string; empty where it is absent or none.
func (p Parsed) Text(name string) string {
	var s string
	if json.Unmarshal(p.Member(name), &s) != nil {
		return ""
	}
	return s
}

// Parse takes a payload apart. It checks form, not truth: who signed it and
// what it follows is for Verify. White space around it is allowed, within it
// the bytes are what they are.
func Parse(payload []byte) (Parsed, error) {
	payload = bytes.TrimSpace(payload)
	var p Parsed
	if err := p.cut(payload); err != nil {
		return Parsed{}, err
	}
	if err := p.members(payload); err != nil {
		return Parsed{}, err
	}
	return p, p.judge()
}

// cut finds the signature, which must be the last member and stand as the
// gateway writes it: another writing would be other bytes under one signature.
func (p *Parsed) cut(payload []byte) error {
	i := bytes.LastIndex(payload, []byte(sigMember))
	if i < 0 {
		return errors.New(`no event: it has no member "sig"`)
	}
	text := payload[i+len(sigMember):]
	if len(text) < 3 || text[0] != '"' || string(text[len(text)-2:]) != `"}` {
		return errors.New(`"sig" is not the last member`)
	}
	sig, ok := signature(text[1 : len(text)-2])
	if !ok {
		return errors.New(`"sig" is not 64 bytes in standard base64`)
	}
	p.Sig, p.Signed = sig, payload[:i]
	return nil
}

// signature reads one as the gateway writes it. The length of the text counts,
// too: the decoder passes over line ends.
func signature(text []byte) ([]byte, bool) {
	sig, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	return sig, err == nil && len(sig) == ed25519.SignatureSize && len(text) == base64.StdEncoding.EncodedLen(len(sig))
}

// members reads the object member by member: a name that comes twice could
// mean one thing to us and another to the platform.
func (p *Parsed) members(payload []byte) error {
	dec := json.NewDecoder(bytes.NewReader(payload))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	p.Stored = true
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		name, _ := t.(string)
		if seen[name] {
			return fmt.Errorf("member %.40q comes twice", name)
		}
		seen[name] = true
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		if err := p.take(name, raw); err != nil {
			return fmt.Errorf("member %.40q: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	if dec.InputOffset() != int64(len(payload)) {
		return errors.New("something stands behind the object")
	}
	for _, name := range []string{"v", "epoch", "boot", "m", "kind"} {
		if !seen[name] {
			return fmt.Errorf("no event: it has no member %q", name)
		}
	}
	if p.Stored != seen["n"] || p.Stored != seen["chain"] {
		return errors.New(`a stored event has "n" and "chain", an unstored one neither`)
	}
	return nil
}

// judge refuses what has the form of an event but can't be one.
func (p *Parsed) judge() error {
	if p.Epoch == "" || p.Kind == "" {
		return errors.New("an event has an epoch and a kind")
	}
	if p.Stored && p.N == 0 {
		return errors.New("numbers begin with 1")
	}
	if p.Chain != "" {
		if _, err := ParseHash(p.Chain); err != nil {
			return fmt.Errorf(`member "chain": %w`, err)
		}
	}
	return nil
}
