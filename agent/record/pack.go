package record

import (
	"bytes"
	"compress/flate"
	"io"
)

// pack is the key deflated, or as it is where that is not shorter. Ids and
// shapes repeat, so a key of many points becomes less than half: keys can stand
// closer together, and damage costs fewer frames. The writer takes more than a MB,
// and keys are seldom: it is not kept.
func (s *state) pack() []byte {
	var b bytes.Buffer
	b.Grow(4 * len(s.points))
	b.WriteByte(packedKey)
	z, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is a valid one
	n := s.writeKey(z)
	_ = z.Close() // it does not fail in memory
	if b.Len() >= n || n+4 > min(mostUnpacked, mostTimes*b.Len()) {
		return s.key()
	}
	return sum(b.Bytes())
}

// Bounds of what a packed key may unfold to.
const (
	mostUnpacked = 8 << 20
	mostTimes    = 100
	mostCursor   = 64 // and more than comes before the points
)

// unpackFirst is the key's first bytes, up to its points.
func unpackFirst(body []byte) []byte {
	first := make([]byte, mostCursor)
	n, _ := io.ReadFull(flate.NewReader(bytes.NewReader(body[1:])), first) // a short key has fewer
	return first[:n]
}

// unpack is the key's bytes up to its checksum; nil where it is no packed key.
func unpack(body []byte) []byte {
	most := int64(min(mostUnpacked, mostTimes*len(body)))
	key, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(body[1:])), most+1))
	if err != nil || int64(len(key)) > most || len(key) == 0 || key[0] != keyFrame {
		return nil
	}
	return key
}
