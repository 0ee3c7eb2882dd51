package uplink

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEverySchemeDelivers(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"tcp", "tls", "ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			a, b := newAuthority(t), newBench(t, 4<<20)
			a.issue("gw")
			br := &broker{t: t, addr: "127.0.0.1:0", ws: scheme[0] == 'w'}
			if strings.HasSuffix(scheme, "s") && scheme != "ws" {
				br.tls = a.server()
			}
			br.start()
			c := uplinkConfig(scheme + "://" + br.addr)
			c.CA, c.Cert, c.Key = a.path("ca.pem"), a.path("gw.pem"), a.path("gw.key")
			b.readings(5000) // a message that takes several writes and frames
			c.Batch, c.Max = 5000, 1<<20
			b.start(b.uplink(c))
			eventually(t, "the readings are acknowledged", func() bool { return b.position("data") == 5000 })
		})
	}
}

// silent takes connections and says nothing; with greet it lets the client in first.
func silent(t *testing.T, greet bool) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			if greet {
				c.Write([]byte{0x20, 2, 0, 0}) // CONNACK, accepted
			}
			go io.Copy(io.Discard, c)
		}
	}()
	return l.Addr().String()
}

func TestABrokerThatTakesTheConnectionAndIsSilent(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"tcp", "tls", "ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			b, br := newBench(t, 1<<20), newBroker(t)
			b.readings(3)
			u := b.uplink(uplinkConfig(scheme+"://"+silent(t, false), "tcp://"+br.addr))
			u.timing.connect = 200 * time.Millisecond
			b.start(u)
			eventually(t, "the second broker got the readings", func() bool { return b.position("data") == 3 })
		})
	}
}

func TestStoppingInTheMiddleOfAHandshake(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"tcp", "tls", "ws", "wss"} {
		b := newBench(t, 1<<20)
		u := b.uplink(uplinkConfig(scheme + "://" + silent(t, false)))
		u.timing.connect = time.Minute
		stop := b.start(u)
		time.Sleep(20 * time.Millisecond) // it is waiting for an answer by now; if not, the test is easier
		began := time.Now()
		stop()
		if took := time.Since(began); took > u.timing.connect/2 {
			t.Errorf("%s: it took %v, and a handshake may take %v", scheme, took, u.timing.connect)
		}
	}
}

// Promise 6, where there is nothing to acknowledge: pings go unanswered.
func TestAConnectionThatIsOpenInNameOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1<<20)
	c := uplinkConfig("tcp://" + silent(t, true))
	c.Data, c.Stats, c.Events, c.Keepalive = false, false, false, time.Second
	u := b.uplink(c)
	b.start(u)
	eventually(t, "it is connected", func() bool { return u.State().Connected })
	began := time.Now()
	eventually(t, "it is thrown away", func() bool { return u.State().LastError != "" })
	if took := time.Since(began); took > 20*time.Second { // a slow machine's; the kernel would take minutes
		t.Errorf("after %v, want twice the keepalive of 1 s", took)
	}
}

// deaf is a connection whose other side takes nothing, as a link that is cut.
type deaf struct {
	net.Conn
	deadline chan time.Time
}

func (d *deaf) SetWriteDeadline(t time.Time) error { d.deadline <- t; return nil }
func (d *deaf) Write(b []byte) (int, error)        { return min(len(b), chunk), nil }

func TestEachPieceOfAMessageHasADeadlineOfItsOwn(t *testing.T) {
	d := &deaf{deadline: make(chan time.Time, 100)}
	s := &socket{d, time.Minute}
	if n, err := s.Write(make([]byte, 10*chunk+1)); n != 10*chunk+1 || err != nil {
		t.Fatal(n, err)
	}
	if len(d.deadline) != 11 {
		t.Errorf("%d deadlines for 11 pieces", len(d.deadline))
	}
	if left := time.Until(<-d.deadline); left < 50*time.Second || left > time.Minute {
		t.Errorf("the deadline is in %v", left)
	}
}

func TestStuckWritesEnd(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	if _, err := (&socket{ours, 20 * time.Millisecond}).Write([]byte("hello")); !os.IsTimeout(err) {
		t.Errorf("error %v", err)
	}
}

// A red event that happens in the middle of a long wait is not kept waiting.
func TestARedEventCutsAWaitShort(t *testing.T) {
	for _, c := range []struct {
		level string
		most  time.Duration
		least time.Duration
	}{{"red", 3 * time.Second, 0}, {"orange", 3 * time.Second, 0}, {"yellow", 5 * time.Minute, 100 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, 1<<20)
			u := New(uplinkConfig("tcp://x"), b.env())
			u.begin()
			ctx := t.Context()
			go u.watch(ctx, b.log.Lane("events"))
			back := backoff{begun: true, tries: 9}
			done := make(chan bool)
			go func() { done <- u.pause(ctx, &back) }()
			time.Sleep(10 * time.Second)
			b.happen(c.level, 0)
			began := time.Now()
			<-done
			u.calm()
			if took := time.Since(began); took > c.most || took < c.least {
				t.Errorf("%s: it waited %v more", c.level, took)
			}
		})
	}
}

// The client pings from a goroutine of its own, in the middle of a long write.
func TestPacketsStayWholeWhoeverWrites(t *testing.T) {
	ours, theirs := net.Pipe()
	p := &pipe{Conn: &socket{ours, time.Minute}, wrote: make(chan struct{}, 1)}
	const size = 20 * chunk
	for _, c := range "ab" {
		go p.Write([]byte(strings.Repeat(string(c), size)))
	}
	got := make([]byte, 2*size)
	if _, err := io.ReadFull(theirs, got); err != nil {
		t.Fatal(err)
	}
	for _, packet := range []string{string(got[:size]), string(got[size:])} {
		if strings.Count(packet, packet[:1]) != size {
			t.Fatal("two packets are mixed")
		}
	}
}

// slow passes on what goes to a broker, but takes nothing for a while after the
// first bytes of each connection.
func slow(t *testing.T, to string, after int64, pause time.Duration) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			t.Cleanup(func() { c.Close(); far.Close() })
			c.(*net.TCPConn).SetReadBuffer(32 << 10)
			go io.Copy(c, far)
			go func() {
				io.CopyN(far, c, after)
				time.Sleep(pause)
				io.Copy(far, c)
				far.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// What a link takes slowly is not lost: the client's own time limit for a
// publish never runs while a message is on its way.
func TestASlowLinkIsNoLostLink(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 8<<20)
	for range 10 {
		b.readings(5000)
	}
	c := uplinkConfig("tcp://" + slow(t, br.addr, 10_000, publishTimeout+500*time.Millisecond))
	c.Batch, c.Within = 5000, time.Second
	u := b.uplink(c)
	b.start(u)
	eventually(t, "the readings are acknowledged", func() bool { return b.position("data") == 50_000 })
	if n := len(br.of("status")); n != 1 {
		t.Errorf("it took %d connections, and the link was only slow", n)
	}
}
