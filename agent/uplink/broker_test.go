package uplink

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// heard is a message that the broker got.
type heard struct {
	topic    string
	payload  string
	retained bool
	id       uint16
	client   *mochi.Client
}

// kind is the topic's last words.
func (h heard) kind() string {
	return strings.TrimPrefix(h.topic, "pithead/v1/shidian-tsf/gw-01/")
}

// A verdict is what the broker does with a message.
type verdict int

const (
	acknowledge verdict = iota
	swallow             // no PUBACK
	hangUp              // and no PUBACK
)

// A broker is mochi with a hook that hears everything, and acknowledges as the
// test says.
type broker struct {
	mochi.HookBase
	t       *testing.T
	addr    string
	tls     *tls.Config
	ws      bool
	started *mochi.Server

	mu    sync.Mutex
	heard []heard
	wills []heard
	names []string            // username:password of each CONNECT
	gone  int                 // connections that ended
	judge func(heard) verdict // nil: acknowledge
	admit func(user, password string) bool
}

func newBroker(t *testing.T) *broker {
	return (&broker{t: t, addr: "127.0.0.1:0"}).start()
}

// start listens; again, it does so at the address that it had.
func (b *broker) start() *broker {
	b.t.Helper()
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(b, nil); err != nil {
		b.t.Fatal(err)
	}
	c := listeners.Config{ID: "l", Address: b.addr, TLSConfig: b.tls}
	var l listeners.Listener = listeners.NewTCP(c)
	if b.ws {
		if strings.HasSuffix(b.addr, ":0") {
			b.addr = freePort(b.t)
		}
		c.Address = b.addr
		l = listeners.NewWebsocket(c)
	}
	if err := s.AddListener(l); err != nil {
		b.t.Fatal(err)
	}
	if !b.ws {
		b.addr = l.Address()
	}
	go s.Serve()
	b.started = s
	b.t.Cleanup(b.stop)
	return b
}

// ownHost is a loopback address of this process, where nobody else takes a port
// that is free for a moment.
func ownHost() string {
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.%d", 1+pid>>16&0x7f, pid>>8&0xff, 1+pid&0x7f)
}

// freePort is an address that nobody listens on just now.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", ownHost()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (b *broker) stop() {
	if b.started != nil {
		b.started.Close()
		b.started = nil
	}
}

func (b *broker) ID() string { return "test" }

func (b *broker) Provides(what byte) bool {
	return bytes.Contains([]byte{mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish, mochi.OnWillSent, mochi.OnDisconnect}, []byte{what})
}

func (b *broker) OnACLCheck(*mochi.Client, string, bool) bool { return true }

func (b *broker) OnConnectAuthenticate(_ *mochi.Client, pk packets.Packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	user, password := string(pk.Connect.Username), string(pk.Connect.Password)
	b.names = append(b.names, user+":"+password)
	return b.admit == nil || b.admit(user, password)
}

func (b *broker) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline { // the test itself, as the platform
		return pk, nil
	}
	h := heard{pk.TopicName, string(pk.Payload), pk.FixedHeader.Retain, pk.PacketID, cl}
	b.mu.Lock()
	b.heard = append(b.heard, h)
	judge := b.judge
	b.mu.Unlock()
	if pk.FixedHeader.Qos != 1 {
		b.t.Errorf("%s came with QoS %d", h.topic, pk.FixedHeader.Qos)
	}
	if judge == nil {
		return pk, nil
	}
	switch judge(h) {
	case swallow:
		return pk, packets.ErrRejectPacket
	case hangUp:
		cl.Net.Conn.Close()
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

func (b *broker) OnWillSent(_ *mochi.Client, pk packets.Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wills = append(b.wills, heard{topic: pk.TopicName, payload: string(pk.Payload), retained: pk.FixedHeader.Retain})
}

// OnDisconnect comes after the will, if that is published.
func (b *broker) OnDisconnect(*mochi.Client, error, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone++
}

func (b *broker) set(judge func(heard) verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.judge = judge
}

// of is what came of these kinds, in order.
func (b *broker) of(kinds ...string) (hs []heard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.heard {
		for _, k := range kinds {
			if h.kind() == k {
				hs = append(hs, h)
			}
		}
	}
	return hs
}

func (b *broker) kinds() (ks []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.heard {
		ks = append(ks, h.kind())
	}
	return ks
}

// first is how many messages came on the first connection.
func (b *broker) first() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.heard {
		if h.client == b.heard[0].client {
			n++
		}
	}
	return n
}

func (b *broker) puback(h heard) {
	ack := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: h.id}
	if err := h.client.WritePacket(ack); err != nil {
		b.t.Errorf("puback: %v", err)
	}
}

// say publishes as the platform does.
func (b *broker) say(kind, payload string, retain bool) {
	b.t.Helper()
	if err := b.started.Publish("pithead/v1/shidian-tsf/gw-01/"+kind, []byte(payload), retain, 1); err != nil {
		b.t.Fatal(err)
	}
}
