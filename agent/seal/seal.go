// Package seal keeps electronic seals: of what is closed, must stand, must run,
// must not rise, and of the eyes that see it. It is pure: time comes in with the
// sample, what happens goes out as a Change, and nothing here knows a clock, a
// disk, an output or a network.
//
// It promises:
//
//  1. The state is the strongest of what is so: tampered, breached, unwatched,
//     blind, open, sealed. A new seal is open until its first Close.
//  2. While it is closed, what departs from what must be for Confirm is a breach;
//     a shorter departure is brief, and the third brief one in an hour is a
//     breach. A tamper counts at once, closed or open. Each names the point, the
//     value and the time.
//  3. Tampered, breached and unwatched last until Reset, which is refused while a
//     departure stands, or while nobody can know whether one does.
//  4. What has bad quality or is not seen for Confirm makes it blind. Blind for
//     over a minute while closed, or not watched for so long because the agent
//     was away, makes it unwatched. A bad sample neither begins nor ends a
//     departure: nothing is made good because a sensor failed.
//  5. What comes back after a loss is compared with its last good value before,
//     and a difference is told. That holds over a restart.
//  6. An opening ends, at most 72 h after it began. Close, or that end, makes it
//     sealed if all that is known holds, else breached at once.
//  7. A restart raises nothing a second time and forgets nothing. What had
//     departed before it and has departed after it counts as having lasted.
package seal

import (
	"time"

	"pithead/drivers"
)

// State is what a seal shows, weakest first.
type State uint8

const (
	Sealed State = iota
	Open
	Blind     // something is bad or not seen
	Unwatched // nobody can know what was done meanwhile
	Breached
	Tampered
)

var stateNames = [...]string{"sealed", "open", "blind", "unwatched", "breached", "tampered"}

func (s State) String() string { return stateNames[s] }

// Role is what must be so of a point.
type Role uint8

const (
	Closed Role = iota // 1 while sealed
	Tamper             // 1 always
	Idle               // it must stand: 0, or below Above
	Run                // it must run: 1
	Still              // it must not rise
	Seen               // 1, or the seal is blind
	In                 // what went in and
	Out                // what came out: the same before closing
)

var roleNames = [...]string{"closed", "tamper", "idle", "run", "still", "seen", "balance", "balance"}

func (r Role) String() string { return roleNames[r] }

// A Watch is one point that a seal watches.
type Watch struct {
	Role  Role
	Point string
	Above *float64      // of Idle: it runs at or above this; nil: while it is 1
	For   time.Duration // of Idle: for so long
}

// Def is one seal, with every default filled in.
type Def struct {
	ID, Name string
	Watches  []Watch
	Confirm  time.Duration // of all but Tamper
	Do       []string      // outputs that its alarm asks for
	Line     int           // in the site file
}

// What is too long.
const (
	MostOpen  = 72 * time.Hour   // for an opening
	MostBlind = 60 * time.Second // without sight, over which it is unwatched
	hour      = time.Hour        // for so many brief departures:
	mostBrief = 3
)

// What a Change tells.
const (
	WasOpened    = "opened"
	WasClosed    = "closed"
	HasEnded     = "ended"     // the opening, by its end
	HasDeparted  = "departed"  // a breach
	HasBriefly   = "brief"     // it came back within Confirm
	TooOften     = "too-often" // the third brief one in an hour, a breach
	WasTampered  = "tampered"
	WentBlind    = "blind"
	IsUnwatched  = "unwatched"
	SeesAgain    = "seen" // after it was blind or unwatched
	WasReset     = "reset"
	HasChanged   = "changed" // while nobody saw it
	NotBalanced  = "balance" // closed by its end, and more went in than came out
	mostOpenText = "72h"
)

// A Change is to be told as an event.
type Change struct {
	At       time.Duration
	What     string
	From, To State
	Point    string // what it is about; empty where it is the whole seal
	Role     Role   // of Point
	Value    drivers.Value
	Was      drivers.Value // of HasChanged
	Quality  drivers.Quality
	Since    time.Duration // when the departure, the loss or the absence began
	Until    time.Duration // of an opening
}

// A Sample is one reading of a point. At is monotonic time since any fixed
// moment, the same for all calls of one Seal.
type Sample struct {
	At      time.Duration
	Value   drivers.Value
	Quality drivers.Quality
}

// A Seal is one seal. It belongs to one goroutine. What Step, Tick, Open, Close
// and Reset return is valid until the next of them.
type Seal struct {
	def     Def
	watches []*watch
	started time.Duration // of this run: blindness is not told of before

	closed bool
	ends   bool // the opening ends at:
	until  time.Duration

	tampered, breached, unwatched bool // until Reset

	blind    bool // told
	dark     bool // something is not watched, without a break since:
	darkFrom time.Duration
	darkTold bool // as unwatched

	briefs []time.Duration // ends of the brief departures of the last hour
	zero   float64         // what In is ahead of Out when nobody is in

	told []Change
}

// New is a seal that is open, and has seen nothing yet.
func New(d Def, at time.Duration) *Seal {
	s := &Seal{def: d, started: at}
	for _, w := range d.Watches {
		s.watches = append(s.watches, &watch{Watch: w, bad: true, badSince: at})
	}
	s.darkFrom, s.dark = s.darkest()
	return s
}

// Def is what the seal was made from.
func (s *Seal) Def() Def { return s.def }

// State is the strongest of what is so.
func (s *Seal) State() State {
	switch {
	case s.tampered:
		return Tampered
	case s.breached:
		return Breached
	case s.unwatched:
		return Unwatched
	case s.blind:
		return Blind
	case !s.closed:
		return Open
	}
	return Sealed
}

// Closed says whether it guards: sealed, whatever it shows besides.
func (s *Seal) Closed() bool { return s.closed }

// Until is when an opening ends by itself.
func (s *Seal) Until() (time.Duration, bool) { return s.until, s.ends }

// Sees says whether everything that it watches is good and seen.
func (s *Seal) Sees() bool { return !s.dark }

// Watches says whether it watches a point.
func (s *Seal) Watches(point string) bool {
	for _, w := range s.watches {
		if w.Point == point {
			return true
		}
	}
	return false
}

// A Standing is something that is not as it must be.
type Standing struct {
	Point   string
	Role    Role
	Value   drivers.Value
	Quality drivers.Quality
	Since   time.Duration
}

// Standing is what is not as it must be now, in the file's order.
func (s *Seal) Standing() []Standing {
	var out []Standing
	for _, w := range s.watches {
		switch since, dark := w.dark(); {
		case w.away && (s.closed || w.Role == Tamper):
			out = append(out, Standing{w.Point, w.Role, w.last, drivers.Good, w.since})
		case dark:
			out = append(out, Standing{w.Point, w.Role, w.last, w.quality, since})
		}
	}
	return out
}

// take hands out what was told in this call; it is good until the next.
func (s *Seal) take() []Change {
	out := s.told
	s.told = s.told[:0]
	return out
}

// tell tells a change of one watch, or (nil) of the whole seal.
func (s *Seal) tell(c Change, w *watch) {
	c.To = s.State()
	if w != nil {
		c.Point, c.Role, c.Value, c.Quality = w.Point, w.Role, w.last, w.quality
	}
	s.told = append(s.told, c)
}
