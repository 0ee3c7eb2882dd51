package agent

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"pithead/drivers"
)

// A busLoop drives one bus: outputs first, then polls by deadline, one request
// at a time: whatever takes several gives way in between. Everything in it
// belongs to the goroutine of run, but for what is said to be shared.
type busLoop struct {
	id       string
	bus      drivers.Bus
	share    float64 // percent of the bus's time, at most, for all units that are offline
	units    []*unit
	lines    []*line // trips first
	emit     func(context.Context, []drivers.Reading)
	memory   func() []drivers.Reading                 // for readings, empty
	hand     func(context.Context, []drivers.Reading) // passes on readings with their memory; nil: they are emitted
	report   func(switched)
	losses   func(point string, edges uint64)  // edges that are newly known to be lost
	refusals func(point string, pulses uint64) // likewise, that came too fast to be counted
	counts   func(drivers.CounterStart)        // a register's total began, or its device restarted
	setup    func(unit, why string)            // it refuses its setup; empty = it has taken it
	log      *slog.Logger
	told     time.Time // when the units' states were published
	dead     time.Time // no offline unit is probed before, so that the living keep their share
	asks     []ask     // reads for people that are not done

	down   string    // why the line itself is not there; empty = it is
	downAt time.Time // when it is tried again
	busy   busy

	lost    map[string]uint64      // edges of each point that were told as lost
	refused map[string]uint64      // pulses of each point that came too fast, and were told
	whys    map[string]string      // why a point is bad, as it was logged last
	where   func(point string) int // its line in the site file

	addresses map[byte]string // devices of the site file

	mail  mailbox // shared: what outputs are wanted, reads that are asked for
	began time.Time
	beat  atomic.Int64                // shared: when the loop turned last, in ns since it began: no step of the clock moves it
	state atomic.Pointer[[]UnitState] // shared
	about atomic.Pointer[BusState]    // shared
}

func newBusLoop(id string, bus drivers.Bus, most func(unit string) time.Duration) *busLoop {
	b := &busLoop{id: id, bus: bus, share: deadShare, began: time.Now(), mail: newMailbox(), lost: map[string]uint64{}, refused: map[string]uint64{}, whys: map[string]string{}, where: func(string) int { return 0 },
		setup: func(_, _ string) {}, memory: noMemory}
	for _, du := range bus.Units() {
		u := &unit{Unit: du, most: most(du.ID), unset: len(du.Setup) > 0}
		for _, dp := range du.Polls {
			u.polls = append(u.polls, &poll{Poll: dp, unit: u})
		}
		b.units = append(b.units, u)
	}
	return b
}

// unit is the unit of that id, or nil.
func (b *busLoop) unit(id string) *unit {
	for _, u := range b.units {
		if u.ID == id {
			return u
		}
	}
	return nil
}

// run turns until ctx ends.
func (b *busLoop) run(ctx context.Context) {
	begin := time.Now()
	for _, u := range b.units {
		for _, p := range u.polls {
			p.due = begin
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		b.beat.Store(int64(now.Sub(b.began)))
		wants, asks := b.mail.take()
		b.order(wants, now)
		b.asks = append(b.asks, asks...)
		if b.switchOne(ctx, now) {
			continue
		}
		asked := b.answer(ctx)
		at := earlier(b.turn(ctx, time.Now()), asked)
		b.publish(now)
		wait := time.Until(at)
		if wait <= 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-b.mail.wake:
		case <-ctx.Done():
		}
	}
}

// stands is for how long the loop has not turned.
func (b *busLoop) stands() time.Duration {
	return time.Since(b.began) - time.Duration(b.beat.Load())
}

// turn makes the one request that is most urgent, if any is due, and returns
// when there is something to do again.
func (b *busLoop) turn(ctx context.Context, now time.Time) time.Time {
	b.giveUp(ctx, now)
	p, at := b.choose(now)
	if p == nil || at.After(now) {
		return at
	}
	switch u := p.unit; {
	case u.life == Offline:
		b.probe(ctx, u)
	case u.unset && !now.Before(u.setAt):
		b.setUp(ctx, u)
	default:
		b.step(ctx, p)
	}
	return now
}

