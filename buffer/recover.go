package buffer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
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
	epoch     [16]byte
	lanes     map[string]*foundLane
	positions map[string]uint64
	marks     map[string]uint64 // how far each lane was on disk, as the others know it
	commit    uint64            // the newest
	faults    []Fault
}

type foundLane struct {
	name   string
	segs   []segment // by sequence; the last is the newest that was written to
	bad    []listing
	spares []listing // files that hold nothing: a crash came before their first frame
	parts  bool      // of that frame something is in one of them
	aside  []segment // newer than segs, and unreadable or of another log
	next   uint64
	least  uint64 // what next is at least, whatever the tail holds
	tail   *tail  // of the last segment, nil if the lane has none
}

var (
	errNoLog = errors.New("no segment has a readable beginning")
	// errNoHead says that what was written last can't be read, so that nobody
	// knows which numbers were given.
	errNoHead = errors.New("the head of the log can't be read")
)

// look reads the newest segment of each lane. errNewer and errNoLog say that
// the folder can't be gone on with; errNothing that there is no log in it.
func look(fs fsys, dir string) (*found, error) {
	lanes, err := listLanes(fs, dir)
	if err != nil {
		return nil, err
	}
	d := &found{lanes: map[string]*foundLane{}, positions: map[string]uint64{}, marks: map[string]uint64{}}
	for name, l := range lanes {
		d.lanes[name] = &foundLane{name: name, segs: l.segs, bad: l.bad, next: 1}
	}
	var broken error // the first; the others may still know the epoch
	for _, l := range d.sorted() {
		if err := d.findTail(fs, dir, l, nil); err != nil && broken == nil {
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
	return d, nil
}

func (d *found) sorted() []*foundLane {
	var all []*foundLane
	for _, l := range d.lanes {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *foundLane) int { return cmp.Compare(a.name, b.name) })
	return all
}

// errNothing says that nothing was ever written here.
var errNothing = errors.New("there is no log yet")

// chooseEpoch settles which log this is, if a file of another one lies about:
// what most lanes say, then what was written last.
func (d *found) chooseEpoch(fs fsys, dir string) error {
	votes := map[[16]byte]int{}
	var best *tail
	for _, l := range d.sorted() {
		if l.tail == nil {
			continue
		}
		votes[l.tail.header.epoch]++
	}
	for _, l := range d.sorted() {
		if t := l.tail; t != nil && (best == nil || votes[t.header.epoch] > votes[best.header.epoch] ||
			votes[t.header.epoch] == votes[best.header.epoch] && t.commit > best.commit) {
			best = t
		}
	}
	if best == nil {
		return d.nothing()
	}
	d.epoch = best.header.epoch
	for _, l := range d.sorted() {
		if l.tail != nil && l.tail.header.epoch != d.epoch {
			if err := d.findTail(fs, dir, l, &d.epoch); err != nil {
				return err
			}
		}
	}
	return nil
}

// nothing tells a log that was never written to from one that is unreadable.
func (d *found) nothing() error {
	for _, l := range d.lanes {
		if len(l.aside)+len(l.bad) > 0 || len(l.spares) > 1 || l.parts || l.next > 1 {
			return errNoLog
		}
	}
	return errNothing
}

// findTail goes back from the newest file of a lane to the newest segment that
// was written to. The lane's next number is above whatever a name or a frame on
// this way says, so that none is given twice.
func (d *found) findTail(fs fsys, dir string, l *foundLane, epoch *[16]byte) error {
	l.tail, l.next = nil, 1
	for _, b := range l.bad {
		_, s, _, _ := parseName(b.name)
		l.next = max(l.next, s.first)
	}
	for ; len(l.segs) > 0; l.segs = l.segs[:len(l.segs)-1] {
		s := &l.segs[len(l.segs)-1]
		f, h, err := openSegment(fs, dir, l.name, *s)
		switch {
		case errors.Is(err, errNewer):
			f.Close()
			return err
		case f == nil && errors.Is(err, os.ErrNotExist):
			return errMoved
		}
		foreign := err == nil && epoch != nil && h.epoch != *epoch
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
			if t := l.tail; t.err != nil && t.errAt >= t.end {
				return fmt.Errorf("%w: %s: %w", errNoHead, s.name(l.name), t.err)
			}
			return nil
		case err == nil && h.lane == l.name && h.seq < s.seq: // recycled, and not begun
			l.spares = append(l.spares, listing{s.name(l.name), s.size})
		case err == nil:
			d.setAside(l, *s, 0, fmt.Sprintf("it says that it is segment %d of %s", h.seq, h.lane))
		case errors.Is(err, errNoHeader):
			err = d.judge(f, l, *s)
		default:
			err = fmt.Errorf("%w: %s: %w", errNoHead, s.name(l.name), err)
		}
		if f != nil {
			f.Close()
		}
		if errors.Is(err, errNoHead) {
			return err
		}
	}
	return nil
}

func (d *found) setAside(l *foundLane, s segment, next uint64, what string) {
	l.aside = append(l.aside, s)
	d.faults = append(d.faults, Fault{s.name(l.name), 0, s.first, max(next, s.first) - 1, what})
}

// ahead says which lane had more than is here, as the other lanes or a position
// know it; empty if none.
func (d *found) ahead(lanes []LaneConfig) string {
	next := map[string]uint64{}
	for _, l := range lanes {
		next[l.Name] = 1
	}
	for name, l := range d.lanes {
		next[name] = l.next
	}
	for _, name := range slices.Sorted(maps.Keys(d.marks)) {
		if n, here := d.marks[name], max(next[name], 1); n > here {
			return fmt.Sprintf("lane %s was on disk up to %d, and ends at %d", name, n-1, here-1)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.positions)) {
		if end, ok := next[laneOf(name)]; ok && d.positions[name] >= end {
			return fmt.Sprintf("position %s is %d, and its lane ends at %d", name, d.positions[name], end-1)
		}
	}
	return ""
}
