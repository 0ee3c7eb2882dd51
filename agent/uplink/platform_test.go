package uplink

import (
	"fmt"
	"testing"
)

// A platform keeps what a platform should: the ranges that messages covered,
// and every reading by its number.
type platform struct {
	t      *testing.T
	wanted func(n uint64) bool // whether the uplink is to get reading n
	begins uint64              // where it begins
	end    uint64              // covered without a hole from begins to here
	have   map[uint64]bool
	lost   map[uint64]bool
	before uint64 // last of the message before
}

func newPlatform(t *testing.T, begins uint64, wanted func(uint64) bool) *platform {
	return &platform{t: t, wanted: wanted, begins: begins, end: begins, before: begins, have: map[uint64]bool{}, lost: map[uint64]bool{}}
}

// take judges one message. Fresh says that a connection begins with it: only
// then may it go back.
func (p *platform) take(e envelope, fresh bool) error {
	switch {
	case e.Prev > p.end:
		return fmt.Errorf("a hole: covered to %d, the message begins behind %d", p.end, e.Prev)
	case !fresh && e.Prev != p.before:
		return fmt.Errorf("prev is %d, the message before ended with %d", e.Prev, p.before)
	case e.Last <= e.Prev:
		return fmt.Errorf("it covers (%d, %d]", e.Prev, e.Last)
	}
	at := e.Prev
	if l := e.Lost; l != nil {
		if l.From <= at || l.To < l.From || l.Count > l.To-l.From+1 {
			return fmt.Errorf("lost %+v behind %d", *l, at)
		}
		for n := l.From; n <= l.To; n++ {
			p.lost[n] = true
		}
	}
	sent := map[uint64]bool{}
	for _, r := range e.Readings {
		if sent[r.N] = true; r.N <= at {
			return fmt.Errorf("reading %d comes after %d", r.N, at)
		}
		if !p.wanted(r.N) {
			return fmt.Errorf("reading %d is none of ours", r.N)
		}
		at = r.N
		p.have[r.N] = true
	}
	if e.Last < at {
		return fmt.Errorf("last is %d, but reading %d is in it", e.Last, at)
	}
	if l := e.Thinned; l != nil {
		left := uint64(0)
		for n := l.From; n <= l.To && l.To <= e.Last; n++ {
			if p.wanted(n) && !sent[n] {
				left++
				p.lost[n] = true
			}
		}
		if left != l.Count || l.From <= e.Prev {
			return fmt.Errorf("thinned %+v, and %d are not there", *l, left)
		}
	}
	p.before = e.Last
	if e.Last > p.end {
		for n := max(e.Prev, p.begins) + 1; n <= e.Last; n++ {
			if p.wanted(n) && !p.have[n] && !p.lost[n] {
				return fmt.Errorf("(%d, %d] is covered, but reading %d never came", e.Prev, e.Last, n)
			}
		}
		p.end = e.Last
	}
	return nil
}

// whole says that everything that is wanted up to n has come or is told as lost.
func (p *platform) whole(n uint64) error {
	for k := p.begins + 1; k <= n; k++ {
		if p.wanted(k) && !p.have[k] && !p.lost[k] {
			return fmt.Errorf("reading %d never came", k)
		}
	}
	return nil
}
