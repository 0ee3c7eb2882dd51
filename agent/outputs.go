package agent

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/config"
	"pithead/drivers"
)

// output is a siren or a cut-off as the judge sees it.
//
// A trip that is on goes off in one place only, decide, and only when none of
// its alarms asks and, after a start, the newest sample of each is a good one on
// the side where it clears.
type output struct {
	cfg    *config.Output
	askers []*standing // alarms that name it
	known  bool        // on was told to the bus in this run
	on     bool        // what is wanted; before known, the last stored state
	by     string      // the alarm that asks for it, as of when anything moved last
	held   bool        // a trip that was on before this start
	doubt  bool        // a trip of which nobody knows that any more: it is not switched off before its alarms have spoken
	stuck  string      // a trip that is held by an alarm which the site file has lost
	fault  *standing   // output:x/fault
	tried  bool        // the bus has said how writing what is wanted went
	err    error       // of the last write
	wrong  bool        // what fault was last told

	release  *formula           // of a trip
	hand     bool               // a person has switched it on,
	until    time.Duration      // until then
	pulsed   map[*standing]bool // who asked when the pulse began
	pulseEnd time.Duration
	since    time.Duration // of on, where it was switched in this run
	timer    timer         // when it is to be looked at again

	onAt    time.Duration // when it was switched on, until it is seen to act
	actedAt time.Duration // when it was last seen to act in time
}

// asked names the first alarm that wants the output on.
func (o *output) asked() (by string) {
	for _, s := range o.askers {
		if o.wantedBy(s) {
			return s.Def().ID
		}
	}
	return ""
}

// wantedBy says whether an alarm wants it on; until: ack leaves it at that. What
// keeps an alarm quiet holds back notices only: no trip is released by it.
func (o *output) wantedBy(s *standing) bool {
	switch {
	case !s.Asks() || s.group != nil && !s.names(o.cfg.ID):
		return false
	case o.cfg.Trip:
		return true
	}
	if c := s.coveredBy(); c != nil && c.names(o.cfg.ID) {
		return false // that one speaks for both
	}
	return !s.quiet() && (!o.cfg.UntilAck || !s.Acknowledged())
}

// freed says whether a trip that was on before this start may go: no alarm that
// names it may yet ask. Where none names it, nobody may let it go.
func (o *output) freed() bool {
	return o.stuck == "" && len(o.askers) > 0 && o.unheard() == nil
}

// unheard is an alarm that may yet ask: its newest sample is not a good one on
// the side where it clears, or its delay runs.
func (o *output) unheard() *standing {
	for _, s := range o.askers {
		if _, delayed := s.Due(); delayed || !s.Safe() || s.group != nil && !s.group.heard() {
			return s
		}
	}
	return nil
}

// decide switches the output if that is to be done, and judges whether it obeys.
func (j *judge) decide(o *output) {
	now := j.now()
	if o.hand && now >= o.until {
		j.endHand(o, "", "its time is over")
	}
	by := j.wish(o, now)
	on := by != ""
	if o.cfg.Pulse > 0 {
		on = o.pulse(now, on)
	}
	at, any := o.next(now)
	if until, waits := o.waits(now, on); waits {
		if on, by = !on, "min-on"; !any || until < at {
			at, any = until, true
		}
	}
	j.timers.set(&o.timer, at, any)
	if o.doubt = o.doubt && !on && o.unheard() != nil; !o.doubt && (!o.known || on != o.on) {
		j.switchTo(o, on, by, "")
	}
	j.verify(o)
}

// wish is what wants the output on, empty if nothing does.
func (j *judge) wish(o *output, now time.Duration) (by string) {
	bound := j.bound(o, now)
	if j.moved || o.held {
		o.by = o.asked()
	}
	if o.by != "" {
		return o.by
	}
	if o.held {
		if o.held = !o.freed(); o.held {
			return "held"
		}
	}
	switch {
	case bound:
		return "release"
	case o.hand:
		return byHand
	}
	return ""
}

func (j *judge) switchTo(o *output, on bool, by, why string) {
	changed := on != o.on
	if o.onAt = 0; changed {
		o.since = j.now()
		if on {
			o.onAt = o.since
		}
	}
	o.known, o.on, o.tried = true, on, false
	j.wants(o.cfg.Bus, o.cfg.ID, on)
	if !changed {
		return
	}
	var fs []event.Field
	if on && by != "" {
		fs = append(fs, event.Field{Name: "asked", Value: by})
	}
	j.tellOutput(o, "", why, fs...)
	j.log.Warn("output", "id", o.cfg.ID, "state", onOff(on), "asked", by)
}

