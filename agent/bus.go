package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
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
	Since     time.Time // of the first failure, unless online
	Missed    int       // cycles that passed without a read
	Asked     int       // requests of this minute and the one before
	Answered  int       // of those
}

// line is one output on the bus.
type line struct {
	id      string
	out     drivers.Output
	known   bool // want counts
	want    bool
	sure    bool // written, and read back where that can be
	next    time.Time
	pending bool // the judge waits for a report
	fresh   bool // want is new
}

// switched tells the judge how writing an output went.
type switched struct {
	Output string
	On     bool
	Err    error
	At     time.Time
}

const (
	rewrite = 10 * time.Second // an output is written again
	retry   = time.Second      // an output that could not be written
)

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

// choose is the poll to do next and when: of those that are due the one whose
// deadline is first, else the one that is due first. Of an offline unit it is
// any poll, and means a probe.
func (b *busLoop) choose(now time.Time) (*poll, time.Time) {
	var best *poll
	var at, deadline time.Time
	soonest := now.Add(time.Minute)
	consider := func(p *poll, ready, end time.Time) {
		switch {
		case ready.After(now):
			soonest = earlier(soonest, ready)
		case best == nil || end.Before(deadline):
			best, at, deadline = p, ready, end
		}
	}
	living := time.Time{} // when the next poll of a unit that lives is due
	for _, u := range b.units {
		for _, p := range u.polls {
			if u.life == Offline {
				soonest = earlier(soonest, p.due) // its readings go by at their time
				continue
			}
			ready := later(p.due, u.free)
			if living.IsZero() || ready.Before(living) {
				living = ready
			}
			end := p.due.Add(p.Every)
			if u.life == Suspect {
				end = end.Add(time.Hour) // after all that are not: its silence is not to make the others late
			}
			if p.failed {
				end = end.Add(time.Hour) // after those of its unit that do answer
			}
			consider(p, ready, end)
		}
	}
	for _, u := range b.units {
		if u.life == Offline {
			ready := b.probeTime(u, now, living)
			consider(u.polls[0], ready, ready.Add(u.most))
		}
	}
	for _, l := range b.lines {
		if l.known {
			soonest = earlier(soonest, l.next)
		}
	}
	if best == nil {
		return nil, soonest
	}
	return best, at
}

