package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// What the agent keeps in the buffer's folder beside the log.
const (
	IdentityFile = "identity.key"
	goodFile     = "site.good.yaml"
	goodProfiles = "profiles.good" // folder; the profiles that goodFile needs
	DefaultDir   = "/var/lib/pithead"
)

// KeepGood puts the site's text into its buffer's folder, as what to run when
// the site file is bad one day. Where that is is noted in the folder for the
// agent's state too, since a bad file may not say it any more; that one may be
// out of reach, and then there is no note.
func KeepGood(s *Site) error {
	if err := keepProfiles(s); err != nil {
		return fmt.Errorf("keep the good profiles: %w", err)
	}
	if err := replace(filepath.Join(s.Buffer.Dir, goodFile), s.Source.Bytes()); err != nil {
		return fmt.Errorf("keep the good site file: %w", err)
	}
	if err := keepByHash(s); err != nil {
		return fmt.Errorf("keep the site file by its hash: %w", err)
	}
	note := noteOf(s.File)
	if s.Buffer.Dir == DefaultDir {
		_ = os.Remove(note) // of a buffer that was elsewhere
	} else if os.MkdirAll(filepath.Dir(note), 0o700) == nil {
		_ = replace(note, []byte(s.Buffer.Dir))
	}
	return nil
}

// keepProfiles keeps the profiles too that did not come with the agent: they
// may be bad one day as well.
func keepProfiles(s *Site) error {
	dir := filepath.Join(s.Buffer.Dir, goodProfiles)
	for name, src := range s.Profiles {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := replace(filepath.Join(dir, name+".yaml"), src); err != nil {
			return err
		}
	}
	return nil
}

// noteOf is the note of where a site file's buffer was.
func noteOf(file string) string {
	state := os.Getenv("STATE_DIRECTORY") // set by systemd
	if state == "" {
		state = DefaultDir
	}
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	sum := sha256.Sum256([]byte(file))
	return filepath.Join(state, hex.EncodeToString(sum[:8])+".dir")
}

// replace gives a file new contents in one step. The name beside it is always the
// same: what a power cut leaves there goes with the next.
func replace(path string, text []byte) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == string(text) {
		return nil
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// LastGood is the last good version of a site file that is bad now. Where its
// buffer's folder is, is read from the bad file as far as that goes, else from
// the note that KeepGood left; what lies in the default folder may be of another site.
func LastGood(file string) (*Site, error) {
	src, _ := os.ReadFile(file) // it may be gone altogether
	noted, _ := os.ReadFile(noteOf(file))
	path := filepath.Join(cmp.Or(bufferDir(src), string(noted), DefaultDir), goodFile)
	good, err := os.ReadFile(path)
	if err != nil && len(noted) > 0 {
		path = filepath.Join(string(noted), goodFile)
		good, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	site, problems := (&problems{file: file, ran: true}).parse(good, false, filepath.Join(filepath.Dir(path), goodProfiles))
	if site == nil {
		return nil, fmt.Errorf("%s is bad too: %s", path, Why(problems))
	}
	return site, nil
}

var (
	bufferFlow  = regexp.MustCompile(`(?m)^buffer:[ \t]*\{[^}\n]*\bdir:[ \t]*["']?([^,}"'\s]+)`)
	bufferBlock = regexp.MustCompile(`(?m)^buffer:[ \t]*(?:#.*)?\r?\n(?:[ \t]+.*\r?\n|[ \t]*\r?\n)*?[ \t]+dir:[ \t]*["']?([^"'\s#]+)`)
)

// bufferDir finds the buffer's folder in text that may not be YAML at all; empty
// where that doesn't say.
func bufferDir(src []byte) string {
	for _, re := range []*regexp.Regexp{bufferFlow, bufferBlock} {
		if m := re.FindSubmatch(src); m != nil && strings.HasPrefix(string(m[1]), "/") {
			return string(m[1])
		}
	}
	return ""
}

// GoodPath is where the last good site file of a buffer's folder is.
func GoodPath(dir string) string { return filepath.Join(dir, goodFile) }
