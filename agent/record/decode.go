package record

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"pithead/drivers"
)

// ErrGap is a frame that does not follow what the decoder has seen: something
// between was lost, or no key was there yet. Decoding goes on at the next key.
var ErrGap = errors.New("the frame does not follow the one before it")

var (
	errDamaged = errors.New("the frame is damaged")
	errVersion = errors.New("the frame is of a version that is not known here")
)

// A Decoder turns frames into batches. The zero Decoder waits for a key.
type Decoder struct {
	// IDs, if not nil, is an id that a key likely has at a place, so that it need not
	// be allocated again; empty where none is known.
	IDs func(place int) string

	state state
	ready bool // a key was read, and everything since could be
	left  int  // readings of the frame in hand
	frame []byte
	c     columnReader // of frame
	batch []Reading
}

// Last is the latest reading of each point that has one, in the order of the
// dictionary: what a new Encoder begins from.
func (d *Decoder) Last() []Last { return d.state.last() }

// Key reads a key frame. After an error the state is what it was before.
func (d *Decoder) Key(payload []byte) error {
	body, sum, err := open(payload)
	if err != nil {
		return err
	}
	if body[0] != keyFrame && body[0] != packedKey {
		return errVersion
	}
	if crc32.ChecksumIEEE(body) != sum {
		return errDamaged
	}
	if d.skip(); d.ready && d.stands(body) {
		return nil // as most keys of a log that is read on and on
	}
	if body[0] == packedKey {
		if body = unpack(body); body == nil {
			return errDamaged
		}
	}
	s, ok := readKey(body[1:], d.known)
	if !ok {
		return errDamaged
	}
	d.state, d.ready = s, true
	return nil
}

// stands says whether a key only repeats where the decoder stands already.
func (d *Decoder) stands(body []byte) bool {
	if body[0] == packedKey {
		body = unpackFirst(body)
	}
	r := &reader{b: body}
	key := r.byte() == keyFrame
	c, is := readCursor(r), d.state.cursor
	return key && !r.bad && *c.era == *is.era && c.at == is.at && c.m == is.m && c.sum == is.sum
}

// Frame reads a frame of readings. The batch is good until the next call; its
// strings are good for ever. After ErrGap the state is what it was before.
func (d *Decoder) Frame(payload []byte) (Batch, error) {
	b, n, err := d.Open(payload)
	if err != nil {
		return Batch{}, err
	}
	d.batch = d.batch[:0]
	for range n {
		var r Reading
		if err := d.Next(&r); err != nil {
			return Batch{}, err
		}
		d.batch = append(d.batch, r)
	}
	b.Readings = d.batch
	return b, nil
}

// Open begins a frame of readings without making a batch of them: Next gives so many,
// one by one. What is not asked for until the next Open or Key is passed over then, so
// the decoder keeps a copy: the payload may be a reader's memory, which has moved on.
func (d *Decoder) Open(payload []byte) (b Batch, n int, err error) {
	body, sum, err := open(payload)
	if err != nil {
		return Batch{}, 0, err
	}
	if body[0] != frameSame && body[0] != frameEra {
		return Batch{}, 0, errVersion
	}
	d.skip()
	if !d.ready || crc32.Update(d.state.sum, crc32.IEEETable, body) != sum {
		return Batch{}, 0, ErrGap
	}
	d.frame = append(d.frame[:0], body...)
	if !d.begin(d.frame) {
		d.ready = false // half a frame is in the state
		return Batch{}, 0, errDamaged
	}
	d.state.sum = sum
	e := *d.state.era
	return Batch{Boot: e.boot, Clock: e.clock, Offset: e.offset}, d.left, nil
}

// Next is the next reading of the frame that Open began, as long as there is one. Its
// strings are good for ever.
func (d *Decoder) Next(r *Reading) error {
	p := d.step()
	if p == nil {
		return errDamaged
	}
	*r = p.reading()
	return nil
}

// skip passes over what is left of the frame in hand.
func (d *Decoder) skip() {
	for d.left > 0 {
		d.step()
	}
}

// step goes on to the next reading of the frame in hand, and is its point; nil, and
// nothing more is left, where it can't be read.
func (d *Decoder) step() *point {
	d.left--
	p := d.next()
	if p == nil || d.left == 0 && !d.c.done() {
		d.ready, d.left = false, 0
		return nil
	}
	return p
}

