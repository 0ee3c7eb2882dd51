//go:build race || lent

package lent

// On is set with the race detector, or the tag lent.
const On = true
