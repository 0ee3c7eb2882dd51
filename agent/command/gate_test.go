package command

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pithead/agent/event"
)

const now = 1763779200000

// county is a key that may acknowledge and read.
var (
	countyKey = ed25519.NewKeyFromSeed([]byte("the county's key in the tests..."))
	county    = Commander{ID: "county", Key: countyKey.Public().(ed25519.PublicKey), Allow: []string{"ack", "shelve"}}
)

func gate() *Gate { return &Gate{Gateway: "tsf/gw-01", Session: "s1"} }

// good is a command that is taken, with what with changes; nil takes a member out.
func good(with map[string]any) map[string]any {
	m := map[string]any{
		"id": "7f", "gateway": "tsf/gw-01", "session": "s1", "op": "ack",
		"args": map[string]any{"alarm": "pond.level/red", "event": 512}, "by": "li", "why": "seen", "expires": now + 60_000,
	}
	maps.Copy(m, with)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

func sealed(t testing.TB, key ed25519.PrivateKey, cmd any) []byte {
	t.Helper()
	b, err := json.Marshal(cmd)
	if err != nil {
		t.Fatal(err)
	}
	e, err := json.Marshal(Envelope{
		Cmd: string(b), Kid: event.KidOf(key.Public().(ed25519.PublicKey)),
		Sig: base64.StdEncoding.EncodeToString(ed25519.Sign(key, b)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestASignedCommandIsTaken(t *testing.T) {
	c, err := gate().Open(sealed(t, countyKey, good(nil)), []Commander{county}, now, true)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != "7f" || c.Op != "ack" || c.Args.Alarm != "pond.level/red" || c.Args.Event != 512 || c.By != "li" || c.Why != "seen" || !c.Signed || c.Key != "county" {
		t.Errorf("got %+v", c)
	}
}

// Promise 1 and 2.
func TestWhatIsRefused(t *testing.T) {
	stranger := ed25519.NewKeyFromSeed([]byte("a stranger's key in the tests..."))
	changed := func(from, to string) []byte {
		return []byte(strings.Replace(string(sealed(t, countyKey, good(nil))), from, to, 1))
	}
	for name, c := range map[string]struct {
		payload []byte
		why     string
		unknown bool // the clock
	}{
		"garbage":                  {payload: []byte("\x00\xff"), why: "no envelope"},
		"empty":                    {payload: nil, why: "no envelope"},
		"oversized":                {payload: make([]byte, MaxEnvelope+1), why: "too many"},
		"unsigned":                 {payload: []byte(`{"cmd":"{}"}`), why: "no Ed25519 signature"},
		"by a stranger":            {payload: sealed(t, stranger, good(nil)), why: "may not command here"},
		"a stranger as the county": {payload: changed(`"kid":"`+event.KidOf(county.Key), `"kid":"0000000000000000`), why: "may not command here"},
		"altered after signing":    {payload: changed("pond.level/red", "pond.level/rad"), why: "does not fit"},
		"signed, but no command":   {payload: sealed(t, countyKey, []int{1}), why: "not the JSON"},
		"for another gateway":      {payload: sealed(t, countyKey, good(map[string]any{"gateway": "tsf/gw-02"})), why: `for gateway "tsf/gw-02"`},
		"of the session before":    {payload: sealed(t, countyKey, good(map[string]any{"session": "s0"})), why: "another session"},
		"without session":          {payload: sealed(t, countyKey, good(map[string]any{"session": nil})), why: "another session"},
		"expired":                  {payload: sealed(t, countyKey, good(map[string]any{"expires": now - 1})), why: "expired"},
		"valid for a week":         {payload: sealed(t, countyKey, good(map[string]any{"expires": now + 7*86_400_000})), why: "24 h"},
		"without end":              {payload: sealed(t, countyKey, good(map[string]any{"expires": nil})), why: "says not when", unknown: true},
		"without id":               {payload: sealed(t, countyKey, good(map[string]any{"id": nil})), why: "want an id"},
		"not allowed":              {payload: sealed(t, countyKey, good(map[string]any{"op": "reset"})), why: `county may not "reset"`},
		"no such op":               {payload: sealed(t, countyKey, good(map[string]any{"op": "format"})), why: "may not"},
		"a word nobody knows":      {payload: sealed(t, countyKey, good(map[string]any{"args": map[string]any{"alrm": "x"}})), why: "unknown field"},
		"a time without unit":      {payload: sealed(t, countyKey, good(map[string]any{"op": "shelve", "args": map[string]any{"for": 30}})), why: `as "30m"`},
		"a long reason":            {payload: sealed(t, countyKey, good(map[string]any{"why": strings.Repeat("x", MaxWhy+1)})), why: "too long a reason"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gate()
			_, err := g.Open(c.payload, []Commander{county}, now, !c.unknown)
			if err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, want one with %q", err, c.why)
			}
			if len(g.seen) != 0 {
				t.Error("what is refused leaves a trace")
			}
		})
	}
}

func TestWithoutKeysEveryCommandIsRefused(t *testing.T) {
	if _, err := gate().Open(sealed(t, countyKey, good(nil)), nil, now, true); err == nil {
		t.Error("taken")
	}
}

func TestWithAnUnknownClockTheSessionAloneCounts(t *testing.T) {
	long := sealed(t, countyKey, good(map[string]any{"expires": now - 86_400_000}))
	if _, err := gate().Open(long, []Commander{county}, 0, false); err != nil {
		t.Error(err)
	}
}

// Promise 3.
func TestNoCommandTwice(t *testing.T) {
	g := gate()
	payload := sealed(t, countyKey, good(nil))
	if _, err := g.Open(payload, []Commander{county}, now, true); err != nil {
		t.Fatal(err)
	}
	_, err := g.Open(payload, []Commander{county}, now, true)
	var r Refusal
	if !errors.As(err, &r) || r.ID != "7f" || !strings.Contains(r.Why, "already") {
		t.Errorf("got %v", err)
	}
	for i := len(g.seen); i < maxSeen; i++ {
		g.seen[strconv.Itoa(i)] = true
	}
	if _, err := g.Open(sealed(t, countyKey, good(map[string]any{"id": "new"})), []Commander{county}, now, true); err == nil {
		t.Error("taken, though the ids can't be remembered any more")
	}
}

func TestDurations(t *testing.T) {
	for in, want := range map[string]string{"30m": "1800000ms", "500ms": "500ms", "1.5h": "5400000ms", "7d": "604800000ms"} {
		d, err := ParseDuration(in)
		if b, _ := Duration(d).MarshalJSON(); err != nil || string(b) != `"`+want+`"` {
			t.Errorf("%s: %s, %v", in, b, err)
		}
	}
	for _, in := range []string{"", "m", "30", "30 m", "-5m", "1e9h", "9999d", "5x", "0x10s", "1.2.3s"} {
		if d, err := ParseDuration(in); err == nil {
			t.Errorf("%q is taken for %v", in, d)
		}
	}
}

// FuzzOpen tries what anybody may send, and, signed, what only somebody with a key
// can: the words within are read then.
func FuzzOpen(f *testing.F) {
	cmd, _ := json.Marshal(good(nil))
	f.Add(sealed(f, countyKey, good(nil)), string(cmd), "{}")
	f.Add([]byte(`{"cmd":"","kid":"","sig":""}`), `{"id":"1","gateway":"tsf/gw-01","session":"s1","op":"shelve","args":{"alarm":"a","for":"1h"},"expires":1763779260000}`, `{"for":"1h"}`)
	f.Fuzz(func(t *testing.T, payload []byte, cmd, args string) {
		if _, err := gate().Open(payload, []Commander{county}, now, true); err == nil && len(payload) > MaxEnvelope {
			t.Error("oversized, and taken")
		}
		g := gate()
		e, err := json.Marshal(Envelope{Cmd: cmd, Kid: event.KidOf(county.Key), Sig: base64.StdEncoding.EncodeToString(ed25519.Sign(countyKey, []byte(cmd)))})
		if err != nil {
			t.Fatal(err)
		}
		c, err := g.Open(e, []Commander{county}, now, true)
		switch {
		case err != nil && len(g.seen) > 0:
			t.Error("refused, and remembered")
		case err == nil && (!slices.Contains(county.Allow, c.Op) || c.ID == "" || len(c.ID) > maxID || len(c.Why) > MaxWhy || !c.Signed || c.Key != "county"):
			t.Errorf("taken: %+v", c)
		}
		if _, again := g.Open(e, []Commander{county}, now, true); again == nil {
			t.Error("taken twice")
		}
		a, err := ParseArgs([]byte(args))
		if err != nil {
			return
		}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseArgs(b); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	})
}
