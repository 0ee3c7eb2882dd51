package main

import (
	"bytes"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

// A lateLog writes to where the log goes, and never holds up who has something to
// say: a journal that hangs with a dying card, or a pipe that nobody reads, must
// not keep a siren quiet. Lines that find no room are counted, and that is told
// once there is some.
type lateLog struct {
	to    io.Writer
	tell  *slog.Logger // straight to it
	lines chan []byte
	lost  atomic.Int64
	quit  chan struct{}
	done  chan struct{}
}

const (
	mostLate = 256                   // lines that wait
	mostWait = 20 * time.Millisecond // that the first to find no room waits for some
	lastWord = time.Second           // that what waits may take at the end
)

func newLateLog(to io.Writer, tell *slog.Logger) *lateLog {
	l := &lateLog{to: to, tell: tell, lines: make(chan []byte, mostLate), quit: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *lateLog) Write(line []byte) (int, error) {
	mine := bytes.Clone(line)
	select {
	case l.lines <- mine:
		return len(line), nil
	default:
	}
	if l.lost.Load() == 0 { // it may only be slow: the mistakes of a site file come all at once
		select {
		case l.lines <- mine:
			return len(line), nil
		case <-time.After(mostWait):
		}
	}
	l.lost.Add(1)
	return len(line), nil
}

func (l *lateLog) run() {
	defer close(l.done)
	for {
		select {
		case line := <-l.lines:
			l.write(line)
		case <-l.quit:
			for len(l.lines) > 0 {
				l.write(<-l.lines)
			}
			return
		}
	}
}

func (l *lateLog) write(line []byte) {
	_, _ = l.to.Write(line) // who reads no log has nothing to be told
	if n := l.lost.Swap(0); n > 0 {
		l.tell.Warn("lines of the log found no room", "lost", n)
	}
}

// Close writes what waits, as far as that goes soon.
func (l *lateLog) Close() {
	close(l.quit)
	select {
	case <-l.done:
	case <-time.After(lastWord):
	}
}
