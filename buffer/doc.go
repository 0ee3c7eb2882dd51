// Package buffer is a log on disk with several lanes: bytes in, bytes out,
// numbers and positions. It knows nothing of what the bytes mean.
package buffer
