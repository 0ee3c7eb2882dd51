package buffer

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// The format of a segment; README.md draws it. All integers are little endian.
const (
	block   = 4096 // frames begin at multiples of it, and a reader finds its feet again there
	version = 2    // 1 knew no former epochs

	// MaxPayload bounds one frame. A reader refuses more before it allocates.
	MaxPayload = 1 << 20

	maxTable    = 1<<16 - 1 // bytes of positions in one frame
	frameHeader = 48
	frameMagic  = 0x316d7266 // "frm1"
	fileMagic   = "pithlog"  // followed by the version
	secondCopy  = block / 2  // the header stands twice, so that one bad bit never costs a segment
	fixedHeader = 84         // of a segment, before the lane's name
	maxLaneName = 32
	maxFormer   = 32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errNotHere says that no frame of this use of the segment stands at an offset:
// it was never written, is an older use's, or is damaged.
var errNotHere = errors.New("no frame here")

type kind uint8

const (
	records kind = iota + 1
	key
	positionsOnly
)

// frame is one write of the appender.
//
//	 0 magic    uint32
//	 4 checksum uint32  CRC-32C of the frame's offset and of everything that follows here
//	 8 length   uint32  of the payload, at most MaxPayload
//	12 durable  uint32  how far the segment was on disk when this was written: a hole below it is
//	                    damage, a hole above it is what a power cut left
//	16 use      uint64  of the segment; a frame of another use is the tail of an older one
//	24 commit   uint64  counts the writes of the whole log: which position is newer
//	32 first    uint64  number of its first record; of the record that follows, if it holds none
//	40 count    uint32  of records
//	44 kind     uint8
//	45 complete uint8   1: the table holds all positions, 0: what changed
//	46 table    uint16  bytes of positions and marks
//	48 positions, payload, zeros up to the next block
type frame struct {
	kind     kind
	complete bool
	durable  uint32
	use      uint64
	commit   uint64
	first    uint64
	count    uint32
	table    []byte // encoded positions and marks
	payload  []byte
}

func (f *frame) size() int64 { return blocks(int64(frameHeader + len(f.table) + len(f.payload))) }

// blocks rounds up to whole blocks.
func blocks(n int64) int64 { return (n + block - 1) / block * block }

// appendFrame appends f as it stands at offset off of its segment.
func appendFrame(b []byte, f *frame, off int64) []byte {
	start := len(b)
	le := binary.LittleEndian
	b = le.AppendUint32(b, frameMagic)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, uint32(len(f.payload)))
	b = le.AppendUint32(b, f.durable)
	b = le.AppendUint64(b, f.use)
	b = le.AppendUint64(b, f.commit)
	b = le.AppendUint64(b, f.first)
	b = le.AppendUint32(b, f.count)
	var complete byte
	if f.complete {
		complete = 1
	}
	b = append(b, byte(f.kind), complete)
	b = le.AppendUint16(b, uint16(len(f.table)))
	b = append(b, f.table...)
	b = append(b, f.payload...)
	le.PutUint32(b[start+4:], frameSum(b[start:], off))
	return append(b, make([]byte, f.size()-int64(len(b)-start))...)
}

func frameSum(b []byte, off int64) uint32 {
	var at [8]byte
	binary.LittleEndian.PutUint64(at[:], uint64(off))
	return crc32.Update(crc32.Checksum(at[:], castagnoli), castagnoli, b[8:])
}

// frameLength is how many bytes the frame whose header is b takes before its
// padding, or errNotHere if b can't be one of that use.
func frameLength(b []byte, use uint64) (int, error) {
	le := binary.LittleEndian
	if len(b) < frameHeader || le.Uint32(b) != frameMagic || le.Uint64(b[16:]) != use {
		return 0, errNotHere
	}
	length := le.Uint32(b[8:])
	if length > MaxPayload {
		return 0, errNotHere
	}
	return frameHeader + int(le.Uint16(b[46:])) + int(length), nil
}

// parseFrame reads the frame in b, which frameLength measured. What it returns
// points into b.
func parseFrame(b []byte, off int64) (frame, error) {
	le := binary.LittleEndian
	f := frame{
		kind: kind(b[44]), complete: b[45] == 1,
		durable: le.Uint32(b[12:]), use: le.Uint64(b[16:]), commit: le.Uint64(b[24:]),
		first: le.Uint64(b[32:]), count: le.Uint32(b[40:]),
	}
	table := frameHeader + int(le.Uint16(b[46:]))
	f.table, f.payload = b[frameHeader:table:table], b[table:len(b):len(b)] // what is appended to them is elsewhere
	if frameSum(b, off) != le.Uint32(b[4:]) || !f.sound() {
		return frame{}, errNotHere
	}
	return f, nil
}

