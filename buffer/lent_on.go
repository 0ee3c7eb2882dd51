//go:build race || lent

package buffer

// lending is set with the race detector, or the tag lent: a frame is handed out in
// memory of its own, which is overwritten when it is good no more. So whoever keeps it
// is found out by the first test that looks at what came of it.
const lending = true