// verify tells the output's own alarm whether the output does what it should.
// What was not written yet does not: not one that is new, whose delay gives it
// time, and not one that failed before a restart, which nothing has mended.
func (j *judge) verify(o *output) {
	wrong := !o.tried || o.err != nil || j.disobeys(o)
	j.acted(o, wrong)
	if wrong == o.wrong && o.fault.good {
		return
	}
	o.wrong = wrong
	j.step(o.fault, alarm.Sample{At: j.now(), Value: drivers.BoolValue(wrong), Quality: drivers.Good})
}

// disobeys says that what must be so while the output is on, or while it is off,
// is not seen to be so.
func (j *judge) disobeys(o *output) bool {
	v := o.cfg.Verify
	if v == nil || !o.on && v.Else == nil {
		return false
	}
	want := v.Is
	if !o.on {
		want = *v.Else
	}
	p := j.find(v.Point)
	return !p.seen || p.mark.quality != drivers.Good || !sameValue(p.last, want)
}

// trouble is why an output has its fault: who is called has to know whether the line
// is dead, or the feed still on.
func (j *judge) trouble(fault string) string {
	id, _ := strings.CutPrefix(fault, "output:")
	id, is := strings.CutSuffix(id, "/fault")
	o := j.byName[id]
	switch {
	case !is || o == nil:
		return ""
	case o.err != nil:
		return o.err.Error()
	case !j.disobeys(o):
		return ""
	}
	p := j.find(o.cfg.Verify.Point)
	if !p.seen || p.mark.quality != drivers.Good {
		return p.cfg.ID + " is bad"
	}
	return p.cfg.ID + " is " + p.last.String()
}

// sameValue compares texts as they are, and everything else by its number.
func sameValue(a, b drivers.Value) bool {
	if a.Kind() == drivers.Text || b.Kind() == drivers.Text {
		return a == b
	}
	return a.Float() == b.Float()
}

// switched takes in how a write went.
func (j *judge) switched(s switched) {
	o, ok := j.byName[s.Output]
	if !ok || s.On != o.on {
		return // an older wish
	}
	if (s.Err == nil) != (o.err == nil) {
		if s.Err != nil {
			j.log.Error("output can't be written", "id", s.Output, "err", s.Err)
		} else {
			j.log.Info("output is written again", "id", s.Output)
		}
	}
	o.tried, o.err = true, s.Err
}

// letGo releases, by a person's word, a trip that no alarm can release any more.
func (j *judge) letGo(o *output, by, why string) error {
	switch {
	case !o.on:
		return errors.New("it is off")
	case o.asked() != "":
		return fmt.Errorf("%s asks for it", o.asked())
	case !o.held:
		return errors.New("it is not held")
	case o.unheard() != nil:
		return fmt.Errorf("it waits for a good sample of %s, on which %s is over", o.unheard().Def().Point, o.unheard().Def().ID)
	}
	o.held, o.stuck = false, ""
	j.switchTo(o, false, by, why)
	return nil
}

// faultOf is the alarm of an output that can't be written or does not act.
func faultOf(o *config.Output) *alarm.Def {
	within := 5 * time.Second
	if o.Verify != nil {
		within = o.Verify.Within
	}
	return &alarm.Def{
		ID: "output:" + o.ID + "/fault", Name: o.Name, Level: alarm.Red, Condition: alarm.Equals,
		Equal: drivers.BoolValue(true), For: within, Line: o.Line,
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// near is ", did you mean …?" with the alarm or output whose name is like id.
func (j *judge) near(id string) string {
	for _, p := range j.points {
		if have := p.cfg.ID + "/fault"; p.asleep && strings.HasPrefix(have, id) {
			return fmt.Sprintf("; did you mean %s?", have)
		}
	}
	for s := range j.all {
		if have := s.Def().ID; strings.HasPrefix(have, id) || strings.HasPrefix(id, s.Def().Point+"/") {
			return fmt.Sprintf("; did you mean %s?", have)
		}
	}
	return ""
}
