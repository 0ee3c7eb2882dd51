package agent

import (
	"errors"
	"fmt"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/agent/event"
)

// An aside is what people have put beside the state of an alarm or a point: an
// alarm that is shelved, a point under test, a point out of service. Whatever is
// aside, no trip is released by it. It is kept by its events.
type aside struct {
	of       string // the op that made it: shelve, test, out
	id       string // alarm or point
	by, why  string
	unsigned bool
	moment   moment        // when it began
	since    time.Duration // the same on this boot's clock
	until    time.Duration // of shelve and test
	timer    timer
	seen     bump // of test
}

// ends says which op ends what another began, in the event that tells of it.
var ends = map[string]string{"shelve": "unshelve", "out": "in", "test": "test"}

const (
	isOver  = "ended" // the state in that event
	longest = 24 * time.Hour
)

// place is where an aside of that kind hangs, nil where there is no such thing.
func (j *judge) place(of, id string) **aside {
	if of == "shelve" {
		if s := j.alarm(id); s != nil {
			return &s.bond().shelf
		}
		return nil
	}
	p := j.find(id)
	switch {
	case p == nil:
		return nil
	case of == "out":
		return &p.tie().out
	}
	return &p.tie().test
}

// put puts something aside; what was there before is replaced.
func (j *judge) put(a *aside) {
	at := j.place(a.of, a.id)
	if old := *at; old != nil {
		j.timers.set(&old.timer, 0, false)
	}
	*at = a
	a.timer.fire = func(time.Duration) { j.takeBack(a, "its time is over") }
	j.timers.set(&a.timer, a.until, a.until != 0)
	j.affect(a)
}

// takeBack ends it by itself, and tells why.
func (j *judge) takeBack(a *aside, why string) {
	j.tell(event.Event{Kind: "command", ID: a.id, State: isOver, Why: why,
		More: append([]event.Field{{Name: "op", Value: ends[a.of]}}, a.result(j)...)}, j.now())
	j.remove(a)
}

func (j *judge) remove(a *aside) {
	j.timers.set(&a.timer, 0, false)
	*j.place(a.of, a.id) = nil
	if a.of == "test" && proves(a.result(j)) {
		j.proved(a.id)
	}
	if a.of == "test" && a.unsigned {
		j.spent = j.spent.add(spell{a.moment, (j.now() - a.since).Milliseconds()})
	}
	j.affect(a)
}

// affect lets alarms follow what is aside.
func (j *judge) affect(a *aside) {
	j.moved = true
	if a.of == "shelve" {
		return
	}
	for _, s := range j.find(a.id).standing() {
		j.suspend(s, j.now())
		j.soil(s)
	}
}

// isOut says that the alarm's point is out of service.
func (s *standing) isOut() bool { return s.of != nil && s.of.out != nil }

// restoreAsides takes up what was aside when the last run ended. Time without
// power counts only where the clock was known on both sides; else it has ended.
func (j *judge) restoreAsides(f *fold) {
	j.spent = f.Spent
	j.restoreProofs(f)
	j.figures.flood = f.Flood
	for _, of := range []string{"shelve", "out", "test"} {
		for id, h := range f.Aside[of] {
			if j.place(of, id) == nil {
				j.tell(event.Event{Kind: "command", ID: id, State: isOver, Why: "it has left the site file",
					More: []event.Field{{Name: "op", Value: ends[of]}}}, j.now())
				continue
			}
			since, sure := j.ago(h.moment)
			a := &aside{of: of, id: id, by: h.By, why: h.Why, unsigned: h.Unsigned, moment: h.moment, since: since}
			if h.For > 0 {
				a.until = max(since+time.Duration(h.For), 1)
			}
			j.put(a)
			switch {
			case a.until == 0:
			case !sure:
				j.takeBack(a, "how long the power was away is not known")
			case a.until <= j.now():
				j.takeBack(a, "its time is over")
			case of == "shelve":
				j.unshelveRisen(j.alarm(id)) // the site file may have raised it
			}
		}
	}
	if f.Mode != "" {
		j.mode = f.Mode
	}
}

