package buffer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// positions is how far each reader of the log got. Anyone sets them; the
// appender takes what changed along in its next frame.
type positions struct {
	mu      sync.Mutex
	all     map[string]position
	change  uint64 // counts changes
	durable uint64 // the last change that is on disk
}

type position struct {
	n       uint64
	dropped bool
	change  uint64
}

// newPositions begins with what an earlier run left. That is not taken for
// durable: what it read may be in memory only, if a sync failed just before that
// run was killed.
func newPositions(from map[string]uint64) *positions {
	p := &positions{all: map[string]position{}}
	for name, n := range from {
		p.set(name, position{n: n})
	}
	return p
}

func (p *positions) get(name string) (uint64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.all[name]
	return at.n, ok && !at.dropped
}

func (p *positions) set(name string, at position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, ok := p.all[name]
	if ok && old.n == at.n && old.dropped == at.dropped || !ok && at.dropped {
		return
	}
	p.change++
	at.change = p.change
	p.all[name] = at
}

func (p *positions) dirty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.change > p.durable
}

// encode is the table for a frame: everything, or what is not yet on disk. The
// caller says stored(change) when it is.
func (p *positions) encode(complete bool) (table []byte, change uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(p.all)) {
		at := p.all[name]
		if complete && at.dropped || !complete && at.change <= p.durable {
			continue
		}
		table = appendPosition(table, name, at)
	}
	if len(table) > maxTable {
		return nil, 0, fmt.Errorf("%d positions are more than a frame takes", len(p.all))
	}
	return table, p.change, nil
}

// stored says that every change up to this one is on disk.
func (p *positions) stored(change uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if change <= p.durable {
		return
	}
	p.durable = change
	for name, at := range p.all {
		if at.dropped && at.change <= change {
			delete(p.all, name)
		}
	}
}

// An entry is the name's length, the name, whether it lives, and its number.
func appendPosition(b []byte, name string, at position) []byte {
	b = binary.AppendUvarint(b, uint64(len(name)))
	b = append(b, name...)
	if at.dropped {
		return append(b, 0)
	}
	return binary.AppendUvarint(append(b, 1), at.n)
}

var errPositions = errors.New("positions that no writer writes")

// parsePositions applies a table to all.
func parsePositions(b []byte, all map[string]uint64) error {
	for len(b) > 0 {
		length, n := binary.Uvarint(b)
		if n <= 0 || length >= uint64(len(b)-n) {
			return errPositions
		}
		name, lives := string(b[n:n+int(length)]), b[n+int(length)]
		b = b[n+int(length)+1:]
		if lives == 0 {
			delete(all, name)
			continue
		}
		at, n := binary.Uvarint(b)
		if n <= 0 || lives != 1 {
			return errPositions
		}
		all[name], b = at, b[n:]
	}
	return nil
}

// laneOf is the lane that a position counts in: what stands before the first
// slash of its name.
func laneOf(position string) string {
	lane, _, _ := strings.Cut(position, "/")
	return lane
}
