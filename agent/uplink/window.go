package uplink

import (
	"errors"
	"slices"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"pithead/agent/event"
)

// sent is a message that waits for its acknowledgement.
type sent struct {
	token mqtt.Token
	topic string
	lane  string
	last  uint64
	first mark

	resend string     // the command that asked for it
	h      event.Hash // its hash, of readings
	epoch  string
}

// room says whether one more message may go. That the gateway stopped may go
// beyond the window.
func (s *session) room(now time.Time) bool {
	last := !s.closing.IsZero() && now.Sub(s.closing) >= drainTime
	return !s.writing && (len(s.window) < max(s.cfg.Window, 1) || last)
}

// head is done when the oldest message is. A broker acknowledges in order, and
// where it doesn't, what comes before its turn waits for it: only an unbroken
// beginning moves the position.
func (s *session) head() <-chan struct{} {
	if len(s.window) == 0 {
		return nil
	}
	return s.window[0].token.Done()
}

// acknowledged takes what is done off the beginning of the window.
func (s *session) acknowledged() error {
	for len(s.window) > 0 {
		m := s.window[0]
		select {
		case <-m.token.Done():
		default:
			return nil
		}
		if err := m.token.Error(); err != nil {
			return err
		}
		s.window = s.window[1:]
		s.moved = time.Now()
		if m.topic != "" {
			s.newest = m.topic
			s.through[m.topic]++
		}
		s.acked(m.lane, m.last)
		s.proof.arrived(m)
		if m.resend != "" {
			s.resent(m.resend, m.last)
		}
	}
	return nil
}

// sluggish is how long a link may owe every answer until it carries nothing but
// events: what it was given before an alarm delays that, by half a minute where
// it loses half of all packets.
const sluggish = 3 * time.Second

func (s *session) slow(now time.Time) bool {
	return len(s.window) > 0 && now.Sub(s.moved) >= sluggish
}

// first is when the oldest reading was taken that is not acknowledged.
func (s *session) first() mark {
	for _, m := range s.window {
		if m.first.set {
			return m.first
		}
	}
	for _, b := range s.batches {
		if k := b.oldest(); k.set {
			return k
		}
	}
	return mark{}
}

// stop is the topic at which a connection seems to have ended: that of the
// oldest message without an acknowledgement, or of one that had its just then,
// for some brokers give it and hang up. Empty where it was at no topic, or where
// others had gone through there before.
func (s *session) stop(now time.Time) string {
	topic := s.newest
	if len(s.window) > 0 {
		topic = s.window[0].topic
	} else if now.Sub(s.moved) > time.Second {
		return ""
	}
	if s.through[topic] > 1 {
		return ""
	}
	return topic
}

// stuck says that the broker answers nothing any more. The socket sees that no
// byte comes; this sees that none of what came was the answer that is owed.
func (s *session) stuck(now time.Time) bool {
	return len(s.window) > 0 && now.Sub(s.moved) >= s.patience()
}

// still is how long a link may owe every answer until it is asked whether it
// stands still. A connection that ends then is no quick end.
const still = quick

var errStalled = errors.New("the line stands still and an event waits: a new connection is sooner than the kernel's next try")

// stalled says that an event waits for a kernel that will try again so late that
// a new connection is sooner: those that don't know tcpRTOMax double their pauses
// to two minutes, and a line that loses half of all packets gets there.
func (s *session) stalled(now time.Time) bool {
	if len(s.window) == 0 || now.Sub(s.moved) < still {
		return false
	}
	event := slices.ContainsFunc(s.window, func(m sent) bool { return m.lane == eventLane })
	return event && s.timing.repeats(s.link.base) >= still
}
