package buffer

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
)

// What hits a log between its runs, and in them.

func nothing(int) error { return nil }

// someFail is one operation that fails, or the power that goes, or neither.
func someFail(fs *memFS, rng *rand.Rand) func(int) error {
	at, off := fs.op+1+rng.IntN(60), rng.IntN(2) == 0
	return func(op int) error {
		what := fs.trace[len(fs.trace)-1].what
		switch {
		case off && op > at:
			return errOff
		case !off && op == at && what != "read" && what != "open" && what != "list" && what != "size" && what != "stat":
			return errInjected
		}
		return nil
	}
}

// damage hits one file, mostly a newest, and notes what it held.
func (m *battered) damage(fs *memFS, rng *rand.Rand) {
	lane, name, held := m.file(fs, rng)
	if name == "" {
		return
	}
	maps.Copy(m.hit[lane], held)
	b := slices.Clone(fs.live[name].live)
	way := []string{"emptied", "zeroed", "garbage", "without header", "cut", "one bit", "one bit in a header", "deleted", "a copy"}[rng.IntN(9)]
	m.say("%s is %s", name, way)
	at := rng.IntN(len(b) + 1)
	switch way {
	case "emptied":
		b = nil
	case "zeroed":
		clear(b)
	case "garbage":
		b = bytes.Repeat([]byte("garbage"), len(b)/7)
	case "without header":
		clear(b[:min(block, len(b))])
	case "a copy": // of any segment, of either lane
		all := slices.Sorted(maps.Keys(fs.live))
		b = slices.Clone(fs.live[all[rng.IntN(len(all))]].live)
	case "cut":
		b = b[:at]
	case "one bit in a header":
		at = at/block*block + rng.IntN(frameHeader)
		fallthrough
	case "one bit":
		if at < len(b) {
			b[at] ^= 1 << rng.IntN(8)
		}
	}
	fs.live[name] = onDisk(b)
	if way == "deleted" {
		delete(fs.live, name)
	}
	maps.Copy(fs.disk, fs.live)
	maps.DeleteFunc(fs.disk, func(name string, _ *memFile) bool { return fs.live[name] == nil })
}

// darken makes a file unreadable for some time, or readable again.
func (m *battered) darken(fs *memFS, rng *rand.Rand) {
	if m.dark != "" && rng.IntN(2) == 0 {
		return
	}
	m.dark, m.dim = "", nil
	if rng.IntN(4) > 0 {
		return
	}
	lane, name, held := m.file(fs, rng)
	m.dark, m.dim = name, map[string]map[uint64]bool{lane: held}
	m.say("%s can't be read", name)
}

// failing is the file that can't be read just now, and other failures.
func (m *battered) failing(fs *memFS, other func(int) error) func(int) error {
	dark := m.dark
	return func(op int) error {
		if o := fs.trace[len(fs.trace)-1]; o.what == "read" && o.path == dark {
			return errInjected
		}
		return other(op)
	}
}

// file is one of the newest of a lane, mostly, and what it holds of the frames
// that were acknowledged. There is none in a lane without any.
func (m *battered) file(fs *memFS, rng *rand.Rand) (lane, name string, held map[uint64]bool) {
	lane, held = []string{"events", "data"}[rng.IntN(2)], map[uint64]bool{}
	if _, ok := fs.dirs["/b/log"]; !ok {
		return lane, "", held
	}
	names := fs.lane(m.t, lane)
	if len(names) == 0 {
		return lane, "", held
	}
	i := len(names) - 1
	if rng.IntN(3) == 0 {
		i = rng.IntN(len(names))
	}
	first := func(i int) uint64 {
		_, s, _, _ := parseName(filepath.Base(names[i]))
		return s.first
	}
	for n := range m.acked[lane] {
		if n >= first(i) && (i+1 == len(names) || n < first(i+1)) {
			held[n] = true
		}
	}
	return lane, names[i], held
}
