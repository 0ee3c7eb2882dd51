package agent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/drivers"
)

// commandedSite may be commanded by a county in everything, by a guard in little.
var commandedSite = strings.NewReplacer("siren: {gpio: pit/6}", "siren: {gpio: pit/6, remote: true}\n  pump: {gpio: pit/7}",
	"stats: 1m", `seals:
  shaft: {closed: [door], confirm: 1s}
uplinks:
  county:
    mqtt: tcp://127.0.0.1:1
    points: ["pond.*"]
    commands:
      - {id: duty, key: "COUNTY", allow: [`+strings.Join(command.Ops, ", ")+`]}
      - {id: guard, key: "GUARD", allow: [ack, read]}
`).Replace(pondSite)

var guardKey = ed25519.NewKeyFromSeed([]byte("the guard's key in the tests...."))

// commanded is an agent of that site that has run for as long as its level takes
// to rise, and what it is sent.
type commanded struct {
	*agent
	t  *testing.T
	id int
}

func public(key ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}

func startCommanded(t *testing.T, dir string) *commanded {
	t.Helper()
	site := simSite(t, dir, strings.NewReplacer("COUNTY", public(county), "GUARD", public(guardKey)).Replace(commandedSite))
	a, err := prepare(site, Options{Version: "test", Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	return &commanded{agent: a, t: t}
}

// order is a good command but for what with says; nil leaves a member out.
func (c *commanded) order(op string, args, with map[string]any) map[string]any {
	c.id++
	m := map[string]any{"id": fmt.Sprint("7f", c.id), "gateway": "pond/g1", "session": c.session,
		"op": op, "args": args, "by": "li", "why": "the table", "expires": c.clock.Now().T + 60_000}
	maps.Copy(m, with)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

// send gives an envelope as the uplink does, and returns why it was refused; empty
// where it was done.
func (c *commanded) send(envelope []byte) string {
	c.t.Helper()
	text, then := c.obey(c.t.Context(), "county", envelope)
	then()
	if !event.Sealed(text, c.key.PublicKey()) {
		c.t.Errorf("the reply is not signed: %s", text)
	}
	var r answered
	if err := json.Unmarshal(text, &r); err != nil || r.OK == (r.Error != "") {
		c.t.Fatalf("%v in %s", err, text)
	}
	return r.Error
}

// Every op, done and refused: each refusal says why, and changes nothing but the
// count of refusals; each that was done is an event with who and why, unless it
// changes nothing.
func TestCommandsOneByOne(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := startCommanded(t, dir)
		runUntil(t, c.agent, func() {
			time.Sleep(20 * time.Second) // the level is high, the siren on
			one := func(v ...any) map[string]any {
				m := map[string]any{}
				for i := 0; i+1 < len(v); i += 2 {
					m[v[i].(string)] = v[i+1]
				}
				return m
			}
			red := one("alarm", "pond.level/red")
			seen := map[string]bool{}
			for _, x := range []struct {
				op   string
				args map[string]any
				why  string // it is refused; empty: it is done
			}{
				{"ack", one("alarm", "pond.level/rot"), "no alarm"},
				{"ack", one("alarm", "pond.level/red", "event", 1), "earlier raise"},
				{"ack", red, ""},
				{"ack", red, "acknowledged"},
				{"reset", red, "no latch"},
				{"reset", one("output", "nothing"), "no alarm"},
				{"shelve", red, "want for"},
				{"shelve", one("alarm", "pond.level/red", "for", "25h"), "at most 24h"},
				{"shelve", one("alarm", "x", "for", "1h"), "no alarm"},
				{"shelve", one("alarm", "pond.level/red", "for", "1h"), ""},
				{"unshelve", one("alarm", "x"), "no alarm"},
				{"unshelve", red, ""},
				{"unshelve", red, "not shelved"},
				{"out", one("point", "x"), "no point"},
				{"out", one("point", "pond.rain", "for", "1h"), "until it is put back"},
				{"out", one("point", "pond.rain"), ""},
				{"out", one("point", "pond.rain"), "already"},
				{"in", one("point", "x"), "no point"},
				{"in", one("point", "pond.rain"), ""},
				{"in", one("point", "pond.rain"), "not out of service"},
				{"test", one("point", "x", "for", "1m"), "no point"},
				{"test", one("point", "pond.rain", "for", "25h"), "at most 24h"},
				{"test", one("point", "pond.rain"), "not under test"},
				{"test", one("point", "pond.rain", "for", "1m"), ""},
				{"test", one("point", "pond.rain"), ""},
				{"mode", one("mode", "holiday"), "no mode"},
				{"mode", one("mode", "maintenance"), ""},
				{"seal.close", one("seal", "x"), "no seal"},
				{"seal.reset", one("seal", "x"), "no seal"},
				{"seal.open", one("seal", "x", "for", "1h"), "no seal"},
				{"seal.close", one("seal", "shaft"), ""},
				{"test", one("point", "door", "for", "1m"), "seal"},
				{"out", one("point", "door"), "seal"},
				{"seal.open", one("seal", "shaft", "for", "73h"), "72"},
				{"seal.open", one("seal", "shaft"), "72"},
				{"seal.open", one("seal", "shaft", "for", "1h"), ""},
				{"seal.reset", one("seal", "shaft"), "nothing"},
				{"output", one("output", "x", "for", "1m"), "no output"},
				{"output", one("output", "pump", "for", "1m"), "remote: true"},
				{"output", one("output", "siren"), "for how long"},
				{"output", one("output", "siren", "for", "25h"), "24h"},
				{"output", one("output", "siren", "on", false), "not switched on by hand"},
				{"output", one("output", "siren", "for", "1m"), ""},
				{"output", one("output", "siren", "on", false), ""},
				{"read", one("points", []string{"x"}), "no point"},
				{"read", one("points", []string{"door"}), "no point"}, // not this uplink's
				{"read", one("points", []string{"pond.level"}), ""},
				{"snapshot", nil, ""},
				{"resend", one("from", 9, "to", 3), "no range"},
				{"resend", one("from", 1_000_000, "to", 1_000_001), "not there yet"},
				{"resend", one("from", 1, "to", 3), ""},
				{"config.get", one("hash", "sha256:"+strings.Repeat("0", 64)), "0000"},
				{"config.get", one("hash", "../../etc/passwd"), "no hash"},
				{"config.get", nil, ""},
				{"reload", nil, "can't reload"},
				{"time", one("t", 1), "can't be"},
				{"time", one("t", time.Now().AddDate(300, 0, 0).UnixMilli()), "no year"},
				{"time", one("t", c.clock.Now().T+1000), ""},
				{"diag", nil, ""},
			} {
				before := c.rec.events.Next()
				err := c.send(signedBy(t, county, c.order(x.op, x.args, nil)))
				if (err == "") != (x.why == "") || !strings.Contains(err, x.why) {
					t.Errorf("%s %v: %q, want %q", x.op, x.args, err, x.why)
				}
				seen[x.op+map[bool]string{true: "", false: "-"}[err == ""]] = true
				synctest.Wait()
				if x.why != "" && !strings.HasPrefix(x.op, "seal") && c.rec.events.Next() > before+1 {
					t.Errorf("%s %v: refused, and %d events", x.op, x.args, c.rec.events.Next()-before)
				}
				time.Sleep(time.Millisecond)
			}
			reloads := 0
			c.Reload.Check, c.Reload.Do = func() error { return errors.New("site.yaml:3:1: no") }, func() { reloads++ }
			if err := c.send(signedBy(t, county, c.order("reload", nil, nil))); err != "site.yaml:3:1: no" || reloads > 0 {
				t.Errorf("a bad file: %q, %d reloads", err, reloads)
			}
			c.Reload.Check = func() error { return nil }
			if err := c.send(signedBy(t, county, c.order("reload", nil, nil))); err != "" || reloads != 1 {
				t.Errorf("a good file: %q, %d reloads", err, reloads)
			}
			for _, op := range command.Ops {
				if !seen[op] && op != "reset" && op != "reload" && op != "seal.reset" { // done in tests of their own
					t.Errorf("%s was never done", op)
				}
				if !seen[op+"-"] && op != "snapshot" && op != "diag" {
					t.Errorf("%s was never refused", op)
				}
			}
		})
	})
	done := map[string]int{}
	for line := range bytes.Lines(eventsOf(t, dir)) {
		p, err := event.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if p.Kind == "command" && p.State != "refused" {
			if done[p.Text("op")]++; p.By != "li" || p.Why != "the table" || p.Text("key") != "duty" || p.Text("command") == "" {
				t.Errorf("told as %s", line)
			}
		}
	}
	for _, op := range []string{"ack", "shelve", "unshelve", "out", "in", "test", "mode", "seal.close", "seal.open", "output", "resend", "config.get", "time", "diag"} {
		if done[op] == 0 {
			t.Errorf("%s was done, and is no event", op)
		}
	}
	if done["read"]+done["snapshot"] > 0 {
		t.Errorf("told %v", done)
	}
}

// Whatever is wrong with an envelope: it says why, and nothing changes.
func TestCommandsThatAreNoneOfOurs(t *testing.T) {
	dir := t.TempDir()
	var spent, kept []byte // commands of the first run
	image := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := startCommanded(t, dir)
		runUntil(t, c.agent, func() {
			time.Sleep(20 * time.Second)
			if err := os.CopyFS(image, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			stranger := ed25519.NewKeyFromSeed([]byte("a stranger's key in the tests..."))
			mode := func(with map[string]any) map[string]any {
				return c.order("mode", map[string]any{"mode": "closed"}, with)
			}
			spent, kept = signedBy(t, county, mode(nil)), signedBy(t, county, mode(nil))
			if err := c.send(spent); err != "" {
				t.Fatal(err)
			}
			if err := c.send(signedBy(t, county, c.order("mode", map[string]any{"mode": "running"}, nil))); err != "" {
				t.Fatal(err)
			}
			now := c.clock.Now().T
			for name, x := range map[string]struct {
				payload []byte
				why     string
			}{
				"forged":                       {signedBy(t, stranger, mode(nil)), "may not command here"},
				"forged under a known name":    {bytes.Replace(signedBy(t, stranger, mode(nil)), []byte(kidOf(stranger)), []byte(kidOf(county)), 1), "does not fit"},
				"altered on its way":           {bytes.Replace(signedBy(t, county, mode(nil)), []byte("closed"), []byte("sealed"), 1), "does not fit"},
				"unsigned":                     {[]byte(`{"cmd":"{}","kid":"` + kidOf(county) + `"}`), "no Ed25519 signature"},
				"replayed":                     {spent, "given already"},
				"expired":                      {signedBy(t, county, mode(map[string]any{"expires": now - 1})), "has expired"},
				"for a week":                   {signedBy(t, county, mode(map[string]any{"expires": now + 7*86_400_000})), "24 h"},
				"without an end":               {signedBy(t, county, mode(map[string]any{"expires": nil})), "says not when"},
				"misdirected":                  {signedBy(t, county, mode(map[string]any{"gateway": "pond/g2"})), `for gateway "pond/g2"`},
				"of another session":           {signedBy(t, county, mode(map[string]any{"session": "0"})), "another session"},
				"not allowed":                  {signedBy(t, guardKey, mode(nil)), `guard may not "mode"`},
				"an op that is none":           {signedBy(t, county, mode(map[string]any{"op": "format"})), "may not"},
				"oversized":                    {signedBy(t, county, mode(map[string]any{"why": strings.Repeat("x", 20_000)})), "too many"},
				"a reason of three pages":      {signedBy(t, county, mode(map[string]any{"why": strings.Repeat("x", 5_000)})), "too long a reason"},
				"a name of a page":             {signedBy(t, county, mode(map[string]any{"by": strings.Repeat("x", 2_000)})), "too long a name"},
				"an id of a page":              {signedBy(t, county, mode(map[string]any{"id": strings.Repeat("x", 2_000)})), "id of 1 to 128"},
				"without an id":                {signedBy(t, county, mode(map[string]any{"id": nil})), "id of 1 to 128"},
				"an argument that nobody has":  {signedBy(t, county, c.order("mode", map[string]any{"mode": "closed", "now": true}, nil)), "unknown field"},
				"an argument of another kind":  {signedBy(t, county, c.order("mode", map[string]any{"mode": 1}, nil)), "mode"},
				"malformed":                    {[]byte("\x00\xff\x28\xb5\x2f\xfd"), "no envelope"},
				"empty":                        {nil, "no envelope"},
				"deep":                         {[]byte(strings.Repeat("[", 16_000)), "no envelope"},
				"two at once":                  {append(slices.Clone(kept), kept...), "no envelope"},
				"a command that is no object":  {signedBy(t, county, nil), "another gateway|for gateway"},
				"an envelope that is an event": {[]byte(`{"v":1,"epoch":"e","n":1,"kind":"mode","sig":"AAAA"}`), "no Ed25519 signature"},
			} {
				err := c.send(x.payload)
				if !slices.ContainsFunc(strings.Split(x.why, "|"), func(w string) bool { return strings.Contains(err, w) }) || c.judge.mode != "running" {
					t.Errorf("%s: %q, want %q; the mode is %s", name, err, x.why, c.judge.mode)
				}
			}
			if err := c.send(kept); err != "" || c.judge.mode != "closed" {
				t.Errorf("the good one: %q", err)
			}
			if err := c.send(signedBy(t, county, c.order("mode", map[string]any{"mode": "running"}, nil))); err != "" {
				t.Error(err)
			}
		})
	})
	// After a restart, and with the image of before, nothing of then counts.
	for name, at := range map[string]string{"a restart": dir, "an old image": image} {
		synctest.Test(t, func(t *testing.T) {
			c := startCommanded(t, at)
			runUntil(t, c.agent, func() {
				time.Sleep(time.Second)
				for _, payload := range [][]byte{spent, kept} {
					if err := c.send(payload); !strings.Contains(err, "another session") || c.judge.mode != "running" {
						t.Errorf("replayed after %s: %q", name, err)
					}
				}
			})
		})
	}
}

