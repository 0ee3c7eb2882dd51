package agent

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/config"
)

// county may reset at the pit of the tests.
var county = ed25519.NewKeyFromSeed([]byte("the county's key in the tests..."))

func guarded(b *bench, keys bool) *agent {
	site := *b.site
	if keys {
		site.Uplinks = []config.Uplink{{ID: "county", Commands: []config.Commander{
			{ID: "county", Key: county.Public().(ed25519.PublicKey), Allow: []string{"reset"}}}}}
	}
	return &agent{site: &site, judge: b.judge, clock: b.clock, gate: &command.Gate{Gateway: "pit/gw", Session: "s1"}}
}

func signedBy(t *testing.T, key ed25519.PrivateKey, cmd map[string]any) []byte {
	t.Helper()
	b, _ := json.Marshal(cmd)
	e, err := json.Marshal(command.Envelope{Cmd: string(b), Kid: event.KidOf(key.Public().(ed25519.PublicKey)),
		Sig: base64.StdEncoding.EncodeToString(ed25519.Sign(key, b))})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Whoever stands at the gateway may be the one it watches.
func TestWhereKeysAreNamedALatchIsResetBySignatureOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := guarded(b, true)
		b.good("ch4", 2)
		b.good("ch4", 0.5)
		if s := b.alarm("ch4/cut").State(); s != alarm.Cleared {
			t.Fatalf("%v", s)
		}
		reset := command.Command{Op: "reset", Args: command.Args{Alarm: "ch4/cut"}, By: "local:me"}
		if _, err := a.command(t.Context(), reset); err == nil || !strings.Contains(err.Error(), "signed command") {
			t.Errorf("unsigned: %v", err)
		}
		order := signedBy(t, county, map[string]any{"id": "1", "gateway": "pit/gw", "session": "s1", "op": "reset",
			"args": map[string]any{"alarm": "ch4/cut"}, "by": "li", "why": "checked", "expires": time.Now().Add(time.Minute).UnixMilli()})
		if c, _, _, err := a.signed(t.Context(), "county", order); err != nil || c.ID != "1" {
			t.Errorf("signed: %s %v", c.ID, err)
		}
		if s := b.alarm("ch4/cut").State(); s != alarm.Normal {
			t.Errorf("%v", s)
		}
		if _, _, _, err := a.signed(t.Context(), "county", order); err == nil {
			t.Error("taken twice")
		}
	})
}

func TestWhatNobodyMayDoUnsigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := guarded(b, false)
		for op, o := range ops() {
			if o.here != nil {
				continue
			}
			if _, err := a.command(t.Context(), command.Command{Op: op}); err == nil || !strings.Contains(err.Error(), "signed") {
				t.Errorf("%s: %v", op, err)
			}
		}
		if _, err := a.command(t.Context(), command.Command{Op: "format"}); err == nil || !strings.Contains(err.Error(), "no op") {
			t.Error(err)
		}
	})
}
