package buffer

import (
	"encoding/binary"
	"io"
)

// window is how much a scanner reads at once, unless a frame is longer. It begins
// with less: who looks for a time reads the beginning of many segments.
const (
	window      = 64 << 10
	firstWindow = 8 << 10
)

// mostFailed bounds how many reads that fail a scanner waits for: on a dying
// card each takes seconds.
const mostFailed = 8

// scanner walks the frames of one segment. Where none stands it looks at the
// next block, and remembers that there was a hole.
type scanner struct {
	src io.ReaderAt
	use uint64 // 0: frames of any use, to see what is in a file without a header
	off int64  // where it looks next
	// hole is where the first frame should have stood that was not there, since
	// the last that was; -1 if there is none.
	hole int64
	// live: a writer may be at work, and a hole is only one that is still there
	// at a second look.
	live  bool
	again int64 // the hole that was looked at twice

	err    error // the last read that failed for good; its bytes are a hole
	errAt  int64 // where
	failed int   // how many did

	buf   []byte
	base  int64 // offset of buf
	ahead int64 // how much the next read takes

	lent [2][]byte // memory of the last frame, where it has its own: see lending
}

func newScanner(src io.ReaderAt, use uint64) *scanner {
	return &scanner{src: src, use: use, off: block, hole: -1, ahead: firstWindow}
}

// next is the next frame that ends at or before limit, and where it stands; it
// is valid until the call after. io.EOF when there is none: then off is at
// limit, or at a frame that begins before it and ends behind.
func (s *scanner) next(limit int64) (frame, int64, error) {
	if lending {
		s.end()
	}
	for s.off < limit && s.failed < mostFailed {
		f, length, err := s.look(limit)
		at := s.off
		if err == nil && s.live && s.hole >= 0 && s.hole != s.again && s.err == nil {
			s.again = s.hole
			s.rewind()
			continue
		}
		if err == nil {
			s.off += blocks(int64(length))
			if lending {
				f = s.lend(f)
			}
			return f, at, nil
		}
		if s.hole < 0 {
			s.hole = at
		}
		s.off += block
	}
	if s.off < limit && s.hole < 0 {
		s.hole = s.off
	}
	s.off = max(s.off, limit)
	return frame{}, 0, io.EOF
}

// rewind goes back to the hole, if there is one, and reads anew what is there.
func (s *scanner) rewind() {
	if s.hole >= 0 {
		s.off, s.hole = s.hole, -1
	}
	s.buf = s.buf[:0]
}

func (s *scanner) look(limit int64) (frame, int, error) {
	head := s.bytes(frameHeader, limit)
	use := s.use
	if use == 0 && len(head) == frameHeader {
		use = binary.LittleEndian.Uint64(head[16:])
	}
	length, err := frameLength(head, use)
	if err != nil {
		return frame{}, 0, errNotHere
	}
	b := s.bytes(length, limit)
	if len(b) < length {
		return frame{}, 0, errNotHere
	}
	f, err := parseFrame(b, s.off)
	return f, length, err
}

// bytes is n bytes at off, or fewer where the file ends or can't be read.
// Nothing at or behind limit is read, since it may still change.
func (s *scanner) bytes(n int, limit int64) []byte {
	if s.off < s.base || s.off+int64(n) > s.base+int64(len(s.buf)) {
		s.fill(n, limit)
	}
	b := s.buf[s.off-s.base:]
	return b[:min(n, len(b))]
}

func (s *scanner) fill(n int, limit int64) {
	want := min(max(int64(n), s.ahead), limit-s.off)
	s.ahead = min(2*s.ahead, window)
	if int64(cap(s.buf)) < want {
		s.buf = make([]byte, want)
	}
	got, err := readAt(s.src, s.buf[:want], s.off)
	s.base, s.buf = s.off, s.buf[:got]
	if err != nil && got < n {
		s.err, s.errAt = err, s.off
		s.failed++
	}
}

// readAt reads what is there; a read that failed is tried again, since a card
// that is busy with itself may refuse one.
func readAt(src io.ReaderAt, b []byte, off int64) (int, error) {
	for try := 0; ; try++ {
		n, err := src.ReadAt(b, off)
		if err == nil || err == io.EOF {
			return n, nil
		}
		if try == 2 {
			return n, err
		}
	}
}

// what is wrong with a hole.
func (s *scanner) what() string {
	if s.err != nil {
		return s.err.Error()
	}
	return "damaged"
}
