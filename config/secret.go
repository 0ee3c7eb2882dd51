package config

import (
	"fmt"
	"os"
	"strings"
)

// Read is what the secret holds now; empty where there is none. It is read each
// time it is needed, so that one that was replaced works without a restart.
func (s *Secret) Read() (string, error) {
	switch {
	case s == nil:
		return "", nil
	case s.File != "":
		b, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		// Editors end a file with a line break, which is no part of a password.
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	v, ok := os.LookupEnv(s.Env)
	if !ok {
		return "", fmt.Errorf("password: the environment has no %s", s.Env)
	}
	return v, nil
}
