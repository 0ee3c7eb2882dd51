package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A packer deflates keys. Ids and shapes repeat, so a key of many points becomes
// less than half: keys can stand closer together, and damage costs fewer frames.
type packer struct {
	z *flate.Writer
	b bytes.Buffer
}

// pack is key deflated, or key itself where that is not shorter.
func (p *packer) pack(key []byte) []byte {
	p.b.Reset()
	if p.z == nil {
		p.z, _ = flate.NewWriter(&p.b, flate.BestSpeed) // the level is a valid one
	} else {
		p.z.Reset(&p.b)
	}
	p.b.WriteByte(packedKey)
	_, _ = p.z.Write(key[:len(key)-4]) // neither fails in memory
	_ = p.z.Close()
	if p.b.Len()+4 >= len(key) || len(key) > min(mostUnpacked, mostTimes*p.b.Len()) {
		return key
	}
	packed := bytes.Clone(p.b.Bytes())
	return binary.LittleEndian.AppendUint32(packed, crc32.ChecksumIEEE(packed))
}

// Bounds of what a packed key may unfold to.
const (
	mostUnpacked = 8 << 20
	mostTimes    = 100
)

// unpack is the key's bytes up to its checksum; nil where it is no packed key.
func unpack(body []byte) []byte {
	most := int64(min(mostUnpacked, mostTimes*len(body)))
	key, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(body[1:])), most+1))
	if err != nil || int64(len(key)) > most || len(key) == 0 || key[0] != keyFrame {
		return nil
	}
	return key
}
