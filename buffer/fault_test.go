package buffer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Each test here breaks the disk in one way, in every place, and asks the model.

func nth(n int) func(int) error {
	return func(op int) error {
		if op == n {
			return errInjected
		}
		return nil
	}
}

func from(n, to int) func(int) error {
	return func(op int) error {
		if op >= n && op < to {
			return errInjected
		}
		return nil
	}
}

// offAfter is the power, gone after operation n.
func offAfter(n int) func(int) error {
	return func(op int) error {
		if op > n {
			return errOff
		}
		return nil
	}
}

// whole keeps an unsynced write, none forgets it.
func whole(w memWrite) []memWrite { return []memWrite{w} }
func none(memWrite) []memWrite    { return nil }

// reopen opens what is on a disk that works again, and asks the model; then,
// perhaps once more with what it did itself.
func reopen(t *testing.T, fs *memFS, m *model, rounds int, what string) {
	t.Helper()
	if m.gone {
		return
	}
	fs.fail = nil
	for range rounds {
		l, report, err := openLog(fs, testConfig())
		if err == nil {
			err = m.opened(l, report)
		}
		if err == nil {
			for _, lane := range l.lanes {
				if err = m.append(lane, "after "+what, 1); err == nil {
					err = m.check(lane, false)
				}
				if err != nil {
					break
				}
			}
		}
		if err != nil {
			t.Fatalf("%s: %v\nlast operations: %s", what, err, fs.last(40))
		}
	}
}

// operations is how many a run takes when nothing fails.
func operations(t *testing.T, opens, appends int) int {
	t.Helper()
	fs := newMemFS()
	if err := run(fs, newModel(), 7, opens, appends); err != nil {
		t.Fatal(err)
	}
	return fs.op
}

func TestEveryOperationFailsOnce(t *testing.T) {
	t.Parallel()
	for n := range operations(t, 2, 20) {
		for _, short := range []bool{false, true} {
			fs, m := newMemFS(), newModel()
			fs.fail, fs.short = nth(n+1), short
			if err := run(fs, m, 7, 2, 20); err != nil {
				t.Fatalf("operation %d: %v", n+1, err)
			}
			reopen(t, fs.powerCut(n%2 == 0, none), m, 1, fmt.Sprintf("operation %d failed, %v", n+1, short))
		}
	}
}

// One failed write or sync must not be an error: the frame goes to a fresh segment.
func TestOneFailureIsNoErrorForAppend(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, testConfig())
	if err != nil {
		t.Fatal(err)
	}
	m := newModel()
	for i := range 100 {
		fs.fail = nth(fs.op + 1 + i%8)
		if err := m.append(l.Lane("data"), fmt.Sprint("record ", i), 1); err != nil {
			t.Fatalf("append %d: %v; last: %v", i, err, fs.last(10))
		}
	}
	fs.fail = nil
	if err := m.check(l.Lane("data"), false); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Failed(); n < 50 || !errors.Is(err, errInjected) {
		t.Errorf("%d failures are known, the last is %v", n, err)
	}
}

func TestEverythingFailsForAWhile(t *testing.T) {
	t.Parallel()
	ops := operations(t, 2, 40)
	for n := 0; n < ops; n += 4 {
		fs, m := newMemFS(), newModel()
		fs.fail = from(n+1, n+1+20+n%30)
		if err := run(fs, m, 7, 2, 40); err != nil {
			t.Fatalf("operations from %d: %v", n+1, err)
		}
		reopen(t, fs.powerCut(n%2 == 0, none), m, 1, fmt.Sprintf("operations from %d failed", n+1))
	}
}

// A disk that fails for good must not cost what is on it, however often it is tried.
func TestADeadDiskIsNotEmptiedByRetries(t *testing.T) {
	for _, failing := range []string{"sync", "write", "rename", "open", "syncdir", "remove"} {
		fs, m := newMemFS(), newModel()
		l, _, err := openLog(fs, testConfig())
		if err != nil {
			t.Fatal(err)
		}
		lane := l.Lane("data")
		for i := range 50 {
			if err := m.append(lane, fmt.Sprint("record ", i), 1); err != nil {
				t.Fatal(err)
			}
		}
		first := lane.First()
		fs.fail = func(int) error {
			if fs.trace[len(fs.trace)-1].what == failing {
				return errInjected
			}
			return nil
		}
		var failed int
		for range 50 {
			if m.append(lane, "more", 1) != nil {
				failed++
			}
		}
		if failed == 0 && failing != "remove" {
			t.Fatalf("%s: nothing failed", failing)
		}
		fs.fail = nil
		if failed == 50 && lane.First() > first+8 {
			t.Errorf("%s: numbers up to %d were given up for nothing", failing, lane.First()-1)
		}
		if err := m.check(lane, false); err != nil {
			t.Errorf("%s: %v", failing, err)
		}
		reopen(t, fs.powerCut(true, none), m, 1, failing)
	}
}

