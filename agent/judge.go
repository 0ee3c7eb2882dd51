package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
	"pithead/drivers/lent"
)

// The judge takes readings in and decides: alarms, computed points, outputs,
// what is stored. Everything in it belongs to the goroutine of run; others
// reach it through in, done and call, and it waits for nobody: neither for a
// disk nor for a bus nor for a network.
type judge struct {
	site  *config.Site
	clock *Clock
	log   *slog.Logger
	queue *queue // to the recorder
	wants func(bus, output string, on bool)

	in    chan []drivers.Reading
	free  chan []drivers.Reading // memory of readings that were judged
	done  chan switched
	calls chan func()
	ended chan struct{} // closed when run has returned

	points   []*point
	index    index
	timeouts map[string]time.Duration // the longest that a request may take, by bus
	stalest  time.Duration            // no point is stale sooner after it was heard
	latest   int                      // place of the point that was looked up last
	computed []*point                 // inputs before outputs
	dirty    []bool                   // of computed
	anyDirty bool
	stored   []record.Reading // of the batch in hand
	timers   timers
	apart    map[string]*standing // alarms that are of no point, by id
	own      []*standing          // alarms that are of no point, in order
	outputs  []*output
	byName   map[string]*output
	seals    []*guard
	sealed   map[string]*guard // by id
	period   period
	mode     string

	computedIn   string // the mode of the last computation
	premises     []*premise
	premiseDirty bool
	premisedIn   string   // the mode in which premises were opened last
	reloaded     bool     // this run follows a reload
	forgot       bool     // where the run before ended is not known: its buffer could not be read
	moved        bool     // something that an output may hang on, since it was decided last
	groups       []*group // inner ones first
	bursts       map[string]*burst
	figures      figures
	proofs       []*proof
	began        time.Duration
	links        func() map[string]string // what is wrong with the uplinks, by id
	spent        spells                   // tests that nobody signed
	// watched is the sealed seal that watches a point, or empty.
	watched  func(point string) string
	boot     uint32           // this one
	offsets  map[uint32]int64 // of boots, from m to wall time, as at the start
	refusals refusals
	overrun  atomic.Uint32 // commands that came while too many waited; any goroutine's
	timeFrom string        // the source of the time, where the kernel's clock is not synced

	came       time.Duration // when what is in hand came
	lastStored time.Duration // when a reading was stored last
	hurry      bool          // what is in stored is not to wait for the commit
}

// standing is one alarm with what hangs on it.
type standing struct {
	*alarm.Alarm
	*bonds
	*life
	timer   timer
	of      *point // nil where it is of no point
	good    bool   // judged by a good sample since the start
	carried bool   // it goes on over a reload
}

// bonds are what most alarms don't have.
type bonds struct {
	premise *premise    // of one that is judged only under a condition
	higher  []*standing // of its ladder
	outer   []*standing // of a root: what stands for it when that is gone, too
	group   *group      // nil: it is none
	root    *root       // nil: it is none
	shelf   *aside      // nil: it is not shelved
}

// A life is what became of an alarm that was raised at some time, as most are not.
type life struct {
	since     time.Duration           // when it last changed, since boot
	t         int64                   // the same in unix ms; 0 = unknown
	value     drivers.Value           // that it was last told with
	raises    [chatters]time.Duration // the newest that called somebody
	chattered time.Duration
	number    *atomic.Uint64 // of the event of its newest raise; nil, or 0 = not known
}

// noBonds and noLife are those of an alarm without any. Nobody changes them: see
// bond and tale.
var (
	noBonds bonds
	noLife  life
)

// bond is the alarm's bonds, to be changed.
func (s *standing) bond() *bonds {
	if s.bonds == &noBonds {
		s.bonds = new(bonds)
	}
	return s.bonds
}

// tale is the alarm's life, to be changed.
func (s *standing) tale() *life {
	if s.life == &noLife {
		s.life = new(life)
	}
	return s.life
}

// tick is how often the judge looks at what no reading brings: late buses, the
// clock, the end of a period.
const tick = time.Second

