package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"pithead/buffer"
	"pithead/config"
)

// A Query is what an export shall hold. From and To belong to it.
type Query struct {
	From, To Bound
	Points   []string // with *; none means all
	Events   bool     // instead of readings
	CSV      bool     // instead of NDJSON
	Zone     *time.Location
}

// A Bound is one end of an export: a number or a time.
type Bound struct {
	N     uint64 // of the record; 0: it is no number
	T     int64  // Unix milliseconds
	Timed bool
}

// leastMs tells Unix milliseconds from numbers of records: a gateway that stores
// a thousand readings a second comes to it after three years, and says n:… then.
const leastMs = 100_000_000_000

// timeForms are the times that a person writes, in the site's zone, and how
// long each of them is: a day means the whole of it.
var timeForms = []struct {
	form string
	span time.Duration
}{
	{time.DateOnly, 24 * time.Hour},
	{"2006-01-02 15:04", time.Minute}, {"2006-01-02T15:04", time.Minute},
	{"2006-01-02 15:04:05", time.Second}, {"2006-01-02T15:04:05", time.Second},
	{"2006-01-02 15:04:05.999", time.Millisecond}, {"2006-01-02T15:04:05.999", time.Millisecond},
}

// ParseBound reads a bound as a person writes it: a time in RFC 3339, or in the
// site's own without an offset; Unix milliseconds; or a record's number. The
// last bound of an export means the whole day, minute or second that it names.
func ParseBound(text string, zone *time.Location, last bool) (Bound, error) {
	number, plain := strings.CutPrefix(text, "n:")
	if u, err := strconv.ParseUint(number, 10, 63); err == nil && u > 0 {
		if !plain && u >= leastMs {
			return Bound{T: int64(u), Timed: true}, nil
		}
		return Bound{N: u}, nil
	}
	at, span := time.Time{}, time.Duration(0)
	t, err := time.Parse(time.RFC3339, text)
	if err == nil {
		if at = t; !strings.Contains(text, ".") {
			span = time.Second
		}
	}
	for _, f := range timeForms {
		if t, err := time.ParseInLocation(f.form, text, zone); err == nil && at.IsZero() {
			at, span = t, f.span
		}
	}
	if at.IsZero() {
		return Bound{}, fmt.Errorf("%.60q is neither a time nor a number; want 2026-03-01T08:00:00+08:00, "+
			"2026-03-01, 2026-03-01T08:00 (both at %s), Unix milliseconds, or a record's number such as 81120 or n:81120", text, zone)
	}
	ms := at.UnixMilli()
	if last && span > 0 {
		ms = at.Add(span).UnixMilli() - 1
	}
	return Bound{T: ms, Timed: true}, nil
}

// Parse is the query that flags or the local socket ask for. The zone is the
// site's.
func Parse(from, to string, points []string, events bool, format string, zone *time.Location) (q Query, err error) {
	q = Query{Events: events, Zone: zone}
	if from != "" {
		if q.From, err = ParseBound(from, zone, false); err != nil {
			return q, fmt.Errorf("from: %w", err)
		}
	}
	if to != "" {
		if q.To, err = ParseBound(to, zone, true); err != nil {
			return q, fmt.Errorf("to: %w", err)
		}
	}
	for _, p := range points {
		for one := range strings.SplitSeq(p, ",") {
			if one = strings.TrimSpace(one); one != "" {
				q.Points = append(q.Points, one)
			}
		}
	}
	switch {
	case events && len(q.Points) > 0:
		return q, fmt.Errorf("points choose among readings; events go whole, or their chain could not be verified")
	case format != "" && format != "ndjson" && format != "csv":
		return q, fmt.Errorf("format %.40q: want ndjson or csv", format)
	}
	q.CSV = format == "csv"
	return q, nil
}

// numbers are the first and the last record of a lane that may be asked for.
func (q Query) numbers(l buffer.ViewLane) (from, to uint64) {
	from, to = max(q.From.N, 1), l.Next-1
	if q.From.N == 0 {
		from = l.First
	}
	if q.To.N > 0 {
		to = min(to, q.To.N)
	}
	return from, to
}

// timed says that times were asked for.
func (q Query) timed() bool { return q.From.Timed || q.To.Timed }

func (q Query) within(t int64) bool { first, last := q.times(); return t >= first && t <= last }

// times are the first and the last millisecond that may be asked for.
func (q Query) times() (first, last int64) {
	first, last = math.MinInt64, math.MaxInt64
	if q.From.Timed {
		first = q.From.T
	}
	if q.To.Timed {
		last = q.To.T
	}
	return first, last
}

// point says whether a point's readings are asked for.
func (q Query) point(id string) bool { return config.Matches(q.Points, id) }
