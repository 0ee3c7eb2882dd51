// Package agent is the run: buses are polled, readings judged, outputs
// switched, everything worth keeping stored, and what is stored delivered.
//
//	bus loops ── readings ──▶ judge ── queue ──▶ recorder ──▶ buffer on disk ──▶ uplinks
//	    ▲                       │
//	    └──── outputs wanted ───┘
//
// This file shows every goroutine. Each owns its state; the queue and the
// mailboxes between them hold nobody up, and the disk is the only hand-over
// between the half that measures and the half that delivers.
package agent

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/seal"
	"pithead/agent/uplink"
	"pithead/buffer"
	"pithead/config"
	"pithead/drivers"
)

// Options is what a run needs beside the site file.
type Options struct {
	Version string
	Built   time.Time // the clock can't be earlier
	Board   string    // its serial number; empty: it has none
	Socket  string    // path of the local socket; empty = none
	Log     *slog.Logger
	// Degraded says why the site file that was asked for does not run, but the
	// last good one; empty when all is well.
	Degraded string
	// Crashed is what the run before said of its crash; empty: it met none.
	Crashed string
	// Safe says why no more is to run than what guards: drivers, alarms, outputs
	// and events; empty: everything runs.
	Safe string
	// Hung says that the disk takes nothing, and does not say so either: nobody
	// waits for it any more.
	Hung bool
	// Refused brings, while it runs, why a reload was refused.
	Refused <-chan string
	// Reload reads the site file again: Check says why it can't, Do does it.
	Reload struct {
		Check func() error
		Do    func()
	}
	kernel *machine // of a test; nil: the machine's own
	// Before is what the run before a reload left; the zero Left at a start.
	Before Left
}

// Left is what a run hands to the one after a reload: delays that are running,
// the clock by which they run, what a disk that fails has not taken, and boards
// that are open. After the last run it is to be closed.
type Left struct {
	alarms map[string]*alarm.Alarm
	asleep map[string]sleeper
	seals  map[string]*seal.Seal
	clock  *Clock
	events []queued
	lost   lost
	boards boards
	epoch  string // of the buffer
}

// Close gives back what no further run will take.
func (l Left) Close(log *slog.Logger) { l.boards.close(log) }

// An agent is one run of one site file.
type agent struct {
	Options
	site     *config.Site
	clock    *Clock
	buf      *buffer.Log
	queue    *queue
	judge    *judge
	rec      *recorder
	buses    map[string]*busLoop
	loops    []*busLoop
	uplinks  []*uplink.Uplink
	tail     *record.Decoder // what the last run stored, until a start has learnt from it
	key      *event.Key
	heir     *event.Key // waits to follow key; nil: none does
	keyFile  string     // where key is
	boot     uint32
	session  string
	gate     *command.Gate // for signed commands of this session
	started  time.Time
	looking  sync.Mutex     // held by whoever reads the buffer through the local socket
	volatile string         // why the buffer is not where the site file says
	dir      string         // where the buffer is
	former   string         // that an older one could not be gone on with
	found    []buffer.Fault // by opening the buffer
	damage   damage
	lines    *lines // the log's end, for diag
	again    bool   // a run that ends is followed by another one
}

// ErrReload is the cause with which a run's context ends where another is to follow.
var ErrReload = errors.New("the site file is begun with again")

// Run runs the site until ctx ends (nil), or until it can't keep its promises.
// It never ends because a sensor is silent, a disk full or a platform away.
func Run(ctx context.Context, site *config.Site, o Options) (Left, error) {
	a, err := prepare(site, o)
	if err != nil {
		return Left{}, err
	}
	a.run(ctx)
	a.close()
	events, lost := a.rec.left()
	return Left{a.judge.alarms(), a.judge.sleepers(), a.judge.sealsLeft(), a.clock, events, lost, a.boards(), a.buf.Epoch()}, nil
}

