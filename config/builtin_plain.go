//go:build !packed

package config

import (
	"bytes"
	"compress/flate"
	"embed"
	"encoding/binary"
	"io/fs"
)

//go:embed examples/*.yaml examples/*.sim profiles/*.yaml standards/*.yaml platforms/*/*.tmpl platforms/*/*.yaml
var folders embed.FS

func builtin(name string) ([]byte, error) { return folders.ReadFile(name) }

// builtins are the names in one of the folders, in order.
func builtins(dir string) (names []string) {
	entries, _ := folders.ReadDir(dir) // it is in the binary
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Pack is all of it for a release.
func Pack() ([]byte, error) {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(folders, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := folders.ReadFile(name)
		if err == nil {
			_, err = z.Write(append(binary.AppendUvarint(append([]byte(name), 0), uint64(len(text))), text...))
		}
		return err
	})
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}