// run judges until ctx ends.
func (j *judge) run(ctx context.Context) {
	defer close(j.ended)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	j.begin()
	for {
		d := time.Hour
		if at, ok := j.timers.next(); ok {
			d = at - j.now()
		}
		wake.Reset(d)
		select {
		case rs := <-j.in:
			j.batch(rs)
			j.release(rs)
		case <-wake.C:
			j.timers.run(j.now())
		case <-ticker.C:
			j.tick()
		case s := <-j.done:
			j.switched(s)
		case f := <-j.calls:
			j.moved = true
			f()
		case <-ctx.Done():
			j.flush()
			return
		}
		j.settle()
	}
}

// begin is the judge's first turn: outputs get their first word before any reading.
func (j *judge) begin() {
	j.moved = true
	j.endPeriod(j.now()) // the first begins
	j.constants()
	j.openAll()
	j.settle()
}

// alarms is every alarm by its id, for the run that follows a reload.
func (j *judge) alarms() map[string]*alarm.Alarm {
	m := map[string]*alarm.Alarm{}
	for s := range j.all {
		m[s.Def().ID] = s.Alarm
	}
	return m
}

// all is every alarm but those that sleep: the points', then those of no point.
func (j *judge) all(yield func(*standing) bool) {
	for _, p := range j.points {
		for _, s := range p.standing() {
			if !yield(s) {
				return
			}
		}
	}
	for _, s := range j.own {
		if !yield(s) {
			return
		}
	}
}

func (j *judge) now() time.Duration { return j.clock.M(j.clock.Time()) }

// batch judges readings that came together, and what is computed from them.
func (j *judge) batch(rs []drivers.Reading) {
	j.came = j.now()
	if len(rs) > 0 {
		j.timers.run(j.clock.M(rs[0].At)) // what ended before they were taken, or just then
	}
	for _, first := range []bool{true, false} { // what others are judged under comes before them
		if first && len(j.premises) == 0 {
			continue
		}
		for _, r := range rs {
			if p := j.point(r.Point); p != nil && first == (len(p.premises) > 0) {
				j.take(p, r)
			}
		}
		j.openPremises()
	}
	j.compute()
}

// release lets whoever sends readings use the memory of these again.
func (j *judge) release(rs []drivers.Reading) {
	if lent.On {
		lent.Over(rs)
	}
	select {
	case j.free <- rs:
	default:
	}
}

// point is the point of that id, or nil. Units are polled in turn, so mostly it
// is the one that came after the last the time before: to search ten thousand ids
// means nearly as many looks into cold memory.
func (j *judge) point(id string) *point {
	if len(j.points) == 0 {
		return nil
	}
	last := j.points[j.latest]
	if next := j.points[last.after]; next.cfg.ID == id {
		j.latest = int(last.after)
		return next
	}
	i, ok := j.index.find(id)
	if !ok {
		return nil
	}
	last.after, j.latest = int32(i), i
	return j.points[i]
}

// find is the point of that id, or nil, for whoever asks seldom; any goroutine may.
func (j *judge) find(id string) *point {
	if i, ok := j.index.find(id); ok {
		return j.points[i]
	}
	return nil
}

// alarm is the one of that id, or nil: a point's own has its point's id before
// the slash.
func (j *judge) alarm(id string) *standing {
	if s, ok := j.apart[id]; ok {
		return s
	}
	i := strings.LastIndexByte(id, '/')
	if i < 0 {
		return nil
	}
	p := j.find(id[:i])
	if p == nil {
		return nil
	}
	for _, s := range p.standing() {
		if s.Def().ID == id {
			return s
		}
	}
	if p.asleep && id[i:] == "/fault" {
		return j.wake(p)
	}
	return nil
}

// settle ends whatever was done: outputs first, then what is to be stored.
func (j *judge) settle() {
	j.regroup()
	for _, o := range j.outputs {
		j.decide(o)
	}
	j.moved = false
	j.flush()
}

func (j *judge) flush() {
	if len(j.stored) > 0 {
		j.queue.addReadings(j.stored)
		if lent.On {
			lent.Over(j.stored)
		}
		j.stored = j.stored[:0]
	}
	if j.hurry {
		j.hurry = false
		j.queue.hurry()
	}
}

func (j *judge) tick() {
	now := j.now()
	j.came = now
	j.checkClock()
	if n := j.overrun.Swap(0); n > 0 {
		j.refusals.count += int(n) - 1
		j.refused("", "too many came at once")
	}
	j.endPeriod(now) // before anything is counted by a clock that has just changed
	j.stale(now)
	j.second()
}

