package agent

import (
	"time"
)

// choose is the poll to do next and when: of those that are due the one whose
// deadline is first, and of several the one that was read longest ago; else the
// one that is due first. Of an offline unit it is
// any poll, and means a probe.
func (b *busLoop) choose(now time.Time) (*poll, time.Time) {
	var best *poll
	var at, deadline time.Time
	soonest := now.Add(time.Minute)
	consider := func(p *poll, ready, end time.Time) {
		switch {
		case ready.After(now):
			soonest = earlier(soonest, ready)
		case best == nil || end.Before(deadline) || end.Equal(deadline) && p.read.Before(best.read):
			best, at, deadline = p, ready, end
		}
	}
	living := time.Time{} // when the next poll of a unit that lives is due
	for _, u := range b.units {
		for _, p := range u.polls {
			if u.life == Offline {
				soonest = earlier(soonest, p.due) // its readings go by at their time
				continue
			}
			if p.lent {
				continue
			}
			ready := later(p.due, u.free)
			if living.IsZero() || ready.Before(living) {
				living = ready
			}
			end := p.due.Add(p.Every)
			if u.life == Suspect {
				end = end.Add(overdue) // after all that are not: its silence is not to make them late
			}
			if p.failed {
				end = end.Add(overdue) // after those of its unit that do answer
			}
			consider(p, ready, end)
		}
	}
	for _, u := range b.units {
		if u.life == Offline {
			ready := b.probeTime(u, now, living)
			consider(u.polls[0], ready, u.probeAt.Add(overdue))
		}
	}
	for _, l := range b.lines {
		if l.known {
			soonest = earlier(soonest, l.ready())
		}
	}
	if best == nil {
		return nil, soonest
	}
	return best, at
}

// probeTime is when an offline unit may be asked: at its time, within the share
// of all that are dead, and where it fits before the next poll of the living,
// so that none of those comes late. It waits for such a gap only so long, then
// for any, and then for none.
func (b *busLoop) probeTime(u *unit, now, living time.Time) time.Time {
	if b.down != "" {
		return later(b.downAt, u.free)
	}
	ready := later(u.probeAt, u.free)
	if living.IsZero() {
		return ready
	}
	ready = later(ready, b.dead)
	waited := now.Sub(u.probeAt)
	if ready.After(now) || living.Sub(now) >= u.cost || waited >= overdue || waited >= overdue/2 && living.After(now) {
		return ready
	}
	return later(living.Add(time.Millisecond), now.Add(time.Millisecond))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
