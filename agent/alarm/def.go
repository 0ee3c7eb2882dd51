// Package alarm judges points: conditions, delays, states. It is pure: time
// comes in with the reading, what changes goes out as a Change, and nothing
// here knows a clock, a disk, an output or a network.
//
// It promises:
//
//  1. Every sample is judged, and makes at most one Change. Bad quality and
//     quality test speak neither for nor against a condition, except that over
//     is beyond every above and outside, and under beyond every below and
//     outside. The condition fault judges quality itself, and passes over test.
//  2. An on-delay ends at its deadline, by timer, unless a good sample spoke
//     against it before; bad samples neither stop nor end it.
//  3. An alarm clears only at a good sample on the safe side that closes an
//     unbroken run of such over at least ClearFor; any other sample begins the
//     run anew. So nothing clears because a sensor, a bus or the agent failed.
//  4. A latched alarm leaves Cleared only by Reset, which is refused while its
//     condition holds or the quality is bad, or by a new raise, which nobody
//     has acknowledged. An acknowledgement never resets.
//  5. What lies within 1e-9 relative of a limit lies on it: it has reached the
//     limit of above and below, is not outside of outside, and has not yet
//     passed the clear limit of above and below.
//  6. A restart raises nothing a second time and forgets nothing. If the last
//     stored sample before it and the first judged one after it are both
//     beyond, the on-delay counts as run through.
//  7. A fault holds while quality is bad for For without a good sample between
//     (an outage), or when under half of the attempts of the last ten times For
//     were good, once so long has been seen. No good sample raises it. The one
//     that ends an outage begins to clear it, and the count of attempts begins
//     anew there, so no outage is told twice; otherwise it clears when three
//     in five are good. Its memory is bounded, and lost in a restart: what was
//     raised before one clears when three in five are good and quality has been
//     seen for For, or when an outage ends that lasted For since the restart.
//  8. Neither Step nor Tick allocates.
//  9. Rise, fall and flat look at the good samples of Within, both ends
//     included. Their memory is bounded: where samples come more often than
//     Within/64 a sample counts up to so much longer, never shorter. After a gap
//     longer than Within the first good value is held against the last before
//     it, and the Change says AcrossGap. Before all of Within has been seen
//     nothing is flat, and no rise or fall clears.
//  10. What is idle (suppressed, out of service) raises nothing and clears as
//     ever; when that ends, the on-delay begins anew with what is so then.
//  11. What nobody acknowledged for Escalate.After gets the level Escalate.To,
//     once; with the acknowledgement and at normal the level is its own again.
//  12. Of a ranked alarm the level follows its value, up after For, which raises
//     it anew, and down at once; with a latch it goes down by Reset only.
package alarm

import (
	"slices"
	"time"

	"pithead/drivers"
)

// Level is how bad it is, as the regulators colour it, lowest first.
type Level uint8

const (
	NoLevel Level = iota
	Blue
	Yellow
	Orange
	Red
)

var levelNames = [...]string{"", "blue", "yellow", "orange", "red"}

func (l Level) String() string { return levelNames[l] }

// ParseLevel is the inverse of String.
func ParseLevel(s string) (Level, bool) {
	for i, n := range levelNames {
		if i > 0 && n == s {
			return Level(i), true
		}
	}
	return NoLevel, false
}

// Condition is what an alarm looks for.
type Condition uint8

const (
	Above   Condition = iota + 1 // value >= Limit[0]; clears under Clear[0]
	Below                        // value <= Limit[0]; clears over Clear[0]
	Outside                      // value < Limit[0] or > Limit[1]; clears within Clear
	Equals                       // value is Equal
	Fault                        // bad quality for For, or under half the attempts good over ten times For
	Rise                         // value minus the least good one of Within is >= Limit[0]
	Fall
	Flat   // moved by no more than Limit[0] for Within
	Ranked // value is a Level as a number, or 0: of groups
)

var conditionNames = [...]string{"", "above", "below", "outside", "equals", "fault", "rise", "fall", "flat", "ranked"}

func (c Condition) String() string { return conditionNames[c] }

// Def is one alarm of one point, with every default filled in.
type Def struct {
	ID        string // point/level, point/<id>, or point/fault
	Point     string
	Name      string // of the point, for people
	Level     Level
	Condition Condition
	Latch     bool
	Limit     [2]float64
	Clear     [2]float64
	Equal     drivers.Value
	For       time.Duration // of Fault: how long bad
	ClearFor  time.Duration
	Within    time.Duration
	Do        []string     // outputs it asks for
	DoBy      *[5][]string // of Ranked: those it asks for from this level on; nil = none
	When      string       // source of the expression that suppresses it while false
	Escalate  Escalation
	Line      int // in the site file
}

// An Escalation raises the level of what nobody acknowledges; its zero is none.
type Escalation struct {
	After time.Duration
	To    Level
}

// Same says whether two definitions judge alike, so that a state may be kept.
func (d *Def) Same(o *Def) bool {
	return slices.Equal(d.Do, o.Do) && d.ID == o.ID && d.Point == o.Point && d.Level == o.Level && d.Condition == o.Condition &&
		d.Limit == o.Limit && d.Clear == o.Clear && d.Equal == o.Equal && d.For == o.For &&
		d.ClearFor == o.ClearFor && d.Within == o.Within && d.Latch == o.Latch && d.When == o.When && d.Escalate == o.Escalate &&
		sameBy(d.DoBy, o.DoBy)
}

func sameBy(a, b *[5][]string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.EqualFunc(a[:], b[:], slices.Equal)
}
