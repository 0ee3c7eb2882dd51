package agent

import (
	"cmp"
	"fmt"
	"slices"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

func (a *agent) tellUplinks(payload []byte) {
	for _, u := range a.uplinks {
		u.Tell(payload)
	}
}

func (a *agent) report(s switched) {
	select {
	case a.judge.done <- s:
	case <-a.judge.ended:
	}
}

// tellLosses records that a line moved faster than it could be followed.
func (a *agent) tellLosses(point string, edges uint64) {
	a.judge.tell(event.Event{Kind: "fault", ID: point, Point: point, Why: "edges were lost: what is counted is a lower bound",
		More: []event.Field{{Name: "lost", Value: edges}}}, a.judge.now())
}

// tellCounter records how the total of a register that counts up began, or went
// on after a restart of its device: the next run must know.
func (a *agent) tellCounter(s drivers.CounterStart) {
	e := event.Event{Kind: "input", ID: s.Point, Point: s.Point, State: "begun",
		More: []event.Field{{Name: "counter", Value: s.Form}, {Name: "ahead", Value: s.Ahead}}}
	if s.Again {
		e.State, e.Why = "restarted", "its register began again at 0: the total goes on"
	}
	a.judge.tell(e, a.judge.now())
}

// tellSetup raises or ends the alarm of a device that refuses its setup.
func (a *agent) tellSetup(unit, why string) {
	a.later(func() { a.judge.setAgent(setupOf(unit), why != "", why) })
}

// tellRefusals records that pulses came faster than they can.
func (a *agent) tellRefusals(point string, pulses uint64) {
	a.judge.tell(event.Event{Kind: "fault", ID: point, Point: point, Why: "pulses came faster than at-most: bounce or tampering; they are not counted",
		More: []event.Field{{Name: "refused", Value: pulses}}}, a.judge.now())
}

// tellDoubts says once of each counter that a start goes on with what it can't
// know: pulses while no agent ran, and after a crash those of the last commit.
func (a *agent) tellDoubts(last map[string]record.Last, kept boards) {
	if a.rec.fold.Last == nil {
		return
	}
	why := "pulses that came while the agent did not run are not counted"
	if !a.rec.fold.Stopped {
		why += fmt.Sprintf("; of those before, the last %v may be missing", a.site.Buffer.Commit)
	}
	for _, b := range a.site.Buses {
		if _, open := kept[b.ID]; b.GPIO == nil || open {
			continue
		}
		for _, in := range b.GPIO.Inputs {
			if l, any := last[in.ID]; any && in.Counts != 0 {
				a.judge.tell(event.Event{Kind: "fault", ID: in.ID, Point: in.ID, State: "doubt", Value: l.Good, Why: why}, a.judge.now())
			}
		}
	}
}

// tellStart records that, and how, this run began.
func (a *agent) tellStart(faults []string) {
	f := a.rec.fold
	if f.Config != "" && f.Config != a.site.Hash {
		a.tellChanges(f.Config)
	}
	e := event.Event{Kind: "start", ID: "agent", Name: a.site.Name, More: []event.Field{
		{Name: "version", Value: a.Version}, {Name: "config", Value: a.site.Hash},
		{Name: "boot-id", Value: a.machine().boot}, {Name: "session", Value: a.session},
		{Name: "orderly", Value: f.Stopped || f.Last == nil}}}
	if a.Board != "" {
		e.More = append(e.More, event.Field{Name: "board", Value: a.Board})
	}
	a.judge.tell(e, a.judge.now())
	if a.clock.Now().Known() {
		a.judge.tellClock()
	}
	for _, f := range a.found[:min(len(a.found), mostFaults)] {
		a.damaged(f)
	}
	for _, what := range few(faults) {
		a.Log.Error("buffer", "fault", what)
		a.judge.tell(event.Event{Kind: "fault", ID: "agent/buffer", Why: what}, a.judge.now())
	}
	if a.Crashed != "" {
		a.judge.tell(event.Event{Kind: "fault", ID: "agent", Why: "the run before crashed: " + a.Crashed}, a.judge.now())
	}
	a.judge.setAgent(agentSafe, a.Safe != "", a.Safe)
	a.judge.setAgent(agentConfig, a.Degraded != "", a.Degraded)
	why := cmp.Or(a.volatile, a.former)
	a.judge.setAgent(agentBuffer, why != "", why)
}

// mostChanges go into one event, so that it fits into any message.
const mostChanges = 40

// tellChanges records what of the site file is another than in the one that ran
// before: red where what guards guards less.
func (a *agent) tellChanges(before string) {
	var changes []config.Change
	old, err := config.Kept(a.site.Buffer.Dir, before)
	if err == nil {
		changes = config.Changes(old, a.site.Source.Bytes())
	}
	for part := 0; part == 0 || len(changes) > 0; part++ {
		n := min(len(changes), mostChanges)
		e := event.Event{Kind: "config", ID: "agent/config", More: []event.Field{{Name: "old", Value: before}, {Name: "new", Value: a.site.Hash}}}
		if n > 0 {
			e.More = append(e.More, event.Field{Name: "changes", Value: changes[:n]})
		}
		if slices.ContainsFunc(changes[:n], func(c config.Change) bool { return c.Weak }) {
			e.Level = "red"
		}
		if err != nil {
			e.Why = "what changed is not known: " + err.Error()
		}
		a.judge.tell(e, a.judge.now())
		changes = changes[n:]
	}
}

// few is the first of many faults: one damaged key makes one of each frame
// behind it, and alarms would have to wait until all of them are stored.
func few(faults []string) []string {
	if len(faults) <= mostFaults {
		return faults
	}
	return append(faults[:mostFaults-1:mostFaults-1], fmt.Sprintf("and %d more", len(faults)-mostFaults+1))
}

const mostFaults = 10

func (a *agent) tellStop() {
	a.judge.tell(event.Event{Kind: "stop", ID: "agent"}, a.judge.now())
}

// diskFailed passes on to the judge that the disk fails, or works again.
func (a *agent) diskFailed(err error) {
	why := cmp.Or(a.volatile, a.former) // which does not end because what is stored instead works again
	if err != nil {
		why = err.Error()
	}
	a.later(func() { a.judge.setAgent(agentBuffer, why != "", why) })
}
