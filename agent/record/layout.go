package record

import (
	"encoding/binary"

	"pithead/drivers"
)

// runs is a column of tokens: an even one says how many times the prediction
// held, an odd one what came instead.
type runs struct {
	b    []byte
	hits uint64
}

func (r *runs) hit() { r.hits++ }

func (r *runs) miss(u uint64) {
	r.flush()
	r.b = binary.AppendUvarint(r.b, u<<1|1)
}

func (r *runs) flush() {
	if r.hits > 0 {
		r.b = binary.AppendUvarint(r.b, r.hits<<1)
		r.hits = 0
	}
}

// times is a column of steps from one time to the next. Readings of one sample
// share their time: an odd step is followed by how many more have it.
type times struct {
	b    []byte
	step int64
	more int // readings that share it; -1 before the first
}

func (t *times) put(step int64) {
	if step == 0 && t.more >= 0 {
		t.more++
		return
	}
	t.flush()
	t.step, t.more = step, 0
}

func (t *times) flush() {
	switch {
	case t.more == 0:
		t.b = binary.AppendUvarint(t.b, zigzag(t.step)<<1)
	case t.more > 0:
		t.b = binary.AppendUvarint(t.b, zigzag(t.step)<<1|1)
		t.b = binary.AppendUvarint(t.b, uint64(t.more))
	}
}

func zigzag(i int64) uint64   { return uint64(i)<<1 ^ uint64(i>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

func (c *columns) reset() {
	c.points = runs{b: c.points.b[:0]}
	c.shapes = runs{b: c.shapes.b[:0]}
	c.times = times{b: c.times.b[:0], more: -1}
	c.values = c.values[:0]
}

func (c *columns) append(b []byte) []byte {
	c.points.flush()
	c.times.flush()
	c.shapes.flush()
	return appendColumns(b, c.points.b, c.times.b, c.shapes.b, c.values)
}

// appendColumns writes the lengths of all columns but the last, then the columns.
func appendColumns(b []byte, columns ...[]byte) []byte {
	for _, col := range columns[:len(columns)-1] {
		b = binary.AppendUvarint(b, uint64(len(col)))
	}
	for _, col := range columns {
		b = append(b, col...)
	}
	return b
}

func (s *state) appendHead(b []byte, e era, count int) []byte {
	if e == *s.era {
		b = append(b, frameSame)
	} else {
		b = appendEra(append(b, frameEra), e)
		own := e
		s.era = &own
	}
	return binary.AppendUvarint(b, uint64(count))
}

func appendEra(b []byte, e era) []byte {
	b = binary.AppendUvarint(b, uint64(e.boot))
	b = append(b, byte(e.clock))
	return binary.AppendVarint(b, e.offset)
}

// appendShape writes a shape as a token of runs and what belongs to it.
func appendShape(b []byte, s shape) []byte {
	u := uint64(s.quality)<<4 | uint64(s.form)
	if s.code != 0 {
		u |= 8
	}
	b = binary.AppendUvarint(b, u<<1|1)
	if s.form == decimal {
		b = append(b, s.exp)
	}
	if s.code != 0 {
		b = append(b, s.code)
	}
	return b
}

// readShape reads what belongs to the token u.
func readShape(r *reader, u uint64) shape {
	s := shape{quality: drivers.Quality(u >> 4), form: form(u & 7)}
	if u>>4 > 255 {
		r.fail()
	}
	if s.form == decimal {
		if s.exp = r.byte(); s.exp > maxExp {
			r.fail()
			s.exp = 0
		}
	}
	if u&8 != 0 {
		if s.code = r.byte(); s.code == 0 {
			r.fail()
		}
	}
	return s
}

// appendValue writes how the value moved, and moves it.
func (p *point) appendValue(b []byte, num uint64, str string) []byte {
	switch p.form {
	case decimal, unsigned, signed:
		b = binary.AppendUvarint(b, zigzag(int64(num-p.num)))
	case float:
		b = binary.AppendUvarint(b, num^p.num)
	case text:
		if str == p.text() {
			return append(b, 0)
		}
		b = binary.AppendUvarint(b, uint64(len(str))+1)
		b = append(b, str...)
		p.keep(str, p.good())
	}
	p.num = num
	return b
}

func (p *point) readValue(r *reader) {
	switch p.form {
	case decimal, unsigned, signed:
		p.num += uint64(unzigzag(r.uvarint()))
	case float:
		p.num ^= r.uvarint()
	case text:
		if n := r.uvarint(); n > 0 {
			p.keep(string(r.take(n-1)), p.good())
		}
	}
}
