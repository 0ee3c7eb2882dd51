package buffer

import (
	"errors"
	"os"
	"slices"
	"syscall"
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
		l.giveBack(listing{s.name(l.name), s.size}, full(err) && spare.name == "")
	}
	return nil, err
}

// choose makes room for capacity bytes within the budget, and takes the file
// that is to be used out of the spares; its name is empty if a new one has to be
// made. If tight only a file that has its bytes already will do, or what others
// of the lane free.
//
// Segments go oldest first, and whichever is not used again at once is removed:
// after a crash what is left of them has no hole.
func (l *Lane) choose(capacity, need int64, tight bool) (listing, error) {
	largest, spare := l.room()
	if tight && largest < need && spare < need {
		return listing{}, syscall.ENOSPC
	}
	var freed int64
	for {
		l.mu.Lock()
		var best listing
		if n := len(l.spares); n > 0 {
			best = l.spares[n-1]
		}
		fits := l.used()-best.size+capacity <= l.budget
		useful := best.name != "" && best.size <= capacity && (!tight || best.size >= need)
		anew := !tight || largest < need && freed >= need
		if fits && len(l.spares) == 0 && anew || fits && len(l.spares) == 1 && useful {
			l.spares = nil
			l.mu.Unlock()
			return best, nil
		}
		gone, more := l.sacrifice(useful)
		l.mu.Unlock()
		if !more { // nothing is left that could be freed: try what there is
			return listing{}, nil
		}
		if gone.name == "" {
			continue
		}
		if err := l.log.fs.remove(l.path(gone.name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			l.mu.Lock()
			l.spares = slices.Insert(l.spares, 0, gone)
			l.mu.Unlock()
			return listing{}, err
		}
		freed += gone.size
	}
}

// room is the largest file that a segment could begin in as it is, and what the
// others would free: one has to be left to go on with.
func (l *Lane) room() (largest, all int64) {
	for _, s := range l.segs[:max(len(l.segs)-1, 0)] {
		largest, all = max(largest, s.size), all+s.size
	}
	for _, s := range l.spares {
		largest, all = max(largest, s.size), all+s.size
	}
	for _, s := range slices.Concat(l.old, l.bad) {
		all += s.size
	}
	return largest, all - largest
}

// sacrifice gives up what is worth least: spares but for the last if that is
// useful, logs that were moved aside, files that can't be read, then the oldest
// segment, which becomes a spare. The file to remove is empty if it was that.
func (l *Lane) sacrifice(useful bool) (listing, bool) {
	if n := len(l.spares); n > 1 || n == 1 && !useful {
		s := l.spares[0]
		l.spares = l.spares[1:]
		return s, true
	}
	for _, all := range []*[]listing{&l.old, &l.bad} {
		if l.unsaid && len(l.segs) > 1 && all == &l.bad {
			continue // one of them may be what tells of the loss
		}
		if len(*all) > 0 {
			s := (*all)[0]
			*all = (*all)[1:]
			return s, true
		}
	}
	if len(l.segs) < 2 { // the newest says which numbers were given
		return listing{}, false
	}
	s := l.segs[0]
	l.segs = l.segs[1:]
	l.spares = append(l.spares, listing{s.name(l.name), s.size})
	return listing{}, true
}

// yield frees a file of the last lane behind that has one to spare, where the
// file system is full. No lane gives way to one behind it: events are never
// dropped for data. What the other needs to go on it keeps, unless this one can't.
func (l *Log) yield(to *Lane) bool {
	keep := to.others() > 0
	for i := len(l.lanes) - 1; i >= 0 && l.lanes[i] != to; i-- {
		lane := l.lanes[i]
		if keep && lane.others() < 2 && len(lane.old)+len(lane.bad) == 0 {
			continue
		}
		lane.mu.Lock()
		gone, more := lane.sacrifice(false)
		if more && gone.name == "" { // the oldest segment, which is a spare now
			gone, _ = lane.sacrifice(false)
		}
		lane.mu.Unlock()
		if !more {
			continue
		}
		if err := l.fs.remove(lane.path(gone.name)); err == nil || errors.Is(err, os.ErrNotExist) {
			return true
		}
		lane.addSpare(gone)
	}
	return false
}

// Cramped says that the file system is full, so that lanes work within what they
// have, whatever their size. They get their space back by themselves, segment by
// segment.
func (l *Log) Cramped() bool {
	return slices.ContainsFunc(l.lanes, func(lane *Lane) bool { return lane.cramped.Load() })
}

// giveBack keeps a file that could not be begun for the next try, or removes it.
func (l *Lane) giveBack(s listing, remove bool) {
	if remove {
		err := l.log.fs.remove(l.path(s.name))
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
	}
	l.addSpare(s)
}

func (l *Lane) addSpare(s listing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spares = append(l.spares, s)
}
