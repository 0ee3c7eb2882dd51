package buffer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestInSequence(t *testing.T) {
	of := func(seqs ...uint64) (segs []segment) {
		for i, n := range seqs {
			segs = append(segs, segment{seq: n, first: uint64(100 - i)})
		}
		return segs
	}
	all := make([]uint64, 500)
	for i := range all {
		all[i] = uint64(i + 7)
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for story, segs := range map[string][]segment{
		"none":                         nil,
		"one":                          of(3),
		"without a hole":               of(all...),
		"with a hole":                  of(9, 4, 5, 7),
		"one twice":                    of(4, 5, 4, 6),
		"one twice, and a hole":        of(6, 4, 4, 7),
		"as many as the span, not all": of(1, 4, 4, 4),
	} {
		got := inSequence(slices.Clone(segs))
		if len(got) != len(segs) {
			t.Errorf("%s: %d of %d are left", story, len(got), len(segs))
		}
		for i := 1; i < len(got); i++ {
			if a, b := got[i-1], got[i]; a.seq > b.seq || a.seq == b.seq && a.first > b.first {
				t.Errorf("%s: %v stands before %v", story, a, b)
			}
		}
	}
}