// run starts everything in the order in which data flows, and stops it in the
// same order, so that each part sees the last word of the one before it.
func (a *agent) run(ctx context.Context) {
	deliver := newStage()
	for _, u := range a.uplinks {
		deliver.start(func(ctx context.Context) { _ = u.Run(ctx) })
	}
	store := newStage()
	store.start(a.rec.run)
	store.start(a.rec.guard)
	judge := newStage()
	judge.start(a.judge.run)
	poll := newStage()
	for _, b := range a.loops {
		poll.start(b.run)
		if w, ok := b.bus.(drivers.Watcher); ok {
			poll.start(func(ctx context.Context) { b.watch(ctx, w) })
		}
	}
	serve := newStage()
	a.serve(serve)
	if p := a.page(); p != nil {
		serve.start(p.Run)
	}
	serve.start(a.notify)
	a.Log.Info("running", "site", a.site.Site, "gateway", a.site.Gateway, "points", len(a.site.Points), "boot", a.boot, "epoch", a.buf.Epoch())

	a.wait(ctx)
	a.again = errors.Is(context.Cause(ctx), ErrReload)
	a.Log.Info("stopping")
	serve.stop()
	a.leaveOutputs()
	poll.stop()
	_ = a.judge.ask(context.Background(), func() { a.judge.end(); a.tellStop() })
	judge.stop()
	store.stop()
	deliver.stop()
	a.rec.storeEvents() // the anchors of what the uplinks sent last; its goroutine has ended
}

// wait waits for the end, and meanwhile tells of reloads that were refused.
func (a *agent) wait(ctx context.Context) {
	for {
		select {
		case why := <-a.Refused:
			_ = a.judge.ask(ctx, func() { a.judge.setAgent(agentConfig, true, why) })
		case <-ctx.Done():
			return
		}
	}
}

