package uplink

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/config"
)

var countyKey = ed25519.NewKeyFromSeed([]byte("the county's key in the tests..."))

// receipted is a receipt as a platform signs it, with no more members than a
// test gives.
func receiptOf(b *bench, key ed25519.PrivateKey, members string) string {
	open := fmt.Sprintf(`{"epoch":%q,%s`, b.log.Epoch(), members)
	return open + `,"sig":"` + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(open))) + `"}`
}

func byReceipt(urls ...string) config.Uplink {
	c := uplinkConfig(urls...)
	c.Receipts = true
	c.Commands = []config.Commander{{ID: "county", Key: countyKey.Public().(ed25519.PublicKey)}}
	return c
}

func TestOnlyAReceiptMovesAPosition(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(30)
	key := event.KeyOf(countyKey) // any
	chain := event.NewChain(key, b.log.Epoch())
	payload := chain.Next(event.Event{Kind: "alarm", ID: "a", Level: "red"}, event.Stamp{Boot: boot, M: 1})
	if err := b.log.Lane("events").Append(payload, 1); err != nil {
		t.Fatal(err)
	}
	p, _ := event.Parse(payload)
	u := b.uplink(byReceipt("tcp://" + br.addr))
	b.start(u)
	eventually(t, "all is with the broker", func() bool {
		return len(br.of("data")) == 1 && len(br.of("events", "events/late")) == 1 && u.State().Acked == u.State().Published
	})
	if b.position("data") != 0 || b.position("events") != 0 || u.State().Data != 30 {
		t.Fatalf("positions %d and %d, backlog %d, by the broker's word", b.position("data"), b.position("events"), u.State().Data)
	}
	_, stranger, _ := ed25519.GenerateKey(nil)
	refused := []struct{ why, payload string }{
		{"none of the keys", receiptOf(b, stranger, `"last":30`)},
		{"none of the keys", strings.Replace(receiptOf(b, countyKey, `"last":10`), "10", "30", 1)},
		{"never sent", receiptOf(b, countyKey, `"last":31`)},
		{"never sent", strings.Replace(receiptOf(b, countyKey, `"last":30`), "x", "x", 1) + " "},
		{"another event", receiptOf(b, countyKey, `"last":30,"event":1,"h":"`+strings.Repeat("ab", 32)+`"`)},
	}
	refused[3].payload = strings.Replace(receiptOf(&bench{log: newBench(t, 1<<20).log}, countyKey, `"last":30`), "\n", "", -1)
	for _, r := range refused {
		br.say("receipt", r.payload, false)
		eventually(t, r.why, func() bool { return strings.Contains(u.State().LastError, r.why) })
		u.note(func(s *State) { s.LastError = "" })
	}
	b.mu.Lock()
	if want := []Fork{{Uplink: "county", Epoch: b.log.Epoch(), Last: 31}, {Uplink: "county", Epoch: b.log.Epoch(), Event: 1, Hash: strings.Repeat("ab", 32)}}; !slices.Equal(b.forks, want) {
		t.Errorf("what was never sent, and another event, are told as %+v", b.forks)
	}
	b.mu.Unlock()
	if b.position("data") != 0 {
		t.Fatalf("a receipt that is none moved the position to %d", b.position("data"))
	}
	br.say("receipt", receiptOf(b, countyKey, `"last":20`), false)
	eventually(t, "20 are receipted", func() bool { return b.position("data") == 20 })
	br.say("receipt", receiptOf(b, countyKey, fmt.Sprintf(`"last":30,"event":1,"h":%q,"t":%d`, p.Hash(), wall)), false)
	eventually(t, "all is receipted", func() bool { return b.position("data") == 30 && b.position("events") == 1 })
	hears := func(at int64) {
		t.Helper()
		eventually(t, "the platform's time is heard", func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.heard == at
		})
	}
	hears(wall)
	br.say("receipt", receiptOf(b, countyKey, fmt.Sprintf(`"last":20,"t":%d`, wall+1)), false)
	hears(wall + 1)
	if s := u.State(); b.position("data") != 30 || s.Fault != "" || s.Data != 0 {
		t.Errorf("position %d, %+v", b.position("data"), s)
	}
}

// A broker that acknowledges and drops is noticed, and all is sent again, ever
// more rarely.
func TestWhatIsNotReceiptedIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1<<20)
		b.readings(3)
		u := b.uplink(byReceipt())
		u.begin()
		s := &session{Uplink: u, heft: heft{limit: u.cfg.Max}, control: control{Uplink: u}}
		s.begin()
		defer func() {
			for _, l := range s.lanes() {
				l.close()
			}
		}()
		sent := 0
		began := time.Now()
		var at []time.Duration
		for time.Since(began) < 3*time.Hour {
			now := time.Now()
			s.settle(now)
			if m, ok := s.batch(now, true); ok {
				s.receipts.sent(m)
				s.acked(m.lane, m.last)
				sent++
				at = append(at, now.Sub(began).Round(time.Minute))
			}
			time.Sleep(time.Second)
		}
		if fmt.Sprint(at) != "[0s 2m0s 6m0s 14m0s 30m0s 1h2m0s 2h2m0s]" {
			t.Errorf("sent at %v", at)
		}
		if u.State().Fault == "" || b.position("data") != 0 {
			t.Errorf("%+v", u.State())
		}
	})
}

// A broker may let events through, and drop readings: that the former are
// confirmed is no word on the latter.
func TestReceiptsOfEventsAreNoneOfReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1<<20)
		b.readings(3)
		u := b.uplink(byReceipt())
		u.begin()
		s := &session{Uplink: u, heft: heft{limit: u.cfg.Max}, control: control{Uplink: u}}
		s.begin()
		defer func() {
			for _, l := range s.lanes() {
				l.close()
			}
		}()
		for range 10 {
			b.happen("blue", 0)
			for {
				now := time.Now()
				m, ok := s.event(now)
				if !ok {
					m, ok = s.batch(now, true)
				}
				if !ok {
					break
				}
				s.receipts.sent(m)
			}
			s.settle(time.Now())
			n := b.log.Lane("events").Next() - 1
			if err := s.takeReceipt([]byte(receiptOf(b, countyKey, fmt.Sprintf(`"event":%d`, n)))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(15 * time.Second)
		}
		s.settle(time.Now())
		if u.State().Fault == "" || b.position("events") != 10 || b.position("data") != 0 {
			t.Errorf("%+v", u.State())
		}
	})
}
