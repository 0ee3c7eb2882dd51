package buffer

import (
	"bytes"
	"cmp"
	"io"
	"strings"
)

// judge decides on a newest file without a header. If it can be what a crash
// leaves of a first write, nobody counted on it. Otherwise it is damaged, and
// only if a frame can be read does anybody know which numbers it has. The error
// is a read's.
func (d *found) judge(f io.ReaderAt, l *foundLane, s segment) error {
	var next uint64
	synced := false
	sc := newScanner(f, 0)
	for {
		fr, _, err := sc.next(s.size)
		if err != nil {
			break
		}
		if fr.first >= s.first { // others are of an older use of the file
			next = max(next, fr.first+uint64(fr.count))
			synced = synced || fr.durable > 0
		}
	}
	torn, parts, err := tornHeader(f, s.size)
	switch {
	case sc.err != nil || err != nil:
		return cmp.Or(sc.err, err)
	case torn && !synced:
		l.spares = append(l.spares, listing{s.name(l.name), s.size})
		l.parts = l.parts || parts
	case next == 0:
		d.headless(s, l, errNoHeader)
		d.setAside(l, s, 0, errNoHeader.Error())
	default:
		d.setAside(l, s, next, errNoHeader.Error())
		l.next = max(l.next, next)
	}
	return nil
}

// tornHeader says whether a header that can't be read may be what a crash left of
// its first write: then nothing is in its second copy, or else the first would be
// whole. Parts says that there is more in the file than the beginning of a header.
func tornHeader(f io.ReaderAt, size int64) (torn, parts bool, err error) {
	torn = true
	b := make([]byte, window)
	for off := int64(0); off < size; off += window {
		n, err := readAt(f, b, off)
		if err != nil {
			return false, false, err
		}
		there := bytes.TrimRight(b[:n], "\x00")
		if off == 0 {
			torn = len(bytes.TrimRight(b[:min(n, block)], "\x00")) <= secondCopy
			begun := bytes.HasPrefix(there, []byte(fileMagic)) || strings.HasPrefix(fileMagic, string(there))
			parts = len(there) > fixedHeader+maxLaneName || !begun
		} else if len(there) > 0 {
			parts = true
		}
	}
	return torn, parts, nil
}
