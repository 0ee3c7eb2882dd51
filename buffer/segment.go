package buffer

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// segment is one file of a lane. What it holds are the numbers from first up to
// where the next one begins.
type segment struct {
	seq   uint64
	first uint64
	size  int64 // bytes on disk
	end   int64 // how far it is on disk and was acknowledged; -1: the next one's header says
	use   uint64
}

const unknownEnd = -1

func (s segment) name(lane string) string {
	return fmt.Sprintf("%s-%016x-%016x.seg", lane, s.seq, s.first)
}

var segmentName = regexp.MustCompile(`^([a-z0-9]{1,32})-([0-9a-f]{16})-([0-9a-f]{16})\.seg(\.bad)?$`)

// parseName reads a file's name; ok is false for files that are not the log's.
func parseName(name string) (lane string, s segment, bad, ok bool) {
	m := segmentName.FindStringSubmatch(name)
	if m == nil {
		return "", segment{}, false, false
	}
	s.seq, _ = strconv.ParseUint(m[2], 16, 64)
	s.first, _ = strconv.ParseUint(m[3], 16, 64)
	s.end = unknownEnd
	return m[1], s, m[4] != "", s.seq > 0 && s.first > 0
}

// files is what a folder holds of one lane, by name alone.
type files struct {
	segs []segment // by sequence
	bad  []listing // set aside by an earlier run
}

// listLanes sorts a folder's files by lane.
func listLanes(fs fsys, dir string) (map[string]*files, error) {
	all, err := fs.list(dir)
	for try := 0; err != nil && try < 2 && !errors.Is(err, os.ErrNotExist); try++ {
		all, err = fs.list(dir)
	}
	if err != nil {
		return nil, err
	}
	lanes := map[string]*files{}
	for _, e := range all {
		lane, s, bad, ok := parseName(e.name)
		if !ok {
			continue
		}
		if lanes[lane] == nil {
			lanes[lane] = &files{}
		}
		l := lanes[lane]
		if s.size = blocks(e.size); bad {
			l.bad = append(l.bad, listing{e.name, s.size})
		} else {
			l.segs = append(l.segs, s)
		}
	}
	for _, l := range lanes {
		slices.SortFunc(l.segs, func(a, b segment) int {
			return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.first, b.first))
		})
	}
	return lanes, nil
}

// openSegment opens a segment for reading and reads its header.
func openSegment(fs fsys, dir, lane string, s segment) (file, header, error) {
	f, err := openAgain(fs, filepath.Join(dir, s.name(lane)))
	if err != nil {
		return nil, header{}, err
	}
	b := make([]byte, block)
	n, err := readAt(f, b, 0)
	if err == nil {
		var h header
		if h, err = parseHeader(b[:n]); err == nil {
			return f, h, nil
		}
	}
	return f, header{}, err
}

func findSegment(segs []segment, n uint64) (segment, bool) {
	for i := len(segs) - 1; i >= 0; i-- {
		if segs[i].first <= n || i == 0 {
			return segs[i], true
		}
	}
	return segment{}, false
}

func placeOf(segs []segment, seq, next uint64) place {
	p := place{next: next}
	for _, s := range segs {
		if s.seq == seq {
			p.segment, p.here = s, true
		}
		if s.seq > seq {
			p.after = &s
			break
		}
	}
	return p
}

// openAgain opens a file for reading, and tries again as readAt does.
func openAgain(fs fsys, path string) (file, error) {
	for try := 0; ; try++ {
		f, err := fs.open(path, os.O_RDONLY)
		if err == nil || try == 2 || errors.Is(err, os.ErrNotExist) {
			return f, err
		}
	}
}
