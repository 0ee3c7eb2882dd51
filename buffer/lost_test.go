package buffer

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What is lost without a trace of its own, and is known all the same: promises 2 and 7.

// beginsAnew opens a log whose head is lost: a new epoch begins behind all that
// is there, and all of it is still delivered.
func beginsAnew(t *testing.T, fs *memFS, m *model, what, why string) {
	t.Helper()
	if _, report, err := openLog(fs, roomy()); err != nil || !report.Fresh { // and is killed
		t.Fatalf("%s: %v, %+v", what, err, report)
	}
	l, report, err := openLog(fs, roomy())
	if err != nil || !report.Fresh || report.Kept != "" || len(report.Former) != 32 || !strings.Contains(report.Why, why) {
		t.Fatalf("%s: %v, %+v", what, err, report)
	}
	if l.Epoch() == report.Former {
		t.Fatalf("%s: the epoch is the former one", what)
	}
	for _, lane := range l.lanes {
		next := lane.Next()
		if next < m.next[lane.name] {
			t.Errorf("%s: %s goes on at %d", what, lane.name, next)
		}
		m.numbered(t, lane, what)
		if err := lane.Append([]byte("goes on"), 1); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if lane.Next() != next+1 {
			t.Errorf("%s: %s goes on behind %d with %d", what, lane.name, next, lane.Next())
		}
	}
	epoch := l.Epoch()
	l, report, err = openLog(fs.powerCut(false, none), roomy())
	if err != nil || report.Fresh || l.Epoch() != epoch || len(report.Faults) > 0 {
		t.Fatalf("%s, opened again: %v, %+v", what, err, report)
	}
	for _, lane := range l.lanes {
		m.numbered(t, lane, what+", opened again")
	}
}

// numbered checks that a reader from 1 on gets or is told of every number up to
// the present end, and that what it gets is what was acknowledged.
func (m *model) numbered(t *testing.T, lane *Lane, what string) {
	t.Helper()
	r := lane.Reader(1)
	defer r.Close()
	for n := uint64(1); ; {
		f, err := r.Next()
		var lost *Lost
		switch {
		case errors.Is(err, io.EOF):
			if n != lane.Next() {
				t.Errorf("%s: %s ends at %d, and the next is %d", what, lane.name, n, lane.Next())
			}
			return
		case errors.As(err, &lost) && lost.From == n:
			n = lost.To + 1
		case err != nil:
			t.Fatalf("%s: %s: %v", what, lane.name, err)
		case f.Key:
		case f.First != n, n < m.next[lane.name] && m.acked[lane.name][n] != string(f.Payload):
			t.Fatalf("%s: %s: got %d, %q, want %d", what, lane.name, f.First, f.Payload, n)
		default:
			n += uint64(f.Count)
		}
	}
}

// setAside opens a log of which nothing can be read: that has to be told, and
// everything kept as it is.
func setAside(t *testing.T, fs *memFS, what string) {
	t.Helper()
	before := map[string][]byte{}
	for name, f := range fs.live {
		before[name] = slices.Clone(f.live)
	}
	l, report, err := openLog(fs, roomy())
	if err != nil || !report.Fresh || report.Kept == "" {
		t.Fatalf("%s: %v, %+v", what, err, report)
	}
	for name, b := range before {
		kept := fs.live[strings.Replace(name, "/b/log/", report.Kept+"/", 1)]
		if kept == nil || !bytes.Equal(kept.live, b) {
			t.Errorf("%s: %s was touched", what, name)
		}
	}
	for _, lane := range l.lanes {
		if lane.Next() != 1 {
			t.Errorf("%s: %s goes on at %d", what, lane.name, lane.Next())
		}
	}
}

