package buffer

import (
	"fmt"
	"io"
)

// Frame is what was appended at once.
type Frame struct {
	Epoch   string // that it was written in
	Key     bool
	First   uint64 // number of its first record; of a key the number of the record that follows
	Count   int    // of records, 0 for a key
	Payload []byte // valid until the next Next, or Close
}

// Lost says which numbers a reader does not get. After it a reader that decodes
// by what came before has to wait for the next key frame. The range is empty
// (To is From-1) if no record is gone, but perhaps a key.
type Lost struct {
	From, To uint64
	Epoch    string // of what was read before them, or else of what follows
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
	fs   fsys
	dir  string
	lane string
	line lineage
	src  source

	from  uint64
	begun bool
	epoch string // of the segment
	next  uint64 // the number that has to come next
	seg   segment
	limit int64  // everything below was acknowledged, unless the scanner is live
	bound uint64 // numbers from here on are in the next segment, 0: there is none yet
	file  file
	sc    *scanner
	hurt  *Fault // found since the last frame
	held  *frame // to be delivered after a Lost
}

func newReader(fs fsys, dir, lane string, line lineage, src source, from uint64) *Reader {
	from = max(from, 1)
	return &Reader{fs: fs, dir: dir, lane: lane, line: line, epoch: line.String(), src: src, from: from, next: from}
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
		if err == nil && r.bound > 0 && f.kind == records && f.first+uint64(f.count) > r.bound {
			err = io.EOF // it was not acknowledged here, but in the next segment, or is of an epoch that was given up
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
	return Frame{Epoch: r.epoch, Key: f.kind == key, First: f.first, Count: int(f.count), Payload: f.payload}
}

// gap is the Lost up to number to, if there is one.
func (r *Reader) gap(to uint64) error {
	to = max(to, r.next)
	if to == r.next && r.hurt == nil {
		return nil
	}
	lost := &Lost{From: r.next, To: to - 1, Epoch: r.epoch, Damage: r.hurt}
	if r.hurt != nil {
		r.hurt.First, r.hurt.Last = lost.From, lost.To
	}
	r.next, r.hurt = to, nil
	return lost
}

func (r *Reader) fault(at int64, what string) *Fault {
	f := &Fault{Segment: r.lane, Offset: at, What: what}
	if r.seg.seq > 0 {
		f.Segment = r.seg.name(r.lane)
	}
	return f
}

// holed notes damage before a frame; false if that is not sure, since the
// segment was dropped while it was read.
func (r *Reader) holed() bool {
	if !r.src.at(r.seg.seq).here {
		r.leave()
		return false
	}
	if r.hurt == nil {
		r.hurt = r.fault(r.sc.hole, r.sc.what())
	}
	r.sc.hole = -1
	return true
}

// Close lets go of the file. The reader is not to be used any more.
func (r *Reader) Close() error {
	r.close()
	return nil
}
