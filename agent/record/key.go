package record

import (
	"encoding/binary"
	"hash/crc32"

	"pithead/drivers"
)

// What stands of a point in a key besides its id.
const (
	hasLast = 1 << iota // a reading
	hasEra              // of another era than the point before
	hasGood             // the reading is bad; there was a good one before it
)

// mostShared is how many bytes an id may share with the one before, so that a key
// can't unfold to much more than it is.
const mostShared = 100

// keyColumns are the points of a key, by what mostly goes on as it was from one point
// to the next.
type keyColumns struct {
	ids    []byte
	nexts  runs
	flags  runs
	times  times
	shapes runs
	values []byte
}

// before is what a point is compared with: the id of the one before it, and of the
// newest before it that had them its reading and its last good value.
type before struct {
	id    string
	era   *era
	m     int64
	shape shape
	good  shape
}

// key writes the whole state: the dictionary, and where every point stands.
func (s *state) key() []byte {
	room := 4 * len(s.points) // mostly enough for either
	c := keyColumns{times: times{more: -1}, ids: make([]byte, 0, room), values: make([]byte, 0, room)}
	was, flags := before{era: s.era, m: s.m}, uint64(0)
	for i := range s.points {
		p := &s.points[i]
		shared := sharedBytes(was.id, p.id)
		c.ids = binary.AppendUvarint(c.ids, uint64(shared))
		c.ids = binary.AppendUvarint(c.ids, uint64(len(p.id)-shared))
		c.ids = append(c.ids, p.id[shared:]...)
		was.id = p.id
		if p.next == after(i, len(s.points)) {
			c.nexts.hit()
		} else {
			c.nexts.miss(uint64(p.next))
		}
		if f := p.flags(was.era); f == flags {
			c.flags.hit()
		} else {
			c.flags.miss(f)
			flags = f
		}
		if p.era != nil {
			c.put(p, flags, &was)
		}
	}
	return c.append(s.appendCursor(make([]byte, 0, c.size())), len(s.points))
}

// after is the place of the point behind i, of count.
func after(i, count int) int32 { return int32((i + 1) % count) }

func sharedBytes(a, b string) (n int) {
	for n < min(len(a), len(b), mostShared) && a[n] == b[n] {
		n++
	}
	return n
}

func (p *point) flags(was *era) (f uint64) {
	if p.era == nil {
		return 0
	}
	f = hasLast
	if *p.era != *was {
		f |= hasEra
	}
	if p.good().Kind() != drivers.None {
		f |= hasGood
	}
	return f
}

// put writes the newest reading of a point.
func (c *keyColumns) put(p *point, flags uint64, was *before) {
	if flags&hasEra != 0 {
		c.values = appendEra(c.values, *p.era)
	}
	c.times.put(p.m - was.m)
	was.era, was.m = p.era, p.m
	c.putValue(p.shape, &was.shape, p.num, p.text())
	if good := p.good(); flags&hasGood != 0 {
		s, num := shapeOf(&Reading{Value: good}, shape{})
		c.putValue(s, &was.good, num, good.Str())
	}
}

// putValue writes a value that builds on nothing.
func (c *keyColumns) putValue(s shape, was *shape, num uint64, str string) {
	if s == *was {
		c.shapes.hit()
	} else {
		c.shapes.flush()
		c.shapes.b = appendShape(c.shapes.b, s)
		*was = s
	}
	fresh := point{newest: newest{shape: s}}
	c.values = fresh.appendValue(c.values, num, str)
}

func (s *state) appendCursor(b []byte) []byte {
	b = appendEra(append(b, keyFrame), *s.era)
	b = binary.AppendUvarint(b, uint64(s.at+1))
	b = binary.AppendVarint(b, s.m)
	return binary.LittleEndian.AppendUint32(b, s.sum)
}

// size is no less than what append appends, and the cursor before it.
func (c *keyColumns) size() int {
	return 128 + len(c.ids) + len(c.nexts.b) + len(c.flags.b) + len(c.times.b) + len(c.shapes.b) + len(c.values)
}