func kidOf(key ed25519.PrivateKey) string { return event.KidOf(key.Public().(ed25519.PublicKey)) }

// chatty is a bus that knows what was on its line.
type chatty struct{ drivers.Bus }

func (chatty) Frames() (fs []string) {
	for i := range 32 {
		fs = append(fs, fmt.Sprintf("2026-01-01T00:00:%02d.000Z out %s", i, strings.Repeat("00", 64)))
	}
	return fs
}

func TestDiagTellsTheLastFrames(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := startCommanded(t, dir)
		runUntil(t, c.agent, func() {
			time.Sleep(time.Second)
			synctest.Wait() // the agent has read its loops
			for buses := range 30 {
				c.loops = append(c.loops, newBusLoop(fmt.Sprint("rs485-", buses), chatty{&fakeBus{}}, nil))
				got, err := diagCommand(t.Context(), c.agent, command.Command{})
				text, _ := got.(json.RawMessage)
				var d diag
				if err != nil || len(text) > mostDiag || json.Unmarshal(text, &d) != nil {
					t.Fatalf("%d bytes, %v", len(text), err)
				}
				if fs := d.Frames["rs485-0"]; len(fs) < 8 || !strings.HasPrefix(fs[len(fs)-1], "2026-01-01T00:00:31.000Z out 00") || buses < 5 && len(fs) != 32 {
					t.Errorf("%d buses: %d frames are told of one", buses+1, len(fs))
				}
			}
		})
	})
}
