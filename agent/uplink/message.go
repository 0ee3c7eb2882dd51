package uplink

import (
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
)

// A message is ready to be published.
type message struct {
	topic    string
	kind     string // of message, as in topics
	retained bool
	payload  []byte
	packs    bool       // may be compressed
	lane     string     // whose position it moves; empty: none
	last     uint64     // to here
	first    mark       // when its first reading was taken; only of data
	epoch    string     // whose number last is
	h        event.Hash // the running hash, of readings
	items    int        // readings or statistics in it
	resend   string     // the command that asked for it again
}

// A mark is when a reading was taken, by what is known of it. The zero mark is
// no reading.
type mark struct {
	set   bool
	boot  uint32
	m     int64
	t     int64 // where known
	known bool
}

// age is how old it is; false where that can't be known: it is of another boot,
// and the clock of one of the two is unknown.
func (k mark) age(now Stamp, boot uint32) (time.Duration, bool) {
	switch {
	case k.boot == boot:
		return time.Duration(now.M-k.m) * time.Millisecond, true
	case k.known && now.Known:
		return time.Duration(now.T-k.t) * time.Millisecond, true
	}
	return 0, false
}

// An era is what all readings of one message share.
type era struct {
	epoch     string // what its numbers mean
	boot      uint32
	clock     record.Clock
	corrected bool  // clock was unknown when they were taken; offset came later
	offset    int64 // t = m + offset; of an unknown clock that stayed so 0
}

// eraOf is the era of readings that were stored so. Stored stays stored: what
// was taken under an unknown clock goes out with m, and with the offset once
// that is known.
func (u *Uplink) eraOf(epoch string, boot uint32, clock record.Clock, offset int64) era {
	e := era{epoch: epoch, boot: boot, clock: clock}
	if clock != record.Unknown {
		e.offset = offset
	} else if off, ok := u.Offset(boot); ok {
		e.corrected, e.offset = true, off
	}
	return e
}

// present is the era of this moment, for what is told of an epoch.
func (u *Uplink) present(epoch string) era {
	return u.eraOf(epoch, u.Boot, u.Now().Clock, 0)
}

func (e era) mark(m int64) mark {
	return mark{set: true, boot: e.boot, m: m, t: m + e.offset, known: e.corrected || e.clock != record.Unknown}
}

// append appends the members of the envelope that the era decides.
func (e era) append(b []byte) []byte {
	b = appendUint(b, "boot", uint64(e.boot))
	if !e.corrected {
		return appendText(b, "clock", e.clock.String())
	}
	return appendInt(appendText(b, "clock", "corrected"), "offset", e.offset)
}

// opening begins every message of the uplink's own: `{"v":1,"epoch":…,"boot":…`
// and the time, still open.
func (u *Uplink) opening(now Stamp) []byte {
	b := appendUint([]byte(`{`), "v", 1)
	b = appendText(b, "epoch", u.Log.Epoch())
	b = appendUint(b, "boot", uint64(u.Boot))
	b = appendText(b, "session", u.Session)
	if now.Known {
		return appendInt(b, "t", now.T)
	}
	return appendInt(b, "m", now.M)
}
