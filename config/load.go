package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Load reads and judges a site file. The Site is nil if any of the problems is
// not a warning. Files and secrets that the site names but that are not there
// are warnings; paths are taken relative to the site file's folder.
func Load(path string) (*Site, []Problem) {
	src, err := readFile(path)
	if err != nil {
		return nil, []Problem{{File: path, Text: err.Error()}}
	}
	return parse(path, src, true)
}

// Parse judges the text of a site file without looking at anything else: it
// touches no disk and no environment.
func Parse(file string, src []byte) (*Site, []Problem) { return parse(file, src, false) }

func parse(file string, src []byte, look bool, profiles ...string) (*Site, []Problem) {
	return (&problems{file: file}).parse(src, look, profiles...)
}

func (p *problems) parse(src []byte, look bool, profiles ...string) (*Site, []Problem) {
	site, parts := unbundle(src)
	if n := p.document(site); n != nil {
		r := newReader(p)
		top := place{line: 1, col: 1}
		if v := r.read(n, sect("site"), top, top); v != nil {
			j := newJudge(r, site, v.obj)
			j.look, j.dirs, j.parts = look, profiles, parts
			if j.include(site) {
				j.run()
			}
			if !p.failed() {
				return j.site, p.sorted()
			}
		}
	}
	return nil, p.sorted()
}

// readFile reads no more than a site file can have.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	var why *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("there is no such file")
	case errors.As(err, &why):
		return nil, fmt.Errorf("can't be read: %w", why.Err)
	case err != nil:
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if errors.As(err, &why) {
		return nil, fmt.Errorf("can't be read: %w", why.Err)
	}
	return src, err
}

// Summary is the one line that says what a good file describes.
func (s *Site) Summary() string {
	alarms, buses := 0, 0
	for _, b := range s.Buses {
		if b.Probe == nil { // which nobody wrote
			buses++
		}
	}
	for _, p := range s.Points {
		alarms += len(p.AllAlarms())
	}
	return fmt.Sprintf("%s: good: %s, %s, %s, %s", s.File,
		count(buses, "bus", "buses"), count(len(s.Points), "point", "points"),
		count(alarms, "alarm", "alarms"), count(len(s.Uplinks), "uplink", "uplinks"))
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
