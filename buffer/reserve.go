package buffer

import "os"

// A lane that has but one segment could not go on where something else fills the
// file system: the newest is never overwritten. So it keeps an empty file beside
// it, until an older segment is there in its place.

const reserveEnding = ".spare"

// wanted is the least of a file in which a segment can begin whatever the file
// system says: its header, and twice the largest frame of this run, of which one
// may be the key.
func (l *Lane) wanted() int64 {
	return min(max(leastSegment, block+2*l.largest), l.most)
}

// others is how many files besides the newest segment a segment could begin in.
func (l *Lane) others() (n int) {
	want := l.wanted()
	for _, s := range l.segs[:max(len(l.segs)-1, 0)] {
		if s.size >= want {
			n++
		}
	}
	for _, s := range l.spares {
		if s.size >= want {
			n++
		}
	}
	return n
}

// least is what the newest segment, which takes so much, has to keep when it ends:
// what it holds, and enough to be begun anew, unless two others can take turns.
func (l *Lane) least(end, size int64) int64 {
	if l.others() < 2 {
		return max(end, min(size, l.wanted()))
	}
	return end
}

// reserve makes that file where the lane has no other. What can't be made now is
// tried again some Flushes later.
func (l *Lane) reserve() {
	want := l.wanted()
	if l.w == nil || l.reserved >= want {
		return
	}
	if l.pause > 0 {
		l.pause--
		return
	}
	l.reserved = want
	file, grows := listing{l.name + reserveEnding, want}, len(l.spares) > 0
	full := l.used()-l.segs[len(l.segs)-1].size+l.capacity+want > l.budget
	if full || l.others() > 0 || grows && l.spares[0].name != file.name {
		return
	}
	err := l.makeReserve(l.path(file.name), want)
	if err != nil {
		l.log.fails(err)
		l.reserved, l.pause = 0, pauses
		file.size = sizeOf(l.log.fs, l.path(file.name))
	}
	l.mu.Lock()
	l.spares = nil
	l.mu.Unlock()
	l.giveBack(file, err != nil && !grows)
}

// pauses is a minute of an agent that flushes each second.
const pauses = 60

func (l *Lane) makeReserve(path string, size int64) error {
	f, err := l.log.fs.open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	defer f.Close()
	zeros := make([]byte, leastSegment)
	for off := int64(0); off < size; off += leastSegment {
		if _, err := f.WriteAt(zeros[:min(leastSegment, size-off)], off); err != nil {
			return err
		}
	}
	if err := f.datasync(); err != nil {
		return err
	}
	return l.log.fs.syncDir(l.log.dir)
}
