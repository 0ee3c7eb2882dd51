package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pithead/drivers"
)

// line is one output on the bus.
type line struct {
	id      string
	out     drivers.Output
	known   bool // want counts
	want    bool
	sure    bool // written, and read back where that can be
	next    time.Time
	pending bool // the judge waits for a report
	fresh   bool // want is new
}

// switched tells the judge how writing an output went.
type switched struct {
	Output string
	On     bool
	Err    error
}

const (
	rewrite = 10 * time.Second // an output is written again
	retry   = time.Second      // an output that could not be written
)

// order takes in what the judge wants of the outputs.
func (b *busLoop) order(wants map[string]bool, now time.Time) {
	for _, l := range b.lines {
		if on, ok := wants[l.id]; ok {
			l.fresh = l.fresh || !l.known || l.want != on
			// Written even if it is so already: the judge waits for a report.
			l.known, l.want, l.pending, l.sure, l.next = true, on, true, false, earlier(l.next, now)
		}
	}
}

// switchOne writes the output that is due, first what the judge has just asked
// for, and says whether to go on with that before any poll. What is written
// again, or tried again, takes turns with the polls: outputs of a dead unit must
// not keep the others' points from being read.
func (b *busLoop) switchOne(ctx context.Context, now time.Time) (first bool) {
	l := b.dueLine(now)
	if l == nil {
		return false
	}
	fresh := l.fresh
	err := l.write(ctx)
	if ctx.Err() != nil {
		return true
	}
	done := time.Now()
	l.next = done.Add(rewrite)
	if err != nil {
		l.next = done.Add(retry)
	}
	if l.pending || l.sure != (err == nil) {
		b.report(switched{Output: l.id, On: l.want, Err: err})
	}
	l.pending, l.fresh, l.sure = false, false, err == nil
	return fresh
}

// dueLine is the output to write now: a fresh wish, trips before notices, else
// the one that has waited longest.
func (b *busLoop) dueLine(now time.Time) (due *line) {
	for _, l := range b.lines {
		switch {
		case !l.known || l.next.After(now):
		case l.fresh:
			return l
		case due == nil || l.next.Before(due.next):
			due = l
		}
	}
	return due
}

// write sets the output and reads it back where that can be.
func (l *line) write(ctx context.Context) error {
	if err := l.out.Set(ctx, l.want); err != nil {
		return err
	}
	on, err := l.out.Get(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return fmt.Errorf("read back: %w", err)
	case on != l.want:
		return errors.New("read back: it did not switch")
	}
	return nil
}
