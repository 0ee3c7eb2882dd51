package buffer

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Somebody removes what is being written: rm -rf, while the agent runs.

// remove takes files and folders away whose path begins so.
func (m *memFS) removeAll(prefix string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, names := range []map[string]*memFile{m.live, m.disk} {
		maps.DeleteFunc(names, func(name string, _ *memFile) bool { return strings.HasPrefix(name, prefix) })
	}
	maps.DeleteFunc(m.dirs, func(name string, _ bool) bool { return strings.HasPrefix(name, prefix) })
}

func TestFilesThatAreRemovedAreToldAndBegunAnew(t *testing.T) {
	for what, c := range map[string]struct {
		gone         string // this and all that begins so
		events, data string // what readers at their beginnings are told afterwards
	}{
		"the folder":             {"/b", "lost 1-6", "lost 1-6"},
		"the log":                {"/b/log", "lost 1-6", "lost 1-6"},
		"a lane":                 {"/b/log/events", "lost 1-6", "data 1 data 3 data 5"},
		"the newest of a lane":   {"/b/log/events-0000000000000002", "events 1 events 3 lost 5-6", "data 1 data 3 data 5"},
		"a newest, and an older": {"/b/log/data", "events 1 events 3 events 5", "lost 1-6"},
	} {
		fs := newMemFS()
		l, _, err := openLog(fs, plainLanes())
		if err != nil {
			t.Fatal(err)
		}
		put := func() error {
			for _, lane := range l.lanes {
				if err := lane.Append(fmt.Appendf(nil, "%s %d", lane.name, lane.Next()), 2); err != nil {
					return err
				}
			}
			return nil
		}
		for i := range 3 {
			if i == 2 { // its second segment
				if l, _, err = openLog(fs, plainLanes()); err != nil {
					t.Fatal(err)
				}
			}
			if err := put(); err != nil {
				t.Fatal(err)
			}
		}
		l.SetPosition("events/county", 4)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := l.Look(); err != nil {
			t.Fatalf("%s: %v before anything was removed", what, err)
		}
		readers := map[string]*Reader{}
		for _, lane := range l.lanes { // they stand at the present end
			readers[lane.name] = lane.Reader(1)
			all(t, readers[lane.name])
		}
		epoch := l.Epoch()
		fs.removeAll(c.gone)
		fs.fail = nthFrom(fs, "mkdir")
		if err := l.Look(); !errors.Is(err, errInjected) {
			t.Fatalf("%s: %v", what, err)
		}
		if err := put(); !errors.Is(err, ErrRemoved) || l.Lane("events").Next() != 7 {
			t.Errorf("%s: %v, next is %d, while it can't be begun anew", what, err, l.Lane("events").Next())
		}
		if err := l.Look(); !errors.Is(err, ErrRemoved) {
			t.Fatalf("%s: %v", what, err)
		}
		if err := l.Look(); err != nil {
			t.Fatalf("%s: %v, a second time", what, err)
		}
		if err := put(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for name, r := range readers { // which have all that was there
			if got := all(t, r); got != name+" 7" {
				t.Errorf("%s: a reader of %s gets %q", what, name, got)
			}
		}
		l, report, err := openLog(fs.powerCut(false, none), plainLanes())
		if err != nil || report.Fresh || l.Epoch() != epoch || len(report.Faults) > 0 {
			t.Fatalf("%s: %v, %+v", what, err, report)
		}
		if n, _ := l.Position("events/county"); n != 4 {
			t.Errorf("%s: position %d", what, n)
		}
		for name, want := range map[string]string{"events": c.events, "data": c.data} {
			if got := all(t, l.Lane(name).Reader(1)); got != want+" "+name+" 7" || l.Lane(name).Next() != 9 {
				t.Errorf("%s: %s has %q, next is %d", what, name, got, l.Lane(name).Next())
			}
		}
	}
}

func plainLanes() Config {
	return Config{Dir: "/b", Lanes: []LaneConfig{{Name: "events", Size: 1 << 20}, {Name: "data", Size: 1 << 20}}}
}

// Somebody moves the folder away and puts a copy in its place: what is written
// goes into the copy, or the next start would not find it.
func TestACopyInPlaceOfTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buffer")
	l := mustOpen(t, plain(dir, 1<<20))
	lane := l.Lane("data")
	put := func(what string) {
		t.Helper()
		if err := lane.Append([]byte(what), 1); err != nil {
			t.Fatal(err)
		}
	}
	put("before")
	if err := errors.Join(os.Rename(dir, dir+".old"), os.CopyFS(dir, os.DirFS(dir+".old"))); err != nil {
		t.Fatal(err)
	}
	put("between")
	if err := l.Look(); !errors.Is(err, ErrRemoved) {
		t.Fatal(err)
	}
	put("after")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, plain(dir, 1<<20))
	if got := all(t, l.Lane("data").Reader(1)); got != "before lost 2-2 after" {
		t.Errorf("got %q", got)
	}
	// And a file where the folder was can't be written into.
	if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Look(); err == nil || errors.Is(err, ErrRemoved) {
			t.Error(err)
		}
		if err := l.Lane("data").Append([]byte("x"), 1); err == nil {
			t.Error("it is taken")
		}
	}
}

