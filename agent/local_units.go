package agent

import (
	"encoding/json"
	"net/http"
	"time"

	"pithead/drivers"
)

// LocalUnit is one unit of a bus, with what became of its requests, as GET
// /units tells it. Of a bus that no agent drives life and share are empty.
type LocalUnit struct {
	Bus        string  `json:"bus"`
	Unit       string  `json:"unit"`
	Life       string  `json:"life,omitempty"`
	Requests   uint64  `json:"requests"`
	Good       uint64  `json:"good"`
	Comm       uint64  `json:"comm"` // no answer
	Protocol   uint64  `json:"protocol"`
	Exceptions uint64  `json:"exceptions"`
	Held       uint64  `json:"held"` // not sent, since an owed answer could have been taken for theirs
	Missed     int     `json:"missed"`
	Share      float64 `json:"share"` // of the bus's time, 0 to 1
	P50        float64 `json:"p50-ms"`
	P99        float64 `json:"p99-ms"`
	Setup      string  `json:"setup,omitempty"` // why it can't be set up
}

func localUnit(bus, unit string, c drivers.Counts) LocalUnit {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return LocalUnit{Bus: bus, Unit: unit, Requests: c.Requests, Good: c.Good, Comm: c.Comm, Protocol: c.Protocol,
		Exceptions: c.Exceptions, Held: c.Held, P50: ms(c.P50), P99: ms(c.P99)}
}

// serveUnits tells what every bus loop published last.
func (a *agent) serveUnits(w http.ResponseWriter, _ *http.Request) {
	out := []LocalUnit{}
	for _, b := range a.loops {
		states := b.state.Load()
		if states == nil {
			continue
		}
		for _, u := range *states {
			l := localUnit(u.Bus, u.Unit, u.Counts)
			l.Life, l.Missed, l.Share, l.Setup = u.Life.String(), u.Missed, u.Share, u.Setup
			out = append(out, l)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// countsOf is what became of the requests of a bus that no loop drives.
func countsOf(id string, bus drivers.Bus) (out []LocalUnit) {
	s, ok := bus.(drivers.Statistics)
	if !ok {
		return nil
	}
	for _, u := range bus.Units() {
		if c := s.Counts(u.ID); c.Requests > 0 {
			out = append(out, localUnit(id, u.ID, c))
		}
	}
	return out
}
