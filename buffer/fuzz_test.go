package buffer

import (
	"bytes"
	"testing"
)

// FuzzSegment reads a segment of any bytes: what comes out was checked, lies in
// bounds, and the scanner ends.
func FuzzSegment(f *testing.F) {
	h := header{use: 7, seq: 1, first: 1, lane: "data"}
	good := appendHeader(nil, &h)
	for i, fr := range []frame{
		{kind: key, use: 7, first: 1, complete: true, payload: []byte("key")},
		{kind: records, use: 7, first: 1, count: 3, payload: make([]byte, 5000), durable: block},
		{kind: positionsOnly, use: 7, first: 4, table: appendPosition(nil, "data/county", position{n: 3})},
		{kind: positionsOnly, use: 7, first: 4, durable: 1 << 30}, // no appender writes that
	} {
		good = appendFrame(good, &fr, int64(len(good)))
		f.Add(good, uint64(i*7))
	}
	f.Add(good, uint64(7))
	f.Add(good[:5000], uint64(7))
	f.Fuzz(func(t *testing.T, b []byte, use uint64) {
		_, _ = parseHeader(b)
		sc := newScanner(bytes.NewReader(b), use)
		at := int64(block)
		for {
			fr, off, err := sc.next(int64(len(b)))
			if err != nil {
				break
			}
			if off < at || off%block != 0 || len(fr.payload) > MaxPayload || off+frameHeader+int64(len(fr.payload)) > int64(len(b)) {
				t.Fatalf("a frame of %d bytes at %d", len(fr.payload), off)
			}
			if use != 0 && fr.use != use {
				t.Fatalf("a frame of use %d", fr.use)
			}
			if again := appendFrame(nil, &fr, off); !bytes.Equal(again[:frameHeader], b[off:off+frameHeader]) {
				t.Fatalf("%x is not what was written", b[off:off+frameHeader])
			}
			at = sc.off
			_ = parsePositions(fr.table, map[string]uint64{})
		}
		s := segment{seq: 1, first: 1, size: blocks(int64(len(b)))}
		tl := readTail(bytes.NewReader(b), header{use: use, first: 1, lane: "data"}, &s)
		if again := tl.again(bytes.NewReader(b), &s); again.end != tl.end {
			t.Fatalf("it ends at %d, and read again at %d", tl.end, again.end)
		}
	})
}

// FuzzPositions reads a table of any bytes.
func FuzzPositions(f *testing.F) {
	b := appendPosition(nil, "data/county", position{n: 81119})
	f.Add(appendPosition(b, "events/county", position{dropped: true}))
	f.Add(appendSizes(appendEntry(nil, "events", mark, 7), []segment{{seq: 1, size: block}, {seq: 2, size: block}, {seq: 3, size: 2 * block}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range parseSizes(b) {
			if s.size < 0 || s.size > 2*mostSegment {
				t.Fatalf("a segment of %d bytes", s.size)
			}
		}
		all := map[string]uint64{}
		if parsePositions(b, all) != nil || parseMarks(b, map[string]uint64{}) != nil {
			return
		}
		p := newPositions(all)
		table, _, err := p.encode(nil, true)
		if err != nil {
			return
		}
		again := map[string]uint64{}
		if err := parsePositions(table, again); err != nil || len(again) != len(all) {
			t.Fatalf("%v became %v, %v", all, again, err)
		}
	})
}
