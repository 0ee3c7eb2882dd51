package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"

	"pithead/drivers"
)

// The first byte of a payload.
const (
	frameSame = 2 // readings of the era before
	frameEra  = 3 // readings; their era stands in the frame
	keyFrame  = 5 // a key, in columns

	plainKey  = 1 // a key as older versions wrote it, point by point
	packedKey = 4 // the same, deflated
)

// An Encoder turns batches into frames. It belongs to one goroutine.
type Encoder struct {
	places []int32 // of the points, by the hash of their ids: the place and 1, or 0
	state  state
	undo   []saved // what Append overwrote since the last Commit, each point once
	marked []bool  // which points are in undo
	before cursor  // as it was at the last Commit
	staged bool    // Append came, Commit has not

	found  []int // scratch: the dictionary index of each reading
	column columns
}

// saved is where point i stood.
type saved struct {
	i int32
	newest
}

// columns are the parts of a frame: where equals stand together they are short.
type columns struct {
	points, shapes runs
	times          times
	values         []byte
}

// NewEncoder writes readings of these points; last is what a Decoder found of
// the run before, or nil. Ids must be distinct and not empty. What is last of a
// point that is not among them is forgotten. Good counts where the reading is
// bad; of a good one it is the reading's own value.
func NewEncoder(points []string, last []Last) (*Encoder, error) {
	if len(points) > MaxPoints {
		return nil, fmt.Errorf("%d points are more than the %d that a frame can name", len(points), MaxPoints)
	}
	e := &Encoder{places: make([]int32, 1<<bits.Len(uint(2*len(points)))), marked: make([]bool, len(points))}
	e.state = state{points: make([]point, len(points)), cursor: cursor{at: -1, era: &era{}}}
	for i, id := range points {
		at := e.slot(id)
		if id == "" || *at > 0 {
			return nil, fmt.Errorf("point %q: ids must be distinct and not empty", id)
		}
		*at = int32(i + 1)
		e.state.points[i] = point{id: id, newest: newest{next: after(i, len(points))}}
	}
	var shared *era
	for _, l := range last {
		if i, ok := e.lookUp(l.Point); ok {
			if err := check(&l.Reading); err != nil {
				return nil, err
			}
			if err := checkValue(l.Point, l.Good); err != nil {
				return nil, err
			}
			shared = sameEra(shared, era{l.Boot, l.Clock, l.Offset})
			e.state.points[i].begin(l, shared)
		}
	}
	// What follows this key follows no frame of another run. (The sum must not
	// go over the key's own sum: over bytes and their CRC it is always the same.)
	key := e.state.key()
	e.state.sum = crc32.ChecksumIEEE(key[:len(key)-4])
	return e, nil
}

// begin is a reading that comes from another run.
func (p *point) begin(l Last, e *era) {
	p.shape, p.num = shapeOf(&l.Reading, shape{})
	good := drivers.Value{}
	if l.Quality != drivers.Good {
		good = l.Good
	}
	p.keep(l.Value.Str(), good)
	p.m, p.era = l.M, e
}

// sameEra is was, where that is e; points mostly share theirs.
func sameEra(was *era, e era) *era {
	if was != nil && *was == e {
		return was
	}
	own := e
	return &own
}

// Key is a key frame: the dictionary and where every point stands after the
// last Commit. It changes nothing. What Append made since then can be decoded
// behind this key as well as behind the frame before, so a log may ask for the
// key while it stores that very frame.
func (e *Encoder) Key() []byte {
	e.swap()
	defer e.swap()
	return e.state.key()
}

// Append appends a frame to dst. The frame follows the last Commit: until the
// next one says that it is stored, another Append takes its place. An error
// (a point that is not in the dictionary, too many readings, a time beyond
// bounds) changes nothing.
func (e *Encoder) Append(dst []byte, b Batch) ([]byte, error) {
	if err := e.look(b.Readings); err != nil {
		return dst, err
	}
	e.takeBack()
	e.before, e.staged = e.state.cursor, true
	start := len(dst)
	dst = e.state.appendHead(dst, era{b.Boot, b.Clock, b.Offset}, len(b.Readings))
	e.column.reset()
	e.undo = slices.Grow(e.undo, len(b.Readings)) // no more than a frame needs
	for k := range b.Readings {
		e.put(e.found[k], &b.Readings[k])
	}
	dst = e.column.append(dst)
	e.state.sum = crc32.Update(e.state.sum, crc32.IEEETable, dst[start:])
	return binary.LittleEndian.AppendUint32(dst, e.state.sum), nil
}

