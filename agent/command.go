package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pithead/agent/command"
	"pithead/agent/event"
)

// An op is what one kind of command does. Exactly one of judge and run is set.
type op struct {
	// about names, in the event, what the command is about.
	about func(command.Args) string
	// here says why somebody who stands at the gateway may not do it without a
	// signature; nil: nobody there may. Whoever stands there may be the one
	// whom the gateway watches.
	here func(*agent, command.Command) error
	// judge does it in the judge's goroutine; what it returns goes into the reply.
	judge func(*judge, command.Command) (any, error)
	// run does it in the goroutine of whoever asks.
	run func(context.Context, *agent, command.Command) (any, error)
	// near is the same, judged with what the judge knows.
	near func(*judge, command.Command) error
	// state is what the command leaves, in its event; more goes there, too.
	state func(command.Args) string
	more  func(*judge, command.Command) []event.Field
	// silent ones change nothing, and make no event.
	silent bool
	// then is what happens once the command is recorded and answered.
	then func(*agent)
}

// ops stand in one place, so that who may do what can be seen at a glance. A
// function because ops refer to the agent, which refers to them.
func ops() map[string]op {
	alarmOf := func(a command.Args) string { return a.Alarm }
	pointOf := func(a command.Args) string { return a.Point }
	is := func(s string) func(command.Args) string { return func(command.Args) string { return s } }
	outputOf := func(a command.Args) string { return "output:" + a.Output }
	sealOf := func(a command.Args) string { return sealID(a.Seal) }
	return map[string]op{
		"ack":      {about: alarmOf, here: anybody, judge: (*judge).ackCommand},
		"reset":    {about: alarmOf, here: withoutKeys, judge: (*judge).resetCommand},
		"shelve":   {about: alarmOf, here: anybody, near: (*judge).mayShelve, judge: (*judge).shelveCommand, state: is("shelved")},
		"unshelve": {about: alarmOf, here: anybody, near: (*judge).mayShelve, judge: (*judge).unshelveCommand, state: is(isOver)},
		"test":     {about: pointOf, here: anybody, near: (*judge).mayTest, judge: (*judge).testCommand, state: testState, more: (*judge).endOfTest},
		"out":      {about: pointOf, judge: (*judge).outCommand, state: is("out")},
		"in":       {about: pointOf, judge: (*judge).inCommand, state: is(isOver)},
		"mode":     {about: is("agent/mode"), judge: (*judge).modeCommand, state: func(a command.Args) string { return a.Mode }},

		"read":       {here: anybody, run: readCommand, silent: true},
		"snapshot":   {run: snapshotCommand, silent: true},
		"resend":     {run: resendCommand},
		"config.get": {run: configCommand},
		"reload":     {run: reloadCommand, then: (*agent).reload},
		"time":       {judge: (*judge).timeCommand},
		"diag":       {run: diagCommand},

		"output":     {about: outputOf, here: anybody, judge: (*judge).outputCommand},
		"seal.open":  {about: sealOf, judge: (*judge).sealCommand},
		"seal.close": {about: sealOf, judge: (*judge).sealCommand},
		"seal.reset": {about: sealOf, judge: (*judge).sealCommand},
	}
}

// anybody may.
func anybody(*agent, command.Command) error { return nil }

// withoutKeys lets somebody at the gateway do what needs a signature, as long
// as the site file names nobody who could sign: a latch must have a way out.
func withoutKeys(a *agent, c command.Command) error {
	for _, u := range a.site.Uplinks {
		if len(u.Commands) > 0 {
			return fmt.Errorf("%s needs a signed command, since the site file names who may sign one", c.Op)
		}
	}
	return nil
}

