package buffer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// Lane is one sequence of numbered records.
type Lane struct {
	log    *Log
	name   string
	key    func() []byte
	budget int64 // bytes that its files may take
	most   int64 // bytes of a segment

	// Of the appending goroutine:
	w        file   // the newest segment's, nil when the next frame has to begin one
	capacity int64  // of that segment
	seq      uint64 // of the newest file
	sure     uint64 // next, as far as it is known to be on disk: no power cut takes it back
	moved    uint64 // the commit that moved it
	wrote    uint64 // the lane's last commit
	largest  int64  // of the frames that this run wrote, in bytes
	reserved int64  // what the file in reserve had to take when it was last looked for
	pause    int    // for how many Flushes that is not tried again
	// unsaid: the lane's head is lost, and no segment says yet where its numbers
	// go on. Until one does, what tells of the loss stays as it is.
	unsaid bool

	cramped atomic.Bool // the file system was full when the newest segment began

	mu     sync.Mutex
	segs   []segment
	spares []listing // files that hold nothing
	bad    []listing // files that can't be read
	old    []listing // files of logs that were moved aside
	next   uint64
	wake   chan struct{} // closed when next moves
}

const (
	mostSegment  = 4 << 20
	leastSegment = 64 << 10
	shares       = 8 // a full lane drops at most this share of itself at once
)

func newLane(log *Log, c LaneConfig) *Lane {
	l := &Lane{log: log, name: c.Name, key: c.Key, next: 1, wake: make(chan struct{})}
	// The folder's own blocks, and at most two names of 64 bytes a segment.
	l.budget = c.Size - 16<<10 - c.Size/mostSegment*128
	l.most = min(max(l.budget/shares, leastSegment), mostSegment, l.budget/4) / block * block
	return l
}

// adopt takes over what an earlier run left.
func (l *Lane) adopt(f *foundLane) []Fault {
	l.segs, l.spares, l.bad, l.old, l.next = f.segs, f.spares, f.bad, f.old, max(f.next, 1)
	for _, all := range [][]segment{f.segs, f.aside} {
		for _, s := range all {
			l.seq = max(l.seq, s.seq)
		}
	}
	for _, s := range f.spares {
		_, seg, _, _ := parseName(s.name)
		l.seq = max(l.seq, seg.seq)
	}
	var faults []Fault
	if f.tail != nil && !f.blind {
		faults = l.adoptTail(f.tail, f.least)
	}
	for _, s := range f.aside {
		l.bad = append(l.bad, listing{s.name(l.name), s.size})
	}
	if l.unsaid = f.lost; f.base > l.next {
		l.next, l.sure, l.unsaid = f.base, f.base, true
	}
	if !l.unsaid {
		l.putAside()
	}
	return faults
}

// putAside renames files that can't be read. Their new names say where numbers
// go on behind them, since until the next segment nothing else does.
func (l *Lane) putAside() {
	for i, f := range l.bad {
		_, s, bad, _ := parseName(f.name)
		if bad {
			continue
		}
		f.name = segment{seq: s.seq, first: l.next}.name(l.name) + ".bad"
		if l.log.fs.rename(l.path(l.bad[i].name), l.path(f.name)) == nil {
			l.mu.Lock()
			l.bad[i] = f
			l.mu.Unlock()
		}
	}
}

// adoptTail makes sure that what is read of the former tail is on disk: it is
// read again without what memory holds of it, since a sync may have failed just
// before the former run was killed. Then it gives back the space behind.
func (l *Lane) adoptTail(t *tail, least uint64) []Fault {
	s := &l.segs[len(l.segs)-1]
	name := s.name(l.name)
	f, err := l.log.fs.open(l.path(name), os.O_RDWR)
	if err == nil {
		defer f.Close()
		err = f.datasync()
	}
	if err != nil {
		return []Fault{{name, t.end, t.next, t.next - 1, err.Error()}}
	}
	f.forget(t.durable, t.end)
	again := t.again(f, s)
	if again.err != nil { // bytes that could not be read are not cut: another day they may be
		s.end = unknownEnd
		return []Fault{{name, again.errAt, again.next, t.next - 1, again.err.Error()}}
	}
	l.next, l.sure = max(least, again.next), again.next
	if end := l.least(s.end, s.size); f.truncate(end) == nil {
		s.size = end
	}
	return nil
}

func (l *Lane) path(name string) string { return filepath.Join(l.log.dir, name) }

// First is the oldest number that is still there; Next if there is none.
func (l *Lane) First() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.segs) == 0 {
		return l.next
	}
	return l.segs[0].first
}

// Next is the number that the next record gets; the first ever is 1.
func (l *Lane) Next() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Bytes is what the lane's files take of the disk.
func (l *Lane) Bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used()
}

func (l *Lane) used() int64 {
	var n int64
	for _, s := range l.segs {
		n += s.size
	}
	for _, s := range slices.Concat(l.spares, l.bad, l.old) {
		n += s.size
	}
	return n
}

// Wait returns nil when Next is above n, and ctx's error if that ends before.
func (l *Lane) Wait(ctx context.Context, n uint64) error {
	for {
		l.mu.Lock()
		next, wake := l.next, l.wake
		l.mu.Unlock()
		if next > n {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ErrTooLong says that a payload is above MaxPayload, or takes more than half
// of its lane.
var ErrTooLong = errors.New("too long for its lane")

// Append writes payload as one frame of count records, which get the numbers
// from Next on. It is on disk when Append returns nil; otherwise nothing was
// numbered, and the same may be tried again. A failed write or sync is
// tried once more in a fresh segment before it is an error.
func (l *Lane) Append(payload []byte, count int) error {
	if count < 1 || count > 1<<31-1 {
		return fmt.Errorf("a frame of %d records", count)
	}
	return l.write(frame{kind: records, count: uint32(count), payload: payload})
}

// AppendKey writes a key frame: a reader may begin there.
func (l *Lane) AppendKey(payload []byte) error {
	return l.write(frame{kind: key, payload: payload})
}

// Reader begins at the newest key frame at or before from, in the segment that
// holds from; if that has no key, at the frame that holds from.
func (l *Lane) Reader(from uint64) *Reader {
	return newReader(l.log.fs, l.log.dir, l.name, l.log.line(), l, from)
}

func (l *Lane) find(n uint64) (segment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return findSegment(l.segs, n)
}

func (l *Lane) at(seq uint64) place {
	l.mu.Lock()
	defer l.mu.Unlock()
	return placeOf(l.segs, seq, l.next)
}
