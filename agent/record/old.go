package record

import (
	"bytes"
	"compress/flate"
	"io"
)

// Bounds of what a packed key may unfold to.
const (
	mostUnpacked = 8 << 20
	mostTimes    = 100
)

// readOldKey reads a key as older versions wrote it: point by point, and deflated
// where that was shorter.
func readOldKey(body []byte, known func(place int) string) (state, bool) {
	if body[0] == packedKey {
		most := int64(min(mostUnpacked, mostTimes*len(body)))
		key, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(body[1:])), most+1))
		if err != nil || int64(len(key)) > most || len(key) == 0 || key[0] != plainKey {
			return state{}, false
		}
		body = key
	}
	r := &reader{b: body[1:]}
	s := state{cursor: readCursor(r)}
	count := r.uvarint()
	const least = 4 // bytes of a point: length, a letter, next, what follows
	if r.bad || count > MaxPoints || count > uint64(len(r.b))/least || s.at >= int(count) {
		return state{}, false
	}
	s.points = make([]point, count)
	was := s.era
	for i := range s.points {
		was = s.points[i].readOld(r, i, was, s.m, known(i))
		if r.bad || s.points[i].next < 0 || int(s.points[i].next) >= len(s.points) {
			return state{}, false
		}
	}
	return s, len(r.b) == 0
}

func (p *point) readOld(r *reader, i int, was *era, m int64, known string) *era {
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
		var g point
		if g.readWhole(r); !p.hadGood(&g) {
			r.fail()
		}
	}
	return was
}

// readWhole reads a value that builds on nothing, behind its shape.
func (p *point) readWhole(r *reader) {
	u := r.uvarint()
	if u&1 == 0 {
		r.fail()
	}
	p.shape = readShape(r, u>>1)
	p.readValue(r)
}