// mayPut refuses what a sealed seal watches: who opens it must not first blind it.
func (j *judge) mayPut(point string) error {
	if j.watched == nil || point == "" {
		return nil
	}
	if seal := j.watched(point); seal != "" {
		return fmt.Errorf("the sealed seal %s watches %s", seal, point)
	}
	return nil
}

func (j *judge) newAside(of, id string, c command.Command) *aside {
	now := j.clock.Now()
	a := &aside{of: of, id: id, by: c.By, why: c.Why, unsigned: !c.Signed, since: j.now()}
	a.moment = moment{Boot: j.boot, M: now.M}
	if now.Known() {
		a.moment.T = now.T
	}
	if c.Args.For > 0 {
		a.until = a.since + time.Duration(c.Args.For)
	}
	return a
}

func (j *judge) shelveCommand(c command.Command) (any, error) {
	s := j.alarm(c.Args.Alarm)
	switch {
	case s == nil:
		return nil, j.noAlarm(c.Args.Alarm)
	case c.Args.For <= 0 || time.Duration(c.Args.For) > longest:
		return nil, errors.New("want for, at most 24h")
	}
	if err := j.mayPut(s.Def().Point); err != nil {
		return nil, err
	}
	j.put(j.newAside("shelve", c.Args.Alarm, c))
	return nil, nil
}

func (j *judge) unshelveCommand(c command.Command) (any, error) {
	s := j.alarm(c.Args.Alarm)
	switch {
	case s == nil:
		return nil, j.noAlarm(c.Args.Alarm)
	case s.shelf == nil:
		return nil, errors.New("it is not shelved")
	}
	j.remove(s.shelf)
	return nil, nil
}

// unshelveRisen ends what somebody at the gateway has shelved while it was blue or
// yellow, once it is more: a group that grows, or what was escalated.
func (j *judge) unshelveRisen(s *standing) {
	if s.shelf != nil && s.shelf.unsigned && max(s.Level(), s.Def().Level) > alarm.Yellow {
		j.takeBack(s.shelf, "its level has risen beyond what may be shelved without a signed command")
	}
}

// mayShelve: somebody at the gateway may shelve what is blue or yellow.
func (j *judge) mayShelve(c command.Command) error {
	if s := j.alarm(c.Args.Alarm); s != nil && max(s.Level(), s.Def().Level) > alarm.Yellow {
		return fmt.Errorf("%s of what is %s needs a signed command", c.Op, max(s.Level(), s.Def().Level))
	}
	return nil
}

func (j *judge) outCommand(c command.Command) (any, error) {
	p, err := j.pointOf(c)
	switch {
	case err != nil:
		return nil, err
	case c.By == "" || c.Why == "":
		return nil, errors.New("want to know by whom and why")
	case c.Args.For != 0:
		return nil, errors.New("it lasts until it is put back; leave for out")
	case p.out != nil:
		return nil, errors.New("it is out of service already")
	}
	j.put(j.newAside("out", c.Args.Point, c))
	return nil, nil
}

func (j *judge) inCommand(c command.Command) (any, error) {
	p, err := j.pointOf(c)
	switch {
	case err != nil:
		return nil, err
	case p.out == nil:
		return nil, errors.New("it is not out of service")
	}
	j.remove(p.out)
	return nil, nil
}

// pointOf is the point that a command is about, if it may be put aside.
func (j *judge) pointOf(c command.Command) (*point, error) {
	p := j.find(c.Args.Point)
	if p == nil {
		return nil, fmt.Errorf("there is no point %q", c.Args.Point)
	}
	if c.Op == "in" {
		return p, nil
	}
	return p, j.mayPut(c.Args.Point)
}

// modes are those that a site can be in.
var modes = []string{"running", "maintenance", "sealed", "closed"}

func (j *judge) modeCommand(c command.Command) (any, error) {
	for _, m := range modes {
		if m == c.Args.Mode {
			j.mode = m
			j.compute()
			j.openPremises()
			return nil, nil
		}
	}
	return nil, fmt.Errorf("there is no mode %q; want running, maintenance, sealed or closed", c.Args.Mode)
}

func (j *judge) noAlarm(id string) error {
	return fmt.Errorf("there is no alarm %q%s", id, j.near(id))
}