// All or the newest segments of a lane go, or lose what they held. No position
// tells of them, but the frames of the other lane do.
func TestALaneWithoutItsHeadBeginsANewEpoch(t *testing.T) {
	ways := map[string]func(*memFS, string){
		"missing": func(fs *memFS, name string) { delete(fs.live, name) },
		"empty":   func(fs *memFS, name string) { fs.live[name] = onDisk(nil) },
		"zeroed":  func(fs *memFS, name string) { clear(fs.live[name].live) },
	}
	for what, damage := range ways {
		for _, lane := range []string{"events", "data"} {
			for _, newest := range []bool{false, true} {
				fs, m := small(t)
				l, _, err := openLog(fs, roomy())
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"data", "events", "data"} { // so that each knows of the other's
					if err := m.append(l.Lane(name), "last", 1); err != nil {
						t.Fatal(err)
					}
				}
				m.next["data"]-- // nothing knows of its newest
				fs = fs.clone()
				names := fs.lane(t, lane)
				if newest {
					names = names[len(names)-1:]
				}
				for _, name := range names {
					damage(fs, name)
				}
				beginsAnew(t, fs, m, what+" "+lane, "lane "+lane+" was on disk up to ")
			}
		}
	}
}

// A mark goes with each frame that follows, not only with a segment's first.
func TestAMarkRidesInTheNextFrame(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	for _, lane := range []string{"data", "events", "events", "data", "data"} {
		if err := l.Lane(lane).Append([]byte(lane), 3); err != nil {
			t.Fatal(err)
		}
	}
	name := fs.lane(t, "data")[0]
	f, h, err := openSegment(fs, "/b/log", "data", segment{seq: 1, first: 1})
	if err != nil {
		t.Fatal(err)
	}
	tl := readTail(f, h, &segment{size: int64(len(fs.live[name].live))})
	var marks []map[string]uint64
	for _, table := range tl.tables {
		m := map[string]uint64{}
		if err := parseMarks(table.bytes, m); err != nil {
			t.Fatal(err)
		}
		marks = append(marks, m)
	}
	// The first frame had nothing to tell, the second both, the third nothing new.
	if len(marks) != 2 || len(marks[0]) != 0 || marks[1]["events"] != 7 {
		t.Errorf("marks are %v", marks)
	}
	delete(fs.live, fs.lane(t, "events")[0])
	beginsAnew(t, fs, newModel(), "no events", "lane events was on disk up to 6, and ends at 0")
}

func TestAPositionInALaneWithoutSegmentsBeginsANewEpoch(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	l.SetPosition("elsewhere/u", 5) // of no lane
	if err := l.Lane("data").Append([]byte("x"), 1); err != nil {
		t.Fatal(err)
	}
	if _, report, err := openLog(fs.clone(), roomy()); err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	l.SetPosition("events/u", 5)
	if err := l.Lane("data").Append([]byte("takes it along"), 1); err != nil {
		t.Fatal(err)
	}
	beginsAnew(t, fs, newModel(), "no events", "position events/u is 5, and its lane ends at 0")
}

// What an earlier run could not sync is in memory, and may be gone with the
// power: no other lane may say that it was there.
func TestNoLaneTellsOfWhatIsNotOnDisk(t *testing.T) {
	fs, m := small(t)
	fs.fail = func(int) error {
		if o := fs.trace[len(fs.trace)-1]; o.what == "sync" && strings.Contains(o.path, "/events-") {
			return errInjected
		}
		return nil
	}
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	if m.append(l.Lane("events"), "never on disk", 1) == nil {
		t.Fatal("no error")
	}
	// The next run finds it in memory, and can't sync it either.
	l, report, err := openLog(fs, roomy())
	if err != nil || report.Fresh || l.Lane("events").Next() != 20 {
		t.Fatalf("%v, %+v, next is %d", err, report, l.Lane("events").Next())
	}
	if err := m.append(l.Lane("data"), "on disk", 1); err != nil {
		t.Fatal(err)
	}
	l, report, err = openLog(fs.powerCut(true, none), roomy())
	if err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	if err := m.opened(l, report); err != nil {
		t.Fatal(err)
	}
}

