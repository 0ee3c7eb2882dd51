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
	unit    *unit // that it is on; nil where that has no points
	known   bool  // want counts
	want    bool
	sure    bool // written, and read back where that can be
	check   bool // it is written, and is to be read back
	next    time.Time
	pending bool // the judge waits for a report
	fresh   bool // want is new
}

// ready is when the line is to be written again, or read back. What is fresh
// waits for nothing, not even the pause that its unit asks for.
func (l *line) ready() time.Time {
	if l.fresh || l.unit == nil {
		return l.next
	}
	return later(l.next, l.unit.free)
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
			l.check = false
		}
	}
}

// switchOne writes the output that is due, or reads it back: one request. First
// comes what the judge has just asked for, and it says whether to go on with
// that before any poll. What is written again, or tried again, takes turns with
// the polls: outputs of a dead unit must not keep the others' points from being
// read.
func (b *busLoop) switchOne(ctx context.Context, now time.Time) (first bool) {
	l := b.dueLine(now)
	if l == nil {
		return false
	}
	first = l.fresh || l.check && l.pending
	set := !l.check
	err := l.act(ctx)
	if ctx.Err() != nil {
		return true
	}
	done := time.Now()
	if l.unit != nil {
		l.unit.free = done.Add(l.unit.Pause)
		if err == nil && l.unit.life == Offline {
			b.judge(ctx, l.unit, nil, done)
		}
	}
	l.fresh = false
	if l.check = set && err == nil; l.check {
		l.next = done
		return first
	}
	l.next = done.Add(rewrite)
	if err != nil {
		l.next = done.Add(retry)
	}
	if l.pending || l.sure != (err == nil) {
		b.report(switched{Output: l.id, On: l.want, Err: err})
	}
	l.pending, l.sure = false, err == nil
	return first
}

// dueLine is the output to see to now: a fresh wish, trips before notices, then
// one that waits to be read back, else the one that has waited longest.
func (b *busLoop) dueLine(now time.Time) (due *line) {
	for _, l := range b.lines {
		switch {
		case !l.known || l.ready().After(now):
		case l.fresh:
			return l
		case due == nil || l.check && !due.check || l.check == due.check && l.next.Before(due.next):
			due = l
		}
	}
	return due
}

// act sets the output, or reads it back where that can be.
func (l *line) act(ctx context.Context) error {
	if !l.check {
		return l.out.Set(ctx, l.want)
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
