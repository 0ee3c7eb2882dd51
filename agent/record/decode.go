package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"pithead/drivers/lent"
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
	if body[0] != keyFrame && body[0] != packedKey && body[0] != plainKey {
		return errVersion
	}
	if crc32.ChecksumIEEE(body) != sum {
		return errDamaged
	}
	if d.skip(); d.ready && d.stands(body) {
		if lent.On && !d.agrees(body) {
			panic("a key says something else than the frames before it")
		}
		return nil // as most keys of a log that is read on and on
	}
	read := readKey
	if body[0] != keyFrame {
		read = readOldKey
	}
	s, ok := read(body, d.known)
	if !ok {
		return errDamaged
	}
	d.state, d.ready = s, true
	return nil
}

// stands says whether a key only repeats where the decoder stands already.
func (d *Decoder) stands(body []byte) bool {
	if body[0] == packedKey {
		return false
	}
	r := &reader{b: body[1:]}
	c, is := readCursor(r), d.state.cursor
	return !r.bad && *c.era == *is.era && c.at == is.at && c.m == is.m && c.sum == is.sum
}

// agrees says whether a key that repeats where the decoder stands says of each point
// what the decoder does: checksums cover the bytes, and not what became of them.
func (d *Decoder) agrees(body []byte) bool {
	ours := d.state.key()
	return body[0] != keyFrame || bytes.Equal(ours[:len(ours)-4], body)
}

// Frame reads a frame of readings. The batch is good until the next call; its
// strings are good for ever. After ErrGap the state is what it was before.
func (d *Decoder) Frame(payload []byte) (Batch, error) {
	b, n, err := d.Open(payload)
	if err != nil {
		return Batch{}, err
	}
	if lent.On {
		d.batch = lent.Again(d.batch)
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
