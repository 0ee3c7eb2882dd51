// Package lent is for memory that is handed out for a while: "good until the next
// call". Where On is set its owner overwrites it at the end of that while, so that
// whoever keeps it is found out by the first test that looks at what came of it. A
// released binary has nothing of all this; buffer, which imports nothing of ours, has
// the like.
package lent

// Over overwrites all of s, whose while is over; the memory stays its owner's.
func Over[T any](s []T) {
	s = s[:cap(s)]
	clear(s)
	if b, is := any(s).([]byte); is {
		for i := range b {
			b[i] = 0xA5 // no text, and seldom the length of anything
		}
	}
}

// Again is memory in the place of s, whose while is over: none yet, since who keeps the
// old one is to find nothing sensible there.
func Again[T any](s []T) []T {
	Over(s)
	return nil
}
