package buffer

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Frame is what was appended at once.
type Frame struct {
	Key     bool
	First   uint64 // number of its first record; of a key the number of the record that follows
	Count   int    // of records, 0 for a key
	Payload []byte // valid until the next Next
}

// Lost says which numbers a reader does not get. After it a reader that decodes
// by what came before has to wait for the next key frame. The range is empty
// (To is From-1) if no record is gone, but perhaps a key.
type Lost struct {
	From, To uint64
	Damage   *Fault // nil if they were dropped, for space
}

func (l *Lost) Error() string {
	if l.Damage == nil {
		return fmt.Sprintf("numbers %d to %d are gone, for space", l.From, l.To)
	}
	return fmt.Sprintf("numbers %d to %d are lost: %s", l.From, l.To, l.Damage.What)
}

// source is the segments of a lane, as their writer or a View knows them.
type source interface {
	// find is the newest segment that begins at or before n, or else the oldest.
	find(n uint64) (segment, bool)
	at(seq uint64) place
}

// place is one moment's picture of a segment and what is around it.
type place struct {
	segment
	here  bool     // it was not dropped
	after *segment // the one that follows
	next  uint64   // the number that the lane's next record gets
}

// Reader reads one lane in order. It belongs to one goroutine.
type Reader struct {
	fs    fsys
	dir   string
	lane  string
	epoch [16]byte
	src   source

	from  uint64
	begun bool
	next  uint64 // the number that has to come next
	seg   segment
	limit int64
	exact bool   // everything below limit was acknowledged
	again int64  // the hole that was looked at twice
	bound uint64 // numbers from here on are in the next segment, 0: there is none yet
	file  file
	sc    *scanner
	hurt  *Fault // found since the last frame
	held  *frame // to be delivered after a Lost
}

func newReader(fs fsys, dir, lane string, epoch [16]byte, src source, from uint64) *Reader {
	from = max(from, 1)
	return &Reader{fs: fs, dir: dir, lane: lane, epoch: epoch, src: src, from: from, next: from}
}

// Next is the next frame. It is io.EOF at the present end, where it may be
// called again later, and a *Lost where numbers are gone, after which it goes on
// behind them. Any other error is of the moment: nothing was skipped.
func (r *Reader) Next() (Frame, error) {
	for {
		if f := r.held; f != nil {
			r.held = nil
			return r.deliver(f), nil
		}
		if r.sc == nil {
			if err := r.enter(); err != nil {
				return Frame{}, err
			}
			continue
		}
		f, at, err := r.sc.next(r.limit)
		if err == nil && r.bound > 0 && f.kind == records && f.first >= r.bound {
			err = io.EOF // it was not acknowledged here, but in the next segment
		}
		if err != nil {
			if err := r.turn(); err != nil {
				return Frame{}, err
			}
			continue
		}
		if r.sc.hole >= 0 && !r.holed() {
			continue
		}
		if lost := r.accept(&f, at); lost != nil {
			return Frame{}, lost
		}
	}
}

// accept holds f for delivery if it is due, and says what is missing before it.
func (r *Reader) accept(f *frame, at int64) error {
	if f.kind == positionsOnly || f.kind == records && f.first < r.next {
		return nil
	}
	r.held = f
	if f.first > r.next && r.hurt == nil {
		r.hurt = r.fault(at, "frames are missing before it")
	}
	return r.gap(f.first)
}

func (r *Reader) deliver(f *frame) Frame {
	r.next = max(r.next, f.first+uint64(f.count))
	return Frame{Key: f.kind == key, First: f.first, Count: int(f.count), Payload: f.payload}
}

// gap is the Lost up to number to, if there is one.
func (r *Reader) gap(to uint64) error {
	to = max(to, r.next)
	if to == r.next && r.hurt == nil {
		return nil
	}
	lost := &Lost{From: r.next, To: to - 1, Damage: r.hurt}
	if r.hurt != nil {
		r.hurt.First, r.hurt.Last = lost.From, lost.To
	}
	r.next, r.hurt = to, nil
	return lost
}

func (r *Reader) fault(at int64, what string) *Fault {
	return &Fault{Segment: r.seg.name(r.lane), Offset: at, What: what}
}

// holed notes damage before a frame; false if that is not sure: the segment was
// dropped while it was read, or a View came by in the middle of a write.
func (r *Reader) holed() bool {
	if !r.src.at(r.seg.seq).here {
		r.leave()
		return false
	}
	if !r.exact && r.again != r.sc.hole { // it may have been in the middle of a write
		r.again = r.sc.hole
		r.rewind(r.limit)
		return false
	}
	if r.hurt == nil {
		r.hurt = r.fault(r.sc.hole, r.sc.what())
	}
	r.sc.hole = -1
	return true
}

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
		if p.here && p.next > r.next && r.hurt == nil {
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
	case err != nil || h.epoch != r.epoch || h.lane != r.lane || h.seq != s.seq || h.first != s.first:
		if f != nil {
			f.Close()
		}
		return r.pass(s, h, err)
	}
	dropped := r.begun && !p.here || !r.begun && r.next < s.first
	if s.first > r.next && !dropped && r.hurt == nil {
		r.hurt = r.fault(r.limit, "frames are missing behind it")
	}
	r.file, r.sc = f, newScanner(f, h.use)
	r.settle(s)
	first := !r.begun
	r.begun = true
	lost := r.gap(s.first)
	if first {
		r.seek()
	}
	return lost
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
	case h.epoch != r.epoch || h.lane != r.lane || h.seq > s.seq:
		r.hurt = r.fault(0, "it is of another log or lane")
	}
	return nil
}

// settle finds how far a segment may be read.
func (r *Reader) settle(s *segment) {
	p := r.src.at(s.seq)
	r.seg, r.limit, r.bound, r.again, r.exact = *s, p.end, 0, 0, p.end != unknownEnd
	if !p.here {
		r.limit = 0
		return
	}
	if p.after != nil {
		r.bound = p.after.first
	}
	if r.exact {
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
	if err == nil && h.epoch == r.epoch && h.before == s.seq {
		r.limit, r.exact = int64(h.end), true
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
	if r.sc.hole >= 0 && r.hurt == nil && r.exact {
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
	if r.sc.hole >= 0 {
		r.sc.off, r.sc.hole = r.sc.hole, -1
	}
	r.sc.buf, r.limit = r.sc.buf[:0], limit
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
	r.file, r.sc = nil, nil
}

// seek goes to the newest key at or before from; if there is none, to the frame
// that holds from; or to the beginning, if damage may have hidden a key.
func (r *Reader) seek() {
	start, next := int64(0), r.seg.first
	keyed, holed := false, false
	for {
		f, at, err := r.sc.next(r.limit)
		if err != nil || f.kind == records && r.bound > 0 && f.first >= r.bound {
			break
		}
		holed = holed || r.sc.hole >= 0 && !keyed
		r.sc.hole = -1
		if f.kind == key && f.first <= r.from {
			start, next, keyed = at, f.first, true
		}
		if f.kind == records && f.first+uint64(f.count) > r.from {
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

// Close lets go of the file. The reader is not to be used any more.
func (r *Reader) Close() error {
	r.close()
	return nil
}
