package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pithead/agent/command"
	"pithead/agent/event"
)

// byHand is what asks for an output that a person has switched on.
const byHand = "by hand"

// mostHand is the longest that a person may switch an output on.
const mostHand = 24 * time.Hour

// outputCommand switches an output by hand. That adds on, with an end; off ends
// only that, and undoes nothing that an alarm asks for.
func (j *judge) outputCommand(c command.Command) (any, error) {
	o, ok := j.byName[c.Args.Output]
	off := c.Args.On != nil && !*c.Args.On
	long, now := time.Duration(c.Args.For), j.now()
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no output %q", c.Args.Output)
	case c.Signed && !o.cfg.Remote:
		return nil, errors.New("the site file does not let a platform switch it (remote: true)")
	case off && !o.hand:
		return nil, errors.New("it was not switched on by hand, and off ends only that")
	case off:
		j.endHand(o, c.By, c.Why)
	case long <= 0 || long > mostHand:
		return nil, errors.New("it must say for how long; want for, at most 24h")
	default:
		o.hand, o.until, o.pulseEnd = true, now+long, now+o.cfg.Pulse
		j.tellOutput(o, c.By, c.Why, event.Field{Name: "asked", Value: byHand})
	}
	return map[string]string{"output": o.cfg.ID}, nil
}

// endHand ends what a person has switched on.
func (j *judge) endHand(o *output, by, why string) {
	o.hand = false
	j.tellOutput(o, by, why, event.Field{Name: "ended", Value: byHand})
}

// tellOutput tells how an output is wanted, and until when by hand: a start
// learns that from the newest event.
func (j *judge) tellOutput(o *output, by, why string, fs ...event.Field) {
	e := event.Event{Kind: "output", ID: "output:" + o.cfg.ID, Name: o.cfg.Name, State: onOff(o.on), By: by, Why: why, More: fs}
	if o.hand {
		e.More = append(e.More, j.when("until", o.until)...)
	}
	if o.stuck != "" {
		e.More = append(e.More, event.Field{Name: "stuck", Value: o.stuck})
	}
	j.tell(e, j.now())
}

// output takes one event of an output in.
func (f *fold) output(p event.Parsed) {
	s := switchedTo{On: p.State == "on", Stuck: p.Text("stuck")}
	if raw := p.Member("until-m"); raw != nil {
		s.Hand = &moment{Boot: p.Boot}
		_ = json.Unmarshal(raw, &s.Hand.M) // a member of another form is none
		_ = json.Unmarshal(p.Member("until"), &s.Hand.T)
	}
	f.Outputs[outputID(p.ID)] = s
}

// restoreHand lets what a person has switched on go on until its end, if
// anybody knows when that is.
func (j *judge) restoreHand(o *output, was switchedTo) {
	if was.Hand == nil {
		return
	}
	if at, ok := j.on(*was.Hand); ok {
		o.hand, o.until, o.pulseEnd = true, at, 0
		return
	}
	j.endHand(o, "", "nobody knows how long the power was off")
}