// probeTime is when an offline unit may be asked: at its time, within the share
// of all that are dead, and where it fits before the next poll of the living,
// so that none of those comes late. It waits for such a gap only so long.
func (b *busLoop) probeTime(u *unit, now, living time.Time) time.Time {
	ready := later(u.probeAt, u.free)
	if living.IsZero() {
		return ready
	}
	ready = later(ready, b.dead)
	if ready.After(now) || living.Sub(now) >= u.cost || now.Sub(ready) >= overdue {
		return ready
	}
	return later(living.Add(time.Millisecond), now.Add(time.Millisecond))
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

// remark tells what the driver knows beside the readings: edges that were
// lost, and why single points are bad.
func (b *busLoop) remark(rs []drivers.Reading) {
	if l, ok := b.bus.(drivers.Losses); ok {
		for _, r := range rs {
			if n := l.Lost(r.Point); n > b.lost[r.Point] {
				b.losses(r.Point, n-b.lost[r.Point])
				b.lost[r.Point] = n
			}
		}
	}
	for _, r := range rs {
		text := reason(b.bus, r)
		if text != b.whys[r.Point] && text != "" {
			b.log.Warn("point can't be read", "point", r.Point, "line", b.where[r.Point], "err", text)
		}
		b.whys[r.Point] = text
	}
}

// reason is why one point alone is bad, as far as anybody knows.
func reason(bus drivers.Bus, r drivers.Reading) string {
	if r.Quality == drivers.Good {
		return ""
	}
	if r.Quality == drivers.Exception {
		return fmt.Sprintf("the device answers with exception %d (%s)", r.Code, exceptions[r.Code])
	}
	if why, ok := bus.(drivers.Reasons); ok {
		if err := why.Why(r.Point); err != nil {
			return err.Error()
		}
	}
	return ""
}

// exceptions are the names of the Modbus specification (V1.1b3, 7).
var exceptions = map[uint8]string{1: "illegal function", 2: "illegal data address", 3: "illegal data value",
	4: "server device failure", 5: "acknowledge", 6: "server device busy", 8: "memory parity error",
	10: "gateway path unavailable", 11: "gateway target device failed to respond"}

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

// order takes in what the judge wants of the outputs.
func (b *busLoop) order(wants map[string]bool, now time.Time) {
	for _, l := range b.lines {
		if on, ok := wants[l.id]; ok {
			l.fresh = l.fresh || !l.known || l.want != on
			// Written even if it is so already: the judge waits for a report.
			l.known, l.want, l.pending, l.sure, l.next = true, on, true, false, earlier(l.next, now)
		}
	}
}

// switchOne writes the output that is due, first what the judge has just asked
// for, and says whether to go on with that before any poll. What is written
// again, or tried again, takes turns with the polls: outputs of a dead unit must
// not keep the others' points from being read.
func (b *busLoop) switchOne(ctx context.Context, now time.Time) (first bool) {
	l := b.dueLine(now)
	if l == nil {
		return false
	}
	fresh := l.fresh
	err := l.write(ctx)
	if ctx.Err() != nil {
		return true
	}
	done := time.Now()
	l.next = done.Add(rewrite)
	if err != nil {
		l.next = done.Add(retry)
	}
	if l.pending || l.sure != (err == nil) {
		b.report(switched{Output: l.id, On: l.want, Err: err, At: done})
	}
	l.pending, l.fresh, l.sure = false, false, err == nil
	return fresh
}

// dueLine is the output to write now: a fresh wish, trips before notices, else
// the one that has waited longest.
func (b *busLoop) dueLine(now time.Time) (due *line) {
	for _, l := range b.lines {
		switch {
		case !l.known || l.next.After(now):
		case l.fresh:
			return l
		case due == nil || l.next.Before(due.next):
			due = l
		}
	}
	return due
}

// write sets the output and reads it back where that can be.
func (l *line) write(ctx context.Context) error {
	if err := l.out.Set(ctx, l.want); err != nil {
		return err
	}
	on, err := l.out.Get(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return fmt.Errorf("read back: %w", err)
	case on != l.want:
		return errors.New("read back: it did not switch")
	}
	return nil
}

// answer reads one poll for a person, whatever its cycle, and replies when all
// that was asked for is read. One at a time: an output that is to be switched
// meanwhile must not wait for more than one request.
func (b *busLoop) answer(ctx context.Context) {
	if len(b.asks) == 0 {
		return
	}
	a := &b.asks[0]
	var polls []*poll
	for _, u := range b.units {
		for _, p := range u.polls {
			if slices.ContainsFunc(p.Points, func(id string) bool { return slices.Contains(a.points, id) }) {
				polls = append(polls, p)
			}
		}
	}
	if a.done < len(polls) && a.ctx.Err() == nil {
		p := polls[a.done]
		a.found = append(a.found, inspect(ctx, b.bus, p)...)
		p.unit.free = time.Now().Add(p.unit.Pause)
		a.done++
	}
	if a.done < len(polls) && a.ctx.Err() == nil {
		return
	}
	a.reply <- slices.DeleteFunc(a.found, func(i drivers.Inspection) bool { return !slices.Contains(a.points, i.Point) })
	b.asks = slices.Delete(b.asks, 0, 1)
}

// inspect reads one poll with its raw registers where the driver shows them,
// and why, where it is bad.
func inspect(ctx context.Context, bus drivers.Bus, p *poll) []drivers.Inspection {
	is, err := read(ctx, p.Driver)
	for i := range is {
		switch {
		case is[i].Quality == drivers.Good || is[i].Why != "":
		case err != nil:
			is[i].Why = drivers.FaultOf(err).Err.Error()
		default:
			is[i].Why = reason(bus, is[i].Reading)
		}
	}
	return is
}

func read(ctx context.Context, d drivers.Driver) ([]drivers.Inspection, error) {
	if in, ok := d.(drivers.Inspector); ok {
		return in.Inspect(ctx)
	}
	before := time.Now()
	rs, err := d.Read(ctx)
	is := make([]drivers.Inspection, len(rs))
	for i, r := range rs {
		is[i] = drivers.Inspection{Reading: r, Took: time.Since(before)}
	}
	return is, err
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
		if u.life != Online {
			is[i].Since = u.since
		}
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

// ask is a person's wish to read points now, until ctx ends.
type ask struct {
	ctx    context.Context
	points []string
	reply  chan []drivers.Inspection // holds one
	found  []drivers.Inspection      // so far; the loop's
	done   int                       // polls that are read; the loop's
}

// A mailbox hands wishes to a loop without ever holding up who sends them; of
// an output only the newest wish counts.
type mailbox struct {
	wake chan struct{} // holds one
	box  *struct {
		sync.Mutex
		wants map[string]bool
		asks  []ask
	}
}

func newMailbox() mailbox {
	m := mailbox{wake: make(chan struct{}, 1)}
	m.box = new(struct {
		sync.Mutex
		wants map[string]bool
		asks  []ask
	})
	return m
}

func (m mailbox) want(output string, on bool) {
	m.box.Lock()
	if m.box.wants == nil {
		m.box.wants = map[string]bool{}
	}
	m.box.wants[output] = on
	m.box.Unlock()
	m.ring()
}

func (m mailbox) ask(a ask) {
	m.box.Lock()
	m.box.asks = append(m.box.asks, a)
	m.box.Unlock()
	m.ring()
}

func (m mailbox) ring() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m mailbox) take() (map[string]bool, []ask) {
	m.box.Lock()
	defer m.box.Unlock()
	w, a := m.box.wants, m.box.asks
	m.box.wants, m.box.asks = nil, nil
	return w, a
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