// giveUp lets the due polls of offline units go by, without a wait.
func (b *busLoop) giveUp(ctx context.Context, now time.Time) {
	for _, u := range b.units {
		if u.life != Offline {
			continue
		}
		for _, p := range u.polls {
			if !p.due.After(now) {
				p.next(now)
				b.emit(ctx, gone(p, now))
			}
		}
	}
}

// gone is a poll's readings when nobody was asked.
func gone(p *poll, now time.Time) []drivers.Reading {
	rs := make([]drivers.Reading, len(p.Points))
	for i, id := range p.Points {
		rs[i] = drivers.Bad(id, now, drivers.Comm)
	}
	return rs
}

// step makes the next request of a poll, and passes on what came of it.
func (b *busLoop) step(ctx context.Context, p *poll) {
	u, before := p.unit, time.Now()
	p.read = before
	s := stepOf(ctx, p.Driver, b.memory)
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	u.free = now.Add(max(u.Pause, s.Wait))
	if p.under = s.More; p.under {
		b.pass(ctx, s.Readings)
		b.reached(now)
		return
	}
	if held(s.Err) && u.Probe != nil && !p.settled {
		p.settled = true
		if err := u.Probe(ctx); err == nil {
			u.free = time.Now().Add(u.Pause)
			return // it owes nothing any more: the poll is due as before
		} else if !held(err) {
			s.Err, now = err, time.Now()
		}
	}
	p.settled = false
	if s.Err != nil {
		u.cost = now.Sub(before)
	}
	p.next(now)
	b.pass(ctx, s.Readings)
	if p.failed = silent(s.Err); p.failed {
		b.skip(ctx, u, now)
	}
	b.judge(ctx, u, s.Err, now)
}

// pass passes on what a step read, and after that does not look at it any more.
func (b *busLoop) pass(ctx context.Context, rs []drivers.Reading) {
	b.remark(rs)
	if b.hand == nil {
		b.emit(ctx, rs)
		return
	}
	b.hand(ctx, rs)
}

// stepOf is one request of a driver that gives way in between, else all of it. Its
// readings are then in memory that is the caller's, which room gives.
func stepOf(ctx context.Context, d drivers.Driver, room func() []drivers.Reading) drivers.Step {
	if s, ok := d.(drivers.Stepper); ok {
		return s.Step(ctx, room)
	}
	rs, err := d.Read(ctx)
	return drivers.Step{Readings: append(room(), rs...), Err: err}
}

// noMemory lets readings take their own.
func noMemory() []drivers.Reading { return nil }

// held says that nothing was asked, since an answer that is owed could be
// mistaken for this one.
func held(err error) bool { return err != nil && !drivers.FaultOf(err).Until.IsZero() }

// silent says that a request was sent and got no answer.
func silent(err error) bool {
	return err != nil && !held(err) && drivers.FaultOf(err).Quality == drivers.Comm
}

// skip lets the other due polls of a unit that has just been silent go by: one
// timeout a cycle is enough to know, and the other units wait.
func (b *busLoop) skip(ctx context.Context, u *unit, now time.Time) {
	for _, p := range u.polls {
		if !p.due.After(now) && !p.under {
			p.next(now)
			b.emit(ctx, gone(p, now))
		}
	}
}

