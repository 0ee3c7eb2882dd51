package agent

import (
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/agent/uplink"
)

// Figures of IEC 62682, of the alarms that called somebody.
const (
	floodBegins = 10 // more new ones than this in ten minutes are a flood,
	floodEnds   = 5  // and fewer than this end it
	tenMinutes  = 10 * time.Minute
	dayPeriods  = 144 // of ten minutes
	chatters    = 3   // raises of one alarm within a minute
)

// figures count raises.
type figures struct {
	recent  []time.Duration // of the last ten minutes
	flood   bool
	most    int // in the flood, in ten minutes
	periods [dayPeriods]period10
}

// period10 is ten minutes of the last day.
type period10 struct {
	number  int64 // since the boot
	byLevel [alarm.Red + 1]int
	flooded bool // a flood stood in it
}

// period is the ten minutes that hold a time.
func (f *figures) period(at time.Duration) *period10 {
	n := int64(at / tenMinutes)
	p := &f.periods[n%dayPeriods]
	if p.number != n {
		*p = period10{number: n}
	}
	return p
}

// raised counts a raise that calls somebody.
func (j *judge) raised(s *standing, at time.Duration) {
	f := &j.figures
	f.period(at).byLevel[s.Level()]++
	st := s.tale()
	st.raises = [chatters]time.Duration{st.raises[1], st.raises[2], at}
	if st.raises[0] > 0 && at-st.raises[0] <= time.Minute {
		st.chattered = at
	}
	f.recent = append(f.recent, at)
	j.followFlood(at)
}

// followFlood tells when a flood begins and ends.
func (j *judge) followFlood(now time.Duration) {
	f := &j.figures
	old := 0
	for old < len(f.recent) && now-f.recent[old] >= tenMinutes {
		old++
	}
	f.recent = append(f.recent[:0], f.recent[old:]...)
	n := len(f.recent)
	f.most = max(f.most, n)
	if f.flood {
		f.period(now).flooded = true
	}
	switch {
	case !f.flood && n > floodBegins:
		f.flood, f.most = true, n
		f.period(now).flooded = true
		j.tell(event.Event{Kind: "flood", ID: "agent/flood", State: "active", More: []event.Field{{Name: "count", Value: n}}}, now)
	case f.flood && n < floodEnds:
		f.flood = false
		j.tell(event.Event{Kind: "flood", ID: "agent/flood", State: "normal", More: []event.Field{{Name: "most", Value: f.most}}}, now)
	}
}

// alarmHealth is the figures as health tells them.
func (j *judge) alarmHealth() *uplink.AlarmHealth {
	now, f := j.now(), &j.figures
	h := &uplink.AlarmHealth{Flooded: f.flood, TenMinutes: len(f.recent), Levels: map[string]int{}}
	newest := int64(now / tenMinutes)
	seen, floods := min(newest-int64(j.began/tenMinutes)+1, dayPeriods), 0
	for _, p := range f.periods {
		all := 0
		for l, n := range p.byLevel {
			if newest-p.number < dayPeriods && n > 0 {
				all += n
				h.Levels[alarm.Level(l).String()] += n
			}
		}
		h.Day += all
		if newest-p.number < 6 {
			h.Hour += all
		}
		if p.flooded && newest-p.number < dayPeriods {
			floods++
		}
	}
	h.Flood = float64(floods) / float64(seen)
	for s := range j.all {
		h.Count(s.State() != alarm.Normal && s.called(), &h.Standing)
		h.Count(s.up() && now-s.Memory().Raised > 24*time.Hour, &h.Stale)
		h.Count(s.chattered > 0 && now-s.chattered < 24*time.Hour, &h.Chattering)
		h.Count(s.shelf != nil, &h.Shelved)
		h.Count(s.suppressed(), &h.Suppressed)
		h.Count(s.isOut(), &h.Out)
	}
	return h
}