// command does what somebody asks for, if that one may, and records it. The
// error is for people.
func (a *agent) command(ctx context.Context, c command.Command) (any, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	o, ok := ops()[c.Op]
	if !ok {
		return nil, fmt.Errorf("%s is not in this version yet", c.Op)
	}
	if !c.Signed {
		if o.here == nil {
			return nil, fmt.Errorf("%s needs a signed command: somebody whose key the site file names signs it, and a platform sends it, or pithead command FILE brings it", c.Op)
		}
		if err := o.here(a, c); err != nil {
			return nil, err
		}
	}
	if o.run != nil {
		result, err := o.run(ctx, a, c)
		if err == nil && !o.silent {
			err = a.judge.ask(ctx, func() { a.judge.tellCommand(c, o, nil) })
		}
		return result, err
	}
	var result any
	var err error
	asked := a.judge.ask(ctx, func() {
		result, err = a.judge.command(c, o)
	})
	if asked != nil {
		return nil, asked
	}
	return result, err
}

// command does, in the judge's goroutine, what is judged there, and tells it.
func (j *judge) command(c command.Command, o op) (any, error) {
	if !c.Signed && o.near != nil {
		if err := o.near(j, c); err != nil {
			return nil, err
		}
	}
	var more []event.Field
	if o.more != nil {
		more = o.more(j, c)
	}
	result, err := o.judge(j, c)
	if err == nil && !o.silent {
		j.tellCommand(c, o, more)
	}
	return result, err
}

// testState: a test that says no time ends one.
func testState(a command.Args) string {
	if a.For > 0 {
		return "test"
	}
	return isOver
}

// signed opens an envelope that came over an uplink, or (empty) by hand, and
// does what it asks for, if its signer may. What is refused is counted. Then is
// to be called when the answer is given.
func (a *agent) signed(ctx context.Context, uplink string, payload []byte) (c command.Command, result any, then func(), err error) {
	now := a.clock.Now()
	c, err = a.gate.Open(payload, a.commanders(uplink), now.T, now.Known())
	if err == nil {
		c.Uplink = uplink
		result, err = a.command(ctx, c)
	}
	var r command.Refusal
	if errors.As(err, &r) {
		c.ID = r.ID
	}
	if err != nil {
		a.refuse(ctx, uplink, err)
	}
	then = func() {}
	if t := ops()[c.Op].then; t != nil && err == nil {
		then = func() { t(a) }
	}
	return c, result, then, err
}

// commanders is who may command on one uplink; empty: on any of them.
func (a *agent) commanders(uplink string) []command.Commander {
	var out []command.Commander
	for _, u := range a.site.Uplinks {
		for _, c := range u.Commands {
			if uplink == "" || uplink == u.ID {
				out = append(out, command.Commander{ID: c.ID, Key: c.Key, Allow: c.Allow})
			}
		}
	}
	return out
}

// tellCommand records a command that was accepted.
func (j *judge) tellCommand(c command.Command, o op, more []event.Field) {
	e := event.Event{Kind: "command", By: c.By, Why: c.Why, More: []event.Field{{Name: "op", Value: c.Op}}}
	if o.about != nil {
		e.ID = o.about(c.Args)
	}
	if e.ID == "" {
		e.ID = "agent"
	}
	if o.state != nil {
		e.State = o.state(c.Args)
	}
	e.More = append(e.More, more...)
	if c.Args.For > 0 {
		e.More = append(e.More, event.Field{Name: "for", Value: c.Args.For})
	}
	if c.Signed {
		e.More = append(e.More, event.Field{Name: "command", Value: c.ID}, event.Field{Name: "key", Value: c.Key})
	}
	j.tell(e, j.now())
}

func (j *judge) ackCommand(c command.Command) (any, error) {
	if err := j.saw(c.Args.Alarm, c.Args.Event); err != nil {
		return nil, err
	}
	return nil, j.ack(c.Args.Alarm, c.By, c.Why)
}

func (j *judge) resetCommand(c command.Command) (any, error) {
	id := c.Args.Alarm
	if id == "" {
		id = c.Args.Output
	}
	if seal, is := strings.CutPrefix(id, sealID("")); is && j.sealed[seal] != nil {
		return nil, errors.New("the alarm ends with its seal: want seal.reset")
	}
	return nil, j.reset(id, c.By, c.Why)
}