// open divides a payload into what is summed and the sum.
func open(payload []byte) (body []byte, sum uint32, err error) {
	end := len(payload) - 4
	if end < 1 {
		return nil, 0, errDamaged
	}
	return payload[:end], binary.LittleEndian.Uint32(payload[end:]), nil
}

// begin reads the head of a frame, and lays its columns out.
func (d *Decoder) begin(body []byte) bool {
	r := &reader{b: body[1:]}
	if body[0] == frameEra {
		e := readEra(r)
		d.state.era = &e
	}
	count := r.uvarint()
	d.c = columnReader{}
	d.c.open(r)
	if r.bad || count > MaxReadings || count == 0 && !d.c.done() {
		return false
	}
	d.left = int(count)
	return true
}

// next moves the state over one reading, as Encoder.put wrote it, and is its point;
// nil where it can't be read.
func (d *Decoder) next() *point {
	s, c := &d.state, &d.c
	i := s.predict()
	if u, hit := c.points.next(); !hit {
		if i = int(min(u, MaxPoints)); i < len(s.points) && s.at >= 0 {
			s.points[s.at].next = int32(i)
		}
	}
	if i >= len(s.points) {
		return nil
	}
	s.m += c.times.next()
	p := &s.points[i]
	if u, hit := c.shapes.next(); !hit {
		p.reshape(readShape(&c.shapes.reader, u))
	}
	p.readValue(&c.values)
	p.era, p.m = s.era, s.m
	s.at = i
	if c.bad() {
		return nil
	}
	return p
}

// known is the id that the point at a place likely has, or empty.
func (d *Decoder) known(place int) string {
	switch {
	case place < len(d.state.points):
		return d.state.points[place].id
	case d.IDs != nil:
		return d.IDs(place)
	}
	return ""
}

func readKey(body []byte, known func(place int) string) (state, bool) {
	r := &reader{b: body}
	s := state{cursor: readCursor(r)}
	count := r.uvarint()
	const least = 4 // bytes of a point: length, a letter, next, what follows
	if r.bad || count > MaxPoints || count > uint64(len(r.b))/least || s.at >= int(count) {
		return state{}, false
	}
	s.points = make([]point, count)
	was := s.era
	for i := range s.points {
		was = s.points[i].readKey(r, i, was, s.m, known(i))
		if r.bad || s.points[i].next < 0 || int(s.points[i].next) >= len(s.points) {
			return state{}, false
		}
	}
	return s, len(r.b) == 0
}

func readCursor(r *reader) (c cursor) {
	e := readEra(r)
	c.era, c.at = &e, int(min(r.uvarint(), MaxPoints+1))-1
	c.m = unzigzag(r.uvarint())
	if b := r.take(4); b != nil {
		c.sum = binary.LittleEndian.Uint32(b)
	}
	return c
}

// readKey reads a point; known is an id it likely has, which then need not be
// allocated again.
func (p *point) readKey(r *reader, i int, was *era, m int64, known string) *era {
	if id := r.take(r.uvarint()); string(id) == known {
		p.id = known
	} else {
		p.id = string(id)
	}
	next := int64(i) + unzigzag(r.uvarint())
	if next < 0 || next >= MaxPoints {
		r.fail()
		next = 0
	}
	p.next = int32(next)
	flags := r.byte()
	if p.id == "" || flags > hasLast|hasEra|hasGood || flags&hasLast == 0 && flags != 0 {
		r.fail()
	}
	if flags&hasLast == 0 {
		return was
	}
	if flags&hasEra != 0 {
		was = sameEra(was, readEra(r))
	}
	p.era, p.m = was, m+unzigzag(r.uvarint())
	p.readWhole(r)
	if flags&hasGood != 0 {
		p.readGood(r)
	}
	return was
}

// readGood reads the last good value of a point whose newest reading is bad.
func (p *point) readGood(r *reader) {
	var g point
	g.readWhole(r)
	if p.quality == drivers.Good || g.quality != drivers.Good || g.code != 0 || g.form == none {
		r.fail()
	}
	p.keep(p.text(), g.value())
}
