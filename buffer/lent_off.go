//go:build !race && !lent

package buffer

// lending is set with the race detector, or the tag lent.
const lending = false
