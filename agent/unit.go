package agent

import (
	"math/rand/v2"
	"time"

	"pithead/drivers"
)

// How a unit that does not answer is treated (see unit).
const (
	offlineAfter = 3                      // failed requests in a row, and
	offlineMin   = 2 * time.Second        // at least this long
	pauseFirst   = 500 * time.Millisecond // between probes of an offline unit, doubling
	pauseMost    = 22 * time.Second       // with overdue, a unit is seen again within 30 s
	pauseAlarmed = 4 * time.Second        // instead of pauseMost, where an alarm hangs on the unit
	overdue      = 5 * time.Second        // how long a probe waits for a gap between the polls of the living
	deadShare    = 10                     // percent of the bus's time that all offline units may take
	lineAgain    = time.Second            // between tries of a line that is not there
	setAgain     = 30 * time.Second       // between tries of a setup that was refused
	setBusyWait  = 200 * time.Millisecond // before a write that a busy device turned away is tried again,
	mostSetBusy  = 10                     // so many times
)

// Life is what the loop thinks of a unit.
type Life uint8

const (
	Online  Life = iota
	Suspect      // it failed, but not often enough
	Offline
)

func (l Life) String() string { return [...]string{"online", "suspect", "offline"}[l] }

// unit is one unit's polls and whether it lives. It belongs to its bus's loop.
type unit struct {
	drivers.Unit
	polls   []*poll
	most    time.Duration // longest pause between probes
	life    Life
	fails   int       // in a row
	since   time.Time // of the first of them
	pause   time.Duration
	probeAt time.Time
	cost    time.Duration // what the last request without an answer took
	free    time.Time     // Unit.Pause is kept until then
	count   counts
	busy    busy

	unset   bool      // its setup is to be written before anything is read
	set     int       // the next write of it
	setAt   time.Time // not before
	setErr  string    // why the last one was refused
	setBusy int       // times in a row that the device was busy
}

// counts is a unit's requests in this minute and the one before.
type counts struct {
	began           time.Time
	asked, answered [2]int
}

func (c *counts) add(answered bool) {
	c.asked[0]++
	if answered {
		c.answered[0]++
	}
}

func (c *counts) roll(now time.Time) {
	if now.Sub(c.began) >= time.Minute {
		c.began = now
		c.asked, c.answered = [2]int{0, c.asked[0]}, [2]int{0, c.answered[0]}
	}
}

// poll is one poll and when it is due, on a grid that does not drift.
type poll struct {
	drivers.Poll
	unit    *unit
	due     time.Time
	read    time.Time // when it was asked for last
	under   bool      // some of its requests are made, more are to come
	lent    bool      // a person's read is under way
	settled bool      // what the unit owed was cleared up for it
	failed  bool      // it got no answer last time
	missed  int       // cycles that passed without a read
}

// next moves the poll to the next point of its grid whose cycle is not over yet.
// It may be in the past: a cycle that is read late is not missed.
func (p *poll) next(now time.Time) {
	if p.Every <= 0 {
		p.due = now.Add(time.Hour)
		return
	}
	if now.Before(p.due) {
		return
	}
	p.due = p.due.Add(p.Every)
	if over := now.Sub(p.due) / p.Every; over > 0 {
		p.missed += int(over)
		p.due = p.due.Add(over * p.Every)
	}
}

// good notes a sound answer, and says whether the unit was offline.
func (u *unit) good() (back bool) {
	back = u.life == Offline
	u.life, u.fails, u.pause = Online, 0, 0
	return back
}

// bad notes a request without a sound answer, and says whether the unit has
// just gone offline.
func (u *unit) bad(now time.Time) (gone bool) {
	if u.fails++; u.fails == 1 {
		u.since = now
	}
	if u.life == Offline {
		u.pause = min(2*u.pause, u.most)
		u.probeAt = now.Add(jitter(u.pause))
		return false
	}
	u.life = Suspect
	if u.fails < offlineAfter || now.Sub(u.since) < offlineMin {
		return false
	}
	u.life, u.pause = Offline, pauseFirst
	u.probeAt = now.Add(jitter(u.pause))
	return true
}

// jitter shortens a pause by up to a fifth, so that units that died together
// are not probed together for ever.
func jitter(d time.Duration) time.Duration {
	return d - rand.N(d/5+1)
}