// What a reader had not got of the files that are gone was not dropped for space.
func TestWhatWasRemovedIsNoSpace(t *testing.T) {
	for _, prefix := range []string{"/b/log", "/b/log/data-0000000000000002"} {
		fs := newMemFS()
		var l *Log
		for range 2 {
			var err error
			if l, _, err = openLog(fs, plain("/b", 1<<20)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := l.Lane("data").Append([]byte("x"), 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		r := l.Lane("data").Reader(3)
		if f, err := r.Next(); err != nil || f.First != 3 {
			t.Fatalf("%v, %v", f, err)
		}
		fs.removeAll(prefix)
		for range 3 {
			_ = l.Look()
		}
		var lost *Lost
		if _, err := l.Lane("data").Reader(4).Next(); !errors.As(err, &lost) || lost.To != 4 || lost.Damage == nil {
			t.Errorf("%s: %+v, and nothing is there yet", prefix, err)
		}
		if err := l.Lane("data").Append([]byte("x"), 1); err != nil {
			t.Fatal(err)
		}
		if f, err := r.Next(); err != nil || f.First != 4 { // which it has read ahead
			t.Errorf("%s: %v, %v", prefix, f, err)
		}
		for _, from := range []uint64{1, 4} {
			r := l.Lane("data").Reader(from)
			_, err := r.Next()
			for ; err == nil; _, err = r.Next() {
			}
			if lost = nil; !errors.As(err, &lost) || lost.To != 4 || lost.Damage == nil {
				t.Errorf("%s: from %d: %v", prefix, from, err)
			}
		}
	}
}

// The power goes while the log begins anew: what was taken since is there.
func TestPowerCutWhileALogBeginsAnew(t *testing.T) {
	done := false
	for n := 1; !done; n++ {
		fs := newMemFS()
		l, _, err := openLog(fs, plainLanes())
		if err != nil {
			t.Fatal(err)
		}
		for _, lane := range l.lanes {
			if err := lane.Append([]byte("removed"), 1); err != nil {
				t.Fatal(err)
			}
		}
		fs.removeAll("/b")
		fs.fail = offAfter(fs.op + n)
		acked := map[string]uint64{}
		_ = l.Look()
		for range 2 {
			for _, lane := range l.lanes {
				if lane.Append([]byte("anew"), 1) == nil {
					acked[lane.name]++
				}
			}
		}
		done = acked["data"] == 2
		for i, keep := range []func(memWrite) []memWrite{none, whole} {
			after, report, err := openLog(fs.powerCut(i > 0, keep), plainLanes())
			if err != nil || report.Kept != "" && len(acked) > 0 {
				t.Fatalf("cut after operation %d: %v, %+v", n, err, report)
			}
			for name, k := range acked {
				if got := strings.Count(all(t, after.Lane(name).Reader(1)), "anew"); got < int(k) || after.Lane(name).Next() < 2+k {
					t.Errorf("cut %d after operation %d: %s has %d of %d, next is %d", i, n, name, got, k, after.Lane(name).Next())
				}
			}
		}
	}
}

// The lock goes with the folder. It is taken again, and if another process was
// quicker, the folder is that one's.
func TestTheLockOfARemovedFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buffer")
	l := mustOpen(t, plain(dir, 1<<20))
	put := func() error { return l.Lane("data").Append([]byte("x"), 1) }
	remove := func() {
		t.Helper()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	remove()
	if err := l.Look(); !errors.Is(err, ErrRemoved) {
		t.Fatal(err)
	}
	if _, _, err := Open(plain(dir, 1<<20)); !errors.Is(err, ErrLocked) {
		t.Fatalf("a second writer: %v", err)
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	remove()
	other, _, err := Open(plain(dir, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Look(); !errors.Is(err, ErrLocked) {
			t.Fatal(err)
		}
		if err := put(); err == nil {
			t.Fatal("two write in one folder")
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Look(); !errors.Is(err, ErrRemoved) || put() != nil || l.Lane("data").Next() != 4 {
		t.Errorf("%v, next is %d", err, l.Lane("data").Next())
	}
}

// A root of squashfs, as of many gateways, syncs no folder, and nothing in it changes:
// a buffer below it opens all the same. /proc is such a file system, too.
func TestAFolderThatCantBeSynced(t *testing.T) {
	if err := (disk{}).syncDir("/proc"); err != nil {
		t.Error(err)
	}
	if err := (disk{}).syncDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
