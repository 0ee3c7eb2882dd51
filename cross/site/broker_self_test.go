//go:build site

package site

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// The broker lets nobody in without a certificate of ours, and keeps for the
// watcher what was published to it before it was stopped in order.
func TestTheBrokerAsksForCertificatesAndForgetsNothing(t *testing.T) {
	b := newBroker(t)
	b.start(t)
	conf, err := ca.client("gw-01")
	if err != nil {
		t.Fatal(err)
	}
	dial := func(c *tls.Config) (mqtt.Client, error) {
		client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(fmt.Sprintf("ssl://127.0.0.1:%d", b.port)).
			SetTLSConfig(c).SetClientID("other").SetAutoReconnect(false))
		tok := client.Connect()
		if !tok.WaitTimeout(patience) {
			t.Fatal("neither let in nor refused")
		}
		return client, tok.Error()
	}
	if _, err := dial(&tls.Config{RootCAs: ca.pool}); err == nil {
		t.Error("a client without a certificate was let in")
	}
	w := watch(t, b)
	c, err := dial(conf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		tok := c.Publish("pithead/v1/mine/gw-01/events", 1, false, fmt.Sprintf(`{"n":%d,"kind":"alarm","id":"x","state":"active"}`, i))
		if i == 1500 {
			if !tok.WaitTimeout(patience) {
				t.Fatal("no acknowledgement")
			}
			b.stop(t)
			b.start(t)
			if c, err = dial(conf); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Publish("pithead/v1/mine/gw-01/events", 1, false, `{"n":2000,"kind":"alarm","id":"x","state":"normal"}`).WaitTimeout(patience)
	eventually(t, 20*time.Second, "the last message", func() bool { return w.counts("x", "normal") == 1 })
	if n := w.counts("x", "active"); n != 2000 {
		t.Errorf("%d of 2000 messages came", n)
	}
}