// cuts are where in a write the power may go: every byte of what matters, and
// every sector.
func cuts(w memWrite) []int {
	var at []int
	for k := 0; k <= len(w.data); k++ {
		if k < 92 || k%512 < 2 || k%block < 100 && k%4 == 0 && k < 3*block {
			at = append(at, k)
		}
	}
	return append(at, len(w.data))
}

// The power goes in the middle of every write: a prefix of it is there, or a
// prefix and a sector of garbage, or sectors in any order.
func TestPowerCutInEveryUnsyncedByte(t *testing.T) {
	t.Parallel()
	ops := operations(t, 1, 12)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range ops {
		fs, m := newMemFS(), newModel()
		fs.fail = offAfter(n)
		if err := run(fs, m, 3, 1, 12); err != nil {
			t.Fatalf("operation %d: %v", n+1, err)
		}
		var last *memWrite
		for _, f := range fs.live {
			for i := range f.pending {
				last = &f.pending[i]
			}
		}
		for _, names := range []bool{false, true} {
			reopen(t, fs.powerCut(names, none), m.clone(), 1, fmt.Sprint("cut after operation ", n))
		}
		if last == nil || last.data == nil {
			continue
		}
		for _, k := range cuts(*last) {
			what := fmt.Sprintf("cut after operation %d, byte %d", n, k)
			reopen(t, fs.powerCut(true, prefix(k)), m.clone(), 1, what)
			if k%97 == 0 {
				reopen(t, fs.powerCut(true, garbage(k, rng)), m.clone(), 1, what+" and garbage")
				reopen(t, fs.powerCut(true, shuffled(rng)), m.tornClone(), 1, what+" and shuffled")
			}
		}
	}
}

func prefix(k int) func(memWrite) []memWrite {
	return func(w memWrite) []memWrite {
		if w.data == nil {
			return []memWrite{w}
		}
		return []memWrite{{w.off, w.data[:min(k, len(w.data))]}}
	}
}

func garbage(k int, rng *rand.Rand) func(memWrite) []memWrite {
	return func(w memWrite) []memWrite {
		b := slices.Clone(w.data[:min(k, len(w.data))])
		for range min(512, len(w.data)-len(b)) {
			b = append(b, byte(rng.Uint32()))
		}
		return []memWrite{{w.off, b}}
	}
}

func shuffled(rng *rand.Rand) func(memWrite) []memWrite {
	return func(w memWrite) []memWrite {
		var all []memWrite
		for at := 0; at < len(w.data); at += 512 {
			if rng.IntN(2) == 0 {
				all = append(all, memWrite{w.off + int64(at), w.data[at:min(at+512, len(w.data))]})
			}
		}
		return all
	}
}

// The power goes after every operation of a longer life, with all, none or some
// of what was not synced.
func TestPowerCutAfterEveryOperation(t *testing.T) {
	t.Parallel()
	ops := operations(t, 2, 25)
	rng := rand.New(rand.NewPCG(5, 6))
	for n := range ops {
		fs, m := newMemFS(), newModel()
		fs.fail = offAfter(n)
		if err := run(fs, m, 7, 2, 25); err != nil {
			t.Fatalf("operation %d: %v", n+1, err)
		}
		for i, keep := range []func(memWrite) []memWrite{none, whole, shuffled(rng)} {
			reopen(t, fs.powerCut(i > 0, keep), m.tornClone(), 2, fmt.Sprintf("cut %d after operation %d", i, n))
		}
	}
}

