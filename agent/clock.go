package agent

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"pithead/agent/record"
)

// A Clock knows two times: m, since the machine's boot, which is the truth,
// and wall time, which may be unknown, wrong, or step. Delays and cycles use m.
//
// What is known of wall time changes in Check only, which one goroutine calls;
// everything else may be called by any.
type Clock struct {
	still *time.Time    // of a replay: the present, moved by hand by the one goroutine there is
	start time.Time     // when base was read
	base  time.Duration // since boot, suspended time included
	least int64         // unix ms: wall time below it can't be true; Check's goroutine's
	deaf  bool          // to the machine's own clock while that is not synced: clock: platform
	look  func() wall   // what the machine says now

	told    *int64        // ms: t = m + told, by whoever was trusted to say; Check's goroutine's
	reached int64         // unix ms: the newest wall time that counted as known; Check's goroutine's
	newest  atomic.Int64  // the later of least and reached, for any goroutine
	state   atomic.Uint32 // a record.Clock
	offset  atomic.Int64  // ms: t = m + offset, unless unknown
}

// A Stamp is one moment in both times.
type Stamp struct {
	M     int64 // ms since boot
	T     int64 // unix ms, if Clock is not Unknown
	Clock record.Clock
}

// Known says whether T counts.
func (s Stamp) Known() bool { return s.Clock != record.Unknown }

// step is how far wall time may move against m before it is told.
const step = time.Second

// NewClock starts a clock; least is the newest wall time that is known to have
// been (unix ms): the build's, or the newest stored.
func NewClock(least int64, deaf bool) *Clock { return newClock(kernel(), least, deaf) }

func newClock(k machine, least int64, deaf bool) *Clock {
	c := &Clock{start: time.Now(), base: k.up, least: least, deaf: deaf, look: k.wall}
	c.newest.Store(least)
	c.Check(c.look())
	return c
}

// newStillClock is a clock for recorded readings: it stands until it is moved,
// and its wall time is theirs.
func newStillClock(at time.Time) *Clock {
	c := &Clock{start: at, still: &at}
	c.offset.Store(at.UnixMilli())
	c.state.Store(uint32(record.Synced))
	return c
}

// Time is the present.
func (c *Clock) Time() time.Time {
	if c.still != nil {
		return *c.still
	}
	return time.Now()
}

// M is the time since boot at a moment that carries the monotonic clock.
func (c *Clock) M(t time.Time) time.Duration { return c.base + t.Sub(c.start) }

// Of is the moment that lies so far behind the boot.
func (c *Clock) Of(m time.Duration) time.Time { return c.start.Add(m - c.base) }

// Now is the present in both times.
func (c *Clock) Now() Stamp { return c.At(c.M(c.Time())) }

// At is a moment of this boot in both times, by what is known now.
func (c *Clock) At(m time.Duration) Stamp {
	s := Stamp{M: m.Milliseconds(), Clock: record.Clock(c.state.Load())}
	if s.Known() {
		s.T = s.M + c.offset.Load()
	}
	return s
}

// A machine is what the kernel says of this boot and of time.
type machine struct {
	boot string        // its name for this boot
	up   time.Duration // since then, suspended time included
	wall func() wall
}

func kernel() machine {
	return machine{bootID(), sinceBoot(), func() wall { now := time.Now(); return wall{now, now.UnixMilli(), synced()} }}
}

// wall is what the machine says of wall time, and when, by the monotonic clock.
type wall struct {
	at     time.Time
	unix   int64 // ms
	synced bool
}

// Check takes in what the machine says now, and tells whether the clock became
// known or unknown, or stepped by more than a second. One that is not synced and
// stands behind what was known already was set back by somebody.
func (c *Clock) Check(w wall) (moved bool) {
	was := record.Clock(c.state.Load())
	m := c.M(w.at)
	switch {
	case w.synced:
		c.told = nil
	case c.told != nil:
		w.unix = m.Milliseconds() + *c.told
	case c.deaf:
		w.unix = math.MinInt64
	}
	is := record.Unknown
	switch {
	case w.unix < c.least: // it can't be: somebody set it back, or the board woke in 1970
	case w.synced:
		is, c.reached = record.Synced, w.unix
	case w.unix >= c.reached-step.Milliseconds():
		is, c.reached = record.Free, max(c.reached, w.unix)
	}
	c.newest.Store(max(c.least, c.reached))
	if is == record.Unknown {
		c.state.Store(uint32(is)) // and the offset stays: another goroutine may be between the two
		return was != record.Unknown
	}
	off := w.unix - m.Milliseconds()
	old := c.offset.Load()
	c.offset.Store(off)
	c.state.Store(uint32(is))
	diff := time.Duration(off-old) * time.Millisecond
	return was == record.Unknown || diff.Abs() > step
}

// Heard takes in that a time has been, as somebody says who is trusted: no time
// before it counts as known any more. It tells nothing to a clock that is known
// and says otherwise by more than a minute.
func (c *Clock) Heard(t time.Time) {
	if s := c.Now(); s.Known() && t.UnixMilli() > s.T+time.Minute.Milliseconds() || t.Year() > 2200 {
		return
	}
	c.least = max(c.least, t.UnixMilli())
	c.newest.Store(max(c.least, c.reached))
}

// TLS is the time by which certificates are judged: the present where it is
// known, else the newest that is known to have been.
func (c *Clock) TLS() time.Time {
	if s := c.Now(); s.Known() {
		return time.UnixMilli(s.T)
	}
	return time.UnixMilli(c.newest.Load())
}

// Tell sets the clock by what somebody says who is trusted, until the kernel's
// own is synced. Whoever may call Check may call it, and is to call Check then.
func (c *Clock) Tell(t time.Time) error {
	switch {
	case record.Clock(c.state.Load()) == record.Synced:
		return errors.New("the clock is synced already")
	case t.UnixMilli() < max(c.least, c.reached-step.Milliseconds()):
		return fmt.Errorf("%s can't be: there are records of %s", t.UTC().Format(time.RFC3339), time.UnixMilli(c.newest.Load()).UTC().Format(time.RFC3339))
	case t.Year() > 2200:
		return fmt.Errorf("%d is no year that this gateway will see", t.Year())
	}
	off := t.UnixMilli() - c.M(time.Now()).Milliseconds()
	c.told = &off
	return nil
}

func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// synced asks the kernel whether something disciplines its clock.
func synced() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

// bootID is the kernel's name for this boot of the machine.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
