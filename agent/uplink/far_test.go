package uplink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"pithead/config"
)

// A mood is how a broker, and the way to it, are for a while.
type mood int

const (
	sound  mood = iota
	lossy       // it hangs up now and then, before or after a message counts
	tardy       // it acknowledges late, and in any order
	mute        // from now on this connection takes nothing and answers nothing
	denies      // it acknowledges, and drops what has a number
	absent      // nobody answers the call
	moods
)

// A side is one platform with its broker, and the uplink that leads to it. The
// broker is this test's own, since it has to live in virtual time.
type side struct {
	h    *history
	cfg  config.Uplink
	u    *Uplink
	stop func()

	mu      sync.Mutex
	r       *rand.Rand
	mood    mood
	silent  bool // the platform sends no receipts
	conn    net.Conn
	out     chan packets.ControlPacket
	fresh   map[string]bool // by kind: a connection has begun, and nothing of it came on it yet
	h32     [sha256.Size]byte
	dead    bool // this connection is open in name only
	data    *platform
	stats   *platform
	begun   map[string]bool // by kind: the platform knows where the uplink begins
	event   int             // of those that it has, the last before a hole
	newest  int             // the one that came last
	dropped bool            // of this uplink's messages some were acknowledged and dropped
	said    uint64          // the last number that a receipt told
	asked   map[string]*resent
	day     int64
	bytes   int64 // of that day
	beyond  int   // messages of readings since its budget was spent
}

// A resent is what a platform asked for again.
type resent struct {
	from, to, end uint64
	gone          bool // the gateway has forgotten it: it was started anew
}

func (s *side) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mood == absent {
		return nil, errors.New("nobody answers")
	}
	ours, theirs := net.Pipe()
	s.conn, s.out = theirs, make(chan packets.ControlPacket, 4096)
	s.fresh = map[string]bool{"data": true, "stats": true, "events": true}
	s.h32, s.dead = [sha256.Size]byte{}, false
	go s.serve(theirs, s.out)
	return ours, nil
}

// cut ends the connection: what is on its way is gone.
func (s *side) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
	}
}

func (s *side) become(m mood) {
	s.mu.Lock()
	s.mood = m
	s.mu.Unlock()
	if m == absent {
		s.cut()
	}
}

func (s *side) serve(c net.Conn, out chan packets.ControlPacket) {
	defer c.Close()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case p := <-out:
				if p.Write(c) != nil {
					return
				}
			case <-done:
				return
			}
		}
	}()
	for {
		p, err := packets.ReadPacket(c)
		if err != nil || !s.answer(p, out) {
			return
		}
	}
}

// answer does what a broker does with a packet; false: it hangs up.
func (s *side) answer(p packets.ControlPacket, out chan packets.ControlPacket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead = s.dead || s.mood == mute; s.dead {
		return true
	}
	switch p := p.(type) {
	case *packets.ConnectPacket:
		out <- packets.NewControlPacket(packets.Connack)
	case *packets.SubscribePacket:
		ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
		ack.MessageID, ack.ReturnCodes = p.MessageID, bytes.Repeat([]byte{1}, len(p.Topics))
		out <- ack
	case *packets.PingreqPacket:
		out <- packets.NewControlPacket(packets.Pingresp)
	case *packets.PublishPacket:
		return s.published(p, out)
	case *packets.DisconnectPacket:
		return false
	}
	return true
}

func (s *side) published(p *packets.PublishPacket, out chan packets.ControlPacket) bool {
	if s.mood == lossy && s.r.IntN(12) == 0 {
		return false
	}
	kind := strings.TrimPrefix(p.TopicName, "pithead/v1/shidian-tsf/gw-01/")
	if err := s.take(kind, p.Payload, s.mood == denies); err != nil {
		s.h.wrong(fmt.Errorf("%s, %s of %.300s: %w", s.cfg.ID, kind, p.Payload, err))
	}
	s.bytes += int64(len(p.TopicName) + len(p.Payload))
	if s.mood == lossy && s.r.IntN(12) == 0 {
		return false
	}
	ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	ack.MessageID = p.MessageID
	if s.mood == tardy {
		time.AfterFunc(time.Duration(s.r.IntN(4000))*time.Millisecond, func() { out <- ack })
	} else {
		out <- ack
	}
	if s.cfg.Receipts && !s.silent && s.r.IntN(4) == 0 {
		s.receipt(out)
	}
	return true
}

// receipt says what the platform has. Its broker may deliver it or not.
func (s *side) receipt(out chan packets.ControlPacket) {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.MessageID = "pithead/v1/shidian-tsf/gw-01/receipt", 1, uint16(1+s.r.IntN(60_000))
	text := fmt.Sprintf(`{"epoch":%q,"event":%d`, s.h.log.Epoch(), s.event)
	if s.begun["data"] {
		s.said = s.data.end
		text += fmt.Sprintf(`,"last":%d`, s.said)
	}
	if s.begun["stats"] {
		text += fmt.Sprintf(`,"stats":%d`, s.stats.end)
	}
	p.Payload = []byte(text + "}")
	out <- p
}

