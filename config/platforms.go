package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const platformsDir = "platforms/"

// ReadForm reads a file of a template. One that begins with platforms/ comes
// with the program, unless it stands beside the site file.
func ReadForm(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if i := strings.LastIndex(filepath.ToSlash(path), platformsDir); errors.Is(err, fs.ErrNotExist) && i >= 0 {
		if own, ours := builtin(filepath.ToSlash(path)[i:]); ours == nil {
			return own, nil
		}
	}
	return text, err
}

// isPlatform says whether a file comes with the program.
func isPlatform(name string) bool {
	_, err := builtin(filepath.ToSlash(name))
	return err == nil && strings.HasPrefix(name, platformsDir)
}
