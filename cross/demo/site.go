package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed site.yaml
var siteFile string

// addresses are what the site file names and the demo chooses.
type addresses struct{ pond, shaft, broker, page string }

// fill puts the addresses in. Each must stand in the file exactly once, so
// that no change of the file leaves the demo talking to a port of its own.
func fill(file string, a addresses, dir string) (string, error) {
	for _, p := range [][2]string{
		{"127.0.0.1:15021", a.pond},
		{"127.0.0.1:15022", a.shaft},
		{"127.0.0.1:18830", a.broker},
		{"127.0.0.1:18080", a.page},
		{"/tmp/pithead-demo", filepath.Join(dir, "buffer")},
	} {
		if n := strings.Count(file, p[0]); n != 1 {
			return "", fmt.Errorf("site.yaml names %s %d times, want once", p[0], n)
		}
		file = strings.Replace(file, p[0], p[1], 1)
	}
	return file, nil
}

func writeSite(a addresses, dir string) (string, error) {
	text, err := fill(siteFile, a, dir)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "site.yaml")
	return name, os.WriteFile(name, []byte(text), 0o600)
}
