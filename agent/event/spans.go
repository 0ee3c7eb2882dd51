package event

import (
	"cmp"
	"slices"
)

// A span is numbers, both included.
type span struct{ from, to uint64 }

// cover adds a span to those that are sorted and apart.
func cover(all []span, s span) []span {
	i, _ := slices.BinarySearchFunc(all, s.from, func(o span, from uint64) int { return cmp.Compare(o.to+1, from) })
	j := i
	for ; j < len(all) && all[j].from <= s.to+1; j++ {
		s = span{min(s.from, all[j].from), max(s.to, all[j].to)}
	}
	return slices.Replace(all, i, j, s)
}

// holes are what of s is not covered.
func holes(all []span, s span) (out []span) {
	for _, c := range all {
		if c.to < s.from {
			continue
		}
		if c.from > s.to {
			break
		}
		if c.from > s.from {
			out = append(out, span{s.from, c.from - 1})
		}
		s.from = c.to + 1
	}
	if s.from <= s.to {
		out = append(out, s)
	}
	return out
}
