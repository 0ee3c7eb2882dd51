package config

import (
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
	DefaultDir   = "/var/lib/pithead"
)

// KeepGood puts the site's text into its buffer's folder, as what to run when
// the site file is bad one day. It replaces the one before it in one step.
func KeepGood(s *Site) error {
	path := filepath.Join(s.Buffer.Dir, goodFile)
	if old, err := os.ReadFile(path); err == nil && string(old) == string(s.Source) {
		return nil
	}
	f, err := os.CreateTemp(s.Buffer.Dir, goodFile+".*")
	if err != nil {
		return fmt.Errorf("keep the good site file: %w", err)
	}
	_, err = f.Write(s.Source)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("keep the good site file: %w", err)
	}
	d, err := os.Open(s.Buffer.Dir)
	if err != nil {
		return fmt.Errorf("keep the good site file: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// LastGood is the last good version of a site file that is bad now. Where its
// buffer's folder is, is read from the bad file as far as that goes.
func LastGood(file string) (*Site, error) {
	src, _ := os.ReadFile(file) // it may be gone altogether
	dir := bufferDir(src)
	path := filepath.Join(dir, goodFile)
	good, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	site, problems := Parse(file, good)
	if site == nil {
		return nil, fmt.Errorf("%s is bad too: %s", path, problems[0])
	}
	return site, nil
}

var (
	bufferFlow  = regexp.MustCompile(`(?m)^buffer:[ \t]*\{[^}\n]*\bdir:[ \t]*["']?([^,}"'\s]+)`)
	bufferBlock = regexp.MustCompile(`(?m)^buffer:[ \t]*(?:#.*)?\r?\n(?:[ \t]+.*\r?\n|[ \t]*\r?\n)*?[ \t]+dir:[ \t]*["']?([^"'\s#]+)`)
)

// bufferDir finds the buffer's folder in text that may not be YAML at all.
func bufferDir(src []byte) string {
	for _, re := range []*regexp.Regexp{bufferFlow, bufferBlock} {
		if m := re.FindSubmatch(src); m != nil && strings.HasPrefix(string(m[1]), "/") {
			return string(m[1])
		}
	}
	return DefaultDir
}
