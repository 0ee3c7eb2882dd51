// Package uplink delivers what the buffer holds to one platform over MQTT: in
// order, each message until the broker has acknowledged it. It knows neither
// buses nor alarms nor outputs; what stands in the buffer is all it is told,
// besides the snapshot and the health that it asks for.
//
// Promises, which the tests cite by number:
//
//  1. A position moves only over messages that the broker has acknowledged,
//     all those before them included. What has no PUBACK is unsent.
//  2. Each message of a lane begins where the one before it ended: prev is that
//     one's last, over reconnections, restarts and crashes too.
//  3. Events go before readings, and each lane goes in its own order. After a
//     lost link or a crash a reading may come again, under the same number.
//  4. Run ends because its context does, and for no other reason. When it has
//     ended, nothing of it or of the MQTT client still runs.
//  5. At most Window messages are unacknowledged; none of their payloads is
//     kept, so that an uplink costs the same however far it is behind.
//  6. A connection that is open in name only is thrown away within twice the
//     keepalive.
//
// Everything that is a duration or a time on the wire is in milliseconds.
package uplink

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"pithead/agent/record"
	"pithead/buffer"
	"pithead/config"
)

// Env is what an uplink is given of the agent. All functions may be called from
// any goroutine.
type Env struct {
	Log     *buffer.Log
	Site    *config.Site
	Boot    uint32 // this boot's number within the epoch
	Session string
	Head    uint64 // the last event of the run before
	Version string
	Kid     string // of the identity key
	Key     string // public, standard base64

	Now func() Stamp
	// Offset is that of a boot: t = m + offset; false while it is not known.
	Offset func(boot uint32) (int64, bool)
	// Gap is told what this uplink can't have any more; what it can be told by its
	// own messages is told there, too.
	Gap      func(Gap)
	Snapshot func(context.Context) (Snapshot, error)
	Health   func() Health
	// Anchor has an event sign the running hash; Fork is told what the platform
	// has of this gateway, where it is not what the gateway has.
	Anchor func(Anchor)
	Fork   func(Fork)
	// Command does what came on an uplink, and returns the signed reply, and what
	// is left to do when that is on its way. Overrun takes note of one that came
	// while too many waited.
	// Heard is told a time (Unix ms) that a platform vouches for; TLS is by when
	// certificates are judged.
	Heard   func(t int64)
	TLS     func() time.Time
	Command func(ctx context.Context, uplink string, payload []byte) (reply []byte, then func())
	Overrun func(uplink string)
	Logger  *slog.Logger
}

// A Stamp is one moment of this boot in both times.
type Stamp struct {
	M     int64 // ms since the boot began
	T     int64 // Unix ms, where Known
	Known bool
	Clock record.Clock
}

// An Uplink is one platform. Run is its only goroutine that does anything;
// State may be called from any.
type Uplink struct {
	Env
	cfg config.Uplink
	log *slog.Logger

	// Of Run's goroutine:
	at       map[string]uint64 // by lane: the last number that is acknowledged
	alert    *alert            // nil while there is a connection
	timing   timing
	spent    *spending
	live     live
	forms    *forms
	zstd     *zstd.Encoder // nil: not used yet
	files    files
	inbox    chan arrived  // receipts and the like, for the session
	wake     chan struct{} // holds one: a lane has grown, or there is an unstored event
	unstored chan []byte   // events that the disk did not take
	orders   chan []byte   // commands that wait for obey
	asked    atomic.Bool   // for a snapshot, at once

	mu    sync.Mutex
	state State
	done  map[string]uint64 // by lane: nothing up to here is left to send
	old   mark              // the oldest reading that is not acknowledged

	replies [][]byte // that wait for a connection
	resends []resend // that were asked for, likewise
}

// timing is what tests make short, or do without a network.
type timing struct {
	dial    dialer
	connect time.Duration                     // for one broker, from the first packet to the CONNACK
	pause   func(time.Duration) time.Duration // from what backoff says to what is waited
	repeats func(*socket) time.Duration       // until the kernel sends again
}

// New makes an uplink that Run brings to life. It touches neither network nor disk.
func New(c config.Uplink, e Env) *Uplink {
	u := &Uplink{
		Env: e, cfg: c, log: e.Logger.With("uplink", c.ID),
		at: map[string]uint64{}, done: map[string]uint64{},
		wake: make(chan struct{}, 1), unstored: make(chan []byte, mostUnstored), orders: make(chan []byte, mostOrders),
		inbox:  make(chan arrived, mostOrders),
		timing: timing{dial: dialTCP, connect: 30 * time.Second, pause: func(d time.Duration) time.Duration { return d }, repeats: (*socket).repeats},
	}
	u.spent = u.newSpending()
	return u
}

// Run delivers until ctx ends; then it sends what it can within a second, says
// "stopped" and hangs up, all within three seconds, and returns nil.
func (u *Uplink) Run(ctx context.Context) error {
	u.begin()
	var wg sync.WaitGroup
	defer wg.Wait()
	for name := range u.at {
		wg.Go(func() { u.watch(ctx, u.Log.Lane(name)) })
	}
	wg.Go(func() { u.obey(ctx) })
	u.note(func(s *State) { s.Since = time.Now() })
	defer u.calm()
	var b backoff
	for u.pause(ctx, &b) {
		l, address, err := u.connect(ctx)
		if err == nil {
			u.deliver(ctx, l, address, &b)
		} else if ctx.Err() == nil {
			u.failed(err)
			u.peek(ctx)
		}
	}
	return nil
}

// deliver is one connection, from the CONNACK to its end.
func (u *Uplink) deliver(ctx context.Context, l *link, address string, b *backoff) {
	pressed := u.alert != nil && u.alert.waits
	u.calm()
	u.connected(address)
	began := time.Now()
	s := u.newSession(l, pressed)
	err := s.run(ctx)
	lasted, at := time.Since(began), s.stop(time.Now())
	s.close()
	u.lost(err, b.lost(lasted, at))
}

// begin finds where each lane goes on. A lane that the buffer knows no position
// of begins now or at the oldest, as the site file says, and that is remembered
// before anything is sent: its first prev must not move with a restart.
func (u *Uplink) begin() {
	for name, sent := range map[string]bool{eventLane: u.cfg.Events, statsLane: u.cfg.Stats, dataLane: u.cfg.Data} {
		if !sent {
			continue
		}
		n, known := u.Log.Position(Position(name, u.cfg.ID))
		if !known && !u.cfg.Oldest {
			n = u.Log.Lane(name).Next() - 1
		}
		if !known {
			u.Log.SetPosition(Position(name, u.cfg.ID), n)
		}
		u.at[name] = n
		u.passed(name, n)
	}
}

// watch wakes Run when a lane has grown.
func (u *Uplink) watch(ctx context.Context, l *buffer.Lane) {
	for n := l.Next(); l.Wait(ctx, n) == nil; n = l.Next() {
		u.ring()
	}
}

func (u *Uplink) ring() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// mostUnstored bounds the events that wait in memory only.
const mostUnstored = 256

// Tell sends an event that the disk did not take: at once, beside the order of
// those that it did, and without a number or a position. It holds up nobody; of
// too many the oldest go. Any goroutine may call it.
func (u *Uplink) Tell(payload []byte) {
	if !u.cfg.Events {
		return
	}
	for {
		select {
		case u.unstored <- payload:
			u.ring()
			return
		default:
		}
		select {
		case <-u.unstored:
		default:
		}
	}
}
