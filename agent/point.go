package agent

import (
	"math"
	"slices"
	"strconv"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

// point is what the judge knows of one point. A site has up to ten thousand, each of
// them looked at each second: what few have stands in ties, and what is small together.
type point struct {
	cfg *config.Point
	*ties
	roots    *roots         // the bus and the device that it is gone with; shared with the others there
	alarms   *[]*standing   // nil: none but a fault that sleeps
	curve    *curve         // of the last hour, for the page; nil: not a number, or there is none
	last     drivers.Value  // of the newest reading
	at       time.Duration  // of that, since boot
	heard    time.Duration  // when the last reading came in, or it was called stale
	badSince time.Duration  // below 0: it is not bad
	storedAt time.Duration  // of the newest reading that went to the recorder; below 0: none did
	stored   *drivers.Value // of that; nil where each sample is stored, whatever it is
	napFrom  time.Duration  // see sleepsOn
	stats    tally
	naps     uint32 // readings since napFrom; 0: there is none yet
	after    int32  // place of the point that was looked up after this one
	mark     mark   // of the newest reading
	storedAs mark
	seen     bool // the newest reading counts; else it was stored last by an earlier run, if it has a value
	gone     bool // nobody answers for it
	asleep   bool // its fault alarm
	drawn    bool // the page shows its last hour
}

// A mark is what a reading's value is worth, and why.
type mark struct {
	quality drivers.Quality
	code    uint8
}

// standing is its alarms, but for a fault that sleeps.
func (p *point) standing() []*standing {
	if p.alarms == nil {
		return nil
	}
	return *p.alarms
}

// stand gives it one more alarm.
func (p *point) stand(s *standing) {
	if p.alarms == nil {
		p.alarms = new([]*standing)
	}
	*p.alarms = append(*p.alarms, s)
}

// ties are what most points don't have.
type ties struct {
	past     past
	test     *aside   // nil: it is not under test
	out      *aside   // nil: it is in service
	guards   []*guard // seals that watch it
	running  *running // counts its hours; nil: nothing does
	feeds    []int    // computed points that need it, as places in judge.computed
	groups   []*group
	premises []*premise // conditions that need it
	formula  *formula   // of a computed point
}

// noTies are those of a point without any. Nobody changes them: see tie.
var noTies ties

// tie is the point's ties, to be changed.
func (p *point) tie() *ties {
	if p.ties == &noTies {
		p.ties = new(ties)
	}
	return p.ties
}

// reading is the newest one, whole.
func (j *judge) reading(p *point) drivers.Reading {
	return drivers.Reading{Point: p.cfg.ID, At: j.clock.Of(p.at), Value: p.last, Quality: p.mark.quality, Code: p.mark.code}
}

// wants says whether a reading is to be stored: always at a change of quality;
// of bad ones the same cause only each at-least; of good ones what moved by the
// deadband, and at least each at-least.
func (p *point) wants(r drivers.Reading, at time.Duration) bool {
	c := p.cfg
	switch {
	case p.storedAt < 0 || p.storedAs != mark{r.Quality, r.Code}:
		return true
	case at-p.storedAt >= c.AtLeast-c.Every/2 && c.AtLeast > 0: // the next sample would be late
		return true
	case r.Quality != drivers.Good && r.Quality != drivers.Test:
		return false
	case p.stored == nil:
		return true
	case c.OnChange || r.Value.Kind() == drivers.Text || p.stored.Kind() != r.Value.Kind():
		return r.Value != *p.stored
	}
	moved := math.Abs(r.Value.Float() - p.stored.Float())
	return moved >= c.Deadband*(1-1e-9)
}

// keep notes that a reading is stored, and its value where one is compared with it.
func (p *point) keep(r drivers.Reading, at time.Duration) {
	p.storedAt, p.storedAs = at, mark{r.Quality, r.Code}
	switch c := p.cfg; {
	case !c.OnChange && c.Deadband <= 0 && r.Value.Kind() != drivers.Text:
		p.stored = nil
	case p.stored == nil:
		p.stored = new(r.Value)
	default:
		*p.stored = r.Value
	}
}

// take takes in what a bus tells. Edges and polls of one line come by two ways
// and may cross: a poll that an edge has overtaken says nothing new, and must
// not undo the edge; an edge that a poll has overtaken is judged, and then again
// what is so now.
func (j *judge) take(p *point, r drivers.Reading) {
	switch {
	case p.cfg.Device != "" || p.cfg.Value != nil:
		j.sample(p, r)
	case !p.seen || j.clock.M(r.At) >= p.at:
		p.tie().past.put(r)
		j.sample(p, r)
	case p.cfg.Type != "counter" && p.tie().past.put(r): // a newer total has the older in it
		now := j.reading(p)
		j.sample(p, r)
		j.sample(p, now)
	}
}

// past is the newest changes of a line by the time at which they were so.
type past []drivers.Reading

// mostPast is more edges than can overtake one poll.
const mostPast = 16

// put adds a reading in its place, and says whether it differs from what is
// known of that time.
func (h *past) put(r drivers.Reading) bool {
	i := len(*h)
	for i > 0 && r.At.Before((*h)[i-1].At) {
		i--
	}
	switch {
	case i > 0 && (*h)[i-1].Value == r.Value && (*h)[i-1].Quality == r.Quality:
		return false
	case i == 0 && len(*h) == mostPast:
		return false
	case len(*h) == mostPast:
		*h = slices.Delete(*h, 0, 1)
		i--
	}
	*h = slices.Insert(*h, i, r)
	return true
}

// sample judges a reading, counts it, and stores it if it is to be stored.
func (j *judge) sample(p *point, r drivers.Reading) {
	at := max(j.clock.M(r.At), p.at) // an alarm's time never goes back
	judged := r.Quality
	if p.test != nil {
		p.look(r, at)
		r, judged = underTest(r)
	}
	if p.asleep && !p.sleepsOn(judged, at) {
		j.wake(p)
	}
	first := !p.seen
	p.last, p.mark, p.at, p.seen, p.heard = r.Value, mark{r.Quality, r.Code}, at, true, j.came
	if r.Quality != drivers.Good { // what is gone with others is covered before it is told
		j.lives(p, r.Quality, at, first)
	}
	keep := p.wants(r, at)
	for _, s := range p.standing() {
		keep = j.step(s, alarm.Sample{At: at, Value: r.Value, Quality: judged}) || keep
	}
	if r.Quality == drivers.Good { // and what is back with them, after
		j.lives(p, r.Quality, at, first)
	}
	keep = j.watch(p, r, at) || keep
	j.count(p, r, at)
	j.draw(p, r, at)
	if keep {
		j.lastStored = at
		p.keep(r, at)
		j.stored = append(j.stored, record.Reading{Point: r.Point, M: at.Milliseconds(), Value: r.Value, Quality: r.Quality, Code: r.Code})
	}
	for _, c := range p.feeds {
		j.dirty[c], j.anyDirty = true, true
	}
	if p.running != nil {
		j.sample(p.running.to, p.running.count(r, at))
	}
	for _, g := range p.premises {
		g.dirty, j.premiseDirty = true, true
	}
}

// compute brings the computed points up to date whose inputs have new samples,
// inputs before outputs, each once.
func (j *judge) compute() {
	if j.mode != j.computedIn {
		j.computedIn = j.mode
		for i, p := range j.computed {
			if p.formula.Moody() {
				j.dirty[i], j.anyDirty = true, true
			}
		}
	}
	if !j.anyDirty {
		return
	}
	j.anyDirty = false
	for i, p := range j.computed {
		if !j.dirty[i] || p.cfg.Every > 0 {
			continue
		}
		j.dirty[i] = false
		j.evaluate(p, j.newest(p))
	}
	clear(j.dirty)
	j.openPremises()
}

// constants evaluates what is computed from nothing: no sample will ever ask for it.
func (j *judge) constants() {
	for _, p := range j.computed {
		if len(p.formula.in) == 0 {
			j.evaluate(p, j.clock.Time())
		}
	}
	j.compute()
}

// evaluate computes a point once, at the time given.
func (j *judge) evaluate(p *point, at time.Time) {
	v, q := j.value(p, at)
	due, held := p.formula.use.Due()
	j.timers.set(&p.formula.timer, due, held && p.cfg.Every == 0)
	j.sample(p, drivers.Reading{Point: p.cfg.ID, At: at, Value: v, Quality: q})
}

// value is what a computed point comes to at that time.
func (j *judge) value(p *point, at time.Time) (drivers.Value, drivers.Quality) {
	v, q := j.eval(p.formula, j.clock.M(at))
	if q == drivers.Good && v.Kind() == drivers.Number {
		v = drivers.NumberValue(rounded(v.Float(), p.cfg.Decimals))
	}
	if q == drivers.Good {
		v, q = within(p.cfg.Range, v)
	}
	if q != drivers.Good {
		v = drivers.Value{}
	}
	return v, q
}

// rounded takes off the tails of binary arithmetic: 1250 - 1247.3 is 2.7. Where
// the file says no decimals, twelve significant digits stay, far more than any
// comparison tells apart.
func rounded(f float64, decimals int) float64 {
	if decimals >= 0 {
		return drivers.Round(f, decimals)
	}
	g, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 12, 64), 64)
	if err != nil {
		return f
	}
	return g
}

