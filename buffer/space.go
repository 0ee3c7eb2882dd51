package buffer

import (
	"errors"
	"os"
	"slices"
)

// take finds a file for a segment: one that holds nothing, a new one, or the
// lane's oldest. It is under its new name, on disk, when take returns; until
// its header is written a later run takes it for what it is, an empty file.
func (l *Lane) take(s *segment, capacity, need int64, tight bool) (file, error) {
	spare, err := l.choose(capacity, need, tight)
	if err != nil {
		return nil, err
	}
	l.seq++
	s.seq, s.size = l.seq, spare.size
	how := os.O_RDWR
	if spare.name == "" {
		how |= os.O_CREATE
	} else if err := l.log.fs.rename(l.path(spare.name), l.path(s.name(l.name))); err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			l.addSpare(spare)
		}
		return nil, err
	}
	f, err := l.log.fs.open(l.path(s.name(l.name)), how)
	if err == nil {
		if err = l.log.fs.syncDir(l.log.dir); err == nil {
			return f, nil
		}
		f.Close()
	}
	if spare.name != "" || f != nil {
		l.giveBack(*s, full(err))
	}
	return nil, err
}

// choose makes room for capacity bytes within the budget, and takes a file out
// of the spares; its name is empty if a new one has to be made. If tight only a
// file that has its bytes already will do.
func (l *Lane) choose(capacity, need int64, tight bool) (listing, error) {
	for {
		l.mu.Lock()
		used := l.used()
		i := l.bestSpare(capacity)
		var best listing
		if i >= 0 {
			best = l.spares[i]
		}
		fits := used-best.size+capacity <= l.budget
		enough := !tight || best.size >= need
		if fits && enough && (i >= 0 || !tight) {
			if i >= 0 {
				l.spares = slices.Delete(l.spares, i, i+1)
			}
			l.mu.Unlock()
			return best, nil
		}
		gone, more := l.sacrifice(i, enough)
		l.mu.Unlock()
		if !more { // nothing is left that could be freed: try what there is
			return listing{}, nil
		}
		if gone.name == "" {
			continue
		}
		if err := l.log.fs.remove(l.path(gone.name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			l.addSpare(gone)
			return listing{}, err
		}
	}
}

// bestSpare is the largest that is not too large, -1 if there is none.
func (l *Lane) bestSpare(capacity int64) int {
	best := -1
	for i, s := range l.spares {
		if s.size <= capacity && (best < 0 || s.size > l.spares[best].size) {
			best = i
		}
	}
	return best
}

// sacrifice gives up what is worth least: spares that don't help, files that
// can't be read, then the oldest segment, which becomes a spare. The file to
// remove is empty if it was that.
func (l *Lane) sacrifice(best int, enough bool) (listing, bool) {
	for i, s := range l.spares {
		if i != best || !enough {
			l.spares = slices.Delete(l.spares, i, i+1)
			return s, true
		}
	}
	if len(l.bad) > 0 {
		s := l.bad[0]
		l.bad = l.bad[1:]
		return s, true
	}
	if len(l.segs) == 0 {
		return listing{}, false
	}
	s := l.segs[0]
	l.segs = l.segs[1:]
	l.spares = append(l.spares, listing{s.name(l.name), s.size})
	return listing{}, true
}

// giveBack keeps a file that could not be begun for the next try; where the
// file system is full it is better removed.
func (l *Lane) giveBack(s segment, remove bool) {
	name := s.name(l.name)
	if remove {
		err := l.log.fs.remove(l.path(name))
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
	}
	l.addSpare(listing{name, s.size})
}

func (l *Lane) addSpare(s listing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spares = append(l.spares, s)
}
