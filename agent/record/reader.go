package record

import (
	"encoding/binary"
	"math"
)

// reader takes bytes apart. After the first thing that is not there it is bad,
// and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.bad, r.b = true, nil }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	u, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return u
}

// take is the next n bytes; nil where they are not there.
func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	t := r.b[:n:n]
	r.b = r.b[n:]
	return t
}

func readEra(r *reader) era {
	boot := r.uvarint()
	if boot > math.MaxUint32 {
		r.fail()
	}
	return era{uint32(boot), Clock(r.byte()), unzigzag(r.uvarint())}
}

// runReader reads what runs wrote.
type runReader struct {
	reader
	hits uint64
}

// next says whether the prediction holds, else what came instead.
func (r *runReader) next() (u uint64, hit bool) {
	if r.hits == 0 {
		t := r.uvarint()
		if t&1 == 1 {
			return t >> 1, false
		}
		if r.hits = t >> 1; r.hits == 0 {
			r.fail()
			return 0, true
		}
	}
	r.hits--
	return 0, true
}

// timeReader reads what times wrote.
type timeReader struct {
	reader
	more uint64
}

// next is the step to the next reading's time.
func (r *timeReader) next() int64 {
	if r.more > 0 {
		r.more--
		return 0
	}
	t := r.uvarint()
	if t&1 == 1 {
		r.more = r.uvarint()
	}
	return unzigzag(t >> 1)
}

// columnReader reads what columns wrote.
type columnReader struct {
	points, shapes runReader
	times          timeReader
	values         reader
}

func (c *columnReader) open(r *reader) {
	points, times, shapes := r.uvarint(), r.uvarint(), r.uvarint()
	c.points.b = r.take(points)
	c.times.b = r.take(times)
	c.shapes.b = r.take(shapes)
	c.values.b = r.b
}

func (c *columnReader) bad() bool {
	return c.points.bad || c.times.bad || c.shapes.bad || c.values.bad
}

// done says that every column was read to its end.
func (c *columnReader) done() bool {
	return !c.bad() && c.points.hits == 0 && c.times.more == 0 && c.shapes.hits == 0 &&
		len(c.points.b)+len(c.times.b)+len(c.shapes.b)+len(c.values.b) == 0
}
