package buffer

import (
	"errors"
	"io"
	"os"
)

// How a Reader gets from one segment to the next, while they come and go.

// enter opens the segment that comes next.
func (r *Reader) enter() error {
	p := r.src.at(r.seg.seq)
	s := p.after
	if !r.begun {
		if first, ok := r.src.find(r.from); ok {
			s = &first
		}
	}
	if s == nil {
		if p.next > r.next && r.hurt == nil { // the newest is never dropped
			r.hurt = r.fault(r.limit, "frames are missing behind it")
		}
		if err := r.gap(p.next); err != nil {
			return err
		}
		return io.EOF
	}
	f, h, err := openSegment(r.fs, r.dir, r.lane, *s)
	switch {
	case f == nil && !errors.Is(err, os.ErrNotExist):
		return err
	case err != nil || !r.owns(h, s):
		if f != nil {
			f.Close()
		}
		return r.pass(s, h, err)
	}
	dropped := h.before > 0 && (r.begun && !p.here || !r.begun && r.next < s.first)
	if s.first > r.next && !dropped && r.hurt == nil {
		r.hurt = r.fault(r.limit, "frames are missing behind it")
	}
	r.file, r.sc = f, newScanner(f, h.use)
	if !r.begun {
		r.epoch = h.lineage.String()
	}
	r.settle(s)
	first := !r.begun
	r.begun = true
	lost := r.gap(s.first)
	r.epoch = h.lineage.String()
	if first {
		r.seek()
	}
	return lost
}

// owns says whether a file's header is what its name says; it may have been
// copied there.
func (r *Reader) owns(h header, s *segment) bool {
	return r.line.has(h.lineage) && h.lane == r.lane && h.seq == s.seq && h.first == s.first
}

// pass goes by a segment that can't be read, unless it was dropped just now. One
// that is recycled and not begun holds nothing that could be missed.
func (r *Reader) pass(s *segment, h header, err error) error {
	p := r.src.at(s.seq)
	if !p.here {
		return nil
	}
	if p.after == nil && p.end == unknownEnd { // a View: it may be about to begin
		return io.EOF
	}
	r.seg, r.begun, r.limit = *s, true, 0
	switch {
	case err != nil:
		r.hurt = r.fault(0, err.Error())
	case !r.line.has(h.lineage) || h.lane != r.lane || h.seq > s.seq:
		r.hurt = r.fault(0, "it is of another log or lane")
	}
	return nil
}

// settle finds how far a segment may be read.
func (r *Reader) settle(s *segment) {
	p := r.src.at(s.seq)
	r.seg, r.limit, r.bound, r.sc.live = *s, p.end, 0, p.end == unknownEnd
	if !p.here {
		r.limit = 0
		return
	}
	if p.after != nil {
		r.bound = p.after.first
	}
	if !r.sc.live {
		return
	}
	r.limit = p.size
	if p.after == nil {
		return
	}
	f, h, err := openSegment(r.fs, r.dir, r.lane, *p.after)
	if f != nil {
		f.Close()
	}
	if err == nil && r.owns(h, p.after) && h.before == s.seq && h.end > 0 {
		r.limit, r.sc.live = int64(h.end), false
	}
}

// turn is for the end of what may be read: go on if there is more, or to the
// next segment.
func (r *Reader) turn() error {
	p := r.src.at(r.seg.seq)
	if !p.here {
		r.leave()
		return nil
	}
	if p.after == nil {
		if p.end == unknownEnd { // a View: the writer may fill what is not filled yet
			r.rewind(p.size)
			return io.EOF
		}
		if p.end > r.limit {
			r.limit = p.end
			return nil
		}
	}
	if p.after != nil && r.bound == 0 { // it ended since it was entered, and its end is final now
		r.rewind(0)
		r.settle(&p.segment)
		return nil
	}
	if r.sc.hole >= 0 && r.hurt == nil && !r.sc.live {
		r.hurt = r.fault(r.sc.hole, r.sc.what())
	}
	if p.after == nil {
		r.sc.hole = -1
		if p.next > r.next && r.hurt == nil {
			r.hurt = r.fault(r.limit, "frames are missing behind it")
		}
		if err := r.gap(p.next); err != nil {
			return err
		}
		return io.EOF
	}
	r.close()
	return nil
}

func (r *Reader) rewind(limit int64) {
	r.sc.rewind()
	r.limit = limit
}

// leave gives up a segment that was dropped.
func (r *Reader) leave() {
	r.hurt = nil
	r.close()
}

func (r *Reader) close() {
	if r.file != nil {
		r.file.Close()
	}
	if lending && r.sc != nil {
		r.sc.end()
	}
	r.file, r.sc = nil, nil
}

// seek goes to the newest key at or before from; if there is none, to the frame
// that holds from; or to the beginning, if damage may have hidden a key.
func (r *Reader) seek() {
	from := max(r.from, r.seg.first) // what lies before was told as Lost
	start, next := int64(0), r.seg.first
	keyed, holed := false, false
	for {
		f, at, err := r.sc.next(r.limit)
		if err != nil {
			break
		}
		holed = holed || r.sc.hole >= 0 && !keyed
		r.sc.hole = -1
		if f.kind == key && f.first <= from {
			start, next, keyed = at, f.first, true
		}
		if f.kind == records && f.first+uint64(f.count) > from {
			if !keyed {
				start, next = at, f.first
			}
			break
		}
		if !keyed {
			start, next = r.sc.off, f.first+uint64(f.count)
		}
	}
	if start == 0 || holed && !keyed {
		start, next = block, r.seg.first
	}
	r.sc.off, r.sc.hole, r.sc.failed, r.next = start, -1, 0, next
}