func TestDiskFullAtEveryPoint(t *testing.T) {
	t.Parallel()
	for space := int64(0); space < 400<<10; space += 9 * block / 2 {
		fs, m := newMemFS(), newModel()
		fs.space, fs.short = max(space, 1), true
		if err := run(fs, m, 9, 2, 100); err != nil {
			t.Fatalf("%d bytes: %v", space, err)
		}
		fs.space = 0
		reopen(t, fs.powerCut(true, none), m, 1, fmt.Sprintf("%d bytes", space))
	}
}

// On a full disk the newest is kept at the price of the oldest, and once there
// is space the lane grows again.
func TestAFullDiskCostsTheOldest(t *testing.T) {
	fs, m := newMemFS(), newModel()
	l, _, err := openLog(fs, testConfig())
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("events")
	for fs.used() < 300<<10 {
		if err := m.append(lane, "before", 1); err != nil {
			t.Fatal(err)
		}
	}
	fs.space = fs.used() + 10<<10
	for i := range 300 {
		if err := m.append(lane, "while full", 1); err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
	}
	if err := m.check(lane, false); err != nil {
		t.Fatal(err)
	}
	few := lane.Bytes()
	fs.space = 0
	for range 300 {
		if err := m.append(lane, "after", 1); err != nil {
			t.Fatal(err)
		}
	}
	if lane.Bytes() <= few {
		t.Errorf("%d bytes, and %d were taken on the full disk", lane.Bytes(), few)
	}
}

func (m *model) clone() *model {
	c := newModel()
	for lane := range m.acked {
		c.acked[lane], c.tried[lane], c.count[lane] = cloned(m.acked[lane]), cloned(m.tried[lane]), cloned(m.count[lane])
	}
	c.next, c.asked, c.kept, c.epoch, c.gone = cloned(m.next), cloned(m.asked), cloned(m.kept), m.epoch, m.gone
	return c
}

func (m *model) tornClone() *model {
	c := m.clone()
	c.torn = true
	return c
}

func cloned[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// The disk is full of data when the first events come: they take its oldest.
// Data never takes that of events.
func TestOnAFullDiskEventsTakeTheSpaceOfData(t *testing.T) {
	fs, m := newMemFS(), newModel()
	c := testConfig()
	c.Lanes[1].Size = 1 << 20
	l, _, err := openLog(fs, c)
	if err != nil {
		t.Fatal(err)
	}
	events, data := l.Lane("events"), l.Lane("data")
	for fs.used() < 400<<10 {
		if err := m.append(data, "before", 1); err != nil {
			t.Fatal(err)
		}
	}
	if l.Cramped() {
		t.Error("cramped before the disk is full")
	}
	fs.space = fs.used()
	for i := range 40 {
		if err := m.append(events, fmt.Sprint("event ", i), 1); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	if data.First() == 1 || events.First() != 1 || !l.Cramped() {
		t.Errorf("data begins at %d, events at %d", data.First(), events.First())
	}
	failed := 0
	for range 300 {
		if m.append(data, "while full", 1) != nil {
			failed++
		}
	}
	if failed > 0 || events.First() != 1 || !l.Cramped() {
		t.Errorf("%d failed; events begin at %d; cramped: %v", failed, events.First(), l.Cramped())
	}
	fs.space = 0
	for range 300 {
		for _, lane := range l.lanes {
			if err := m.append(lane, "after", 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if l.Cramped() {
		t.Error("cramped although there is space")
	}
	for _, lane := range l.lanes {
		if err := m.check(lane, false); err != nil {
			t.Error(err)
		}
	}
}

// The folder that a Config names may be new itself: its name, too, is on disk
// before anything is acknowledged in it. The one above it need not be ours.
func TestANewFolderOutlivesThePower(t *testing.T) {
	fs := newMemFS()
	fs.dirs["/b"] = false
	l, _, err := openLog(fs, plain("/b", 1<<20))
	if err == nil {
		err = l.Lane("data").Append([]byte("first"), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, report, err := openLog(fs.powerCut(false, none), plain("/b", 1<<20))
	if err != nil || report.Fresh || l.Lane("data").Next() != 2 {
		t.Errorf("%v, %+v", err, report)
	}
	fs = newMemFS()
	fs.fail = func(int) error {
		if o := fs.trace[len(fs.trace)-1]; o.what == "syncdir" && o.path == "/" {
			return os.ErrPermission
		}
		return nil
	}
	if _, _, err := openLog(fs, plain("/b", 1<<20)); err != nil {
		t.Error(err)
	}
}
