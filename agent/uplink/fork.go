package uplink

import "encoding/json"

// A Fork is what the platform has of this gateway: its retained status, of an
// earlier run, or a receipt of what was never sent.
type Fork struct {
	Uplink string `json:"-"`
	Epoch  string `json:"epoch"`
	Event  uint64 `json:"event"`
	Kid    string `json:"kid"`
	Last   uint64 `json:"-"` // reading
	Hash   string `json:"-"` // of the event, where ours is another
	Ours   uint64 `json:"-"` // events that there were here then; 0: up to now

	Session string `json:"session"`
}

// Had is what an event says that the platform has.
func (f Fork) Had() map[string]any {
	m := map[string]any{"epoch": f.Epoch, "n": f.Event}
	for name, v := range map[string]string{"kid": f.Kid, "h": f.Hash} {
		if v != "" {
			m[name] = v
		}
	}
	if f.Last > 0 {
		m["last"] = f.Last
	}
	return m
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
	f.Ours = s.Log.Lane(eventLane).Next() - 1
	if f.Session != s.Session { // what this run has told since must not hide that it begins behind
		f.Ours = s.Head
	}
	if f.Epoch == s.Log.Epoch() && f.Event <= f.Ours {
		return
	}
	s.Fork(f)
}
