package uplink

import (
	"pithead/agent/record"
	"pithead/config"
)

// choice is whether an uplink that takes some points takes this one.
type choice struct {
	point string
	takes bool
	after int32 // place of the point whose reading came after one of this
}

// written is a time as JSON.
type written struct {
	t    int64
	name string
	json []byte
}

// readings is the codec of the data lane.
type readings struct {
	u       *Uplink
	dec     record.Decoder
	batch   record.Batch
	era     era
	json    []byte
	written written     // the newest time
	thin    *thinner    // nil: every reading
	over    func() bool // the budget for readings is spent

	// Of an uplink that does not take all:
	index   map[string]int32 // of points, places in choices
	choices []choice
	latest  int32 // place of the newest reading's point
}

func (r *readings) ready(i int) bool {
	return r.thin == nil || r.thin.ready(r.era.mark(r.batch.Readings[i].M))
}

func (r *readings) key(payload []byte) error { return r.dec.Key(payload) }

func (r *readings) frame(epoch string, payload []byte) (int, error) {
	b, err := r.dec.Frame(payload)
	if err != nil {
		return 0, err
	}
	r.batch, r.era = b, r.u.eraOf(epoch, b.Boot, b.Clock, b.Offset)
	return len(b.Readings), nil
}

func (r *readings) item(i int, n uint64) (item, bool) {
	rd := &r.batch.Readings[i]
	if !r.takes(rd.Point) {
		return item{}, false
	}
	at := r.era.mark(rd.M)
	if r.over() || r.thin != nil && !r.thin.keeps(rd.Point, at) {
		return item{n: n, era: r.era, first: at, left: true}, true
	}
	b := appendUint(appendID(append(r.json[:0], '{'), rd.Point), "n", n)
	b = r.appendTime(b, rd.M)
	r.json = append(appendValue(b, "v", rd.Value, rd.Quality, rd.Code), '}')
	return item{n: n, era: r.era, first: at, json: r.json}, true
}

// appendTime appends t, or m while nobody knows t. Readings of one answer share it.
func (r *readings) appendTime(b []byte, m int64) []byte {
	t, name := m, "m"
	if r.era.clock != record.Unknown {
		t, name = m+r.era.offset, "t"
	}
	if w := &r.written; t != w.t || name != w.name {
		w.t, w.name, w.json = t, name, appendInt(append(w.json[:0], '{'), name, t)
	}
	return append(append(b, ','), r.written.json[1:]...)
}

// takes says whether the uplink takes a point. Readings come in nearly the same
// order each cycle: mostly it is the one that followed the last time, and a map of
// ten thousand points is slow to look into.
func (r *readings) takes(point string) bool {
	if len(r.u.cfg.Points) == 0 {
		return true
	}
	if len(r.choices) > 0 {
		after := r.choices[r.latest].after
		if c := &r.choices[after]; c.point == point {
			r.latest = after
			return c.takes
		}
	}
	i, known := r.index[point]
	if !known {
		i = int32(len(r.choices))
		r.index[point] = i
		r.choices = append(r.choices, choice{point: point, takes: config.Matches(r.u.cfg.Points, point)})
	}
	r.choices[r.latest].after, r.latest = i, i
	return r.choices[i].takes
}

// appendID appends the member p: an id has no letter that JSON escapes.
func appendID(b []byte, point string) []byte {
	for i := range len(point) {
		if c := point[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return appendText(b, "p", point) // of no site file
		}
	}
	b = append(b, `"p":"`...)
	b = append(b, point...)
	return append(b, '"')
}

// statistics is the codec of the stats lane.
type statistics struct {
	u     *Uplink
	over  func() bool
	batch record.StatBatch
	era   era
	json  []byte
}

func (s *statistics) key([]byte) error { return nil }

func (s *statistics) frame(epoch string, payload []byte) (int, error) {
	b, err := record.ReadStats(payload)
	if err != nil {
		return 0, err
	}
	s.batch, s.era = b, s.u.eraOf(epoch, b.Boot, b.Clock, 0)
	return len(b.Stats), nil
}

func (s *statistics) item(i int, n uint64) (item, bool) {
	st := s.batch.Stats[i]
	if !config.Matches(s.u.cfg.Points, st.Point) {
		return item{}, false
	}
	if s.over() {
		return item{n: n, era: s.era, left: true}, true
	}
	st.N = n
	s.json = st.Append(s.json[:0])
	return item{n: n, era: s.era, json: s.json}, true
}

func (s *statistics) ready(int) bool { return true }
