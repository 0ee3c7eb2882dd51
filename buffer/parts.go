package buffer

import (
	"path/filepath"
	"slices"
)

// A Part of a lane is one segment: what can be read on its own. A Reader that
// begins at First begins with the part's key, if the lane has keys, and reads
// some 16 KiB to give its first frames.
type Part struct {
	First uint64 // its first number; the next part's First is behind its last
	Bytes int64  // on disk
}

// Parts are what the lane has now, oldest first.
func (l *Lane) Parts() []Part {
	l.mu.Lock()
	defer l.mu.Unlock()
	return partsOf(l.segs)
}

// Parts are what a lane has now, oldest first; none if there is no such lane.
// They may go while they are read, as their writer needs the space.
func (v *View) Parts(lane string) []Part {
	for _, l := range v.Lanes {
		if l.Name == lane {
			segs := viewed{v.fs, v.dir, l}.segments()
			for i := range segs {
				segs[i].size = sizeOf(v.fs, filepath.Join(v.dir, segs[i].name(lane)))
			}
			return partsOf(segs)
		}
	}
	return nil
}

func partsOf(segs []segment) []Part {
	parts := make([]Part, len(segs))
	for i, s := range segs {
		parts[i] = Part{First: s.first, Bytes: s.size}
	}
	return parts
}

// Between leaves out the parts that hold nothing of the times from <= t <= to.
// Begins says when a part begins; false where nobody knows. Times go up from
// part to part unless a clock was set back, so each part is judged by itself: it
// goes only if it is known to begin and to end on the same side.
func Between(parts []Part, from, to int64, begins func(Part) (int64, bool)) []Part {
	type start struct {
		t     int64
		known bool
	}
	at := make([]start, len(parts))
	for i, p := range parts {
		at[i].t, at[i].known = begins(p)
	}
	i := -1
	return slices.DeleteFunc(slices.Clone(parts), func(Part) bool {
		i++
		if !at[i].known {
			return false
		}
		if i == len(parts)-1 { // it may still grow
			return at[i].t > to
		}
		end := at[i+1]
		if !end.known || end.t < at[i].t {
			return false
		}
		return end.t < from || at[i].t > to
	})
}
