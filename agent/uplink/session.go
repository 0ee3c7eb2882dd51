package uplink

import (
	"context"
	"errors"
	"iter"
	"time"
)

const (
	drainTime = time.Second     // at the end of a run for what is still to go
	stopTime  = 2 * time.Second // for that and the word that it stopped
	leave     = 250 * time.Millisecond
	listenFor = 10 * time.Second // after the connection, for the broker to answer the subscription
	readAgain = 5 * time.Second  // after the disk failed
)

// A session is what an uplink does with one link.
type session struct {
	*Uplink
	link *link

	// unheard is done when the broker has answered the subscription; nil: it has, or
	// owed it for too long. Nothing goes out before, so that nobody who sees the
	// gateway come speaks to nobody; but events do where an alarm among them waits.
	unheard <-chan struct{}
	pressed bool

	events  *events // nil where the uplink sends none
	batches []*batches
	control control
	again   *resending // what was asked for again; nil: nothing is
	turns   [3]int     // who of control and events, of batches, and of those and again, goes first

	receipts receipts
	proof    proof
	recalled bool // what the platform had of us is judged
	pace     pace
	heft     heft
	filed    time.Time // when the files were looked at

	window  []sent
	moved   time.Time      // when the window's head became it
	newest  string         // topic of what was acknowledged last
	through map[string]int // by topic: messages that were acknowledged
	writing bool           // the client has a message that is not out yet
	more    bool           // a lane has more to read at once
	resting time.Time      // no lane is read before: the disk failed
	began   time.Time
	holds   bool      // the connection lasted
	closing time.Time // when the run ended; zero: it goes on
	stopped bool      // said so
}

func (u *Uplink) newSession(l *link, pressed bool) *session {
	now := time.Now()
	s := &session{Uplink: u, link: l, unheard: l.answered(), pressed: pressed, began: now, moved: now, through: map[string]int{}, heft: heft{limit: u.cfg.Max}, control: control{Uplink: u}}
	s.begin()
	s.control.begin(now)
	return s
}

// begin has each lane go on from its position.
func (s *session) begin() {
	for _, l := range s.lanes() {
		l.close()
	}
	s.events, s.batches = nil, nil
	if s.cfg.Events {
		s.events = s.Uplink.events(s.at[eventLane])
	}
	// Statistics are few: after an outage they draw the picture before the readings fill it in.
	if s.cfg.Stats {
		s.batches = append(s.batches, s.statistics(s.at[statsLane]))
	}
	if s.cfg.Data {
		s.batches = append(s.batches, s.readings(s.at[dataLane]))
	}
}

// run delivers until the link is lost, which is the error, or ctx ends and what
// could be said was said: nil.
func (s *session) run(ctx context.Context) error {
	ended := ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		if s.unheard != nil && now.Sub(s.began) >= s.hearing() {
			s.heard()
		}
		s.fill(ctx, now)
		s.settle(now)
		if s.over(now) {
			return nil
		}
		if s.stuck(now) {
			return errors.New("nothing was acknowledged for twice the keepalive")
		}
		if s.stalled(now) {
			return errStalled
		}
		if s.replaced(now) && s.closing.IsZero() {
			return errReplaced
		}
		timer.Reset(s.wait(now))
		select {
		case err := <-s.link.lost:
			return err
		case <-s.unheard:
			s.heard()
		case <-s.link.wrote:
			s.writing = false
			s.heft.out(time.Now(), s.cfg.Max)
		case <-s.head():
			if err := s.acknowledged(); err != nil {
				return s.link.why(err)
			}
		case <-ended:
			ended, s.closing = nil, time.Now()
		case <-s.wake:
		case m := <-s.inbox:
			if m.topic == s.topic("receipt") {
				s.receipted(m.payload)
			} else {
				s.remembered(m.payload)
			}
		case <-timer.C:
		}
	}
}

// heard lets everything go out: the broker has answered the subscription, or
// won't.
func (s *session) heard() {
	s.unheard = nil
	if deaf := s.link.deaf(); deaf != "" {
		s.log.Warn("no command will come", "why", deaf)
	}
}

// hearing is how long the answer to the subscription is waited for.
func (s *session) hearing() time.Duration { return min(s.patience()/2, listenFor) }

// fill publishes what is ready, as far as the window and the client take it.
func (s *session) fill(ctx context.Context, now time.Time) {
	s.more = false
	for s.room(now) {
		m, ok := s.next(ctx, now)
		if !ok {
			return
		}
		if s.cfg.Template == nil {
			m = s.proof.add(m)
		}
		if m, ok = s.form(m); !ok {
			s.window = append(s.window, sent{token: noToken{}, lane: m.lane, last: m.last, first: m.first, resend: m.resend})
			continue
		}
		s.heft.put(now, len(m.payload))
		m = s.pack(m)
		if len(s.window) == 0 {
			s.moved = now
		}
		s.window = append(s.window, sent{s.link.publish(m.topic, m.retained, m.payload), m.topic, m.lane, m.last, m.first, m.resend, m.h, m.epoch})
		s.writing = true
		s.receipts.sent(m)
		s.spent.add(m)
		s.note(func(st *State) { st.Published++ })
	}
}

