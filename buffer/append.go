package buffer

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// errNoRoom says that the newest segment is full.
var errNoRoom = errors.New("segment is full")

// write makes f durable. After a failure the segment takes nothing more, and f
// goes to a fresh one: what a failed sync leaves in memory can't be trusted, so
// the same use of a file is never synced again in hope.
func (l *Lane) write(f frame) error {
	if l.log.closed {
		return fmt.Errorf("lane %s: %w", l.name, os.ErrClosed)
	}
	if l.log.removed {
		return fmt.Errorf("lane %s: %w", l.name, ErrRemoved)
	}
	if len(f.payload) > MaxPayload {
		return fmt.Errorf("lane %s: %d bytes: %w", l.name, len(f.payload), ErrTooLong)
	}
	l.log.settleLanes(l)
	f.first = l.next
	err := l.try(f, false)
	if full(err) && l.log.yield(l) { // once: what that does not help, more of it won't
		if err = l.try(f, false); err == nil {
			l.cramped.Store(true)
		}
	}
	if full(err) {
		err = l.try(f, true)
	}
	if err != nil {
		return fmt.Errorf("lane %s: %w", l.name, err)
	}
	return nil
}

// try writes f to the newest segment, or else to a fresh one: to that twice,
// unless it is sure to fail again.
func (l *Lane) try(f frame, tight bool) (err error) {
	if l.w != nil {
		if err = l.extend(f); err == nil || errors.Is(err, ErrTooLong) {
			return err
		}
		l.log.fails(err)
	}
	for range 2 {
		if err = l.begin(f, tight); err == nil || errors.Is(err, ErrTooLong) || full(err) {
			return err
		}
		l.log.fails(err)
	}
	return err
}

// fails counts what the disk refused, though the caller may never hear of it.
func (l *Log) fails(err error) {
	if !errors.Is(err, errNoRoom) && !full(err) {
		l.failed, l.failure = l.failed+1, err
	}
}

// Failed is how many writes failed in this run, also where another try went
// well, and the last error. It is for the appending goroutine.
func (l *Log) Failed() (uint64, error) { return l.failed, l.failure }

// extend writes f behind what the newest segment holds.
func (l *Lane) extend(f frame) error {
	s := l.segs[len(l.segs)-1]
	table, change, err := l.log.positions.encode(l.marks(false), false)
	if err != nil {
		return err
	}
	f.use, f.durable, f.table, f.commit = s.use, uint32(s.end), table, l.log.tick()
	if s.end+f.size() > l.capacity {
		l.letGo()
		return errNoRoom
	}
	l.largest = max(l.largest, f.size())
	l.log.buf = appendFrame(l.log.buf[:0], &f, s.end)
	was := s.size
	if err := l.put(&s, s.end, step(was)); err != nil {
		l.cut(s, was)
		return err
	}
	l.publish(s, f)
	l.log.positions.stored(change)
	return nil
}

// begin writes a segment's header, its key if the lane has one, and f. If tight
// the file system is full, and the space has to come from what the lane has.
func (l *Lane) begin(f frame, tight bool) error {
	frames := []frame{f}
	if l.key != nil {
		if k := l.key(); k != nil {
			frames = []frame{{kind: key, first: f.first, payload: k}, f}
		}
	}
	table, change, err := l.log.positions.encode(appendSizes(l.marks(true), l.segs), true)
	if err != nil {
		return err
	}
	frames[0].table, frames[0].complete = table, true
	s := segment{first: f.first, use: newUse()}
	need := int64(block)
	for _, f := range frames {
		if len(f.payload) > MaxPayload {
			return ErrTooLong
		}
		need += f.size()
		l.largest = max(l.largest, f.size())
	}
	capacity := max(l.most, need)
	if capacity > l.budget/2 {
		return ErrTooLong
	}
	w, err := l.take(&s, capacity, need, tight)
	if err != nil {
		return err
	}
	l.compose(s, frames)
	grow, was := step(s.size), s.size
	if tight {
		grow = 0
	}
	l.capacity, l.w = capacity, w
	if err := l.put(&s, 0, grow); err != nil {
		if full(err) && was > 0 && w.truncate(was) == nil {
			s.size = was
		}
		l.letGo()
		l.giveBack(listing{s.name(l.name), s.size}, full(err) && (was == 0 || tight))
		return err
	}
	l.publish(s, f)
	l.unsaid, l.reserved = false, 0
	l.putAside()
	l.cramped.Store(tight)
	l.log.positions.stored(change)
	return nil
}

