package agent

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"pithead/drivers"
)

// A busLoop drives one bus: outputs first, then polls by deadline, one request
// at a time. Everything in it belongs to the goroutine of run, but for what is
// said to be shared.
type busLoop struct {
	id     string
	bus    drivers.Bus
	units  []*unit
	lines  []*line // trips first
	emit   func(context.Context, []drivers.Reading)
	report func(switched)
	losses func(point string, edges uint64) // edges that are newly known to be lost
	log    *slog.Logger
	told   time.Time // when the units' states were published
	dead   time.Time // no offline unit is probed before, so that the living keep their share
	asks   []ask     // reads for people that are not done

	lost  map[string]uint64 // edges of each point that were told as lost
	whys  map[string]string // why a point is bad, as it was logged last
	where map[string]int    // its line in the site file

	mail  mailbox // shared: what outputs are wanted, reads that are asked for
	began time.Time
	beat  atomic.Int64 // shared: when the loop turned last, in ns since it began: no step of the clock moves it
	state atomic.Pointer[[]UnitState]
}

// UnitState is one unit as people and platforms see it.
type UnitState struct {
	Bus, Unit string
	Life      Life
	Missed    int // cycles that passed without a read
	Asked     int // requests of this minute and the one before
	Answered  int // of those
}

func newBusLoop(id string, bus drivers.Bus, most func(unit string) time.Duration) *busLoop {
	b := &busLoop{id: id, bus: bus, began: time.Now(), mail: newMailbox(), lost: map[string]uint64{}, whys: map[string]string{}}
	for _, du := range bus.Units() {
		u := &unit{Unit: du, most: most(du.ID)}
		for _, dp := range du.Polls {
			u.polls = append(u.polls, &poll{Poll: dp, unit: u})
		}
		b.units = append(b.units, u)
	}
	return b
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
		b.answer(ctx)
		at := b.turn(ctx, time.Now())
		b.publish(now)
		if len(b.asks) > 0 {
			continue
		}
		timer.Reset(time.Until(at))
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

// turn does the one poll or probe that is most urgent, if any is due, and
// returns when there is something to do again.
func (b *busLoop) turn(ctx context.Context, now time.Time) time.Time {
	b.giveUp(ctx, now)
	p, at := b.choose(now)
	if p == nil || at.After(now) {
		return at
	}
	if p.unit.life == Offline {
		b.probe(ctx, p.unit)
	} else {
		b.poll(ctx, p)
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

// poll reads once, repeats what may be repeated at once, and passes it on.
func (b *busLoop) poll(ctx context.Context, p *poll) {
	u, before := p.unit, time.Now()
	rs, err := p.Driver.Read(ctx)
	for try := 0; err != nil && try < u.Retries && drivers.FaultOf(err).Again && ctx.Err() == nil; try++ {
		rs, err = p.Driver.Read(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	if err != nil {
		u.cost = now.Sub(before)
	}
	u.free = now.Add(u.Pause)
	p.next(now)
	b.emit(ctx, rs)
	b.remark(rs)
	if p.failed = silent(err); p.failed {
		b.skip(ctx, u, now)
	}
	b.judge(ctx, u, err, now)
}

// silent says that a request was sent and got no answer.
func silent(err error) bool {
	if err == nil {
		return false
	}
	f := drivers.FaultOf(err)
	return f.Quality == drivers.Comm && f.Until.IsZero()
}

// skip lets the other due polls of a unit that has just been silent go by: one
// timeout a cycle is enough to know, and the other units wait.
func (b *busLoop) skip(ctx context.Context, u *unit, now time.Time) {
	for _, p := range u.polls {
		if !p.due.After(now) {
			p.next(now)
			b.emit(ctx, gone(p, now))
		}
	}
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
	if err != nil {
		b.dead = now.Add(now.Sub(before) * (100 - deadShare) / deadShare)
	}
	b.judge(ctx, u, err, now)
}

// judge draws from one request what it says of the unit.
func (b *busLoop) judge(ctx context.Context, u *unit, err error, now time.Time) {
	u.count.add(err == nil, err == nil || drivers.FaultOf(err).Until.IsZero())
	switch {
	case err == nil:
		if !u.good() {
			return
		}
		b.log.Info("unit is back", "bus", b.id, "unit", u.ID)
		for _, p := range u.polls {
			p.due = now // everything at once; the grid begins anew
		}
	case !drivers.FaultOf(err).Until.IsZero():
		// Nothing was asked, so nothing is known.
	case u.bad(now):
		b.log.Warn("unit is offline", "bus", b.id, "unit", u.ID, "err", err)
		for _, p := range u.polls {
			b.emit(ctx, gone(p, now))
		}
	}
}

// publish leaves the units' states where others may read them, once a second.
func (b *busLoop) publish(now time.Time) {
	if now.Sub(b.told) < time.Second && b.state.Load() != nil {
		return
	}
	b.told = now
	is := make([]UnitState, len(b.units))
	for i, u := range b.units {
		u.count.roll(now)
		is[i] = UnitState{Bus: b.id, Unit: u.ID, Life: u.life,
			Asked: u.count.asked[0] + u.count.asked[1], Answered: u.count.answered[0] + u.count.answered[1]}
		for _, p := range u.polls {
			is[i].Missed += p.missed
		}
	}
	b.state.Store(&is)
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
