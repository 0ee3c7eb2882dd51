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

func (p *positions) list() map[string]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[string]uint64, len(p.all))
	for name, at := range p.all {
		if !at.dropped {
			all[name] = at.n
		}
	}
	return all
}

func (p *positions) dirty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.change > p.durable
}

// encode is the table for a frame: everything, or what is not yet on disk,
// behind what table holds. The caller says stored(change) when it is.
func (p *positions) encode(table []byte, complete bool) (_ []byte, change uint64, err error) {
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

// What an entry of a table says.
const (
	dropped byte = iota // the position is forgotten; it has no number
	reached             // the position
	mark                // the Next of another lane that was on disk
	sized               // what segments of this lane take; the name is their sequences, from and to
)

// An entry is the name's length, the name, what it says, and its number.
func appendEntry(b []byte, name string, what byte, n uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(name)))
	b = append(append(b, name...), what)
	if what == dropped {
		return b
	}
	return binary.AppendUvarint(b, n)
}

func appendPosition(b []byte, name string, at position) []byte {
	if at.dropped {
		return appendEntry(b, name, dropped, 0)
	}
	return appendEntry(b, name, reached, at.n)
}

var errPositions = errors.New("positions that no writer writes")

// parsePositions applies a table to all.
func parsePositions(b []byte, all map[string]uint64) error {
	return parseTable(b, func(name string, what byte, n uint64) {
		switch what {
		case dropped:
			delete(all, name)
		case reached:
			all[name] = n
		}
	})
}

// parseMarks raises marks to those of a table.
func parseMarks(b []byte, marks map[string]uint64) error {
	return parseTable(b, func(name string, what byte, n uint64) {
		if what == mark {
			marks[name] = max(marks[name], n)
		}
	})
}

// sizes is a run of segments that take the same space.
type sizes struct {
	from, to uint64 // sequences
	size     int64
}

// appendSizes writes what segments take. There are few runs unless each start
// lasted for a few frames only; of very many, the others are asked for.
func appendSizes(b []byte, segs []segment) []byte {
	runs := 0
	for i, s := range segs {
		if i > 0 && s.size == segs[i-1].size {
			continue
		}
		if runs++; runs > mostRuns {
			break
		}
		to := i
		for to+1 < len(segs) && segs[to+1].size == s.size {
			to++
		}
		name := binary.AppendUvarint(binary.AppendUvarint(nil, s.seq), segs[to].seq)
		b = appendEntry(b, string(name), sized, uint64(s.size))
	}
	return b
}

const mostRuns = 64

func parseSizes(b []byte) (all []sizes) {
	_ = parseTable(b, func(name string, what byte, n uint64) {
		from, k := binary.Uvarint([]byte(name))
		if what != sized || k <= 0 || n > 2*mostSegment {
			return
		}
		if to, m := binary.Uvarint([]byte(name[k:])); m > 0 {
			all = append(all, sizes{from, to, blocks(int64(n))})
		}
	})
	return all
}

func parseTable(b []byte, entry func(name string, what byte, n uint64)) error {
	for len(b) > 0 {
		length, n := binary.Uvarint(b)
		if n <= 0 || length >= uint64(len(b)-n) {
			return errPositions
		}
		name, what := string(b[n:n+int(length)]), b[n+int(length)]
		b = b[n+int(length)+1:]
		if what == dropped {
			entry(name, what, 0)
			continue
		}
		at, n := binary.Uvarint(b)
		if n <= 0 || what > sized {
			return errPositions
		}
		entry(name, what, at)
		b = b[n:]
	}
	return nil
}

// laneOf is the lane that a position counts in: what stands before the first
// slash of its name.
func laneOf(position string) string {
	lane, _, _ := strings.Cut(position, "/")
	return lane
}
