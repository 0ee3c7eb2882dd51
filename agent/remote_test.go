package agent

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
)

var gatewayKey = ed25519.NewKeyFromSeed([]byte("the gateway's key in the tests.."))

// remote is an agent that a county may command, without its buffer.
func remote(b *bench) *agent {
	a := guarded(b, true)
	a.site.Uplinks[0].Commands[0].Allow = []string{"reset", "read", "config.get", "time", "diag", "snapshot", "reload"}
	a.site.Uplinks[0].Max = 20_000
	a.key, a.queue = event.KeyOf(gatewayKey), b.judge.queue
	a.Log = slog.New(slog.DiscardHandler)
	return a
}

func orderOf(t *testing.T, id, op string, args map[string]any) []byte {
	t.Helper()
	return signedBy(t, county, map[string]any{"id": id, "gateway": "pit/gw", "session": "s1", "op": op, "args": args,
		"by": "li", "why": "test", "expires": time.Now().Add(time.Minute).UnixMilli()})
}

type answered struct {
	V      int
	ID     string
	OK     bool
	Result json.RawMessage
	Error  string
}

func replyOf(t *testing.T, a *agent, payload []byte) answered {
	t.Helper()
	text, then := a.obey(t.Context(), "county", payload)
	then()
	if !event.Sealed(text, gatewayKey.Public().(ed25519.PublicKey)) {
		t.Errorf("the reply is not signed: %s", text)
	}
	var r answered
	if err := json.Unmarshal(text, &r); err != nil || r.V != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

func TestRepliesAreSignedAndSayWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := remote(b)
		if r := replyOf(t, a, orderOf(t, "1", "reset", map[string]any{"alarm": "nothing"})); r.OK || r.ID != "1" || !strings.Contains(r.Error, "no alarm") {
			t.Errorf("%+v", r)
		}
		if r := replyOf(t, a, orderOf(t, "2", "ack", nil)); r.OK || r.ID != "2" || !strings.Contains(r.Error, "may not") {
			t.Errorf("%+v", r)
		}
		if r := replyOf(t, a, []byte("x")); r.OK || r.ID != "" || r.Error == "" {
			t.Errorf("%+v", r)
		}
		b.good("ch4", 2)
		b.good("ch4", 0.5)
		if r := replyOf(t, a, orderOf(t, "3", "reset", map[string]any{"alarm": "ch4/cut"})); !r.OK || string(r.Result) != "{}" {
			t.Errorf("%+v", r)
		}
	})
}

// However many are refused, they make one event at once and one a minute.
func TestRefusalsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := remote(b)
		refused := func() string {
			b.settled()
			var counts []string
			for _, e := range b.events {
				if e.Kind == "command" && e.State == "refused" {
					counts = append(counts, fmt.Sprint(e.More[0].Value))
				}
			}
			return strings.Join(counts, " ")
		}
		for range 100 {
			a.obey(t.Context(), "county", []byte("x"))
		}
		if got := refused(); got != "1" {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(59 * time.Second)
		for range 10 {
			a.obey(t.Context(), "county", []byte("x"))
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := refused(); got != "1 109" {
			t.Errorf("then: %v", got)
		}
		a.obey(t.Context(), "county", []byte("x"))
		if got := refused(); got != "1 109 1" {
			t.Errorf("later: %v", got)
		}
		for range 5 {
			a.obey(t.Context(), "county", []byte("x"))
		}
		b.do(func() error { b.end(); return nil })
		if got := refused(); got != "1 109 1 5" {
			t.Errorf("at the end: %v", got)
		}
	})
}

func TestASiteFileIsGivenByItsHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := remote(b)
		a.site.Buffer.Dir = t.TempDir()
		text := []byte(strings.Repeat("旧: 1\n", 3000))
		old := config.Site{Hash: fmt.Sprintf("sha256:%x", sha256.Sum256(text)), Source: config.Deflate(text), Buffer: a.site.Buffer}
		t.Setenv("STATE_DIRECTORY", t.TempDir())
		if err := config.KeepGood(&old); err != nil {
			t.Fatal(err)
		}
		got := ""
		for from, i := 0, 0; ; i++ {
			r := replyOf(t, a, orderOf(t, string(rune('a'+i)), "config.get", map[string]any{"hash": old.Hash, "from": from}))
			var part struct {
				Size int
				Text string
			}
			if err := json.Unmarshal(r.Result, &part); err != nil || !r.OK || part.Text == "" {
				t.Fatalf("%+v %v", r, err)
			}
			got += part.Text
			if from += len(part.Text); from >= part.Size {
				break
			}
		}
		if got != string(old.Source.Bytes()) {
			t.Error("it came back as another")
		}
		kept := filepath.Join(a.site.Buffer.Dir, "sites", old.Hash[7:]+".yaml")
		if err := os.WriteFile(kept, append(text, "weaker: true\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := replyOf(t, a, orderOf(t, "changed", "config.get", map[string]any{"hash": old.Hash})); r.OK || !strings.Contains(r.Error, "was changed since") {
			t.Errorf("a kept file that was changed: %+v", r)
		}
		for _, hash := range []string{"sha256:" + strings.Repeat("cd", 32), "../../etc/passwd", "sha256:../x"} {
			if r := replyOf(t, a, orderOf(t, hash[:9]+hash[len(hash)-3:], "config.get", map[string]any{"hash": hash})); r.OK {
				t.Errorf("%s: %s", hash, r.Result)
			}
		}
	})
}

func TestTheClockIsSetByCommandOnlyWhileNobodyElseKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(time.Now().Add(time.Hour).UnixMilli(), false) // so that the present can't be
		if err := c.Tell(time.Now()); err == nil || c.Now().Known() {
			t.Error("before what is stored, and taken")
		}
		if err := c.Tell(time.Now().AddDate(300, 0, 0)); err == nil {
			t.Error("three hundred years ahead, and taken")
		}
		want := time.Now().Add(24 * time.Hour)
		if err := c.Tell(want); err != nil {
			t.Fatal(err)
		}
		if !c.Check(wall{time.Now(), time.Now().UnixMilli(), false}) || c.Now().T != want.UnixMilli() || c.Now().Clock != record.Free {
			t.Errorf("%+v, want %d", c.Now(), want.UnixMilli())
		}
		time.Sleep(2 * time.Hour)
		if c.Check(wall{time.Now(), time.Now().UnixMilli(), false}) || c.Now().T != want.Add(2*time.Hour).UnixMilli() {
			t.Errorf("two hours later: %+v", c.Now())
		}
		if !c.Check(wall{time.Now(), time.Now().UnixMilli(), true}) || c.Now().T != time.Now().UnixMilli() {
			t.Errorf("the kernel's word does not count: %+v", c.Now())
		}
		if err := c.Tell(want); err == nil {
			t.Error("synced, and taken")
		}
	})
}

func TestDiagIsBounded(t *testing.T) {
	_, l := keepRecent(slog.New(slog.DiscardHandler))
	log := slog.New(slog.NewTextHandler(l, nil))
	for range 10_000 {
		log.Info("a line of the log")
	}
	if n := len(l.text); n > mostLines || n < mostLines/2 {
		t.Errorf("%d bytes of log", n)
	}
	if got := l.last(); !strings.HasPrefix(got[0], "time=") {
		t.Errorf("it begins with %q", got[0])
	}
}

// The page is for whoever has its password: that is not who may switch.
func TestThePageSwitchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := remote(b)
		for op, want := range map[string]string{
			`{"op":"output","args":{"output":"siren","for":"1m"}}`: "want pithead write",
			`{"op":"mode","args":{"mode":"closed"}}`:               "needs a signed command",
			`{"op":"ack","args":{"alarm":"level/high"}}`:           "not raised",
		} {
			if _, err := a.pageCommand(t.Context(), "page:192.0.2.1", []byte(op)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", op, err, want)
			}
		}
		if b.settled(); b.on("siren") {
			t.Error("the siren is on")
		}
	})
}
