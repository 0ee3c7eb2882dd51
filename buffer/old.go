package buffer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// moveAside gives dir another name beside it, in one step, so that a crash
// leaves either all of it or none.
func moveAside(fs fsys, parent, dir string) (string, error) {
	for n := 1; ; n++ {
		to := oldName(dir, n)
		_, err := fs.stat(to)
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if err := fs.rename(dir, to); err != nil {
			return "", err
		}
		return to, fs.syncDir(parent)
	}
}

func oldName(dir string, n int) string { return fmt.Sprintf("%s.old-%d", dir, n) }

// findOld finds what logs that were moved aside take of the lanes' space: they
// stay as they are until that is needed.
func (d *found) findOld(fs fsys, parent string) {
	var empty string // the newest, if nothing is left of it
	defer func() {
		if empty != "" {
			_ = fs.remove(empty)
		}
	}()
	for n := 1; ; n++ {
		dir := oldName(filepath.Join(parent, "log"), n)
		if _, err := fs.stat(dir); err != nil {
			return
		}
		empty = ""
		lanes, err := listLanes(fs, dir)
		if err != nil {
			continue
		}
		if len(lanes) == 0 {
			empty = dir
		}
		for name, l := range lanes {
			if d.lanes[name] == nil {
				d.lanes[name] = &foundLane{name: name, next: 1}
			}
			for _, s := range l.segs {
				l.bad = append(l.bad, listing{s.name(name), s.size})
			}
			for _, f := range append(l.bad, l.spares...) {
				f.size = sizeOf(fs, filepath.Join(dir, f.name))
				f.name = filepath.Join("..", filepath.Base(dir), f.name)
				d.lanes[name].old = append(d.lanes[name].old, f)
			}
		}
	}
}
