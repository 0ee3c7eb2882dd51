package uplink

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"pithead/config"
)

// A link is one connection, from CONNECT to its end, and one MQTT client with
// it: a client is never used twice. The client reconnects, stores and repeats
// nothing by itself, since it reports as delivered what it only kept; it is a
// pipe, and what has no PUBACK is unsent.
type link struct {
	client mqtt.Client
	base   *socket
	pipe   *pipe
	wrote  chan struct{} // a PUBLISH has left the client
	asked  mqtt.Token    // the subscription; nil: there is none
	lost   chan error    // holds one: why the connection ended by itself
}

// a will is what the broker publishes, retained, when the gateway falls silent.
type will struct {
	topic   string
	payload []byte
}

// terms are what a link is opened with, whichever broker it leads to.
type terms struct {
	will
	patience time.Duration // how long nothing may move before the link is given up
	topics   []string      // to listen to
	hear     func(arrived) // called one message at a time; holds up the link while it runs
	now      func() time.Time
	dial     dialer
}

// connect opens a link to one broker. All of it, to the CONNACK, is over when
// ctx is.
func connect(ctx context.Context, c config.Uplink, address string, t terms) (*link, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	secret, err := c.Password.Read()
	if err != nil {
		return nil, mistake{err}
	}
	way, err := open(ctx, c, u, t)
	if err != nil {
		return nil, err
	}
	l := &link{base: way.base, wrote: make(chan struct{}, 1), lost: make(chan error, 1)}
	l.pipe = &pipe{Conn: way.top, wrote: l.wrote, in: inlet{r: way.top}}
	o := l.options(c, secret, t.will, l.pipe)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { t.hear(arrived{m.Topic(), m.Retained(), m.Payload()}) })
	l.client = mqtt.NewClient(o)
	stop := context.AfterFunc(ctx, func() { _ = l.base.Close() })
	token := l.client.Connect()
	token.Wait()
	if err := token.Error(); err != nil {
		stop()
		l.base.Close()
		return nil, refusal(ctx, c, err, t.now())
	}
	l.listen(t.topics)
	if !stop() {
		l.close(0)
		return nil, context.Cause(ctx)
	}
	return l, nil
}

// listen subscribes.
func (l *link) listen(topics []string) {
	if len(topics) == 0 {
		return
	}
	filters := map[string]byte{}
	for _, t := range topics {
		filters[t] = 1
	}
	l.asked = l.client.SubscribeMultiple(filters, nil)
}

// answered is done when the broker's word on the subscription is there; nil
// where nothing was asked.
func (l *link) answered() <-chan struct{} {
	if l.asked == nil {
		return nil
	}
	return l.asked.Done()
}

// deaf is why the broker brings nothing; empty: it does. A broker that does not
// let the gateway listen is no reason not to deliver.
func (l *link) deaf() string {
	select {
	case <-l.asked.Done():
	default:
		return "the broker answers no subscription"
	}
	if s, ok := l.asked.(*mqtt.SubscribeToken); ok {
		for topic, code := range s.Result() {
			if code == 0x80 {
				return "the broker refuses the subscription to " + topic
			}
		}
	}
	if err := l.asked.Error(); err != nil {
		return "the subscription fails: " + err.Error()
	}
	return ""
}

func (l *link) options(c config.Uplink, secret string, w will, p *pipe) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions()
	o.AddBroker("tcp://broker") // the client wants one; open knows the way
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return p, nil })
	o.SetClientID(c.ClientID)
	o.SetUsername(c.Username)
	o.SetPassword(secret)
	o.SetProtocolVersion(4)
	o.SetCleanSession(true)
	o.SetAutoReconnect(false)
	o.SetConnectRetry(false)
	o.SetStore(noStore{})
	o.SetKeepAlive(keepalive(c))
	o.SetPingTimeout(keepalive(c))
	o.SetWriteTimeout(publishTimeout)
	if w.topic != "" {
		o.SetBinaryWill(w.topic, w.payload, 1, true)
	}
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.lost <- err })
	return o
}

// publishTimeout bounds Publish where the client's goroutines have just ended,
// and nobody would ever take the message. While they live it takes no time,
// since only one message is ever under way.
const publishTimeout = time.Second

// keepalive is the uplink's, in the whole seconds that MQTT has for it.
func keepalive(c config.Uplink) time.Duration {
	return min(max(c.Keepalive.Truncate(time.Second), time.Second), 65535*time.Second)
}

// refusal puts the reason of a connection that was not made into our words.
func refusal(ctx context.Context, c config.Uplink, err error, now time.Time) error {
	switch {
	case ctx.Err() != nil:
		return errors.New("the broker does not answer")
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword):
		return mistake{errors.New("the broker refuses user name or password")}
	case errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return mistake{errors.New("the broker does not let this client in: user name, password, certificate or rights")}
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return mistake{errors.New("the broker refuses the client id")}
	case errors.Is(err, io.EOF):
		return errors.New("the broker hung up instead of an answer")
	}
	if wrong := secured(c, err, now); wrong != err {
		return wrong
	}
	return errors.New(strings.TrimPrefix(err.Error(), packets.ErrorNetworkError.Error()+" : "))
}

// publish hands one message to the client; wrote tells when it is out. The client
// gets the message without its payload, which it would copy into memory of its own,
// and the pipe puts that in: there is never more than one on the way.
func (l *link) publish(topic string, retained bool, payload []byte) mqtt.Token {
	l.pipe.carry(payload)
	return l.client.Publish(topic, 1, retained, []byte(nil))
}

// why is the reason of a token that ended without its PUBACK: the connection's,
// which the client tells a moment later, or else the token's own.
func (l *link) why(err error) error {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case lost := <-l.lost:
		return lost
	case <-t.C:
		return err
	}
}

// close ends the link and returns when the client's goroutines have ended. With
// a grace it takes leave of the broker, and so keeps the will unsaid.
func (l *link) close(grace time.Duration) {
	if grace == 0 {
		l.base.Close()
	}
	t := time.AfterFunc(grace, func() { _ = l.base.Close() })
	defer t.Stop()
	// Disconnect returns when all has ended; that the socket ends sees to it. Its
	// own limit is only for what no test has shown.
	l.client.Disconnect(uint((grace + 10*time.Second).Milliseconds()))
	l.base.Close()
}

// noStore keeps nothing.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
