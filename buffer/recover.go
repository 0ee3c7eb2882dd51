package buffer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// A Fault is something on the disk that could not be read.
type Fault struct {
	Segment string // the file's name
	Offset  int64  // where in it
	First   uint64 // the first number that is gone
	Last    uint64 // the last; First-1 if none is, but perhaps a key frame
	What    string
}

func (f Fault) String() string {
	return fmt.Sprintf("%s at %d: %s, numbers %d to %d", f.Segment, f.Offset, f.What, f.First, f.Last)
}

// found is what a folder holds, as its newest segments tell it. Nothing is
// changed by looking.
type found struct {
	lineage
	lanes     map[string]*foundLane
	positions map[string]uint64
	marks     map[string]uint64 // how far each lane was on disk, as the others know it
	commit    uint64            // the newest
	faults    []Fault
	lost      string // why nobody knows which numbers were given last; empty if that is known
}

type foundLane struct {
	name   string
	segs   []segment // by sequence; the last is the newest that was written to
	bad    []listing
	old    []listing // of logs that were moved aside
	spares []listing // files that hold nothing: a crash came before their first frame
	parts  bool      // of that frame something is in one of them
	aside  []segment // newer than segs, and unreadable or of another log
	next   uint64
	base   uint64 // where numbers go on, if that is ahead of what was found
	least  uint64 // what next is at least, whatever the tail holds
	passed uint64 // and as those say that were passed over on the way back
	tail   *tail  // of the newest segment that can be read, nil if there is none
	blind  bool   // there are newer ones, which can't be read now
	lost   bool   // nobody knows which numbers were given last
}

var errNoLog = errors.New("no segment has a readable beginning")

// look reads the newest segment of each lane. errNewer and errNoLog say that
// the folder can't be gone on with; errNothing that there is no log in it.
func look(fs fsys, dir string) (*found, error) {
	lanes, err := listLanes(fs, dir)
	if err != nil {
		return nil, err
	}
	d := &found{lanes: map[string]*foundLane{}, positions: map[string]uint64{}, marks: map[string]uint64{}}
	for name, l := range lanes {
		d.lanes[name] = &foundLane{name: name, segs: l.segs, bad: l.bad, spares: l.spares, next: 1}
	}
	var broken error // the first; the others may still know the epoch
	for _, l := range d.sorted() {
		if err := d.findTail(fs, dir, l, anyLineage); err != nil && broken == nil {
			broken = err
		}
	}
	if err := d.chooseEpoch(fs, dir); err != nil || broken != nil {
		return d, cmp.Or(broken, err)
	}
	for _, l := range d.sorted() {
		if l.tail != nil {
			d.commit = max(d.commit, l.tail.commit)
			d.faults = append(d.faults, l.tail.faults...)
		}
	}
	d.readPositions(fs, dir)
	d.measure(fs, dir)
	return d, nil
}

// measure finds what the files take: as the newest segment says of those before
// it, and by asking for the others.
func (d *found) measure(fs fsys, dir string) {
	for _, l := range d.lanes {
		var known []sizes
		if l.tail != nil {
			for _, t := range l.tail.tables {
				known = append(known, parseSizes(t.bytes)...)
			}
		}
		for i := range l.segs {
			s := &l.segs[i]
			for _, k := range known {
				if s.size == unknownSize && s.seq >= k.from && s.seq <= k.to {
					s.size = k.size
				}
			}
			if s.size == unknownSize {
				s.size = sizeOf(fs, filepath.Join(dir, s.name(l.name)))
			}
		}
		for _, all := range [][]listing{l.bad, l.spares} {
			for i := range all {
				all[i].size = sizeOf(fs, filepath.Join(dir, all[i].name))
			}
		}
	}
}

func (d *found) sorted() []*foundLane {
	var all []*foundLane
	for _, l := range d.lanes {
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b *foundLane) int { return cmp.Compare(a.name, b.name) })
	return all
}

// errNothing says that nothing was ever written here.
var errNothing = errors.New("there is no log yet")

// chooseEpoch settles which log this is, if a file of another one lies about:
// that whose epochs are those of most lanes, then what was written last. A lane
// that was not written to since an epoch began is still in the one before.
func (d *found) chooseEpoch(fs fsys, dir string) error {
	var best *tail
	most := 0
	for _, l := range d.sorted() {
		if t := l.tail; t != nil {
			if n := d.votes(t.header.lineage); best == nil || n > most || n == most && t.commit > best.commit {
				best, most = t, n
			}
		}
	}
	if best == nil {
		return d.nothing()
	}
	d.lineage = best.header.lineage
	for _, l := range d.sorted() {
		if l.tail != nil && !d.has(l.tail.header.lineage) {
			if err := d.findTail(fs, dir, l, d.has); err != nil {
				return err
			}
		}
	}
	return nil
}

