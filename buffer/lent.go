package buffer

import "slices"

// lend gives a frame memory of its own, until end: see lending.
func (s *scanner) lend(f frame) frame {
	f.table, f.payload = slices.Clone(f.table), slices.Clone(f.payload)
	s.lent = [2][]byte{f.table, f.payload}
	return f
}

// end overwrites that memory.
func (s *scanner) end() {
	for _, b := range s.lent {
		for i := range b {
			b[i] = 0xA5
		}
	}
	s.lent = [2][]byte{}
}
