package buffer

import (
	"errors"
	"fmt"
	"path/filepath"
)

// A View is a log as another process sees it, without a lock, while its writer
// goes on. Its figures are of the moment it was opened; its readers follow the
// writer, and may deliver a newest frame whose sync has not ended yet.
type View struct {
	Epoch     string
	Lanes     []ViewLane // by name
	Positions map[string]uint64
	Faults    []Fault

	fs   fsys
	dir  string
	line lineage
}

// ViewLane is what a View says of one lane.
type ViewLane struct {
	Name        string
	First, Next uint64
	Bytes       int64
}

// OpenView looks at the log of the folder that a Config names, or at one that
// Open set aside.
func OpenView(dir string) (*View, error) { return openView(disk{}, dir) }

func openView(fs fsys, dir string) (*View, error) {
	if isDir, err := fs.stat(filepath.Join(dir, "log")); err == nil && isDir {
		dir = filepath.Join(dir, "log")
	}
	d, err := look(fs, dir)
	for try := 0; try < 10 && errors.Is(err, errMoved); try++ {
		d, err = look(fs, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	v := &View{Epoch: d.lineage.String(), Positions: d.positions, Faults: d.faults, fs: fs, dir: dir, line: d.lineage}
	for _, l := range d.sorted() {
		v.Lanes = append(v.Lanes, l.view())
	}
	return v, nil
}

func (l *foundLane) view() ViewLane {
	v := ViewLane{Name: l.name, First: l.next, Next: l.next}
	if len(l.segs) > 0 {
		v.First = l.segs[0].first
	}
	for _, all := range [][]segment{l.segs, l.aside} {
		for _, s := range all {
			v.Bytes += s.size
		}
	}
	for _, all := range [][]listing{l.spares, l.bad, l.old} {
		for _, s := range all {
			v.Bytes += s.size
		}
	}
	return v
}

// Reader reads a lane, as Lane.Reader does; nil if there is no such lane.
func (v *View) Reader(lane string, from uint64) *Reader {
	for _, l := range v.Lanes {
		if l.Name == lane {
			return newReader(v.fs, v.dir, lane, v.line, viewed{v.fs, v.dir, l}, from)
		}
	}
	return nil
}

// viewed asks the folder each time, since nobody tells a View what changes.
type viewed struct {
	fs   fsys
	dir  string
	lane ViewLane
}

func (v viewed) segments() []segment {
	lanes, err := listLanes(v.fs, v.dir)
	if err != nil || lanes[v.lane.Name] == nil {
		return nil
	}
	return lanes[v.lane.Name].segs
}

func (v viewed) find(n uint64) (segment, bool) { return findSegment(v.segments(), n) }

func (v viewed) at(seq uint64) place {
	p := placeOf(v.segments(), seq, v.lane.Next)
	if p.here {
		p.size = sizeOf(v.fs, filepath.Join(v.dir, p.name(v.lane.Name)))
	}
	return p
}

// errMoved says that a segment went while a View looked at it.
var errMoved = errors.New("a segment went while it was looked at")