// next is the next message: the gateway's own and events in turns, so that
// neither waits for all of the other; then statistics and readings likewise.
func (s *session) next(ctx context.Context, now time.Time) (message, bool) {
	if !s.closing.IsZero() {
		return s.lastWords(now)
	}
	if s.unheard != nil {
		if !s.pressed {
			return message{}, false
		}
		return s.event(now)
	}
	if s.slow(now) {
		if m, ok := s.control.urgent(); ok {
			return m, true
		}
		return s.event(now)
	}
	for range 2 {
		s.turns[0]++
		if s.turns[0]%2 == 1 {
			if m, ok := s.control.next(ctx, now, s.behind()); ok {
				return m, true
			}
		} else if m, ok := s.event(now); ok {
			return m, true
		}
	}
	for range 2 {
		s.turns[2]++
		if s.turns[2]%2 == 1 {
			if m, ok := s.batch(now, false); ok {
				return m, true
			}
		} else if m, ok := s.repeat(now); ok {
			return m, true
		}
	}
	return message{}, false
}

// lastWords is what remains to be said when the run has ended.
func (s *session) lastWords(now time.Time) (message, bool) {
	if s.stopped {
		return message{}, false
	}
	if m, ok := s.reply(); ok {
		return m, true
	}
	if now.Sub(s.closing) < drainTime {
		if m, ok := s.event(now); ok {
			return m, true
		}
		if m, ok := s.batch(now, true); ok || s.more {
			return m, ok
		}
	}
	s.stopped = true
	return s.status("stopped"), true
}

func (s *session) event(now time.Time) (message, bool) {
	if s.events == nil {
		return message{}, false
	}
	return s.read(s.events, now, false)
}

func (s *session) batch(now time.Time, hurry bool) (message, bool) {
	for range s.batches {
		s.turns[1]++
		b := s.batches[s.turns[1]%len(s.batches)]
		paced := b.name == dataLane && s.behind()
		if paced && now.Before(s.pace.free) {
			continue
		}
		b.cut.limit = s.heft.limit
		if m, ok := s.read(b, now, hurry); ok {
			if paced {
				s.pace.took(now, m.items, s.rate())
			}
			return m, true
		}
	}
	return message{}, false
}

func (s *session) read(l lane, now time.Time, hurry bool) (message, bool) {
	if now.Before(s.resting) {
		return message{}, false
	}
	m, ok, err := l.next(now, hurry)
	switch {
	case errors.Is(err, errMore):
		s.more = true
	case err != nil:
		s.resting = now.Add(readAgain)
		s.log.Error("the buffer can't be read", "error", err)
		s.note(func(st *State) { st.LastError = err.Error() })
	case !s.resting.IsZero():
		s.resting = time.Time{}
		s.note(func(st *State) { st.LastError = "" })
	}
	return m, ok
}

// settle notes what State tells: how far each lane is, and the oldest reading
// that is not acknowledged.
func (s *session) settle(now time.Time) {
	if s.cfg.Data {
		s.live.look(now, s.Log.Lane(dataLane).Next())
	}
	s.owes(now)
	s.anchor(now, false)
	if !s.holds && now.Sub(s.began) >= quick {
		s.holds = true
		s.note(func(st *State) { st.LastError, st.Fault = "", "" })
	}
	s.oldest(s.first())
	if owed, _ := s.receipts.waits(); len(s.window) > 0 || owed {
		return
	}
	for name, l := range s.lanes() {
		if n, ok := l.done(); ok {
			s.passed(name, n)
		}
	}
}

func (s *session) lanes() iter.Seq2[string, lane] {
	return func(yield func(string, lane) bool) {
		if s.events != nil && !yield(eventLane, s.events) {
			return
		}
		for _, b := range s.batches {
			if !yield(b.name, b) {
				return
			}
		}
	}
}

// close ends the link. Taking leave makes the broker forget the will, so that
// is for a gateway that has said that it stops.
func (s *session) close() {
	grace := time.Duration(0)
	if s.stopped {
		grace = leave
	}
	s.link.close(grace)
	s.anchor(time.Now(), true)
	if s.again != nil {
		s.again.close()
	}
	for _, l := range s.lanes() {
		l.close()
	}
}

// over says that the run has ended and nothing is left to say, or no time.
func (s *session) over(now time.Time) bool {
	return !s.closing.IsZero() && (s.stopped && len(s.window) == 0 || now.Sub(s.closing) >= stopTime)
}

// wait is how long nothing has to be done if nothing happens.
func (s *session) wait(now time.Time) time.Duration {
	if s.more && s.room(now) {
		return 0
	}
	at := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(at) {
			at = t
		}
	}
	sooner(s.control.due(s.behind()))
	for _, b := range s.batches {
		sooner(b.due())
	}
	sooner(s.resting)
	sooner(s.pace.free)
	sooner(s.filed.Add(lookEach))
	if s.cfg.Thin > 0 {
		sooner(now.Add(time.Second))
	}
	if !s.holds {
		sooner(s.began.Add(quick))
	}
	if s.unheard != nil {
		sooner(s.began.Add(s.hearing()))
	}
	if len(s.window) > 0 {
		sooner(s.moved.Add(s.patience()))
		sooner(s.moved.Add(still))
		if s.slow(now) {
			sooner(now.Add(time.Second))
		}
	}
	if !s.closing.IsZero() {
		sooner(s.closing.Add(drainTime))
		sooner(s.closing.Add(stopTime))
	}
	return at.Sub(now)
}