// setUp makes the next write of a unit's setup. What it refuses is told and
// tried again later: the rest of it is still worth reading.
func (b *busLoop) setUp(ctx context.Context, u *unit) {
	before := time.Now()
	err := u.Setup[u.set](ctx)
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	u.free = now.Add(u.Pause)
	switch {
	case err != nil && drivers.FaultOf(err).Again && u.setBusy < mostSetBusy:
		u.setBusy++
		u.free = now.Add(max(u.Pause, setBusyWait))
		return
	case err == nil:
		if u.set++; u.set == len(u.Setup) {
			b.log.Info("unit is set up", "bus", b.id, "unit", u.ID)
			u.unset, u.set, u.setErr = false, 0, ""
			b.setup(u.ID, "")
		}
	case drivers.FaultOf(err).Quality == drivers.Exception:
		if u.setErr != err.Error() {
			b.log.Error("unit can't be set up", "bus", b.id, "unit", u.ID, "err", err)
			b.setup(u.ID, err.Error())
		}
		u.setErr, u.set, u.setAt = err.Error(), 0, now.Add(setAgain)
		err = nil
	default:
		u.cost, u.set = now.Sub(before), 0
		b.skip(ctx, u, now)
	}
	u.setBusy = 0
	b.judge(ctx, u, err, now)
}

// reached notes that the line is there, whatever was heard on it.
func (b *busLoop) reached(now time.Time) {
	if b.down == "" {
		return
	}
	b.log.Info("line is back", "bus", b.id)
	b.down = ""
	for _, u := range b.units {
		u.pause, u.probeAt = pauseFirst, now
	}
}

// gone notes that the line itself is not there: then no unit is to blame, and
// trying costs the others nothing.
func (b *busLoop) gone(err error, now time.Time) {
	why := drivers.FaultOf(err).Err.Error()
	if b.down == "" {
		b.log.Warn("line is down", "bus", b.id, "err", err)
	}
	b.down, b.downAt = why, now.Add(jitter(lineAgain))
}

// probe asks an offline unit the least, and bounds what such asking costs.
func (b *busLoop) probe(ctx context.Context, u *unit) {
	before := time.Now()
	var err error
	if u.Probe != nil {
		err = u.Probe(ctx)
	} else {
		var rs []drivers.Reading
		if rs, err = u.polls[0].Driver.Read(ctx); err == nil {
			b.emit(ctx, rs)
		}
	}
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	u.free = now.Add(u.Pause)
	if held(err) {
		u.probeAt = later(drivers.FaultOf(err).Until, now.Add(pauseFirst))
		return
	}
	if err != nil {
		b.dead = now.Add(time.Duration(float64(now.Sub(before)) * 100 / b.share)) // so the living lose no more than share, either
	}
	b.judge(ctx, u, err, now)
}

// judge draws from one request what it says of the unit.
func (b *busLoop) judge(ctx context.Context, u *unit, err error, now time.Time) {
	if held(err) {
		return // nothing was asked, so nothing is known
	}
	u.count.add(err == nil)
	if err != nil && drivers.FaultOf(err).Down {
		b.gone(err, now)
	} else {
		b.reached(now)
	}
	switch {
	case err == nil:
		if !u.good() {
			return
		}
		b.log.Info("unit is back", "bus", b.id, "unit", u.ID)
		u.unset, u.set, u.setAt = len(u.Setup) > 0, 0, time.Time{}
		for _, p := range u.polls {
			p.due = now // everything at once; the grid begins anew
		}
	case u.bad(now):
		b.log.Warn("unit is offline", "bus", b.id, "unit", u.ID, "err", err)
		for _, p := range u.polls {
			p.under = false
			b.emit(ctx, gone(p, now))
		}
	}
}

// watch passes on edges until ctx ends, and opens the hardware again when it fails.
func (b *busLoop) watch(ctx context.Context, w drivers.Watcher) {
	pause := pauseFirst
	for ctx.Err() == nil {
		begun := time.Now()
		err := w.Watch(ctx, func(rs []drivers.Reading) { b.emit(ctx, rs) })
		if ctx.Err() != nil {
			return
		}
		b.log.Warn("watching edges ended", "bus", b.id, "err", err)
		if time.Since(begun) > pauseMost {
			pause = pauseFirst
		}
		select {
		case <-time.After(jitter(pause)):
		case <-ctx.Done():
		}
		pause = min(2*pause, overdue) // Watch itself waits for the hardware
	}
}