// second is what is due each second, of recorded readings too.
func (j *judge) second() {
	j.moved = true // whatever moved unseen is seen within a second
	j.compute()
	j.openPremises()
	j.openWindows()
	j.followLinks()
	j.followProofs()
	j.followFlood(j.now())
	j.repay(false)
	for _, o := range j.outputs {
		if o.known && j.disobeys(o) {
			j.wants(o.cfg.Bus, o.cfg.ID, o.on) // again each second, until it is seen to act
		}
	}
}

// end judges what the buses have said already, when they say no more.
func (j *judge) end() {
	for {
		select {
		case rs := <-j.in:
			j.batch(rs)
		case s := <-j.done:
			j.switched(s)
		default:
			j.settle()
			j.tellRefused(j.now())
			j.repay(true)
			j.cutPeriod(j.now())
			return
		}
	}
}

// step gives an alarm its sample, and says whether the sample is worth storing:
// it changed the alarm, or began or ended a delay.
func (j *judge) step(s *standing, sample alarm.Sample) bool {
	_, was := s.Due()
	c, changed := s.Step(sample)
	if sample.Quality == drivers.Good {
		s.good = true
	}
	is := j.after(s, c, changed)
	return changed || was != is
}

// fire is a delay's end.
func (j *judge) fire(s *standing, at time.Duration) {
	c, changed := s.Tick(at)
	j.after(s, c, changed)
}

// after keeps an alarm's timer true and tells its change, and says whether a
// delay runs.
func (j *judge) after(s *standing, c alarm.Change, changed bool) (delayed bool) {
	due, delayed := s.Due()
	if delayed && s.timer.fire == nil {
		s.timer.fire = func(at time.Duration) { j.fire(s, at) }
	}
	j.timers.set(&s.timer, due, delayed)
	if changed {
		j.changed(s, c, "", "")
	}
	return delayed
}

// changed tells an alarm's change.
func (j *judge) changed(s *standing, c alarm.Change, by, why string) {
	d := s.Def()
	stamp := j.clock.At(c.At)
	st := s.tale()
	st.since, st.t, st.value = c.At, stamp.T, c.Value
	j.unshelveRisen(s)
	j.soil(s)
	j.moved = true
	if c.What == alarm.WasRaised && s.called() {
		defer j.raised(s, c.At)
	}
	e := event.Event{
		Kind: s.kind(), ID: d.ID, Name: d.Name, State: c.To.String(), Level: c.Level.String(),
		Point: d.Point, Value: c.Value, Quality: c.Quality, By: by, Why: why,
	}
	if c.HasLimit {
		e.Limit = &c.Limit
	}
	if c.To == alarm.Active && why == "" {
		e.Why = j.trouble(d.ID)
	}
	e.More = append(e.More, event.Field{Name: "was", Value: c.From.String()})
	if c.To == alarm.Cleared || c.To == alarm.Normal {
		e.More = append(e.More, event.Field{Name: "acked", Value: c.Acked})
	}
	if c.AcrossGap && c.What == alarm.WasRaised {
		e.More = append(e.More, event.Field{Name: "across-gap", Value: true})
	}
	if c.What == alarm.WasEscalated {
		e.More = append(e.More, event.Field{Name: "escalated", Value: d.Level.String()})
	}
	e.More = append(e.More, s.holds()...)
	if c.To == alarm.Active && c.From != c.To { // as a fold takes it for a raise
		st.number = new(atomic.Uint64)
		j.tellNumbered(e, c.At, st.number)
	} else {
		j.tell(e, c.At)
	}
	level := slog.LevelWarn
	if c.To == alarm.Normal || c.To == alarm.Acked {
		level = slog.LevelInfo
	}
	j.log.Log(context.Background(), level, "alarm", "id", d.ID, "state", c.To.String(), "what", c.What,
		"level", c.Level.String(), "value", c.Value.String(), "quality", c.Quality.String())
}

// holds is what an alarm's event says of what hangs on it: what outlives the
// alarm's definition, and what is beside its state.
func (s *standing) holds() (fs []event.Field) {
	d := s.Def()
	do := d.Do
	if s.group != nil {
		do = s.group.does(s.Level())
	}
	if len(do) > 0 {
		fs = append(fs, event.Field{Name: "do", Value: do})
	}
	switch {
	case s.group != nil:
		fs = append(fs, s.group.tell())
	case s.root != nil:
		fs = append(fs, s.root.tell()...)
	}
	if c := s.coveredBy(); c != nil {
		fs = append(fs, event.Field{Name: "covered", Value: c.Def().ID})
	}
	if d.Latch {
		fs = append(fs, event.Field{Name: "latch", Value: true})
	}
	for _, b := range []struct {
		name string
		is   bool
	}{{"shelved", s.shelf != nil}, {"suppressed", s.suppressed()}, {"out", s.isOut()}} {
		if b.is {
			fs = append(fs, event.Field{Name: b.name, Value: true})
		}
	}
	return fs
}

