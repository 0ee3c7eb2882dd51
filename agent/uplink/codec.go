package uplink

import (
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers/lent"
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
	reading record.Reading // in hand
	have    int            // its index in the frame
	bad     error          // there is nothing more to be had of the frame
	era     *era
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
	return r.thin == nil || r.at(i) != nil || r.thin.ready(r.era.mark(r.reading.M))
}

// at makes reading i of the frame the one in hand.
func (r *readings) at(i int) error {
	for r.have < i && r.bad == nil {
		r.bad = r.dec.Next(&r.reading)
		r.have++
	}
	return r.bad
}

func (r *readings) key(payload []byte) error { return r.dec.Key(payload) }

func (r *readings) frame(epoch string, payload []byte) (int, error) {
	b, count, err := r.dec.Open(payload)
	if err != nil {
		return 0, err
	}
	r.have, r.bad, r.era = -1, nil, new(r.u.eraOf(epoch, b.Boot, b.Clock, b.Offset))
	return count, nil
}

func (r *readings) item(i int, n uint64, it *item) (bool, error) {
	if err := r.at(i); err != nil {
		return false, err
	}
	rd := &r.reading
	if !r.takes(rd.Point) {
		return false, nil
	}
	if r.over() || r.thin != nil && !r.thin.keeps(rd.Point, r.era.mark(rd.M)) {
		*it = item{n: n, era: r.era, m: rd.M, dated: true, left: true}
		return true, nil
	}
	if lent.On {
		r.json = lent.Again(r.json)
	}
	b := appendUint(appendText(append(r.json[:0], '{'), "p", rd.Point), "n", n)
	b = r.appendTime(b, rd.M)
	r.json = append(appendValue(b, "v", rd.Value, rd.Quality, rd.Code), '}')
	*it = item{n: n, era: r.era, m: rd.M, dated: true, json: r.json}
	return true, nil
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

// statistics is the codec of the stats lane.
type statistics struct {
	u     *Uplink
	over  func() bool
	batch record.StatBatch
	era   *era
	json  []byte
}

func (s *statistics) key([]byte) error { return nil }

func (s *statistics) frame(epoch string, payload []byte) (int, error) {
	b, err := record.ReadStats(payload)
	if err != nil {
		return 0, err
	}
	s.batch, s.era = b, new(s.u.eraOf(epoch, b.Boot, b.Clock, 0))
	return len(b.Stats), nil
}

func (s *statistics) item(i int, n uint64, it *item) (bool, error) {
	st := s.batch.Stats[i]
	if !config.Matches(s.u.cfg.Points, st.Point) {
		return false, nil
	}
	if s.over() {
		*it = item{n: n, era: s.era, left: true}
		return true, nil
	}
	st.N = n
	if lent.On {
		s.json = lent.Again(s.json)
	}
	s.json = st.Append(s.json[:0])
	*it = item{n: n, era: s.era, json: s.json}
	return true, nil
}

func (s *statistics) ready(int) bool { return true }
