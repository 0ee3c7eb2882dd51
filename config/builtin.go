package config

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
)

// What comes with the program, by name: examples/pond.yaml, profiles/…,
// standards/…, platforms/…. A release holds it deflated (packed.bin, by the tag
// packed), which is a quarter of its size; a plain build as it stands in the folders.

// unpack reads what Pack wrote.
func unpack(packed []byte) map[string][]byte {
	all, _ := io.ReadAll(flate.NewReader(bytes.NewReader(packed))) // it is in the binary, and was tried
	files := map[string][]byte{}
	for len(all) > 0 {
		name, rest, _ := bytes.Cut(all, []byte{0})
		n, used := binary.Uvarint(rest)
		rest = rest[max(used, 0):]
		n = min(n, uint64(len(rest)))
		files[string(name)], all = rest[:n:n], rest[n:]
	}
	return files
}