// Commit says that the frame which Append made last is stored.
func (e *Encoder) Commit() {
	for i := range e.undo {
		e.marked[e.undo[i].i] = false
	}
	e.undo, e.staged = e.undo[:0], false
}

// look finds the readings' points and judges all that could go wrong.
func (e *Encoder) look(rs []Reading) error {
	if len(rs) > MaxReadings {
		return fmt.Errorf("%d readings are more than the %d that a frame takes", len(rs), MaxReadings)
	}
	e.found = e.found[:0]
	at := e.state.at
	for k := range rs {
		i, ok := e.find(at, rs[k].Point)
		if !ok {
			return fmt.Errorf("point %q is not in the dictionary", rs[k].Point)
		}
		at = i
		if err := check(&rs[k]); err != nil {
			return err
		}
		e.found = append(e.found, i)
	}
	return nil
}

// find is the place of a point, which mostly is the one predicted after at.
func (e *Encoder) find(at int, id string) (int, bool) {
	if len(e.state.points) > 0 {
		next := 0
		if at >= 0 {
			next = int(e.state.points[at].next)
		}
		if e.state.points[next].id == id {
			return next, true
		}
	}
	return e.lookUp(id)
}

func (e *Encoder) lookUp(id string) (int, bool) {
	at := *e.slot(id)
	return int(at) - 1, at > 0
}

// slot is where the place of a point stands, or would: the first that is its own
// or empty, from where its hash (FNV-1a) says. At least half of them are empty.
// A search by order would touch ten points for one reading.
func (e *Encoder) slot(id string) *int32 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	for last := uint32(len(e.places) - 1); ; h++ {
		at := &e.places[h&last]
		if *at == 0 || e.state.points[*at-1].id == id {
			return at
		}
	}
}

func check(r *Reading) error {
	if r.M > maxM || r.M < -maxM {
		return fmt.Errorf("point %q: time %d ms is out of bounds", r.Point, r.M)
	}
	return checkValue(r.Point, r.Value)
}

func checkValue(id string, v drivers.Value) error {
	if v.Kind() > drivers.Text {
		return fmt.Errorf("point %q: a value of a kind that is not known", id)
	}
	return nil
}

// takeBack undoes an Append that was not committed.
func (e *Encoder) takeBack() {
	if e.staged {
		e.swap()
		e.Commit()
	}
}

// swap changes between the state with and without what is not committed.
func (e *Encoder) swap() {
	if !e.staged {
		return
	}
	e.state.cursor, e.before = e.before, e.state.cursor
	for i := range e.undo {
		u := &e.undo[i]
		p := &e.state.points[u.i]
		u.newest, p.newest = p.newest, u.newest
	}
}

// save keeps a point as it is before its first change since the last Commit.
func (e *Encoder) save(i int) {
	if !e.marked[i] {
		e.marked[i] = true
		e.undo = append(e.undo, saved{int32(i), e.state.points[i].newest})
	}
}

// put adds one reading to the columns and to the state.
func (e *Encoder) put(i int, r *Reading) {
	s, c := &e.state, &e.column
	if next := s.predict(); next == i {
		c.points.hit()
	} else {
		c.points.miss(uint64(i))
		if s.at >= 0 {
			e.save(s.at)
			s.points[s.at].next = int32(i)
		}
	}
	c.times.put(r.M - s.m)
	e.save(i)
	p := &s.points[i]
	shape, num := shapeOf(r, p.shape)
	if shape == p.shape {
		c.shapes.hit()
	} else {
		c.shapes.flush()
		c.shapes.b = appendShape(c.shapes.b, shape)
		p.reshape(shape)
	}
	c.values = p.appendValue(c.values, num, r.Value.Str())
	p.era, p.m = s.era, r.M
	s.at, s.m = i, r.M
}
