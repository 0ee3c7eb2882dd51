//go:build packed

package config

import (
	_ "embed"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed packed.bin
var packed []byte

var unpacked = sync.OnceValue(func() map[string][]byte { return unpack(packed) })

func builtin(name string) ([]byte, error) {
	if text, ok := unpacked()[name]; ok {
		return text, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// builtins are the names in one of the folders, in order.
func builtins(dir string) (names []string) {
	for name := range unpacked() {
		if name, in := strings.CutPrefix(name, dir+"/"); in && !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
