package buffer

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
)

// A lineage is a log's epoch and those that it went through before, newest
// first. What was written in any of them is the log's own; numbers go up through
// all of them, so that no reader and no position has to know.
type lineage struct {
	epoch  [16]byte
	former [][16]byte
}

// begin is the lineage with a new epoch.
func (l lineage) begin() lineage {
	n := lineage{former: slices.Clone(l.former)}
	if l.epoch != ([16]byte{}) {
		n.former = slices.Insert(n.former, 0, l.epoch)
	}
	n.former = n.former[:min(len(n.former), maxFormer)]
	rand.Read(n.epoch[:]) // never fails
	return n
}

// has says whether a segment of lineage o belongs to the log: it is of one of
// its epochs, or of one that its writer began since.
func (l lineage) has(o lineage) bool {
	return o.epoch == l.epoch || slices.Contains(l.former, o.epoch) || slices.Contains(o.former, l.epoch)
}

func (l lineage) String() string { return hex.EncodeToString(l.epoch[:]) }
