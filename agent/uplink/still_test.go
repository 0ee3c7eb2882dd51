package uplink

import (
	"bytes"
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// A line is a broker at the other end of one, in virtual time, that owes what
// the test says.
type line struct {
	mu    sync.Mutex
	mutes bool          // it acknowledges nothing
	deaf  bool          // it answers no subscription
	pause time.Duration // of the kernel, until it sends again
	calls int
	came  []arrival
	conn  net.Conn
}

type arrival struct {
	kind string
	at   time.Time
}

func (l *line) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = theirs
	l.calls++
	out := make(chan packets.ControlPacket, 4096)
	go func() {
		defer theirs.Close()
		for p := range out {
			if p.Write(theirs) != nil {
				return
			}
		}
	}()
	go func() {
		defer close(out)
		for {
			p, err := packets.ReadPacket(theirs)
			if err != nil {
				return
			}
			if answer := l.answer(p); answer != nil {
				out <- answer
			}
		}
	}()
	return ours, nil
}

func (l *line) answer(p packets.ControlPacket) packets.ControlPacket {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch p := p.(type) {
	case *packets.ConnectPacket:
		return packets.NewControlPacket(packets.Connack)
	case *packets.PingreqPacket:
		return packets.NewControlPacket(packets.Pingresp)
	case *packets.SubscribePacket:
		if l.deaf {
			return nil
		}
		ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
		ack.MessageID, ack.ReturnCodes = p.MessageID, bytes.Repeat([]byte{1}, len(p.Topics))
		return ack
	case *packets.PublishPacket:
		l.came = append(l.came, arrival{strings.TrimPrefix(p.TopicName, "pithead/v1/shidian-tsf/gw-01/"), time.Now()})
		if l.mutes {
			return nil
		}
		ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
		ack.MessageID = p.MessageID
		return ack
	}
	return nil
}

func (l *line) become(mutes, deaf bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mutes, l.deaf = mutes, deaf
}

func (l *line) repeats(*socket) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pause
}

func (l *line) called() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.Close()
}

// since is what came from then on.
func (l *line) since(t time.Time) (kinds []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.came {
		if !a.at.Before(t) {
			kinds = append(kinds, a.kind)
		}
	}
	return kinds
}

// over runs a connected uplink over a line, in a bubble.
func over(t *testing.T, test func(b *bench, l *line, u *Uplink)) {
	synctest.Test(t, func(t *testing.T) {
		b, l := newBench(t, 1<<20), &line{}
		c := uplinkConfig("tcp://far")
		c.Keepalive = time.Minute
		u := New(c, b.env())
		u.timing.dial, u.timing.repeats = l.dial, l.repeats
		stop := b.start(u)
		time.Sleep(time.Second)
		test(b, l, u)
		l.become(false, false)
		stop()
	})
}

// An alarm that waited for a connection waits for nothing else; all other things
// do, until the gateway hears, or it is clear that it won't.
func TestAnAlarmDoesNotWaitForTheSubscription(t *testing.T) {
	over(t, func(b *bench, l *line, u *Uplink) {
		time.Sleep(time.Minute)
		l.become(false, true)
		l.cut()
		b.happen("red", 0)
		lost := time.Now()
		time.Sleep(5 * time.Second)
		if got := l.since(lost); !slices.Equal(got, []string{"events"}) {
			t.Errorf("before the subscription was answered came %v", got)
		}
		time.Sleep(10 * time.Second)
		if got := l.since(lost); len(got) < 2 || got[1] != "status" {
			t.Errorf("after ten seconds came %v", got)
		}
	})
}

// What a line that stands still was given before an alarm delays that.
func TestALineThatStandsStillCarriesEventsOnly(t *testing.T) {
	over(t, func(b *bench, l *line, u *Uplink) {
		time.Sleep(time.Minute)
		l.become(true, false)
		began := time.Now()
		b.readings(4)
		time.Sleep(sluggish + time.Second)
		b.readings(4)
		b.happen("red", 0)
		time.Sleep(2 * time.Second)
		if got := l.since(began); !slices.Equal(got, []string{"data", "events"}) {
			t.Errorf("a line that stood still was given %v", got)
		}
	})
}

// A line whose kernel will try again in a minute is replaced, where an event waits.
func TestALineThatStandsStillIsReplaced(t *testing.T) {
	for _, c := range []struct {
		name    string
		kernel  time.Duration
		event   bool
		replace bool
	}{
		{"an event waits for the kernel", time.Minute, true, true},
		{"the kernel tries again soon", 2 * time.Second, true, false},
		{"readings wait", time.Minute, false, false},
	} {
		over(t, func(b *bench, l *line, u *Uplink) {
			l.become(true, false)
			l.mu.Lock()
			l.pause = c.kernel
			l.mu.Unlock()
			if c.event {
				b.happen("red", 0)
			} else {
				b.readings(4)
			}
			time.Sleep(still + urgentTry + 2*time.Second)
			if calls := l.called(); (calls == 2) != c.replace {
				t.Errorf("%s: %d calls", c.name, calls)
			}
			if fault := u.State().Fault; fault != "" {
				t.Errorf("%s: told as the fault %q", c.name, fault)
			}
		})
	}
}
