package event

// A span is numbers, both included.
type span struct{ from, to uint64 }

// cover adds a span to those that are sorted and apart. What comes is most often
// behind all that is there.
func cover(all []span, s span) []span {
	i := len(all)
	for i > 0 && all[i-1].to+1 >= s.from {
		i--
	}
	j := i
	for ; j < len(all) && all[j].from <= s.to+1; j++ {
		s = span{min(s.from, all[j].from), max(s.to, all[j].to)}
	}
	if i == j {
		all = append(all, span{})
		copy(all[i+1:], all[i:])
	} else {
		all = append(all[:i+1], all[j:]...)
	}
	all[i] = s
	return all
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
