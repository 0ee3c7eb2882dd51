package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
)

// keptDir holds every site file that ran on a buffer, by its hash, as events
// name it: whoever audits a limit of last year can see it.
const keptDir = "sites"

// mostKept is how many are kept; of more the oldest go.
const mostKept = 100

var isHash = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// keptAt is where the site file of a hash is kept.
func keptAt(dir, hash string) string {
	return filepath.Join(dir, keptDir, hash[len("sha256:"):]+".yaml")
}

func keepByHash(s *Site) error {
	if err := os.MkdirAll(filepath.Join(s.Buffer.Dir, keptDir), 0o700); err != nil {
		return err
	}
	if err := replace(keptAt(s.Buffer.Dir, s.Hash), s.Source.Bytes()); err != nil {
		return err
	}
	return forget(filepath.Join(s.Buffer.Dir, keptDir), keptAt(s.Buffer.Dir, s.Hash))
}

// forget removes the oldest of too many, but never the one that runs, however
// long ago it was new.
func forget(dir, runs string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= mostKept {
		return err
	}
	age := func(e fs.DirEntry) int64 {
		i, err := e.Info()
		if err != nil {
			return 0
		}
		return i.ModTime().UnixNano()
	}
	sort.SliceStable(entries, func(i, j int) bool { return age(entries[i]) < age(entries[j]) })
	for _, e := range entries[:len(entries)-mostKept] {
		if path := filepath.Join(dir, e.Name()); path != runs {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// Kept is the site file of a hash (sha256: and hex) that once ran on the buffer
// in dir.
func Kept(dir, hash string) ([]byte, error) {
	if !isHash.MatchString(hash) {
		return nil, fmt.Errorf("%.80q is no hash; want sha256: and 64 hex digits", hash)
	}
	text, err := os.ReadFile(keptAt(dir, hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no site file with the hash %s is kept here", hash)
	}
	if sum := sha256.Sum256(text); err == nil && "sha256:"+hex.EncodeToString(sum[:]) != hash {
		return nil, fmt.Errorf("what is kept as the site file %s is not it: it was changed since", hash)
	}
	return text, err
}