// append writes the number of points, the columns, and the checksum.
func (c *keyColumns) append(b []byte, points int) []byte {
	c.nexts.flush()
	c.flags.flush()
	c.times.flush()
	c.shapes.flush()
	b = binary.AppendUvarint(b, uint64(points))
	b = appendColumns(b, c.ids, c.nexts.b, c.flags.b, c.times.b, c.shapes.b, c.values)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// keyReader reads what keyColumns wrote.
type keyReader struct {
	ids    reader
	nexts  runReader
	flags  runReader
	times  timeReader
	shapes runReader
	values reader

	id   []byte // of the point before
	last uint64 // its flags
	was  before
}

// readKey reads a key; known is an id that the point at a place likely has, which
// then need not be allocated again.
func readKey(body []byte, known func(place int) string) (state, bool) {
	r := &reader{b: body[1:]}
	s := state{cursor: readCursor(r)}
	count := r.uvarint()
	k := keyReader{was: before{era: s.era, m: s.m}}
	k.open(r)
	const least = 2 // bytes of an id
	if r.bad || count > MaxPoints || count > uint64(len(k.ids.b))/least || s.at >= int(count) {
		return state{}, false
	}
	s.points = make([]point, count)
	for i := range s.points {
		if !k.read(&s.points[i], i, len(s.points), known(i)) {
			return state{}, false
		}
	}
	return s, k.done()
}

func (k *keyReader) open(r *reader) {
	var lengths [5]uint64
	for i := range lengths {
		lengths[i] = r.uvarint()
	}
	k.ids.b = r.take(lengths[0])
	k.nexts.b = r.take(lengths[1])
	k.flags.b = r.take(lengths[2])
	k.times.b = r.take(lengths[3])
	k.shapes.b = r.take(lengths[4])
	k.values.b = r.b
}

// read reads point i of count; false where that is not there.
func (k *keyReader) read(p *point, i, count int, known string) bool {
	shared := k.ids.uvarint()
	rest := k.ids.take(k.ids.uvarint())
	if shared > uint64(min(len(k.id), mostShared)) || int(shared)+len(rest) == 0 {
		return false
	}
	if k.id = append(k.id[:shared], rest...); string(k.id) == known {
		p.id = known
	} else {
		p.id = string(k.id)
	}
	p.next = after(i, count)
	if u, hit := k.nexts.next(); !hit {
		if u >= uint64(count) {
			return false
		}
		p.next = int32(u)
	}
	if u, hit := k.flags.next(); !hit {
		k.last = u
	}
	if k.last > hasLast|hasEra|hasGood || k.last&hasLast == 0 && k.last != 0 {
		return false
	}
	if k.last != 0 {
		k.readLast(p)
	}
	return !k.bad()
}

func (k *keyReader) readLast(p *point) {
	was := &k.was
	if k.last&hasEra != 0 {
		was.era = sameEra(was.era, readEra(&k.values))
	}
	if was.m += k.times.next(); was.m > maxM || was.m < -maxM {
		k.values.fail()
	}
	p.era, p.m = was.era, was.m
	k.readValue(p, &was.shape)
	if k.last&hasGood != 0 {
		var g point
		k.readValue(&g, &was.good)
		if !p.hadGood(&g) {
			k.values.fail()
		}
	}
}

func (k *keyReader) readValue(p *point, was *shape) {
	if u, hit := k.shapes.next(); !hit {
		*was = readShape(&k.shapes.reader, u)
	}
	p.shape = *was
	p.readValue(&k.values)
}

// hadGood keeps the last good value of a point whose newest reading is bad; false
// where it can't be that.
func (p *point) hadGood(g *point) bool {
	if p.quality == drivers.Good || g.quality != drivers.Good || g.code != 0 || g.form == none {
		return false
	}
	p.keep(p.text(), g.value())
	return true
}

func (k *keyReader) bad() bool {
	return k.ids.bad || k.nexts.bad || k.flags.bad || k.times.bad || k.shapes.bad || k.values.bad
}

// done says that every column was read to its end.
func (k *keyReader) done() bool {
	return !k.bad() && k.nexts.hits == 0 && k.flags.hits == 0 && k.times.more == 0 && k.shapes.hits == 0 &&
		len(k.ids.b)+len(k.nexts.b)+len(k.flags.b)+len(k.times.b)+len(k.shapes.b)+len(k.values.b) == 0
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