// take is the platform's part: it judges a message, and keeps it.
func (s *side) take(kind string, payload []byte, drop bool) error {
	if len(payload) > s.cfg.Max {
		return fmt.Errorf("%d bytes, the limit is %d", len(payload), s.cfg.Max)
	}
	if kind == "data" {
		if err := s.proven(payload); err != nil {
			return err
		}
	}
	switch {
	case strings.HasPrefix(kind, "events"):
		return s.takeEvent(payload, drop)
	case kind != "data" && kind != "stats":
		return nil
	}
	e := parse(s.h.t, payload)
	if err := s.h.told(e); err != nil {
		return err
	}
	// Nothing is damaged here: what is lost was dropped for space.
	if first := s.h.log.Lane(kind).First(); e.Lost != nil && e.Lost.To >= first {
		return fmt.Errorf("%+v are told as lost, and from %d on all is there", *e.Lost, first)
	}
	if kind == "data" {
		if err := s.spends(e); err != nil {
			return err
		}
	}
	if e.Resend != "" {
		return s.takeAgain(e, drop)
	}
	p := s.data
	if kind == "stats" {
		p = s.stats
	}
	fresh := s.fresh[kind]
	s.fresh[kind] = false
	if !s.begun[kind] { // an uplink that begins now is told where by its first message
		if e.Prev < p.begins || !s.h.crashed() && e.Prev != p.begins {
			return fmt.Errorf("it begins behind %d, and readings from %d on were stored in its time", e.Prev, p.begins+1)
		}
		s.begun[kind], p.begins, p.end, p.before = true, e.Prev, e.Prev, e.Prev
	}
	// Without a receipt in time all that has none goes again, on the same connection.
	if s.cfg.Receipts && e.Prev != p.before && e.Prev <= p.end {
		fresh = true
	}
	if fresh && !s.cfg.Receipts {
		if err := p.mayGoBackTo(e.Prev, s.cfg.Window, s.h.revived(s.cfg.ID, kind)); err != nil {
			return err
		}
	}
	p.prevs = append(p.prevs, e.Prev)
	if drop || s.dropped && e.Prev > p.end { // what the broker dropped it gets again, with what followed
		s.dropped = true
		if !fresh && e.Prev != p.before {
			return fmt.Errorf("prev is %d, the message before ended with %d", e.Prev, p.before)
		}
		p.before = e.Last
		return nil
	}
	return p.take(e, fresh)
}

// mayGoBackTo says whether a new connection may begin there: all but the
// messages of one window were acknowledged, unless the gateway was killed since
// with positions that were not on disk.
func (p *platform) mayGoBackTo(prev uint64, window int, revived bool) error {
	if revived {
		p.prevs = nil
	}
	if i := len(p.prevs) - window; i > 0 && prev < p.prevs[i-1] {
		return fmt.Errorf("it goes back to %d, and before %d all was acknowledged", prev, p.prevs[i-1])
	}
	p.prevs = slices.DeleteFunc(p.prevs, func(n uint64) bool { return n >= prev })
	return nil
}

func (s *side) takeAgain(e envelope, drop bool) error {
	r := s.asked[e.Resend]
	if r == nil {
		return fmt.Errorf("resend %q was not asked for", e.Resend)
	}
	if e.Prev < r.from-1 || e.Last > r.to || e.Prev > r.end && !s.dropped {
		return fmt.Errorf("it covers (%d, %d] of %d to %d, of which there was up to %d", e.Prev, e.Last, r.from, r.to, r.end)
	}
	if drop || e.Prev > r.end { // nobody's receipt asks for it; the platform would ask anew
		s.dropped, r.gone = true, true
		return nil
	}
	_, _, _, err := s.data.read(e)
	r.end = max(r.end, e.Last)
	return err
}

func (s *side) takeEvent(payload []byte, drop bool) error {
	var n int
	if _, err := fmt.Sscanf(string(payload), `{"v":1,"n":%d,`, &n); err != nil {
		return err
	}
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if n < 1 || n > len(s.h.events) || s.h.events[n-1] != string(payload) {
		return errors.New("no such event")
	}
	fresh := s.fresh["events"] || s.cfg.Receipts && n <= s.event+1
	s.fresh["events"] = false
	next := n == s.newest+1
	s.newest = n
	switch {
	case s.begun["events"] && !fresh && !next, s.begun["events"] && fresh && n > s.event+1 && !s.dropped:
		return fmt.Errorf("event %d comes after %d, of which there are %d", n, s.newest, s.event)
	case drop || s.dropped && n > s.event+1:
		s.dropped = true
		return nil
	}
	s.begun["events"] = true
	s.event = max(s.event, n)
	return nil
}

// proven follows the running hash of a connection.
func (s *side) proven(payload []byte) error {
	open, h, ok := bytes.Cut(payload, []byte(`,"h":"sha256:`))
	if !ok {
		return errors.New("it carries no hash")
	}
	d := sha256.New()
	d.Write(s.h32[:])
	d.Write(open)
	d.Sum(s.h32[:0])
	if got := hex.EncodeToString(s.h32[:]); string(h) != got+`"}` {
		return fmt.Errorf("its hash is %s, want %s", h, got)
	}
	return nil
}

// spends compares what is left out with the budget, as far as this side can
// know what was spent.
func (s *side) spends(e envelope) error {
	if day := s.h.day(); day != s.day {
		s.day, s.bytes, s.beyond = day, 0, 0
	}
	most := s.cfg.Budget / 100 * 80
	switch {
	case s.cfg.Budget == 0 || !s.h.steady || s.h.crashed():
	case len(e.Readings) > 0 && s.bytes > most+2*int64(s.cfg.Max):
		// What was collected before may still go: of the lane, and of what was asked
		// for again.
		if s.beyond++; s.beyond > 3 {
			return fmt.Errorf("readings again and again, and %d bytes of %d are spent", s.bytes, s.cfg.Budget)
		}
	case e.Thinned != nil && s.cfg.Thin == 0 && s.h.calm && s.bytes < most:
		return fmt.Errorf("readings are left out, and %d bytes of %d are spent", s.bytes, s.cfg.Budget)
	}
	return nil
}
