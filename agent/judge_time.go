package agent

import "time"

// A moment is when something happened, as its event tells it.
type moment struct {
	Boot uint32 `json:"boot"`
	M    int64  `json:"m"`
	T    int64  `json:"t,omitempty"`
}

// ago puts a moment of an earlier start on this boot's clock; it may lie before
// the boot. It is not sure where the time without power is not known, since the
// clock was not known on both sides: then it is as if it happened now.
func (j *judge) ago(m moment) (at time.Duration, sure bool) {
	if m.Boot == j.boot {
		return time.Duration(m.M) * time.Millisecond, true
	}
	now, t := j.clock.Now(), m.T
	if o, ok := j.offsets[m.Boot]; ok {
		t = m.M + o
	}
	if t == 0 || !now.Known() {
		return j.now(), false
	}
	return time.Duration(min(t-now.T, 0)+now.M) * time.Millisecond, true
}