// within judges a computed value by its point's range.
func within(r *[2]float64, v drivers.Value) (drivers.Value, drivers.Quality) {
	if r == nil || v.Kind() == drivers.Bool {
		return v, drivers.Good
	}
	s := drivers.Scale{Decimals: -1, Range: r}
	return s.Apply(v, v.Bits())
}

// newest is the time of a computed point's newest input.
func (j *judge) newest(p *point) time.Time {
	var at time.Time
	for _, in := range p.formula.in {
		if in != nil && in.seen {
			at = later(at, j.clock.Of(in.at))
		}
	}
	if at.IsZero() {
		at = j.clock.Time()
	}
	return at
}

// stale calls every point bad whose bus loop is late by three times its cycle.
// Edges come when they come; a computed point is as late as its inputs.
func (j *judge) stale(now time.Duration) {
	for _, p := range j.points {
		if now-p.heard <= j.stalest { // nearly all of them, each second
			continue
		}
		every := p.cfg.Every
		if p.cfg.Value != nil || p.cfg.Device == "" || every <= 0 {
			continue
		}
		// Due every cycle; late by three, and by no more than a timeout or two
		// of a unit that does not answer, whose word is comm.
		if late := now - p.heard - 4*every; late > 0 && late > 2*j.timeouts[p.cfg.Bus] {
			j.sample(p, drivers.Bad(p.cfg.ID, j.clock.Time(), drivers.Stale))
		}
	}
}
