package uplink

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"pithead/config"
)

// lookEach is how often an uplink looks whether its files were replaced.
const lookEach = 5 * time.Second

// errReplaced ends a connection so that the next one uses the new files.
var errReplaced = errors.New("certificates or password were replaced: connecting with the new ones")

// files are those of one uplink that a person may replace while it runs: what
// was seen of them when they were last read.
type files struct{ seen string }

// looks is the files' state as they are now.
func looks(c config.Uplink) string {
	names := []string{c.CA, c.Cert, c.Key}
	if c.Template != nil {
		names = append(names, c.Template.Table)
		for _, kind := range slices.Sorted(maps.Keys(c.Template.Files)) {
			names = append(names, c.Template.Files[kind])
		}
	}
	if c.Password != nil {
		names = append(names, c.Password.File)
	}
	seen := ""
	for _, name := range names {
		if st, err := os.Stat(name); name != "" && err == nil {
			seen += st.ModTime().String() + " "
		}
		seen += ";"
	}
	return seen
}

// readFiles takes note of the files before they are read for a connection.
func (u *Uplink) readFiles() {
	u.files.seen = looks(u.cfg)
	end := expires(u.cfg)
	u.note(func(s *State) { s.Expires = end })
}

// replaced says whether a connection is to be made anew: other files are there,
// and they can be used. Half of a pair of certificate and key is not.
func (s *session) replaced(now time.Time) bool {
	if now.Sub(s.filed) < lookEach {
		return false
	}
	s.filed = now
	if looks(s.cfg) == s.files.seen {
		return false
	}
	_, err := tlsConfig(s.cfg, "", s.TLS)
	_, wrong := s.cfg.Password.Read()
	return err == nil && wrong == nil
}

// expires is when the first of an uplink's certificates does, zero where there
// is none.
func expires(c config.Uplink) (first time.Time) {
	for _, name := range []string{c.Cert, c.CA} {
		text, err := os.ReadFile(name)
		for err == nil && len(text) > 0 {
			var block *pem.Block
			if block, text = pem.Decode(text); block == nil {
				break
			}
			x, wrong := x509.ParseCertificate(block.Bytes)
			if wrong == nil && (first.IsZero() || x.NotAfter.Before(first)) {
				first = x.NotAfter
			}
		}
	}
	return first
}