// A stage is goroutines that end together.
type stage struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newStage() *stage {
	s := &stage{}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func (s *stage) start(f func(context.Context)) {
	s.wg.Go(func() { f(s.ctx) })
}

func (s *stage) stop() {
	s.cancel()
	s.wg.Wait()
}

// prepare opens the buffer, learns from it where the last run ended, and
// builds what run starts. It touches no bus.
func prepare(site *config.Site, o Options) (*agent, error) {
	if o.Safe != "" {
		site = safely(site)
	}
	log, said := keepRecent(o.Log)
	o.Log = log
	a := &agent{Options: o, lines: said, site: site, started: time.Now(), session: random(8), damage: damage{}}
	a.gate = &command.Gate{Gateway: site.Site + "/" + site.Gateway, Session: a.session}
	a.queue = newQueue(mostQueued)
	a.rec = &recorder{log: o.Log, queue: a.queue, commit: site.Buffer.Commit, uplinks: map[string]bool{}, forks: make(chan uplink.Fork, 1)}
	for _, u := range site.Uplinks {
		a.rec.uplinks[u.ID] = true
	}
	opened, err := a.openBuffer()
	if err != nil {
		return nil, err
	}
	last, encoder, faults := readLast(a.tail, site)
	a.tail = nil
	if a.clock = o.Before.clock; a.clock == nil {
		least := max(a.rec.fold.Newest, newest(last))
		if site.Clock != "rtc" { // which counts, whatever the program thinks of it
			least = max(least, o.Built.UnixMilli())
		}
		a.clock = newClock(a.machine(), least, site.Clock == "platform")
	}
	a.inherit(o.Before)
	a.rec.clock, a.rec.encoder, a.rec.boot = a.clock, encoder, a.boot
	a.judge = newJudge(site, a.clock, a.queue, o.Log)
	a.judge.wants = func(bus, output string, on bool) { a.buses[bus].mail.want(output, on) }
	a.judge.forgot = a.former != "" || a.volatile != ""
	a.judge.restore(a.rec.fold, a.boot, last, o.Before.alarms)
	if o.Before.epoch != a.buf.Epoch() {
		a.judge.carryOver(a.rec.fold)
	}
	a.judge.sleepAgain(o.Before.asleep)
	a.judge.restoreHours(last)
	a.judge.restoreSeals(a.rec.fold, last, o.Before.seals)
	a.judge.refill(a.newReread(last), a.judge.formulas())
	faults = append(faults, a.handOver()...)
	a.rec.failed, a.rec.key, a.rec.unstored, a.rec.renew = a.diskFailed, a.key, a.tellUplinks, a.renew
	before := maps.Clone(o.Before.boards)
	if a.buses, a.loops, err = openBuses(site, last, a.rec.fold.Counters, o.Before.boards, o.Log); err != nil {
		return nil, errors.Join(err, a.buf.Close())
	}
	for _, b := range a.loops {
		b.emit, b.hand, b.memory = a.emit, a.hand, a.memory
		b.report = a.report
		b.losses = a.tellLosses
		b.refusals = a.tellRefusals
		b.counts = a.tellCounter
		b.setup = a.tellSetup
	}
	if site.Alive != nil {
		a.judge.beat(*site.Alive, a.moving)
	}
	a.tellStart(append(opened, faults...))
	a.tellDoubts(last, before)
	a.addUplinks()
	return a, nil
}

// machine is what the kernel says.
func (o Options) machine() machine {
	if o.kernel != nil {
		return *o.kernel
	}
	return kernel()
}

// mostQueued bounds the readings that wait for the disk: at 1,000 a second a
// minute's stall of a card.
const mostQueued = 60_000

// emit hands readings to the judge, which may take its time: a copy, since whoever
// made them may use their memory again.
func (a *agent) emit(ctx context.Context, rs []drivers.Reading) {
	if len(rs) == 0 {
		return
	}
	a.hand(ctx, append(a.memory(), rs...))
}

// hand is emit for readings whose memory goes with them.
func (a *agent) hand(ctx context.Context, rs []drivers.Reading) {
	if len(rs) == 0 {
		if cap(rs) > 0 {
			a.judge.release(rs)
		}
		return
	}
	select {
	case a.judge.in <- rs:
	case <-ctx.Done():
	}
}

// memory is that of readings which were judged.
func (a *agent) memory() []drivers.Reading {
	select {
	case rs := <-a.judge.free:
		return rs[:0]
	default:
		return nil
	}
}

// addUplinks builds the uplinks; each reads the buffer on its own.
func (a *agent) addUplinks() {
	env := uplink.Env{
		Log: a.buf, Site: a.site, Boot: a.boot, Session: a.session, Head: a.buf.Lane(laneEvents).Next() - 1, Version: a.Version,
		Kid: a.key.Kid(), Key: a.key.Public(), Logger: a.Log,
		Now: func() uplink.Stamp {
			s := a.clock.Now()
			return uplink.Stamp{M: s.M, T: s.T, Known: s.Known(), Clock: s.Clock}
		},
		Offset: a.rec.offsetOf, Gap: a.tellGap, Snapshot: a.snapshot, Health: a.health,
		Command: a.obey, TLS: a.clock.TLS, Heard: a.heard, Anchor: a.tellAnchor, Fork: a.tellFork,
		Overrun: func(string) { a.judge.overrun.Add(1) },
	}
	for _, c := range a.site.Uplinks {
		a.uplinks = append(a.uplinks, uplink.New(c, env))
	}
	a.judge.links = func() map[string]string {
		wrong := make(map[string]string, len(a.uplinks))
		for i, u := range a.uplinks {
			wrong[a.site.Uplinks[i].ID] = u.State().Fault
		}
		return wrong
	}
}

// leaveOutputs puts the outputs that say so into their on-exit state.
func (a *agent) leaveOutputs() {
	left := false
	for _, o := range a.site.Outputs {
		if !o.Trip && o.OnExit != "" && o.OnExit != "hold" {
			a.buses[o.Bus].mail.want(o.ID, o.OnExit == "on")
			left = true
		}
	}
	if left {
		time.Sleep(exitWait) // the loops write in between; a dead line must not hold up the stop
	}
}

const exitWait = 500 * time.Millisecond

// close lets go of the buses and the buffer. A line that can't be closed is no
// reason to end a process that is to go on with a new site file, and a position
// that is not on disk is only a repeat.
func (a *agent) close() {
	for _, cb := range a.site.Buses {
		if cb.GPIO == nil { // a board stays open for a reload
			closeBus(cb.ID, a.buses[cb.ID].bus, a.Log)
		}
	}
	if err := a.buf.Close(); err != nil {
		a.Log.Warn("close the buffer", "err", err)
	}
}