// Nothing that can't be read is deleted, unless it is what a crash left of the
// very first write.
func TestAFolderOfUnreadableSegmentsIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	garbage := func(n int) func([]byte) []byte {
		return func([]byte) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			return b
		}
	}
	headless := func(n int) func([]byte) []byte {
		return func(b []byte) []byte {
			clear(b[:n])
			return b
		}
	}
	for what, damage := range map[string]func([]byte) []byte{
		"4096 bytes of garbage": garbage(4096), "100 bytes of garbage": garbage(100), "garbage": garbage(20_000),
		"without headers": headless(block), "without headers and keys": headless(2 * block),
		"emptied": func([]byte) []byte { return nil },
	} {
		fs, _ := small(t)
		for _, f := range fs.live {
			*f = *onDisk(damage(f.live))
		}
		setAside(t, fs, what)
	}
	for what, damage := range map[string]func([]byte) []byte{
		"4096 bytes of garbage": garbage(4096), "100 bytes of garbage": garbage(100),
		"one write without its header": headless(block),
	} {
		fs := first(t)
		name := fs.lane(t, "events")[0]
		fs.live[name] = onDisk(damage(fs.live[name].live))
		setAside(t, fs, what+" in the first segment")
	}
}

// first is a log after its first append.
func first(t *testing.T) *memFS {
	t.Helper()
	fs := newMemFS()
	l, _, err := openLog(fs, roomy())
	if err == nil {
		err = l.Lane("events").Append([]byte("first"), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fs.clone()
}

// second gives another lane its first record, of which the events know nothing,
// and says in which file it is.
func second(t *testing.T, fs *memFS) (name string) {
	t.Helper()
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Lane("data").Append([]byte("x"), 1); err != nil {
		t.Fatal(err)
	}
	return fs.lane(t, "data")[0]
}

// A crash in the very first write is not worth a word.
func TestWhatACrashLeavesOfTheFirstWriteIsUsedAgain(t *testing.T) {
	for what, damage := range map[string]func([]byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"zeros":     func(b []byte) []byte { return make([]byte, len(b)) },
		"torn":      func(b []byte) []byte { return b[:50] },
		"magic cut": func(b []byte) []byte { return append(slices.Clone(b[:3]), make([]byte, 9000)...) },
	} {
		fs := first(t)
		name := fs.lane(t, "events")[0]
		fs.live[name] = onDisk(damage(fs.live[name].live))
		l, report, err := openLog(fs, roomy())
		if err != nil || !report.Fresh || report.Kept != "" || len(report.Faults) > 0 {
			t.Fatalf("%s: %v, %+v", what, err, report)
		}
		if err := l.Lane("events").Append([]byte("first"), 1); err != nil || len(fs.live) != 1 {
			t.Errorf("%s: %v, %d files", what, err, len(fs.live))
		}
	}
}

// The newest segment of one lane is garbage, before the other knew of it.
func TestANewestSegmentOfGarbageBeginsANewEpoch(t *testing.T) {
	fs := first(t)
	fs.live[second(t, fs)] = onDisk(bytes.Repeat([]byte("garbage"), 600))
	beginsAnew(t, fs, newModel(), "garbage", "the head of the log can't be read")
	if fs.live["/b/log/data-0000000000000001-0000000000000001.seg.bad"] == nil {
		t.Errorf("it is not set aside: %v", slices.Sorted(maps.Keys(fs.live)))
	}
}

// A lane that is rarely written to has a head that can't be read, of which no
// other lane knows: the first frame of any settles it, or else each start would
// begin an epoch.
func TestAFrameOfAnyLaneSettlesALostHead(t *testing.T) {
	fs := first(t)
	newest := second(t, fs)
	fs.fail = func(int) error {
		if o := fs.trace[len(fs.trace)-1]; o.what == "read" && o.path == newest {
			return errInjected
		}
		return nil
	}
	for run := range 3 {
		l, report, err := openLog(fs, roomy())
		if err != nil || report.Fresh != (run == 0) {
			t.Fatalf("run %d: %v, %+v", run, err, report)
		}
		for range 2 {
			if err := l.Lane("events").Append([]byte("y"), 1); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(l.Lane("data").segs); n != 2 {
			t.Errorf("run %d: %d segments: it is settled more than once", run, n)
		}
	}
}

// A full lane whose newest segment is garbage: whenever the power goes, the file
// that tells of the loss is there until a segment of the new epoch is.
func TestAFullLaneKeepsWhatTellsOfALoss(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", MinSize))
	if err != nil {
		t.Fatal(err)
	}
	for l.Lane("data").First() == 1 {
		if err := l.Lane("data").Append(make([]byte, 3000), 1); err != nil {
			t.Fatal(err)
		}
	}
	names := fs.lane(t, "data")
	fs = fs.clone()
	fs.live[names[len(names)-1]] = onDisk(bytes.Repeat([]byte("garbage"), 2000))
	for n := 1; ; n++ {
		cut := fs.clone()
		cut.fail = offAfter(n)
		if l, _, err := openLog(cut, plain("/b", MinSize)); err == nil {
			_ = l.Lane("data").Append([]byte("x"), 1)
		}
		for i, keep := range []func(memWrite) []memWrite{none, whole} {
			after, report, err := openLog(cut.powerCut(i > 0, keep), plain("/b", MinSize))
			if err != nil || after.Epoch() == l.Epoch() {
				t.Fatalf("cut %d after operation %d: %v, %+v", i, n, err, report)
			}
		}
		if cut.fail(cut.op) == nil {
			break
		}
	}
}

// A reader whose number was dropped gets the key that the oldest segment begins
// with, behind Lost: what follows can't be decoded without it.
func TestLostForSpaceIsFollowedByTheKey(t *testing.T) {
	c := Config{Dir: "/b", Lanes: []LaneConfig{{Name: "data", Size: MinSize, Key: func() []byte { return []byte("key") }}}}
	l, _, err := openLog(newMemFS(), c)
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for range 100 {
		if err := lane.Append([]byte("x"), 2); err != nil {
			t.Fatal(err)
		}
	}
	first := lane.First()
	for _, from := range []uint64{1, first - 1, first} {
		r := lane.Reader(from)
		_, err := r.Next()
		var lost *Lost
		if from < first && (!errors.As(err, &lost) || lost.From != from || lost.To != first-1 || lost.Damage != nil) {
			t.Fatalf("from %d: %v", from, err)
		}
		if from == first {
			r.Close()
			r = lane.Reader(from)
		}
		if f, err := r.Next(); err != nil || !f.Key || f.First != first {
			t.Errorf("from %d: got %+v, %v, want the key at %d", from, f, err, first)
		}
		if f, err := r.Next(); err != nil || f.Key || f.First != first {
			t.Errorf("from %d: got %+v, %v, want %d", from, f, err, first)
		}
		r.Close()
	}
}

// What a failed sync of the former run left in memory is not on disk, however
// well it can be read: what this run delivers must outlive the power.
func TestWhatIsDeliveredAfterAFailedSyncOutlivesThePower(t *testing.T) {
	fs, m := small(t)
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.append(l.Lane("events"), "on disk", 1); err != nil {
		t.Fatal(err)
	}
	fs.fail = func(int) error {
		if what := fs.trace[len(fs.trace)-1].what; what == "sync" || what == "open" || what == "truncate" {
			return errInjected
		}
		return nil
	}
	if m.append(l.Lane("events"), "in memory only", 1) == nil {
		t.Fatal("no error")
	}
	fs.fail = nil
	l, report, err := openLog(fs, roomy())
	if err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	delivered := all(t, l.Lane("events").Reader(1))
	l, report, err = openLog(fs.powerCut(true, none), roomy())
	if err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	if after := all(t, l.Lane("events").Reader(1)); after != delivered {
		t.Errorf("delivered was %q, and after the power cut there is %q", delivered, after)
	}
}

// A segment in the middle that was copied over from another log, under a name
// that fits, is not read as this one's.
func TestASegmentInTheMiddleOfAnotherLogIsNotRead(t *testing.T) {
	fs, m := small(t)
	other, _ := small(t)
	name := fs.lane(t, "events")[1]
	b := slices.Clone(other.live[name].live)
	h, err := parseHeader(b[:block])
	if err != nil {
		t.Fatal(err)
	}
	for off := int64(block); off < int64(len(b)); off += block { // its records say so themselves
		if n, err := frameLength(b[off:], h.use); err == nil {
			if f, err := parseFrame(b[off:off+int64(n)], off); err == nil && f.kind == records {
				f.payload = []byte("of another log")
				copy(b[off:], appendFrame(nil, &f, off))
			}
		}
	}
	fs.live[name] = onDisk(b)
	l, report, err := openLog(fs, roomy())
	if err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	if h := listen(t, m, "events", l.Lane("events").Reader(1), "foreign"); h != (heard{frames: 6, lost: 6, told: 1}) {
		t.Errorf("%+v", h)
	}
}

// Of what a failed sync left in memory only, one thing is true whatever the disk
// has of it: that the frames before it were on disk. If the last of those is
// damaged, its numbers are not given again.
func TestNumbersBeforeAFailedSyncAreNotGivenAgain(t *testing.T) {
	fs, m := small(t)
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("events")
	for _, what := range []string{"sound", "damaged later"} {
		if err := m.append(lane, what, 2); err != nil {
			t.Fatal(err)
		}
	}
	next := lane.Next()
	last := lane.segs[len(lane.segs)-1]
	fs.fail = func(int) error {
		if what := fs.trace[len(fs.trace)-1].what; what == "sync" || what == "open" || what == "truncate" {
			return errInjected
		}
		return nil
	}
	if m.append(lane, "in memory only", 1) == nil {
		t.Fatal("no error")
	}
	fs.fail = nil
	f := fs.live["/b/log/"+last.name("events")]
	for _, b := range [][]byte{f.live, f.synced} {
		b[last.end-block+frameHeader] ^= 1
	}
	l, report, err := openLog(fs, roomy())
	if err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	if got := l.Lane("events").Next(); got != next {
		t.Errorf("numbers go on at %d, want %d", got, next)
	}
	if err := m.append(l.Lane("events"), "after", 1); err != nil {
		t.Fatal(err)
	}
	h := listen(t, m, "events", l.Lane("events").Reader(1), "reopened")
	if h.lost != 2 || h.told != 1 {
		t.Errorf("told of %d numbers in %d pieces, want 2 in 1", h.lost, h.told)
	}
}

// A last frame that can't be read at first, and can a moment later, is not cut:
// only its numbers are not sure to be the last.
func TestWhatCouldNotBeReadAtFirstIsNotCut(t *testing.T) {
	write, m := newMemFS(), newModel()
	l, _, err := openLog(write, plain("/b", 16<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	var last int64 // where the last frame stands
	for _, what := range []string{"a", "b", "c"} {
		last = lane.endOfNewest()
		if err := m.append(lane, strings.Repeat(what, 100_000), 1); err != nil {
			t.Fatal(err)
		}
	}
	fs := write.clone()
	dead := 0 // operations that fail: from the first that reads the last frame to the next sync
	fs.glitch = func(_ string, off int64, b []byte) {
		if dead == 0 && off+int64(len(b)) > last {
			dead = fs.op
		}
	}
	if _, report, err := openLog(fs, plain("/b", 16<<20)); err != nil || report.Fresh || dead == 0 {
		t.Fatalf("%v, %+v", err, report)
	}
	fs = write.clone()
	recovered := false
	fs.fail = func(n int) error {
		what := fs.trace[len(fs.trace)-1].what
		recovered = recovered || what == "sync"
		if what == "read" && n >= dead && !recovered {
			return errInjected
		}
		return nil
	}
	l, report, err := openLog(fs, plain("/b", 16<<20))
	if err != nil || !report.Fresh || !recovered {
		t.Fatalf("%v, %+v", err, report)
	}
	if h := listen(t, m, "data", l.Lane("data").Reader(1), "recovered"); h != (heard{frames: 3}) {
		t.Errorf("%+v", h)
	}
}

func (l *Lane) endOfNewest() int64 {
	if len(l.segs) == 0 {
		return block
	}
	return l.segs[len(l.segs)-1].end
}
