package event

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pithead/drivers"
)

var update = flag.Bool("update", false, "write golden files anew")

// key is an identity that is the same in every run; b makes another.
func key(b byte) *Key { return KeyOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32))) }

func number(f float64) *float64 { return &f }

var raised = Event{Kind: "alarm", ID: "pond.level/red", Name: "库水位 <坝前>", State: "active", Level: "red",
	Point: "pond.level", Value: drivers.NumberValue(1249.61), Limit: number(1249.5)}

var at = Stamp{Boot: 12, M: 86400123, T: 1763779200410, Known: true}

func TestPayloadsStandAsPublished(t *testing.T) {
	c := NewChain(key(1), "9f2c41d8")
	var log bytes.Buffer
	put := func(payload []byte) {
		log.Write(payload)
		log.WriteByte('\n')
		c.Commit()
	}
	put(c.Next(Event{Kind: "start", ID: "agent/start", More: []Field{{"version", "1.2.0"}}}, Stamp{Boot: 12, M: 51}))
	put(c.Next(raised, at))
	put(c.Next(Event{Kind: "alarm", ID: "gas.ch4/fault", State: "active", Level: "yellow", Point: "gas.ch4", Quality: drivers.Comm,
		More: []Field{{"acked", false}, {"do", []string{"siren"}}, {"was", drivers.TextValue("通")}}, By: "值班员", Why: `"no" \ answer`}, at))
	log.Write(Unstored(key(1), "9f2c41d8", raised, at))
	log.WriteByte('\n')
	next := NewChain(key(1), "03ab77e0")
	next.Follow(c.Head(), 1)
	c = next
	put(c.Next(Event{Kind: "start", ID: "agent/start"}, Stamp{Boot: 1, M: 12}))

	file := filepath.Join("testdata", "vectors.ndjson")
	if *update {
		if err := os.WriteFile(file, log.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(log.Bytes(), want) {
		t.Fatalf("got\n%s\nwant\n%s", log.Bytes(), want)
	}
	r, err := Verify(&log, Options{Key: key(1).PublicKey()})
	if err != nil || !r.Whole() || r.Events != 4 || r.Unstored != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// The README's vectors are those of the file, and its key is the file's.
func TestReadmeShowsTheVectors(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := os.ReadFile(filepath.Join("testdata", "vectors.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	show := []string{key(1).Public(), key(1).Fingerprint(), key(1).Kid()}
	for line := range strings.Lines(string(vectors)) {
		p, err := Parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		show = append(show, p.Hash().String())
	}
	show = append(show, strings.SplitAfter(string(vectors), "\n")[1])
	for _, s := range show {
		if !strings.Contains(string(readme), s) {
			t.Errorf("README.md lacks %s", s)
		}
	}
}

func TestParseGivesBackWhatWasWritten(t *testing.T) {
	c := NewChain(key(1), "e")
	e := raised
	e.Quality, e.By, e.Why = drivers.Test, "李", "标校\n\t\x01\u2028"
	p, err := Parse(c.Next(e, at))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Event, e) || p.Stamp != at || p.N != 1 || p.Epoch != "e" || !p.Stored || p.Kid != key(1).Kid() {
		t.Fatalf("got %+v", p)
	}
	if !p.SignedBy(key(1).PublicKey()) || p.SignedBy(key(2).PublicKey()) {
		t.Fatal("the signature")
	}
}

func TestValuesComeBackExactly(t *testing.T) {
	c := NewChain(key(1), "e")
	for name, v := range map[string]drivers.Value{
		"number": drivers.NumberValue(0.1), "small": drivers.NumberValue(1e-9), "negative zero": drivers.NumberValue(math.Copysign(0, -1)),
		"beyond a float": drivers.UintValue(math.MaxUint64), "below a float": drivers.IntValue(math.MinInt64),
		"truth": drivers.BoolValue(true), "text": drivers.TextValue(`<开>&"`), "none": {},
	} {
		p, err := Parse(c.Next(Event{Kind: "alarm", Value: v}, at))
		if err != nil || p.Value != v {
			t.Errorf("%s: got %v, %v", name, p.Value, err)
		}
	}
	for name, v := range map[string]float64{"NaN": math.NaN(), "infinite": math.Inf(1)} {
		p, err := Parse(c.Next(Event{Kind: "alarm", Value: drivers.NumberValue(v)}, at))
		if err != nil || p.Value.Kind() != drivers.None {
			t.Errorf("%s: got %v, %v", name, p.Value, err)
		}
	}
}

func TestMembersOfOneKind(t *testing.T) {
	c := NewChain(key(1), "e")
	payload := c.Next(Event{Kind: "config", More: []Field{
		{"text", "<&>"}, {"none", math.NaN()}, {"fault", func() {}}, {"list", []string{"<a>", "b"}}, {"n", 7}, {"sig", "x"}, {"text", 1},
	}}, at)
	want := `"text":"<&>","none":null,"fault":null,"list":["<a>","b"],"n_":7,"sig_":"x","text_":1`
	if !bytes.Contains(payload, []byte(want)) {
		t.Fatalf("got %s, want in it %s", payload, want)
	}
	p, err := Parse(payload)
	if err != nil || p.N != 1 || p.Text("text") != "<&>" || p.Text("list") != "" || p.Text("absent") != "" || string(p.Member("n_")) != "7" {
		t.Fatalf("got %+v, %v", p, err)
	}
}

func TestWhatIsNotUTF8StaysJSON(t *testing.T) {
	payload := NewChain(key(1), "e").Next(Event{Kind: "fault", Why: "a\xffb"}, at)
	if !json.Valid(payload) || !strings.Contains(string(payload), "a\ufffdb") {
		t.Fatalf("got %q", payload)
	}
}

// Promise 2.
func TestANumberIsUsedAgainOnlyIfItWasNotCommitted(t *testing.T) {
	c := NewChain(key(1), "e")
	n := func(payload []byte) uint64 {
		p, err := Parse(payload)
		if err != nil {
			t.Fatal(err)
		}
		return p.N
	}
	got := []uint64{n(c.Next(raised, at)), n(c.Next(raised, at))}
	c.Commit()
	c.Commit() // nothing was built: nothing moves
	got = append(got, n(c.Next(raised, at)), n(c.And(raised, at)), n(c.And(raised, at)), n(c.Next(raised, at)), n(c.And(raised, at)))
	c.Commit()
	got = append(got, n(c.And(raised, at)))
	if want := []uint64{1, 1, 2, 3, 4, 2, 3, 4}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if c.Head().N != 3 {
		t.Fatalf("the head is %d, want 3", c.Head().N)
	}
}

func TestResumeGoesOnAfterTheLast(t *testing.T) {
	whole := NewChain(key(1), "e")
	first := whole.Next(raised, at)
	whole.Commit()
	c := NewChain(key(1), "e")
	if err := c.Resume(1, first); err != nil {
		t.Fatal(err)
	}
	if got, want := c.Next(raised, at), whole.Next(raised, at); !bytes.Equal(got, want) {
		t.Fatalf("got %s, want %s", got, want)
	}
	for name, err := range map[string]error{
		"another number": NewChain(key(1), "e").Resume(2, first),
		"another epoch":  NewChain(key(1), "f").Resume(1, first),
		"torn":           NewChain(key(1), "e").Resume(1, first[:len(first)-9]),
		"nothing":        NewChain(key(1), "e").Resume(1, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestIdentityOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.pem")
	if _, err := LoadKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want not there", err)
	}
	made, err := NewKey(path)
	if err != nil {
		t.Fatal(err)
	}
	read, err := LoadKey(path)
	if err != nil || read.Public() != made.Public() {
		t.Fatalf("got %v, %v", read, err)
	}
	if _, err := NewKey(path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("got %v, want that it exists", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Fatalf("left behind: %v", files)
	}
	public, err := ParsePublic(made.Public())
	if err != nil || KidOf(public) != made.Kid() || FingerprintOf(public)[7:23] != made.Kid() {
		t.Fatalf("kid %s of %s, %v", made.Kid(), made.Fingerprint(), err)
	}
}

func TestAFileThatIsNoIdentity(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "not PEM": "hello", "torn": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n",
		"a certificate": "-----BEGIN CERTIFICATE-----\nMC4=\n-----END CERTIFICATE-----\n",
		"an X25519 key": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIEhE3rRZKZZ0kRGP2hRfVdUc7tiQ5qpWeW1Tn+YMuIBb\n-----END PRIVATE KEY-----\n",
	} {
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if k, err := LoadKey(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, %v", name, k, err)
		}
	}
	if _, err := NewKey(filepath.Join(t.TempDir(), "no", "such", "folder")); err == nil {
		t.Error("no folder: no error")
	}
}