// sound refuses what no appender writes, whatever its checksum says.
func (f *frame) sound() bool {
	switch {
	case f.first == 0 || f.first+uint64(f.count) < f.first:
		return false
	case f.kind == records:
		return f.count > 0
	}
	return (f.kind == key || f.kind == positionsOnly) && f.count == 0
}

// A header begins a segment: which log and lane it belongs to, and where.
//
//	 0 magic    7 bytes
//	 7 version  uint8
//	 8 checksum uint32    CRC-32C of everything that follows here
//	12 epoch    16 bytes
//	28 use      uint64    random, of this use of the file
//	36 sequence uint64    of the segment in its lane; in its name, too
//	44 first    uint64    number of the next record when it began; in its name, too
//	52 commit   uint64
//	60 before   uint64    sequence of the segment before it, 0 if there is none: then nothing was dropped yet
//	68 end      uint64    how far that one was on disk: what stands behind was never acknowledged; 0 if that is not known
//	76 reserved 6 bytes
//	82 former   uint8     how many epochs stand behind the lane
//	83 length   uint8     of the lane's name
//	84 lane, and 16 bytes of each epoch that the log went through before, newest first
type header struct {
	lineage
	use    uint64
	seq    uint64
	first  uint64
	commit uint64
	before uint64
	end    uint64
	lane   string
}

// errNewer says that a later version of this program wrote the segment.
var errNewer = errors.New("a newer version wrote it")

var errNoHeader = errors.New("it has no readable beginning")

// appendHeader appends the first block of a segment.
func appendHeader(b []byte, h *header) []byte {
	start := len(b)
	b = append(b, make([]byte, block)...)
	for _, at := range []int{0, secondCopy} {
		c := append(b[:start+at], fileMagic...)
		le := binary.LittleEndian
		c = append(c, version, 0, 0, 0, 0)
		c = append(c, h.epoch[:]...)
		for _, v := range []uint64{h.use, h.seq, h.first, h.commit, h.before, h.end} {
			c = le.AppendUint64(c, v)
		}
		c = append(c, 0, 0, 0, 0, 0, 0, byte(len(h.former)), byte(len(h.lane)))
		c = append(c, h.lane...)
		for _, e := range h.former {
			c = append(c, e[:]...)
		}
		le.PutUint32(c[start+at+8:], crc32.Checksum(c[start+at+12:], castagnoli))
	}
	return b
}

// parseHeader reads the first block of a segment.
func parseHeader(b []byte) (header, error) {
	h, err := parseCopy(b)
	if err == nil || len(b) < secondCopy {
		return h, err
	}
	// One bad bit can make a version newer, but not in both.
	h, other := parseCopy(b[secondCopy:])
	if other == nil {
		return h, nil
	}
	if errors.Is(err, errNewer) && errors.Is(other, errNewer) {
		return header{}, errNewer
	}
	return header{}, errNoHeader
}

func parseCopy(b []byte) (header, error) {
	if len(b) < fixedHeader || string(b[:7]) != fileMagic {
		return header{}, errNoHeader
	}
	if b[7] > version {
		return header{}, errNewer
	}
	name, former := int(b[83]), int(b[82])
	end := fixedHeader + name + 16*former
	if b[7] == 0 || name > maxLaneName || former > maxFormer || len(b) < end {
		return header{}, errNoHeader
	}
	le := binary.LittleEndian
	if crc32.Checksum(b[12:end], castagnoli) != le.Uint32(b[8:]) {
		return header{}, errNoHeader
	}
	h := header{
		use: le.Uint64(b[28:]), seq: le.Uint64(b[36:]), first: le.Uint64(b[44:]), commit: le.Uint64(b[52:]),
		before: le.Uint64(b[60:]), end: le.Uint64(b[68:]), lane: string(b[84 : 84+name]),
	}
	copy(h.epoch[:], b[12:28])
	for at := fixedHeader + name; at < end; at += 16 {
		h.former = append(h.former, [16]byte(b[at:]))
	}
	if h.first == 0 || h.seq == 0 {
		return header{}, errNoHeader
	}
	return h, nil
}
