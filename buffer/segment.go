package buffer

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
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

const (
	unknownEnd  = -1
	unknownSize = -1
)

// sizeOf is what a file takes, in whole blocks. One that can't be asked for is
// taken for a whole segment, so that the lane does not pass its size; one that
// is gone takes nothing.
func sizeOf(fs fsys, path string) int64 {
	n, err := fs.size(path)
	for try := 0; err != nil && try < 2 && !errors.Is(err, os.ErrNotExist); try++ {
		n, err = fs.size(path)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0
	case err != nil:
		return mostSegment
	}
	return blocks(n)
}

func (s segment) name(lane string) string {
	return fmt.Sprintf("%s-%016x-%016x.seg", lane, s.seq, s.first)
}

// parseName reads a file's name; ok is false for files that are not the log's.
func parseName(name string) (lane string, s segment, bad, ok bool) {
	rest, bad := strings.CutSuffix(name, ".bad")
	rest, seg := strings.CutSuffix(rest, ".seg")
	lane, numbers, _ := strings.Cut(rest, "-")
	seq, first, _ := strings.Cut(numbers, "-")
	s.seq, s.first, s.end = hexNumber(seq), hexNumber(first), unknownEnd
	return lane, s, bad, seg && isLane(lane) && s.seq > 0 && s.first > 0
}

func isLane(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0 && len(name) <= maxLaneName
}

// hexNumber reads 16 digits, lower case; 0 if it is anything else.
func hexNumber(digits string) (n uint64) {
	if len(digits) != 16 {
		return 0
	}
	for _, c := range []byte(digits) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return 0
		}
		n = n<<4 | uint64(c)
	}
	return n
}

// files is what a folder holds of one lane, by name alone.
type files struct {
	segs   []segment // by sequence
	bad    []listing // set aside by an earlier run
	spares []listing // what a lane has in reserve
}

// listLanes sorts a folder's files by lane. It does not ask for their sizes: of a
// thousand files that takes longer than all the rest of an Open.
func listLanes(fs fsys, dir string) (map[string]*files, error) {
	all, err := fs.list(dir)
	for try := 0; err != nil && try < 2 && !errors.Is(err, os.ErrNotExist); try++ {
		all, err = fs.list(dir)
	}
	if err != nil {
		return nil, err
	}
	lanes := map[string]*files{}
	for _, name := range all {
		lane, s, bad, ok := parseName(name)
		spare := false
		if !ok {
			lane, spare = strings.CutSuffix(name, reserveEnding)
			if !spare || !isLane(lane) {
				continue
			}
		}
		l := lanes[lane]
		if l == nil {
			l = &files{}
			lanes[lane] = l
		}
		s.size = unknownSize
		switch {
		case spare:
			l.spares = append(l.spares, listing{name, unknownSize})
		case bad:
			l.bad = append(l.bad, listing{name, unknownSize})
		default:
			l.segs = append(l.segs, s)
		}
	}
	for _, l := range lanes {
		l.segs = inSequence(l.segs)
	}
	return lanes, nil
}

// inSequence sorts segments. Mostly their numbers follow on each other, so that
// each has its place: of a long log sorting takes longer than taking the names apart.
func inSequence(segs []segment) []segment {
	if len(segs) == 0 {
		return segs
	}
	least, most := segs[0].seq, segs[0].seq
	for i := range segs {
		least, most = min(least, segs[i].seq), max(most, segs[i].seq)
	}
	if most-least == uint64(len(segs))-1 {
		placed := make([]segment, len(segs))
		for _, s := range segs {
			placed[s.seq-least] = s
		}
		if !slices.ContainsFunc(placed, func(s segment) bool { return s.seq == 0 }) {
			return placed
		}
	}
	sort.SliceStable(segs, func(i, j int) bool {
		return cmp.Or(cmp.Compare(segs[i].seq, segs[j].seq), cmp.Compare(segs[i].first, segs[j].first)) < 0
	})
	return segs
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
