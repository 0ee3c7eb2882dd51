package uplink

import (
	"fmt"
)

// A platform keeps what a platform should: the ranges that messages covered,
// and every record by its number.
type platform struct {
	wanted func(n uint64) bool // whether the uplink is to get record n
	begins uint64              // where it begins
	end    uint64              // covered without a hole from begins to here
	have   map[uint64]bool
	lost   map[uint64]bool // that nobody can have any more
	left   map[uint64]bool // that the uplink left out
	before uint64          // last of the message before
	prevs  []uint64        // of the newest messages: where a new connection may go back to
}

func newPlatform(begins uint64, wanted func(uint64) bool) *platform {
	return &platform{wanted: wanted, begins: begins, end: begins, before: begins, have: map[uint64]bool{}, lost: map[uint64]bool{}, left: map[uint64]bool{}}
}

// numbers are those of a message's records, in its order.
func (e envelope) numbers() (ns []uint64) {
	for _, r := range e.Readings {
		ns = append(ns, r.N)
	}
	for _, s := range e.Stats {
		ns = append(ns, s.N)
	}
	return ns
}

// take judges one message. Fresh says that a connection begins with it: only
// then may it go back.
func (p *platform) take(e envelope, fresh bool) error {
	if e.Prev > p.end {
		return fmt.Errorf("a hole: covered to %d, the message begins behind %d", p.end, e.Prev)
	}
	if !fresh && e.Prev != p.before {
		return fmt.Errorf("prev is %d, the message before ended with %d", e.Prev, p.before)
	}
	p.before = e.Last
	sent, lost, left, err := p.read(e)
	if err != nil {
		return err
	}
	for _, x := range []struct{ from, to map[uint64]bool }{{sent, p.have}, {lost, p.lost}, {left, p.left}} {
		for n := range x.from {
			x.to[n] = true
		}
	}
	p.end = max(p.end, e.Last)
	return nil
}

// read judges a message alone: that each record of its range that is wanted is
// in it once, or told as lost or left out.
func (p *platform) read(e envelope) (sent, lost, left map[uint64]bool, err error) {
	sent, lost, left = map[uint64]bool{}, map[uint64]bool{}, map[uint64]bool{}
	if e.Last <= e.Prev {
		return nil, nil, nil, fmt.Errorf("it covers (%d, %d]", e.Prev, e.Last)
	}
	at := e.Prev
	if l := e.Lost; l != nil {
		if l.From <= at || l.To < l.From || l.Count > l.To-l.From+1 || l.To > e.Last {
			return nil, nil, nil, fmt.Errorf("lost %+v in (%d, %d]", *l, at, e.Last)
		}
		wanted := uint64(0)
		for n := l.From; n <= l.To; n++ {
			lost[n] = true
			if p.wanted(n) && (e.Thinned == nil || n < e.Thinned.From || n > e.Thinned.To) {
				wanted++
			}
		}
		if l.Count < wanted {
			return nil, nil, nil, fmt.Errorf("lost %+v, of which %d are wanted", *l, wanted)
		}
	}
	for _, n := range e.numbers() {
		if n <= at {
			return nil, nil, nil, fmt.Errorf("record %d comes after %d", n, at)
		}
		if !p.wanted(n) {
			return nil, nil, nil, fmt.Errorf("record %d is none of ours", n)
		}
		at = n
		sent[n] = true
	}
	if e.Last < at {
		return nil, nil, nil, fmt.Errorf("last is %d, but record %d is in it", e.Last, at)
	}
	if l := e.Thinned; l != nil {
		gone := uint64(0) // what was lost may lie between what was left out, and the other way round
		for n := l.From; n <= l.To && l.To <= e.Last; n++ {
			switch {
			case !p.wanted(n) || sent[n]:
			case lost[n]:
				gone++
			default:
				left[n] = true
			}
		}
		if n := uint64(len(left)); l.Count < n || l.Count > n+gone || l.From <= e.Prev {
			return nil, nil, nil, fmt.Errorf("thinned %+v, and %d are not there, besides %d that are lost", *l, n, gone)
		}
	}
	for n := e.Prev + 1; n <= e.Last; n++ {
		if p.wanted(n) && !sent[n] && !lost[n] && !left[n] {
			return nil, nil, nil, fmt.Errorf("(%d, %d] is covered, but record %d is not in it", e.Prev, e.Last, n)
		}
	}
	return sent, lost, left, nil
}

// whole says that everything that is wanted up to n has come, or is told as
// lost or left out.
func (p *platform) whole(n uint64) error {
	for k := p.begins + 1; k <= n; k++ {
		if p.wanted(k) && !p.have[k] && !p.lost[k] && !p.left[k] {
			return fmt.Errorf("record %d never came", k)
		}
	}
	return nil
}
