package agent

import (
	"time"

	"pithead/drivers"
)

// A BusState is one bus as people and platforms see it.
type BusState struct {
	Bus    string
	Down   string // why the line itself is not there; empty = it is, or nothing was asked yet
	Missed int    // cycles that passed without a read
	Share  float64
	drivers.Counts
	Bad []BadPoint // points that alone are bad, though their unit answers
}

// UnitState is one unit likewise.
type UnitState struct {
	Bus, Unit string
	Life      Life
	Missed    int     // cycles that passed without a read
	Asked     int     // polls of this minute and the one before that made a request
	Answered  int     // of those
	Share     float64 // of the bus's time that its requests took of late, 0 to 1
	Setup     string  // why it can't be set up
	drivers.Counts
}

// A BadPoint is a point that is bad for a reason of its own.
type BadPoint struct {
	Point string
	Line  int // in the site file
	Why   string
}

// busy is how much time requests had taken at two moments of late, from which
// comes a share of it.
type busy struct {
	at   [2]time.Time
	took [2]time.Duration
}

// share is that of the time since the older of two moments, which are a minute apart.
func (b *busy) share(now time.Time, took time.Duration) float64 {
	if b.at[0].IsZero() {
		b.at, b.took = [2]time.Time{now, now}, [2]time.Duration{took, took}
	}
	if now.Sub(b.at[0]) >= time.Minute {
		b.at, b.took = [2]time.Time{now, b.at[0]}, [2]time.Duration{took, b.took[0]}
	}
	span := now.Sub(b.at[1])
	if span <= 0 {
		return 0
	}
	return min(1, float64(took-b.took[1])/float64(span))
}

// publish leaves what is known of the bus and its units where others may read
// it, once a second.
func (b *busLoop) publish(now time.Time) {
	if now.Sub(b.told) < time.Second && b.state.Load() != nil {
		return
	}
	b.told = now
	stats, _ := b.bus.(drivers.Statistics)
	about := &BusState{Bus: b.id, Down: b.down, Bad: b.badPoints()}
	is := make([]UnitState, len(b.units))
	for i, u := range b.units {
		u.count.roll(now)
		is[i] = UnitState{Bus: b.id, Unit: u.ID, Life: u.life, Setup: u.setErr,
			Asked: u.count.asked[0] + u.count.asked[1], Answered: u.count.answered[0] + u.count.answered[1]}
		for _, p := range u.polls {
			is[i].Missed += p.missed
		}
		about.Missed += is[i].Missed
		if stats != nil {
			is[i].Counts = stats.Counts(u.ID)
			is[i].Share = u.busy.share(now, is[i].Busy)
		}
	}
	if stats != nil {
		about.Counts = stats.Counts("")
		about.Share = b.busy.share(now, about.Busy)
	}
	b.state.Store(&is)
	b.about.Store(about)
}

// badPoints are those that have a reason of their own, in the order of the units.
func (b *busLoop) badPoints() (bad []BadPoint) {
	if len(b.whys) == 0 {
		return nil
	}
	for _, u := range b.units {
		for _, p := range u.polls {
			for _, id := range p.Points {
				if why := b.whys[id]; why != "" {
					bad = append(bad, BadPoint{id, b.where[id], why})
				}
			}
		}
	}
	return bad
}
