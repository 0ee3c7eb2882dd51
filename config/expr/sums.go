package expr

import "time"

// A sum is the samples of one slot of a window.
type sum struct {
	from, to    time.Duration
	n           float64
	sum         float64
	least, most float64
}

// addSum puts a sample into its slot; the oldest slot goes when all are taken.
func (w *windowState) addSum(m mark) {
	s := &w.sums[w.head]
	if s.n > 0 && m.at-s.from >= w.length/slots {
		w.head = (w.head + 1) % len(w.sums)
		s = &w.sums[w.head]
		*s = sum{}
	}
	if s.n == 0 {
		*s = sum{from: m.at, least: m.v, most: m.v}
	}
	s.to, s.n, s.sum = m.at, s.n+1, s.sum+m.v
	s.least, s.most = min(s.least, m.v), max(s.most, m.v)
}

// summed is the mean, least, most or median of the samples that are younger than
// the window is long; of a slot that holds several the median takes the mean.
func (w *windowState) summed() (float64, bool) {
	if !w.any {
		return 0, false
	}
	var all sum
	w.sorted = w.sorted[:0]
	for i := range w.sums {
		s := &w.sums[i]
		if s.n == 0 || s.to <= w.last.at-w.length {
			continue
		}
		if all.n == 0 {
			all.least, all.most = s.least, s.most
		}
		all.n, all.sum = all.n+s.n, all.sum+s.sum
		all.least, all.most = min(all.least, s.least), max(all.most, s.most)
		if w.kind == wMedian {
			w.sorted = append(w.sorted, s.sum/s.n)
		}
	}
	switch w.kind {
	case wMin:
		return all.least, true
	case wMax:
		return all.most, true
	case wMedian:
		return median(w.sorted), true
	}
	return all.sum / all.n, true
}
