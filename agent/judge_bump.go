package agent

import (
	"errors"
	"fmt"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/drivers"
)

// What somebody at the gateway may test without a signature: one point at a
// time, so long at once, so long in all within a day.
const (
	testOnce = 30 * time.Minute
	testDay  = 2 * time.Hour
)

// testCommand begins a test, or ends it where it says no time.
func (j *judge) testCommand(c command.Command) (any, error) {
	p, err := j.pointOf(c)
	long := time.Duration(c.Args.For)
	switch {
	case err != nil:
		return nil, err
	case long > longest:
		return nil, errors.New("want for, at most 24h")
	case long <= 0 && p.test == nil:
		return nil, errors.New("it is not under test; want for, as 30m")
	case long <= 0:
		j.remove(p.test)
		return nil, nil
	}
	if p.test != nil {
		j.takeBack(p.test, "it begins anew")
	}
	j.put(j.newAside("test", c.Args.Point, c))
	return nil, nil
}

// endOfTest is what is told of a test that a command ends.
func (j *judge) endOfTest(c command.Command) []event.Field {
	p := j.find(c.Args.Point)
	if p == nil || c.Args.For > 0 || p.test == nil {
		return nil
	}
	return p.test.result(j)
}

// mayTest judges what nobody signed.
func (j *judge) mayTest(c command.Command) error {
	long := time.Duration(c.Args.For)
	if long <= 0 {
		return nil
	}
	if long > testOnce {
		return fmt.Errorf("a test for more than %v needs a signed command", testOnce)
	}
	spent := j.spent.within(j)
	for _, p := range j.points {
		switch {
		case p.test == nil || !p.test.unsigned:
		case p.cfg.ID != c.Args.Point:
			return fmt.Errorf("%s is under test; a second point at the same time needs a signed command", p.cfg.ID)
		default:
			spent += j.now() - p.test.since
		}
	}
	if spent+long > testDay {
		return fmt.Errorf("%v of %v a day are tested already; more needs a signed command", spent.Round(time.Minute), testDay)
	}
	return nil
}

// A spell is a test that nobody signed, and how many ms it took.
type spell struct {
	moment
	Took int64 `json:"took"`
}

// spells are those of a day, and what may be older, since no clock told.
type spells []spell

const (
	shortest  = int64(time.Minute / time.Millisecond) // a test counts as one of at least that
	mostSpent = 256
)

func (ss spells) add(s spell) spells {
	s.Took = max(s.Took, shortest)
	if ss = append(ss, s); len(ss) > mostSpent {
		ss = ss[len(ss)-mostSpent:]
	}
	return ss
}

// within is how much of the day before now was tested.
func (ss spells) within(j *judge) (d time.Duration) {
	for _, s := range ss {
		at, _ := j.ago(s.moment) // where no clock tells it counts as today's
		if s.Boot != j.boot && j.now() > longest || at+longest < j.now() {
			continue
		}
		d += time.Duration(s.Took) * time.Millisecond
	}
	return d
}

// underTest makes of a reading of a point under test what is stored, and what its
// alarms are given: nothing to judge, whatever it is.
func underTest(r drivers.Reading) (drivers.Reading, drivers.Quality) {
	if r.Quality == drivers.Good {
		r.Quality = drivers.Test
	}
	return r, drivers.Test
}

// A bump is what a test has shown: the alarms whose condition the value has
// reached, by their places among the point's own.
type bump map[int]bool

// look notes which alarms a reading under test would raise.
func (p *point) look(r drivers.Reading, at time.Duration) {
	for i, s := range p.standing() {
		if d := s.Def(); d.Condition <= alarm.Equals && alarm.Reaches(d, alarm.Sample{At: at, Value: r.Value, Quality: r.Quality}) {
			if p.test.seen == nil {
				p.test.seen = bump{}
			}
			p.test.seen[i] = true
		}
	}
}
