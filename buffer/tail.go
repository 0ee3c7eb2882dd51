package buffer

import (
	"io"
	"path/filepath"
	"slices"
	"sort"
)

// tail is what the newest segment of a lane holds.
type tail struct {
	header  header
	end     int64 // behind its last frame
	next    uint64
	commit  uint64
	tables  []table
	faults  []Fault
	durable int64  // frames before it are known to be on disk
	sure    uint64 // the number behind those
	err     error  // a read that failed
	errAt   int64
}

// table is the positions that rode in one frame.
type table struct {
	commit   uint64
	complete bool
	bytes    []byte
}

// readTail reads the whole of s, and leaves in it what a reader needs.
func readTail(f io.ReaderAt, h header, s *segment) *tail {
	t := &tail{header: h, end: block, next: h.first, commit: h.commit}
	t.read(f, s, s.size)
	return t
}

// read goes on from where t ends, up to limit.
func (t *tail) read(f io.ReaderAt, s *segment, limit int64) {
	h := t.header
	sc := newScanner(f, h.use)
	sc.off, sc.live = t.end, true // live to a View
	for {
		fr, at, err := sc.next(limit)
		if err != nil {
			break
		}
		if sc.hole >= 0 {
			t.faults = append(t.faults, Fault{s.name(h.lane), sc.hole, t.next, max(fr.first, t.next) - 1, "damaged"})
			sc.hole = -1
		}
		if d := min(int64(fr.durable), at); d > t.durable {
			t.durable, t.sure = d, fr.first
		}
		t.end, t.next, t.commit = sc.off, max(t.next, fr.first+uint64(fr.count)), max(t.commit, fr.commit)
		if len(fr.table) > 0 || fr.complete {
			t.tables = append(t.tables, table{fr.commit, fr.complete, slices.Clone(fr.table)})
		}
	}
	// A hole in what was never synced is what a power cut leaves; nobody counted on it.
	t.faults = slices.DeleteFunc(t.faults, func(f Fault) bool { return f.Offset >= t.durable })
	t.err, t.errAt = sc.err, sc.errAt
	s.use, s.end = h.use, t.end
}

// again is the tail as the disk has it, of which t is what memory had. What a later
// frame vouched for is not read twice: it was on disk, whatever became of that
// frame, and its numbers are given.
func (t *tail) again(f io.ReaderAt, s *segment) *tail {
	if t.durable == 0 || t.err != nil {
		return readTail(f, t.header, s)
	}
	a := &tail{header: t.header, end: t.durable, next: t.sure}
	a.read(f, s, t.end)
	return a
}

// readPositions takes every mark, the newest complete table, and what changed
// after it.
// Where a segment's own is torn or damaged, the segments before it are asked: a
// position may then be older than it was, which repeats something and leaves
// nothing out.
func (d *found) readPositions(fs fsys, dir string) {
	var all []table
	for _, l := range d.sorted() {
		if l.tail == nil {
			continue
		}
		for _, t := range l.tail.tables {
			_ = parseMarks(t.bytes, d.marks)
		}
		all = append(all, l.tail.tables...)
		if !slices.ContainsFunc(l.tail.tables, isComplete) {
			all = append(all, d.olderTables(fs, dir, l)...)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].commit < all[j].commit })
	for i := len(all) - 1; i > 0; i-- {
		if all[i].complete {
			all = all[i:]
			break
		}
	}
	for _, t := range all {
		_ = parsePositions(t.bytes, d.positions) // it has a checksum: what is in it was written so
	}
}

func isComplete(t table) bool { return t.complete }

// olderTables goes back to the newest segment before the tail that has all positions.
func (d *found) olderTables(fs fsys, dir string, l *foundLane) []table {
	var all []table
	for i := len(l.segs) - 1; i >= 0 && !slices.ContainsFunc(all, isComplete); i-- {
		s := l.segs[i]
		if s.seq >= l.tail.header.seq {
			continue
		}
		s.size = sizeOf(fs, filepath.Join(dir, s.name(l.name)))
		f, h, err := openSegment(fs, dir, l.name, s)
		if err == nil && d.has(h.lineage) && h.seq == s.seq {
			all = append(all, readTail(f, h, &s).tables...)
		}
		if f != nil {
			f.Close()
		}
	}
	return all
}