// tellBeside tells that something beside an alarm's state has changed.
func (j *judge) tellBeside(s *standing, at time.Duration) {
	d, m := s.Def(), s.Memory()
	e := event.Event{Kind: s.kind(), ID: d.ID, Name: d.Name, State: m.State.String(), Level: m.Level.String(), Point: d.Point,
		More: append([]event.Field{{Name: "was", Value: m.State.String()}}, s.holds()...)}
	if m.State == alarm.Cleared {
		e.More = append(e.More, event.Field{Name: "acked", Value: m.Acked})
	}
	if m.HasLimit {
		e.Limit = &m.Limit
	}
	j.tell(e, at)
}

// tell hands an event to the recorder.
func (j *judge) tell(e event.Event, at time.Duration) { j.tellNumbered(e, at, nil) }

// tellNumbered leaves the event's number in n, once it has one.
func (j *judge) tellNumbered(e event.Event, at time.Duration, n *atomic.Uint64) {
	if !j.withholds(e, at, n) {
		j.add(e, at, n)
	}
}

func (j *judge) add(e event.Event, at time.Duration, n *atomic.Uint64) {
	s := j.clock.At(at)
	j.queue.addNumbered(e, event.Stamp{M: s.M, T: s.T, Known: s.Known()}, n)
}

// checkClock looks at the machine's clock, and tells what that changes.
func (j *judge) checkClock() {
	if j.clock.Check(j.clock.look()) {
		j.tellClock()
		j.period.partial = true
	}
}

func (j *judge) tellClock() {
	s := j.clock.Now()
	source := "kernel"
	if s.Clock != record.Synced && j.timeFrom != "" {
		source = j.timeFrom
	}
	j.log.Info("clock", "state", s.Clock.String(), "t", s.T)
	e := event.Event{Kind: "clock", ID: "agent/clock", State: s.Clock.String(), More: []event.Field{
		{Name: "offset", Value: s.T - s.M}, {Name: "source", Value: source}}}
	if !s.Known() {
		e.More, e.Why = nil, "it is behind what was known already: somebody set it back"
	}
	j.tell(e, j.now())
}

// ack acknowledges an alarm.
func (j *judge) ack(id, by, why string) error {
	return j.person(id, by, why, (*alarm.Alarm).Ack)
}

// saw refuses the number of an event of an earlier raise: who saw only that does
// not know of this one.
func (j *judge) saw(id string, seen uint64) error {
	s := j.alarm(id)
	if s == nil || seen == 0 || s.State() == alarm.Normal {
		return nil
	}
	n := uint64(0)
	if s.number != nil {
		n = s.number.Load()
	}
	switch {
	case n == 0:
		return errors.New("its event has no number yet; acknowledge it without one")
	case seen < n:
		return fmt.Errorf("event %d is of an earlier raise; it was raised again with event %d", seen, n)
	}
	return nil
}

// reset lets a latched alarm go, or a trip that is held by nothing any more.
func (j *judge) reset(id, by, why string) error {
	if o, ok := j.byName[id]; ok {
		return j.letGo(o, by, why)
	}
	return j.person(id, by, why, (*alarm.Alarm).Reset)
}

// person does with an alarm what a person asks for, and tells who that was.
func (j *judge) person(id, by, why string, do func(*alarm.Alarm, time.Duration) (alarm.Change, error)) error {
	s := j.alarm(id)
	if s == nil {
		return j.noAlarm(id)
	}
	c, err := do(s.Alarm, j.now())
	if err != nil {
		return err
	}
	j.changed(s, c, by, why)
	return nil
}

// ask runs f in the judge's goroutine and waits for it, or for ctx.
func (j *judge) ask(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case j.calls <- func() { f(); close(done) }:
		<-done
		return nil
	case <-j.ended:
		return errors.New("the agent is stopping")
	case <-ctx.Done():
		return ctx.Err()
	}
}
