package buffer

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// memFS is a disk that forgets what was not synced when its power goes, and
// fails when it is told to.
type memFS struct {
	mu   sync.Mutex
	dirs map[string]bool     // names of folders; true: they outlive a power cut
	live map[string]*memFile // names as programs see them
	disk map[string]*memFile // names as they are after a power cut

	op     int                                    // counts operations
	fail   func(n int) error                      // nil, or what operation n returns
	short  bool                                   // a write that fails has written half of it
	space  int64                                  // bytes that fit, 0: any number
	quotas map[string]int64                       // bytes that files with this prefix may take, ever
	broken []string                               // quotas that were passed
	reads  map[string]int64                       // bytes read, by name
	glitch func(path string, off int64, b []byte) // changes what was read
	trace  []traced
}

type memFile struct {
	live    []byte
	synced  []byte
	pending []memWrite
}

// memWrite is a write, or with data nil a truncation, that is not synced.
type memWrite struct {
	off  int64
	data []byte
}

var (
	errInjected = errors.New("injected")
	errOff      = fmt.Errorf("%w: the power is off", errInjected)
)

func newMemFS() *memFS {
	return &memFS{dirs: map[string]bool{"/": true, "/b": true}, live: map[string]*memFile{}, disk: map[string]*memFile{},
		reads: map[string]int64{}}
}

// step counts an operation, and says whether it fails.
func (m *memFS) step(what, path string) error {
	m.op++
	m.trace = append(m.trace, traced{m.op, what, path})
	if m.fail != nil {
		return m.fail(m.op)
	}
	return nil
}

type traced struct {
	n          int
	what, path string
}

// last are the latest operations, to be shown.
func (m *memFS) last(n int) string {
	var b strings.Builder
	for _, o := range m.trace[max(0, len(m.trace)-n):] {
		fmt.Fprintf(&b, "%d %s %s, ", o.n, o.what, filepath.Base(o.path))
	}
	return b.String()
}

func notThere(path string) error {
	return &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
}

func (m *memFS) open(path string, how int) (file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("open", path); err != nil {
		return nil, err
	}
	f := m.live[path]
	if f == nil {
		if how&os.O_CREATE == 0 {
			return nil, notThere(path)
		}
		f = &memFile{}
		m.live[path] = f
	}
	return &memHandle{m, f, path}, nil
}

func (m *memFS) rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("rename", to); err != nil {
		return err
	}
	if durable, ok := m.dirs[from]; ok {
		delete(m.dirs, from)
		m.dirs[to] = durable
		for _, names := range []map[string]*memFile{m.live, m.disk} { // as a journal does: whole
			for name, f := range maps.Clone(names) {
				if rest, ok := strings.CutPrefix(name, from+"/"); ok {
					delete(names, name)
					names[to+"/"+rest] = f
				}
			}
		}
		return nil
	}
	f := m.live[from]
	if f == nil {
		return notThere(from)
	}
	delete(m.live, from)
	m.live[to] = f
	return nil
}

func (m *memFS) remove(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("remove", path); err != nil {
		return err
	}
	if _, ok := m.dirs[path]; ok {
		for name := range m.live {
			if filepath.Dir(name) == path {
				return errors.New("not empty")
			}
		}
		delete(m.dirs, path)
		return nil
	}
	if m.live[path] == nil {
		return notThere(path)
	}
	delete(m.live, path)
	return nil
}

func (m *memFS) mkdir(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("mkdir", path); err != nil {
		return err
	}
	m.dirs[path] = m.dirs[path]
	return nil
}

func (m *memFS) size(path string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("size", path); err != nil {
		return 0, err
	}
	if m.live[path] == nil {
		return 0, notThere(path)
	}
	return int64(len(m.live[path].live)), nil
}

func (m *memFS) list(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("list", dir); err != nil {
		return nil, err
	}
	if _, ok := m.dirs[dir]; !ok {
		return nil, notThere(dir)
	}
	var all []string
	for name := range m.live {
		if filepath.Dir(name) == dir {
			all = append(all, filepath.Base(name))
		}
	}
	return all, nil
}

func (m *memFS) stat(path string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("stat", path); err != nil {
		return false, err
	}
	if _, ok := m.dirs[path]; ok {
		return true, nil
	}
	if m.live[path] == nil {
		return false, notThere(path)
	}
	return false, nil
}

func (m *memFS) syncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("syncdir", dir); err != nil {
		return err
	}
	under := func(name string, _ *memFile) bool { return filepath.Dir(name) == dir }
	for name := range m.dirs {
		if filepath.Dir(name) == dir {
			m.dirs[name] = true
		}
	}
	maps.DeleteFunc(m.disk, under)
	for name, f := range m.live {
		if under(name, f) {
			m.disk[name] = f
		}
	}
	return nil
}

// grown checks the quotas after something took space.
func (m *memFS) grown() {
	for prefix, most := range m.quotas {
		var sum int64
		for name, f := range m.live {
			if strings.HasPrefix(filepath.Base(name), prefix) && strings.HasPrefix(name, "/b/log") {
				sum += blocks(int64(len(f.live)))
			}
		}
		if sum > most {
			m.broken = append(m.broken, fmt.Sprintf("%s has %d bytes after operation %d", prefix, sum, m.op))
		}
	}
}

