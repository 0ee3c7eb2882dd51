//go:build !packed

package config

import (
	"bytes"
	"io/fs"
	"testing"
)

// What a release holds is what stands in the folders.
func TestWhatIsPackedComesOutAgain(t *testing.T) {
	packed, err := Pack()
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(packed)
	n := 0
	err = fs.WalkDir(folders, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		want, err := folders.ReadFile(name)
		if !bytes.Equal(files[name], want) {
			t.Errorf("%s comes out as %d bytes, not %d", name, len(files[name]), len(want))
		}
		return err
	})
	if err != nil || n < 50 || n != len(files) {
		t.Errorf("%d of %d files, %v", len(files), n, err)
	}
}