// votes is how many lanes end in one of the epochs of line.
func (d *found) votes(line lineage) (n int) {
	for _, l := range d.lanes {
		if l.tail != nil && (l.tail.header.epoch == line.epoch || slices.Contains(line.former, l.tail.header.epoch)) {
			n++
		}
	}
	return n
}

func anyLineage(lineage) bool { return true }

// nothing tells a log that was never written to from one that is unreadable.
func (d *found) nothing() error {
	for _, l := range d.lanes {
		if len(l.aside)+len(l.bad)+len(l.segs) > 0 || len(l.spares) > 1 || l.parts || l.next > 1 {
			return errNoLog
		}
	}
	return errNothing
}

// findTail goes back from the newest file of a lane to the newest segment that
// was written to. The lane's next number is above whatever a name or a frame on
// this way says, so that none is given twice. What can't be read now stays where
// it is: another day it may be.
func (d *found) findTail(fs fsys, dir string, l *foundLane, ours func(lineage) bool) error {
	l.tail, l.next = nil, max(1, l.passed)
	for _, b := range l.bad {
		_, s, _, _ := parseName(b.name)
		l.next = max(l.next, s.first)
	}
	var unread []segment // newest first
	defer func() {
		if l.blind = len(unread) > 0; l.blind && l.tail != nil {
			l.segs[len(l.segs)-1].end = unknownEnd
		}
		slices.Reverse(unread)
		l.segs = append(l.segs, unread...)
	}()
	for ; len(l.segs) > 0; l.segs = l.segs[:len(l.segs)-1] {
		s := &l.segs[len(l.segs)-1]
		s.size = sizeOf(fs, filepath.Join(dir, s.name(l.name)))
		f, h, err := openSegment(fs, dir, l.name, *s)
		switch {
		case errors.Is(err, errNewer):
			f.Close()
			return err
		case f == nil && errors.Is(err, os.ErrNotExist):
			return errMoved
		}
		foreign := err == nil && !ours(h.lineage)
		if !foreign {
			l.next = max(l.next, s.first)
		}
		switch {
		case foreign:
			d.setAside(l, *s, 0, "it is of another log")
		case err == nil && h.lane == l.name && h.seq == s.seq && h.first == s.first:
			l.tail, l.least = readTail(f, h, s), l.next
			l.next = max(l.next, l.tail.next)
			f.Close()
			if _, err := fs.size(filepath.Join(dir, s.name(l.name))); errors.Is(err, os.ErrNotExist) {
				return errMoved // to a View, which read how it was written anew
			}
			if t := l.tail; t.err != nil && t.errAt >= t.end {
				d.headless(*s, l, t.err)
			}
			return nil
		case err == nil && h.lane == l.name && h.seq < s.seq: // recycled, and not begun
			l.spares = append(l.spares, listing{s.name(l.name), s.size})
		case err == nil:
			d.setAside(l, *s, 0, fmt.Sprintf("it says that it is segment %d of %s", h.seq, h.lane))
		default:
			if errors.Is(err, errNoHeader) {
				err = d.judge(f, l, *s)
			}
			if err != nil {
				d.headless(*s, l, err)
				unread = append(unread, *s)
			}
		}
		if f != nil {
			f.Close()
		}
		l.passed = l.next
	}
	return nil
}

// headless says that what was written last can't be read.
func (d *found) headless(s segment, l *foundLane, err error) {
	l.lost = true
	d.lost = cmp.Or(d.lost, fmt.Sprintf("the head of the log can't be read: %s: %v", s.name(l.name), err))
}

func (d *found) setAside(l *foundLane, s segment, next uint64, what string) {
	l.aside = append(l.aside, s)
	d.faults = append(d.faults, Fault{s.name(l.name), 0, s.first, max(next, s.first) - 1, what})
}

// ahead says which lane had more than is here, as the other lanes or a position
// know it; empty if none. Numbers go on behind what they know of.
func (d *found) ahead(lanes []LaneConfig) (what string) {
	for _, l := range lanes {
		if d.lanes[l.Name] == nil {
			d.lanes[l.Name] = &foundLane{name: l.Name, next: 1}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.marks)) {
		if l := d.lanes[name]; l != nil && d.marks[name] > l.next {
			what = cmp.Or(what, fmt.Sprintf("lane %s was on disk up to %d, and ends at %d", name, d.marks[name]-1, l.next-1))
			l.base = max(l.base, d.marks[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.positions)) {
		if l := d.lanes[laneOf(name)]; l != nil && d.positions[name] >= l.next {
			what = cmp.Or(what, fmt.Sprintf("position %s is %d, and its lane ends at %d", name, d.positions[name], l.next-1))
			l.base = max(l.base, d.positions[name]+1)
		}
	}
	if what == "" {
		return ""
	}
	return what + ": the head of the log is lost, or an old image was put back"
}
