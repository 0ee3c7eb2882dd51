package uplink

import "encoding/json"

// A Fork is what the platform has of this gateway: its retained status, of an
// earlier run.
type Fork struct {
	Uplink string
	Epoch  string `json:"epoch"`
	Event  uint64 `json:"event"`
	Kid    string `json:"kid"`
	T      int64  `json:"t"`
}

// remembered judges the gateway's own retained status, as it was when this
// connection began: a head ahead of the one here shows that an old image was put
// back, an unknown epoch that another card or board stands here now.
func (s *session) remembered(payload []byte) {
	if s.recalled {
		return
	}
	s.recalled = true
	f := Fork{Uplink: s.cfg.ID}
	if json.Unmarshal(payload, &f) != nil || f.Epoch == "" {
		return // of a form of its own, or nobody's
	}
	if f.Epoch == s.Log.Epoch() && f.Event < s.Log.Lane(eventLane).Next() {
		return
	}
	s.Fork(f)
}
