package buffer

import (
	"errors"
	"os"
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
	l.removed = l.removed || slices.ContainsFunc(l.lanes, (*Lane).isGone)
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
	if l.unlock == nil || holds(l.parent, l.unlock) {
		return nil
	}
	f, err := lock(l.parent)
	if err == nil {
		l.unlock.Close()
		l.unlock = f
	}
	return err
}

// isGone says that the newest segment has lost its name.
func (l *Lane) isGone() bool {
	n := len(l.segs)
	return n > 0 && l.lacks(l.segs[n-1].name(l.name))
}

func (l *Lane) lacks(name string) bool {
	_, err := l.log.fs.size(l.path(name))
	return errors.Is(err, os.ErrNotExist)
}

// forget leaves out files that are not there any more. Without its newest the
// lane has to say anew where its numbers go on.
func (l *Lane) forget() {
	segs := slices.DeleteFunc(slices.Clone(l.segs), func(s segment) bool { return l.lacks(s.name(l.name)) })
	l.unsaid = l.unsaid || l.isGone() && l.next > 1
	var left [3][]listing
	for i, all := range [][]listing{l.spares, l.bad, l.old} {
		left[i] = slices.DeleteFunc(slices.Clone(all), func(f listing) bool { return l.lacks(f.name) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segs, l.spares, l.bad, l.old = segs, left[0], left[1], left[2]
}
