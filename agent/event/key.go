package event

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A Key is the gateway's identity: an Ed25519 key pair.
type Key struct {
	private ed25519.PrivateKey
	public  ed25519.PublicKey
	kid     string
}

// LoadKey reads an identity that NewKey wrote: PEM, PKCS #8. A file that is
// not there is fs.ErrNotExist.
func LoadKey(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("identity: %s holds no private key (PEM, PKCS #8)", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("identity: %s: %w", path, err)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("identity: %s holds a key that is not Ed25519", path)
	}
	return KeyOf(private), nil
}

// NewKey makes an identity and writes it to path, readable by its owner alone.
// It is durable when NewKey returns. A file that is there already is left
// alone: fs.ErrExist.
func NewKey(path string) (*Key, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("identity: %s: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("identity: %w", err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	k := KeyOf(private)
	if err := k.Save(path); err != nil {
		return nil, err
	}
	return k, nil
}

// Save writes an identity to path, as NewKey does. It is durable when Save returns.
func (k *Key) Save(path string) error {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err == nil {
		err = writeDurably(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return nil
}

// NextKey is where the key waits that is to follow the one at path.
func NextKey(path string) string { return path + ".next" }

// Succeed puts the next key in the place of the one at path, which is gone then.
func Succeed(path string) error {
	if err := os.Rename(NextKey(path), path); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// writeDurably puts a whole new file of mode 0600 at path, or none.
func writeDurably(path string, text []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".identity-*") // CreateTemp makes it 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already where the rename was done
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// KeyOf is the identity of a private key that is at hand.
func KeyOf(private ed25519.PrivateKey) *Key {
	public := private.Public().(ed25519.PublicKey)
	return &Key{private: private, public: public, kid: KidOf(public)}
}

// Kid names the key in events: the first 16 hex digits of its fingerprint.
func (k *Key) Kid() string { return k.kid }

// Seal signs an object that is no event, as a reply to a command: open is its
// JSON without the closing brace. What is signed is as in an event.
func (k *Key) Seal(open []byte) []byte { return k.appendSignature(k.appendSigner(open)) }

// Sign is the signature of a text that travels beside it, in base64.
func (k *Key) Sign(text []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, text))
}

// Sealed says whether one of the keys signed an object whose last member is
// sig, as Seal makes it or a platform its receipts.
func Sealed(payload []byte, keys ...ed25519.PublicKey) bool {
	var p Parsed
	if p.cut(bytes.TrimSpace(payload)) != nil {
		return false
	}
	return slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool {
		return len(k) == ed25519.PublicKeySize && ed25519.Verify(k, p.Signed, p.Sig)
	})
}

// Public is the raw public key in standard base64, as status tells it and as a
// platform pins it.
func (k *Key) Public() string { return base64.StdEncoding.EncodeToString(k.public) }

// Fingerprint is sha256: and the hex SHA-256 of the raw public key.
func (k *Key) Fingerprint() string { return FingerprintOf(k.public) }

// PublicKey is what Verify takes.
func (k *Key) PublicKey() ed25519.PublicKey { return k.public }

// FingerprintOf is Key.Fingerprint for a public key alone.
func FingerprintOf(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// KidOf is Key.Kid for a public key alone.
func KidOf(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// ParsePublic reads what Public prints.
func ParsePublic(s string) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, errors.New("a public key is 32 bytes in standard base64, as pithead key prints it")
	}
	return raw, nil
}
