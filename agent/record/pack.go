package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// pack is a key deflated, or the key itself where that is not shorter. Ids and
// shapes repeat, so a key of many points becomes less than half: keys can stand
// closer together, and damage costs fewer frames. The writer takes more than a MB,
// and keys are seldom: it is not kept.
func pack(key []byte) []byte {
	var b bytes.Buffer
	b.WriteByte(packedKey)
	z, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is a valid one
	_, _ = z.Write(key[:len(key)-4])             // neither fails in memory
	_ = z.Close()
	if b.Len()+4 >= len(key) || len(key) > min(mostUnpacked, mostTimes*b.Len()) {
		return key
	}
	packed := b.Bytes()
	return binary.LittleEndian.AppendUint32(packed, crc32.ChecksumIEEE(packed))
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
