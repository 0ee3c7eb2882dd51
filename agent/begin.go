package agent

import (
	"crypto/rand"
	"encoding/hex"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
)

func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// inherit takes in what the run before a reload could not store: its events
// count for where alarms and outputs stand, and are stored before any other.
func (a *agent) inherit(l Left) {
	for _, q := range l.events {
		a.queue.addEvent(q.event, q.stamp)
		if p, err := event.Parse(event.Unstored(a.key, a.buf.Epoch(), q.event, q.stamp)); err == nil {
			a.rec.fold.add(p)
		}
	}
	a.rec.untold = l.lost
}

// newest is the newest wall time among stored readings, in unix ms; 0 = none.
func newest(last map[string]record.Last) (t int64) {
	for _, l := range last {
		if l.Clock != record.Unknown {
			t = max(t, l.M+l.Offset)
		}
	}
	return t
}

// readLast is the latest stored reading of every point, and an encoder that
// goes on from there.
func readLast(d *record.Decoder, site *config.Site) (map[string]record.Last, *record.Encoder, []string) {
	var faults []string
	last := map[string]record.Last{}
	var keep []record.Last
	ids := make([]string, len(site.Points))
	known := map[string]bool{}
	for i, p := range site.Points {
		ids[i], known[p.ID] = p.ID, true
	}
	for _, x := range d.Last() {
		if known[x.Point] {
			last[x.Point] = x
			keep = append(keep, x)
		}
	}
	e, err := record.NewEncoder(ids, keep)
	if err != nil {
		faults = append(faults, "what was stored last: "+err.Error())
		e, _ = record.NewEncoder(ids, nil)
	}
	return last, e, faults
}
