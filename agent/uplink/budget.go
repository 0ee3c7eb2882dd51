package uplink

import "time"

// spending is what of a day's budget an uplink has used: payloads and topics,
// by days of the wall clock, or of this boot's time while that is not known. It
// is kept beside the positions, so that a restart does not begin the day anew.
// It belongs to Run's goroutine.
type spending struct {
	u     *Uplink
	day   int64
	bytes int64
}

const (
	spentBits = 40 // of the bytes in what is kept, above them the day
	dayMS     = int64(24 * time.Hour / time.Millisecond)
)

// What may use up how many percent of the budget: readings go first, so that
// statistics and snapshots still fit, and events are never held back.
var shares = map[string]int64{dataLane: 80, statsLane: 90, "snapshot": 100}

func (u *Uplink) newSpending() *spending {
	s := &spending{u: u}
	n, _ := u.Log.Position("spent/" + u.cfg.ID)
	s.day, s.bytes = int64(n>>spentBits), int64(n&(1<<spentBits-1))
	return s
}

// turn begins a new day where there is one.
func (s *spending) turn() {
	now := s.u.Now()
	day := now.M / dayMS
	if now.Known {
		day = (now.T + s.u.Site.UTCOffset.Milliseconds()) / dayMS
	}
	if day != s.day {
		s.day, s.bytes = day, 0
	}
}

// add counts a message.
func (s *spending) add(m message) {
	if s.u.cfg.Budget == 0 {
		return
	}
	s.turn()
	s.bytes = min(s.bytes+int64(len(m.payload)+len(m.topic)), 1<<spentBits-1)
	s.u.Log.SetPosition("spent/"+s.u.cfg.ID, uint64(s.day)<<spentBits|uint64(s.bytes))
}

// over says whether a kind of message has no budget left today.
func (s *spending) over(kind string) bool {
	if s == nil || s.u.cfg.Budget == 0 {
		return false
	}
	s.turn()
	return s.bytes >= s.u.cfg.Budget/100*shares[kind]
}
