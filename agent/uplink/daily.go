package uplink

import (
	"time"

	"pithead/config"
)

// A Load is what an uplink is to carry a day, reckoned from the site file: an
// upper bound of what comes regularly, where every sample is stored (a deadband
// makes less of it). Events, resends and what TLS and TCP add are not in it.
type Load struct {
	Readings int64
	Bytes    int64
}

const (
	day = 24 * time.Hour
	// What messages take that hold no points, and what zstd makes of a reading:
	// measured by make bench-uplink, rounded up.
	healthBytes  = 600
	unitBytes    = 60
	zstdReading  = 12
	statsBytes   = 150
	messageBytes = 250
)

// Daily is the load of one uplink.
func Daily(s *config.Site, c config.Uplink) (l Load) {
	times := func(each time.Duration) int64 {
		if each <= 0 {
			return 0
		}
		return int64(day / each)
	}
	for i := range s.Points {
		p := &s.Points[i]
		if !config.Matches(c.Points, p.ID) {
			continue
		}
		b := appendUint(appendText([]byte{'{'}, "p", p.ID), "n", 10_000_000)
		reading := int64(len(`,"t":1763779200123,"v":1247.315},`) + len(b))
		n := times(p.Every)
		switch {
		case p.OnChange:
			n = times(p.AtLeast)
		case n == 0: // computed, whenever its inputs come
			n = times(5 * time.Second)
		}
		if c.Thin > 0 {
			n = min(n, times(c.Thin))
		}
		if c.Snapshot > 0 {
			l.Bytes += times(c.Snapshot) * reading
		}
		if c.Compress {
			reading = zstdReading
		}
		if c.Data {
			l.Readings += n
			l.Bytes += n * reading
		}
		if c.Stats && p.Stats {
			l.Bytes += times(s.Stats) * statsBytes
		}
	}
	if c.Data {
		l.Bytes += min(l.Readings, max(l.Readings/int64(max(c.Batch, 1)), times(c.Within))) * messageBytes
	}
	if c.Health {
		l.Bytes += times(healthEach) * int64(healthBytes+unitBytes*len(s.Devices))
	}
	return l
}
