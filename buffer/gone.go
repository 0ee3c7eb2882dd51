package buffer

import (
	"errors"
	"slices"
)

// ErrRemoved says that files which were being written had been removed.
var ErrRemoved = errors.New("the buffer's files were removed, and what they held is lost")

// Look finds out whether the files that are being written still have their
// names: without them they take what comes as ever, and nobody will read it
// again. If they have not, the log begins anew in the same place, with what is
// left of it, and that is ErrRemoved, once: numbers, positions and the epoch go
// on, and readers are told what is gone. Any other error says why it can't begin
// anew; until it has, nothing is taken. Only the appending goroutine may call it.
func (l *Log) Look() error {
	for _, lane := range l.lanes {
		if lane.isGone() { // without its newest it has to say anew where its numbers go on
			l.removed, lane.unsaid = true, lane.unsaid || lane.next > 1
		}
	}
	if !l.removed {
		return nil
	}
	for _, lane := range l.lanes {
		lane.letGo()
	}
	if err := makeFolder(l.fs, l.parent, l.dir); err != nil {
		return err
	}
	if err := l.lockAgain(); err != nil {
		return err
	}
	for _, lane := range l.lanes {
		lane.forget()
	}
	l.removed = false
	return ErrRemoved
}

// lockAgain holds the folder against other writers, if the lock went with it.
func (l *Log) lockAgain() error {
	if l.unlock == nil || (diskFile{l.unlock}).named(l.unlock.Name()) {
		return nil
	}
	f, err := lock(l.parent)
	if err == nil {
		l.unlock.Close()
		l.unlock = f
	}
	return err
}

// isGone says that the newest segment has lost its name, be it to a copy.
func (l *Lane) isGone() bool {
	n := len(l.segs)
	if n == 0 {
		return false
	}
	name := l.segs[n-1].name(l.name)
	return l.lacks(name) || l.w != nil && !l.w.named(l.path(name))
}

func (l *Lane) lacks(name string) bool {
	_, err := l.log.fs.size(l.path(name))
	return gone(err)
}

// forget leaves out files that are not there any more.
func (l *Lane) forget() {
	segs := slices.DeleteFunc(slices.Clone(l.segs), func(s segment) bool { return l.lacks(s.name(l.name)) })
	var left [3][]listing
	for i, all := range [][]listing{l.spares, l.bad, l.old} {
		left[i] = slices.DeleteFunc(slices.Clone(all), func(f listing) bool { return l.lacks(f.name) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segs, l.spares, l.bad, l.old = segs, left[0], left[1], left[2]
}