// compose puts the beginning of a segment into the log's buffer.
func (l *Lane) compose(s segment, frames []frame) {
	h := header{lineage: l.log.line(), use: s.use, seq: s.seq, first: s.first, commit: l.log.tick(), lane: l.name}
	if n := len(l.segs); n > 0 {
		h.before, h.end = l.segs[n-1].seq, uint64(max(l.segs[n-1].end, 0))
	}
	l.log.buf = appendHeader(l.log.buf[:0], &h)
	for _, f := range frames {
		f.use, f.commit = s.use, h.commit
		l.log.buf = appendFrame(l.log.buf, &f, int64(len(l.log.buf)))
	}
}

// put writes the log's buffer at off, and syncs. Where the file has to grow it
// grows by that much more, in zeros, so that the frames that follow overwrite
// blocks which the file system already knows.
func (l *Lane) put(s *segment, off, grow int64) error {
	end := off + int64(len(l.log.buf))
	if end > s.size {
		was := s.size
		s.size = max(end, min(s.size+grow, l.capacity))
		if err := zero(l.w, max(was, end), s.size); err != nil {
			return err
		}
	}
	if _, err := l.w.WriteAt(l.log.buf, off); err != nil {
		return err
	}
	if err := l.w.datasync(); err != nil {
		return err
	}
	s.end = end
	if cap(l.log.buf) > mostKept { // it held a key of many points
		l.log.buf = nil
	}
	return nil
}

// zero writes zeros from one offset to another, piece by piece.
func zero(w file, from, to int64) error {
	zeros := make([]byte, min(zeroPiece, to-from))
	for ; from < to; from += zeroPiece {
		if _, err := w.WriteAt(zeros[:min(zeroPiece, to-from)], from); err != nil {
			return err
		}
	}
	return nil
}

const zeroPiece = 16 << 10

// mostKept bounds the memory that is kept for the next frame.
const mostKept = 64 << 10

// step is how much a file of that size grows: little at first, so that the
// first record is soon on a slow card.
func step(size int64) int64 { return min(max(size, 64<<10), 256<<10) }

// publish shows readers what is on disk now.
func (l *Lane) publish(s segment, f frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.segs); n > 0 && l.segs[n-1].seq == s.seq {
		l.segs[n-1] = s
	} else {
		l.segs = append(l.segs, s)
	}
	if f.count > 0 {
		l.next = f.first + uint64(f.count)
		l.sure, l.moved = l.next, l.log.commit
		close(l.wake)
		l.wake = make(chan struct{})
	}
	l.wrote = l.log.commit
}

// marks tells how far the other lanes are on disk, so that an Open which finds
// less of one knows that its head is lost: all of them, or those that moved since
// this lane's last write.
func (l *Lane) marks(all bool) []byte {
	var b []byte
	for _, o := range l.log.lanes {
		if o != l && o.sure > 1 && (all || o.moved > l.wrote) {
			b = appendEntry(b, o.name, mark, o.sure)
		}
	}
	return b
}

// cut ends the newest segment after a write that failed, by which it may have
// grown, and gives back what it does not need: of a disk that refuses a write now
// and then, a lane would else be full of what nothing was ever written to.
func (l *Lane) cut(s segment, was int64) {
	if to := l.least(s.end, was); l.w.truncate(to) == nil {
		s.size = to
	}
	l.letGo()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segs[len(l.segs)-1].size = s.size
}

// letGo ends the newest segment: it takes nothing more.
func (l *Lane) letGo() {
	if l.w != nil {
		l.w.Close()
		l.w = nil
	}
}

func (l *Log) tick() uint64 {
	l.commit++
	return l.commit
}

func newUse() uint64 {
	var b [8]byte
	for {
		rand.Read(b[:])
		if u := binary.LittleEndian.Uint64(b[:]); u != 0 {
			return u
		}
	}
}