func (m *memFS) used() int64 {
	var sum int64
	for _, f := range m.live {
		sum += int64(len(f.live))
	}
	return sum
}

type memHandle struct {
	m    *memFS
	f    *memFile
	path string
}

func (h *memHandle) ReadAt(b []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.step("read", h.path); err != nil {
		return 0, err
	}
	if off >= int64(len(h.f.live)) {
		return 0, io.EOF
	}
	n := copy(b, h.f.live[off:])
	if h.m.glitch != nil {
		h.m.glitch(h.path, off, b[:n])
	}
	h.m.reads[filepath.Base(h.path)] += int64(n)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *memHandle) WriteAt(b []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	err := h.m.step("write", h.path)
	if grow := off + int64(len(b)) - int64(len(h.f.live)); err == nil && h.m.space > 0 && grow > h.m.space-h.m.used() {
		err = syscall.ENOSPC
	}
	if err != nil {
		if !h.m.short {
			return 0, err
		}
		b = b[:len(b)/2]
	}
	h.f.live = applied(h.f.live, memWrite{off, b})
	h.f.pending = append(h.f.pending, memWrite{off, slices.Clone(b)})
	h.m.grown()
	return len(b), err
}

func (h *memHandle) Close() error { return nil }

func (h *memHandle) datasync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.step("sync", h.path); err != nil {
		if errors.Is(err, errOff) {
			return err
		}
		h.f.pending = nil // the kernel forgets what it could not write, and calls it clean
		return err
	}
	for _, w := range h.f.pending {
		h.f.synced = applied(h.f.synced, w)
	}
	h.f.pending = nil
	return nil
}

func (h *memHandle) forget(from, to int64) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if len(h.f.pending) > 0 || h.m.off() {
		return
	}
	h.f.synced = append(h.f.synced, make([]byte, max(0, len(h.f.live)-len(h.f.synced)))...)
	to = min(to, int64(len(h.f.live)))
	if from < to {
		copy(h.f.live[from:to], h.f.synced[from:to])
	}
}

func (h *memHandle) named(path string) bool {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return h.m.live[path] == h.f
}

// off says whether the power is gone, or nothing else works either.
func (m *memFS) off() bool { return m.fail != nil && m.fail(m.op+1) != nil }

func (h *memHandle) truncate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.step("truncate", h.path); err != nil {
		return err
	}
	h.f.live = applied(h.f.live, memWrite{size, nil})
	h.f.pending = append(h.f.pending, memWrite{size, nil})
	return nil
}

// applied changes b, and grows it with zeros.
func applied(b []byte, w memWrite) []byte {
	end := w.off + int64(len(w.data))
	if w.data == nil {
		return b[:min(end, int64(len(b)))]
	}
	if grow := end - int64(len(b)); grow > 0 {
		b = append(b, make([]byte, grow)...)
	}
	copy(b[w.off:], w.data)
	return b
}

// powerCut is the disk after the power came back. keep says what of an unsynced
// write got there: any part of it, in any order.
func (m *memFS) powerCut(names bool, keep func(w memWrite) []memWrite) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemFS()
	after.dirs = maps.Clone(m.dirs)
	from := m.disk
	if names {
		from = m.live
	} else {
		maps.DeleteFunc(after.dirs, func(_ string, durable bool) bool { return !durable })
	}
	for name, f := range from {
		if _, ok := after.dirs[filepath.Dir(name)]; !ok {
			continue
		}
		b := slices.Clone(f.synced)
		for _, w := range f.pending {
			for _, k := range keep(w) {
				b = applied(b, k)
			}
		}
		g := &memFile{live: b, synced: slices.Clone(b)}
		after.live[name], after.disk[name] = g, g
	}
	return after
}

// clone is the same disk again, with everything on it, to be damaged by hand.
func (m *memFS) clone() *memFS {
	c := m.powerCut(true, func(w memWrite) []memWrite { return []memWrite{w} })
	for _, f := range c.live {
		f.synced = f.live
	}
	return c
}

// onDisk is a file that holds b, in memory and on the disk.
func onDisk(b []byte) *memFile { return &memFile{live: b, synced: b} }

// with is the same disk, but for one file that is copied: for tests that write
// little and open often.
func (m *memFS) with(name string) *memFS {
	c := newMemFS()
	c.dirs, c.live, c.disk = maps.Clone(m.dirs), maps.Clone(m.live), maps.Clone(m.disk)
	c.live[name] = onDisk(slices.Clone(m.live[name].live))
	return c
}

// files of one lane, oldest first.
func (m *memFS) lane(t *testing.T, lane string) []string {
	t.Helper()
	lanes, err := listLanes(m, "/b/log")
	if err != nil {
		t.Fatal(err)
	}
	if lanes[lane] == nil {
		return nil
	}
	var names []string
	for _, s := range lanes[lane].segs {
		names = append(names, "/b/log/"+s.name(lane))
	}
	return names
}
