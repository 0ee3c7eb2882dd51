package uplink

import (
	"pithead/agent/record"
	"pithead/config"
)

// begin is how the JSON of a point's readings begins.
type begin struct {
	point string
	json  []byte // nil: the uplink leaves it out
	after int    // place of the point whose reading came after one of this
}

// readings is the codec of the data lane.
type readings struct {
	u      *Uplink
	dec    record.Decoder
	batch  record.Batch
	era    era
	index  map[string]int // of points, places in begins
	begins []begin
	latest int // place of the newest reading's point
	json   []byte
	thin   *thinner    // nil: every reading
	over   func() bool // the budget for readings is spent
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
	begin := r.beginOf(rd.Point)
	if begin == nil {
		return item{}, false
	}
	at := r.era.mark(rd.M)
	if r.over() || r.thin != nil && !r.thin.keeps(rd.Point, at) {
		return item{n: n, era: r.era, first: at, left: true}, true
	}
	b := appendUint(append(r.json[:0], begin...), "n", n)
	if r.era.clock != record.Unknown {
		b = appendInt(b, "t", rd.M+r.era.offset)
	} else {
		b = appendInt(b, "m", rd.M)
	}
	r.json = append(appendValue(b, "v", rd.Value, rd.Quality, rd.Code), '}')
	return item{n: n, era: r.era, first: at, json: r.json}, true
}

// beginOf is how the JSON of a point's reading begins. Readings come in nearly
// the same order each cycle: mostly it is the one that followed the last time,
// and a map of ten thousand points is slow to look into.
func (r *readings) beginOf(point string) []byte {
	if len(r.begins) > 0 {
		after := r.begins[r.latest].after
		if b := &r.begins[after]; b.point == point {
			r.latest = after
			return b.json
		}
	}
	i, known := r.index[point]
	if !known {
		i = len(r.begins)
		r.index[point] = i
		b := begin{point: point}
		if config.Matches(r.u.cfg.Points, point) {
			b.json = appendText([]byte{'{'}, "p", point)
		}
		r.begins = append(r.begins, b)
	}
	r.begins[r.latest].after, r.latest = i, i
	return r.begins[i].json
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
