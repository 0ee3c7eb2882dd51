//go:build site

package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rights lets the gateway publish everything but what is left out.
func rights(without string) string {
	text := "user watcher\ntopic readwrite #\nuser gw-01\n"
	for _, kind := range []string{"command", "receipt"} {
		text += "topic read pithead/+/mine/gw-01/" + kind + "\n"
	}
	for _, kind := range []string{"status", "meta/#", "data", "stats", "events/#", "snapshot/#", "health", "reply"} {
		if kind != without {
			text += "topic readwrite pithead/+/mine/gw-01/" + kind + "\n"
		}
	}
	return text
}

// Over MQTT 3.1.1 a broker acknowledges what its access list forbids, and drops
// it. An uplink that takes the broker's word does not notice, and its platform
// has a hole; one that waits for the platform's receipts says so, and sends all
// of it again once it may.
func TestWhatAnAccessListDropsOnlyAReceiptNotices(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	list := filepath.Join(b.dir, "rights")
	allow := func(without string) {
		if err := os.WriteFile(list, []byte(rights(without)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	allow("data")
	b.configure(t, byCertificate+"acl_file "+list+"\n")
	b.start(t)
	w := watch(t, b)
	port := freePort(t)
	tcpSlave(t, port)
	confirmed := strings.Replace(strings.Replace(b.uplink(), "\nuplinks:\n  county:", "  province:", 1), "snapshot: 10s", "prefix: pithead/v2\n    confirm: platform", 1)
	g := install(t, pithead, counters(port, 10)+b.uplink()+confirmed)
	g.start(t)
	stop, ended := make(chan struct{}), make(chan struct{})
	defer func() { close(stop); <-ended }()
	go func() { defer close(ended); receipts(t, w, stop) }()

	eventually(t, 30*time.Second, "both deliver, as far as they can tell", func() bool {
		u := g.platforms(t)
		return u["county"].Connected && u["county"].Data < 30 && u["province"].Connected && u["province"].Data > 100
	})
	eventually(t, 180*time.Second, "the uplink that has no receipts says so", func() bool {
		return strings.Contains(g.platforms(t)["province"].Fault, "the platform confirms nothing")
	})
	eventually(t, 20*time.Second, "the uplink that takes the broker's word is content", func() bool {
		u := g.platforms(t)["county"]
		return u.Fault == "" && u.Data <= 30 && u.Connected
	})
	if n := len(newLedger(w.under("pithead/v1")).readings) + len(newLedger(w.under("pithead/v2")).readings); n != 0 {
		t.Errorf("%d readings came that the access list forbids", n)
	}
	allow("")
	b.reload()
	eventually(t, 300*time.Second, "the platform with receipts has all", func() bool {
		u := g.platforms(t)["province"]
		return u.Fault == "" && u.Data < 30
	})
	g.stop(t)
	time.Sleep(time.Second)
	whole := newLedger(w.under("pithead/v2"))
	for _, x := range whole.wrong {
		t.Error(x)
	}
	holed := newLedger(w.under("pithead/v1"))
	if whole.first >= holed.first || holed.first == 0 {
		t.Errorf("with receipts readings begin behind %d, without behind %d: want a hole in the latter only", whole.first, holed.first)
	}
	g.sound(t)
	figure(t, "what an access list dropped for %d readings: with receipts all came (%d from %d on), without %d to %d never did, unnoticed",
		holed.first-whole.first, len(whole.readings), whole.first+1, whole.first+1, holed.first)
}

// receipts says each second what has come, as a platform does that has no keys.
func receipts(t *testing.T, w *watcher, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
		l := newLedger(w.under("pithead/v2"))
		text := fmt.Sprintf(`{"epoch":%q,"event":%d`, l.epoch, l.lastN)
		if len(l.readings) > 0 {
			text += fmt.Sprintf(`,"last":%d`, l.last)
		}
		if n := statistics(w.under("pithead/v2")); n > 0 {
			text += fmt.Sprintf(`,"stats":%d`, n)
		}
		if l.epoch != "" {
			w.say(t, "pithead/v2/mine/gw-01/receipt", text+"}")
		}
	}
}
