package buffer

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a log of a few segments, all of it acknowledged, and its model.
func small(t *testing.T) (*memFS, *model) {
	t.Helper()
	fs, m := newMemFS(), newModel()
	for i := range 3 {
		l, _, err := openLog(fs, roomy())
		if err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			for _, lane := range l.lanes {
				if err := m.append(lane, fmt.Sprintf("%s %d %d", lane.name, i, k), 2); err != nil {
					t.Fatal(err)
				}
			}
		}
		l.SetPosition("events/county", 1)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fs.clone(), m
}

// roomy drops nothing.
func roomy() Config {
	c := testConfig()
	c.Lanes[1].Size = 1 << 20
	return c
}

// heard is what a reader from the first number on was told.
type heard struct {
	frames int
	lost   uint64 // numbers
	told   int    // how often something was lost
}

// listen reads a lane, and fails on anything that was not appended.
func listen(t *testing.T, m *model, lane string, r *Reader, what string) heard {
	t.Helper()
	defer r.Close()
	var h heard
	n := uint64(1)
	for {
		f, err := r.Next()
		var lost *Lost
		switch {
		case errors.Is(err, io.EOF):
			return h
		case errors.As(err, &lost):
			if lost.From != n {
				t.Fatalf("%s: lost from %d, want %d", what, lost.From, n)
			}
			h.told++
			h.lost += lost.To + 1 - lost.From
			n = lost.To + 1
			continue
		case err != nil:
			t.Fatalf("%s: %v", what, err)
		}
		if f.Key {
			continue
		}
		if f.First != n || m.acked[lane][n] != string(f.Payload) || m.count[lane][n] != f.Count {
			t.Fatalf("%s: frame %d of %d is %q, want %d: %q", what, f.First, f.Count, f.Payload, n, m.acked[lane][n])
		}
		n += uint64(f.Count)
		h.frames++
	}
}

// Every byte of a small log is turned, and some of the zeros: promises 4 and 5.
func TestEveryFlippedByteCostsOneFrame(t *testing.T) {
	t.Parallel()
	fs, m := small(t)
	for _, lane := range []string{"events", "data"} {
		names := fs.lane(t, lane)
		for i, name := range names {
			if i == 1 {
				continue // as the first
			}
			size := len(fs.live[name].live)
			for at := 0; at < size; at++ {
				if zeros := at%block > 130 && at%block < secondCopy || at%block > secondCopy+130; zeros && at%61 > 0 {
					continue
				}
				what := fmt.Sprintf("%s, byte %d", name, at)
				broken := fs.with(name)
				broken.live[name].live[at] ^= 1 << (at % 8)
				l, report, err := openLog(broken, roomy())
				last := i == len(names)-1 && at >= size-block // the other lane knows that it was on disk
				if err != nil || report.Kept != "" || report.Fresh && !last {
					t.Fatalf("%s: %v, %+v", what, err, report)
				}
				h := listen(t, m, lane, l.Lane(lane).Reader(1), what)
				if last && lane == "data" && h == (heard{frames: 8}) {
					continue // nothing was written since: it can't be told from a torn write
				}
				if h.frames < 8 || h.frames+int(h.lost)/2 != 9 {
					t.Fatalf("%s: %+v", what, h)
				}
				if n, ok := l.Position("events/county"); !ok || n != 1 {
					t.Fatalf("%s: position %d, %v", what, n, ok)
				}
			}
		}
	}
}

// Whole files are damaged in the ways that cards, people and fsck know.
func TestDamagedSegments(t *testing.T) {
	missing := func(fs *memFS, names []string, i int) { delete(fs.live, names[i]) }
	empty := func(fs *memFS, names []string, i int) { fs.live[names[i]].live = nil }
	zeroed := func(fs *memFS, names []string, i int) { clear(fs.live[names[i]].live) }
	cut := func(n int) func(*memFS, []string, int) {
		return func(fs *memFS, names []string, i int) {
			f := fs.live[names[i]]
			f.live = f.live[:min(n, len(f.live))]
		}
	}
	duplicate := func(fs *memFS, names []string, i int) { // over the one that follows
		fs.live[names[(i+1)%len(names)]] = onDisk(slices.Clone(fs.live[names[i]].live))
	}
	again := func(fs *memFS, names []string, i int) { // as if it were newer
		_, s, _, _ := parseName(strings.TrimPrefix(names[i], "/b/log/"))
		s.seq += 1000
		fs.live["/b/log/"+s.name("events")] = onDisk(slices.Clone(fs.live[names[i]].live))
	}
	swapped := func(fs *memFS, names []string, i int) {
		k := (i + 1) % len(names)
		fs.live[names[i]], fs.live[names[k]] = fs.live[names[k]], fs.live[names[i]]
	}
	ways := map[string]func(*memFS, []string, int){"missing": missing, "empty": empty, "zeroed": zeroed, "cut at 5000": cut(5000),
		"cut at 1000": cut(1000), "cut at 12000": cut(12000), "duplicate": duplicate, "copied as newer": again, "swapped": swapped}
	for what, damage := range ways {
		for i := range 3 {
			what := fmt.Sprintf("%s, segment %d", what, i)
			fs, m := small(t)
			names := fs.lane(t, "events")
			newest := slices.Clone(fs.live[names[2]].live)
			damage(fs, names, i)
			head := fs.live[names[2]] != nil && slices.Equal(fs.live[names[2]].live, newest)
			l, report, err := openLog(fs, roomy())
			if err != nil || report.Fresh == head || report.Kept != "" {
				t.Fatalf("%s: %v, %+v", what, err, report)
			}
			listen(t, m, "events", l.Lane("events").Reader(1), what)
			if h := listen(t, m, "data", l.Lane("data").Reader(1), what); h.frames != 9 {
				t.Fatalf("%s: the other lane: %+v", what, h)
			}
			if err := l.Lane("events").Append([]byte("goes on"), 1); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if n := l.Lane("events").Next(); n != 20 {
				t.Fatalf("%s: numbers are given again from %d on", what, n)
			}
		}
	}
}

// A header whose both copies are bad makes its segment *.bad, but gives no number twice.
func TestANewestSegmentWithoutHeaderIsSetAside(t *testing.T) {
	fs, m := small(t)
	names := fs.lane(t, "events")
	clear(fs.live[names[2]].live[:block])
	l, report, err := openLog(fs, roomy())
	if err != nil || report.Fresh || len(report.Faults) != 1 {
		t.Fatalf("%v, %+v", err, report)
	}
	if f := report.Faults[0]; f.First != 13 || f.Last != 18 || f.Offset != 0 {
		t.Errorf("fault %v", f)
	}
	if fs.live["/b/log/events-0000000000000003-0000000000000013.seg.bad"] == nil || fs.live[names[2]] != nil {
		t.Errorf("it is not set aside: %s", fs.last(5))
	}
	if n := l.Lane("events").Next(); n != 19 {
		t.Errorf("next is %d", n)
	}
	l, report, err = openLog(fs, roomy()) // nothing was appended meanwhile
	if err != nil || report.Fresh || l.Lane("events").Next() != 19 {
		t.Fatalf("%v, %+v, next is %d", err, report, l.Lane("events").Next())
	}
	if h := listen(t, m, "events", l.Lane("events").Reader(1), "bad"); h != (heard{6, 6, 1}) {
		t.Errorf("%+v", h)
	}
}

// A segment in the middle is what its header says, and not what its name does: what
// was copied or renamed is told as lost.
func TestASegmentInTheMiddleIsWhatItsHeaderSays(t *testing.T) {
	const foreign, missing = "it is of another log or lane", "frames are missing behind it"
	for _, c := range []struct {
		what   string
		change func(h *header)
		told   string
	}{
		{"of another lane", func(h *header) { h.lane = "data" }, foreign},
		{"of another log", func(h *header) { h.lineage = lineage{}.begin() }, foreign},
		{"of a later use", func(h *header) { h.seq += 7 }, foreign},
		{"recycled, and not begun", func(h *header) { h.seq-- }, missing},
		{"of other numbers", func(h *header) { h.first++ }, missing},
		{"without one", nil, errNoHeader.Error()},
	} {
		fs, m := small(t)
		name := fs.lane(t, "events")[1]
		b := fs.live[name].live
		h, err := parseHeader(b[:block])
		if err != nil {
			t.Fatal(err)
		}
		if clear(b[:block]); c.change != nil {
			c.change(&h)
			copy(b, appendHeader(nil, &h))
		}
		l, report, err := openLog(fs, roomy())
		if err != nil || report.Fresh {
			t.Fatalf("%s: %v, %+v", c.what, err, report)
		}
		if h := listen(t, m, "events", l.Lane("events").Reader(1), c.what); h != (heard{6, 6, 1}) {
			t.Errorf("%s: %+v", c.what, h)
		}
		_, err = l.Lane("events").Reader(8).Next()
		var lost *Lost
		if !errors.As(err, &lost) || lost.From != 8 || lost.To != 12 || lost.Damage == nil || lost.Damage.What != c.told ||
			lost.Damage.Segment != filepath.Base(name) || lost.Damage.Offset != 0 {
			t.Errorf("%s: from its middle on: %+v", c.what, lost)
		}
	}
}

// A key that is damaged at the very end of a segment costs no number, and is told:
// who decodes by it has to know. From outside as well.
func TestADamagedKeyAtAnEndIsTold(t *testing.T) {
	fs := newMemFS()
	c := plain("/b", 1<<20)
	for _, last := range []bool{true, false} {
		l, _, err := openLog(fs, c)
		if err == nil {
			err = l.Lane("data").Append([]byte("x"), 2)
		}
		if err == nil && last {
			err = l.Lane("data").AppendKey([]byte("key"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fs = fs.clone()
	fs.live[fs.lane(t, "data")[0]].live[2*block+50] ^= 1
	l, _, err := openLog(fs, c)
	if err != nil {
		t.Fatal(err)
	}
	v, err := openView(fs, "/b")
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]*Reader{"a reader": l.Lane("data").Reader(1), "a view's": v.Reader("data", 1)} {
		_, err := r.Next()
		var lost *Lost
		if err == nil {
			_, err = r.Next()
		}
		if !errors.As(err, &lost) || lost.From != 3 || lost.To != 2 || lost.Damage == nil || lost.Damage.Offset != 2*block {
			t.Errorf("%s: %v, %+v", what, err, lost)
		}
		if f, err := r.Next(); err != nil || f.First != 3 {
			t.Errorf("%s: %v, %v", what, f, err)
		}
	}
}

// A segment that is dropped between a look at the lane and one at the file is no
// damage.
func TestASegmentThatIsDroppedWhileItIsEntered(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", MinSize))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for lane.First() == 1 {
		if err := lane.Append([]byte("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	r := newReader(fs, "/b/log", "data", l.line(), &late{lane, &segment{seq: 1, first: 1}}, 1)
	_, err = r.Next()
	var lost *Lost
	if !errors.As(err, &lost) || lost.From != 1 || lost.To != lane.First()-1 || lost.Damage != nil {
		t.Errorf("%v, %+v", err, lost)
	}
}

// late knows, once, of a segment that is gone.
type late struct {
	*Lane
	gone *segment
}

func (l *late) find(n uint64) (segment, bool) {
	if s := l.gone; s != nil {
		l.gone = nil
		return *s, true
	}
	return l.Lane.find(n)
}

// What can't be read goes first when space is needed.
func TestABadSegmentGoesBeforeAnythingElse(t *testing.T) {
	fs := newMemFS()
	c := plain("/b", 1<<20)
	var l *Log
	for range 2 {
		var err error
		if l, _, err = openLog(fs, c); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if err := l.Lane("data").Append(make([]byte, 9000), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	clear(fs.live[fs.lane(t, "data")[1]].live[:block])
	l, report, err := openLog(fs, c)
	if err != nil || len(report.Faults) != 1 {
		t.Fatalf("%v, %+v", err, report)
	}
	bad := func() (n int) {
		for name := range fs.live {
			if strings.HasSuffix(name, ".bad") {
				n++
			}
		}
		return n
	}
	for i := 0; bad() > 0 && i < 200; i++ {
		if l.Lane("data").First() > 1 {
			t.Fatal("something else went")
		}
		if err := l.Lane("data").Append(make([]byte, 9000), 1); err != nil {
			t.Fatal(err)
		}
	}
	if bad() > 0 {
		t.Error("it is still there")
	}
}

func TestAHeadThatIsLostBeginsANewEpoch(t *testing.T) {
	fs, _ := small(t)
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	former := l.Epoch()
	l.SetPosition("events/county", 13) // as far as the two segments that stay go, and one
	if err := l.Lane("data").Append([]byte("takes it along"), 1); err != nil {
		t.Fatal(err)
	}
	names := fs.lane(t, "events")
	delete(fs.live, names[2])
	l, report, err := openLog(fs, roomy())
	if err != nil || !report.Fresh || report.Former != former || report.Kept != "" || l.Epoch() == former {
		t.Fatalf("%v, %+v", err, report)
	}
	if n := l.Lane("events").Next(); n != 19 { // as the data lane knows
		t.Errorf("next is %d", n)
	}
	if n, ok := l.Position("events/county"); !ok || n != 13 {
		t.Errorf("position %d, %v", n, ok)
	}
}

func TestANewerVersionIsLeftUntouched(t *testing.T) {
	fs, _ := small(t)
	before := fs.clone()
	for _, name := range fs.lane(t, "data") {
		for _, at := range []int{7, secondCopy + 7} {
			fs.live[name].live[at] = version + 1
			before.live[name].live[at] = version + 1
		}
	}
	_, report, err := openLog(fs, roomy())
	if err != nil || !report.Fresh || report.Kept == "" || report.Former == "" {
		t.Fatalf("%v, %+v", err, report)
	}
	for name, f := range before.live {
		kept := fs.live[strings.Replace(name, "/b/log/", report.Kept+"/", 1)]
		if kept == nil || !slices.Equal(kept.live, f.live) {
			t.Errorf("%s was touched", name)
		}
	}
	if _, report, err = openLog(fs, roomy()); err != nil || report.Fresh {
		// nothing was written yet, so it is fresh still; but nothing is moved again
		if report.Kept != "" {
			t.Fatalf("%v, %+v", err, report)
		}
	}
}

// What a failed sync left in a segment was never acknowledged, even if it can be read.
func TestAFailedAppendIsNotReadAfterARestart(t *testing.T) {
	fs, m := newMemFS(), newModel()
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("events")
	if err := m.append(lane, "first", 1); err != nil {
		t.Fatal(err)
	}
	fs.fail = func(int) error {
		if what := fs.trace[len(fs.trace)-1].what; what == "sync" || what == "syncdir" || what == "truncate" {
			return errInjected
		}
		return nil
	}
	if m.append(lane, "failed", 1) == nil {
		t.Fatal("no error")
	}
	fs.fail = nil
	if err := m.append(lane, "second", 1); err != nil {
		t.Fatal(err)
	}
	fs.fail = nthFrom(fs, "sync")
	if err := lane.AppendKey([]byte("key once")); err != nil {
		t.Fatal(err)
	}
	fs.fail = nil
	if err := m.check(lane, false); err != nil {
		t.Fatal(err)
	}
	l, report, err := openLog(fs, roomy()) // the same machine: what it has in memory is still there
	if err != nil {
		t.Fatal(err)
	}
	if err := m.opened(l, report); err != nil {
		t.Fatal(err)
	}
	lane = l.Lane("events")
	if got := all(t, lane.Reader(1)); strings.Count(got, "key once") != 1 {
		t.Errorf("got %q", got)
	}
	if err := m.append(lane, "third", 1); err != nil {
		t.Fatal(err)
	}
	// Where the next segment's header is gone, its name still says where it began.
	clear(fs.live[fs.lane(t, "events")[1]].live[:block])
	for _, from := range []uint64{1, 2} {
		if got := all(t, lane.Reader(from)); strings.Contains(got, "failed") || !strings.Contains(got, "lost 2-2") {
			t.Errorf("from %d: got %q", from, got)
		}
	}
}

// What an earlier run wrote of a position without success is not taken for safe.
func TestAPositionOfAFailedFlushIsFlushedAgain(t *testing.T) {
	fs, m := newMemFS(), newModel()
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.append(l.Lane("events"), "first", 1); err != nil {
		t.Fatal(err)
	}
	l.SetPosition("events/county", 1)
	fs.fail = func(int) error {
		if what := fs.trace[len(fs.trace)-1].what; what == "sync" || what == "syncdir" || what == "truncate" {
			return errInjected
		}
		return nil
	}
	if l.Flush() == nil {
		t.Fatal("no error")
	}
	fs.fail = nil
	if l, _, err = openLog(fs, roomy()); err != nil {
		t.Fatal(err)
	}
	n, _ := l.Position("events/county")
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if l, _, err = openLog(fs.powerCut(false, none), roomy()); err != nil {
		t.Fatal(err)
	}
	if after, _ := l.Position("events/county"); after != n || n != 1 {
		t.Errorf("position %d was flushed, and is %d", n, after)
	}
}

// A View that reads a block in the middle of its write looks again before it
// calls that damage.
func TestAViewLooksTwice(t *testing.T) {
	fs, m := small(t)
	done := false
	fs.glitch = func(path string, off int64, b []byte) {
		if !done && off <= 2*block && off+int64(len(b)) > 2*block && strings.Contains(path, "events-0000000000000003") {
			b[2*block-off+50] ^= 1
			done = true
		}
	}
	v, err := openView(fs, "/b")
	if err != nil || len(v.Faults) > 0 || !done {
		t.Fatalf("%v %v", err, v.Faults)
	}
	done = false
	if h := listen(t, m, "events", v.Reader("events", 1), "view"); h != (heard{frames: 9}) || !done {
		t.Errorf("%+v", h)
	}
}

// A segment that is recycled while a View looks at it is no damage: the View
// looks at what is there then.
func TestAViewOfASegmentThatIsRecycled(t *testing.T) {
	fs, _ := small(t)
	fs.glitch = func(path string, off int64, b []byte) {
		if off <= 2*block && off+int64(len(b)) > 2*block && strings.Contains(path, "events-0000000000000003") {
			b[2*block-off+50] ^= 1 // at each look: it is of another use
			delete(fs.live, path)
		}
	}
	if v, err := openView(fs, "/b"); err != nil || len(v.Faults) > 0 {
		t.Errorf("%v %v", err, v)
	}
}

// nthFrom fails the next operation of a kind.
func nthFrom(fs *memFS, what string) func(int) error {
	done := false
	return func(int) error {
		if !done && fs.trace[len(fs.trace)-1].what == what {
			done = true
			return errInjected
		}
		return nil
	}
}

// A torn tail is no fault; damage before what is known to be on disk is one.
func TestTornTailIsToldFromDamage(t *testing.T) {
	fs, _ := small(t)
	names := fs.lane(t, "events")
	newest := names[len(names)-1]
	at := 4 * block // header, key, 13-14, 15-16, 17-18
	torn := fs.with(newest)
	torn.live[newest].live[at+50] ^= 1
	if _, report, err := openLog(torn, roomy()); err != nil || len(report.Faults) != 0 {
		t.Errorf("torn: %v, %+v", err, report)
	}
	early := fs.with(names[0])
	delete(early.live, newest)
	delete(early.live, names[1])
	early.live[names[0]].live = early.live[names[0]].live[:3*block] // header, key, 1-2: one write
	early.live[names[0]].live[block+50] ^= 1
	if _, report, err := openLog(early, roomy()); err != nil || len(report.Faults) != 0 {
		t.Errorf("torn first write: %v, %+v", err, report)
	}
	damaged := fs.with(newest)
	damaged.live[newest].live[at-block+50] ^= 1
	_, report, err := openLog(damaged, roomy())
	if err != nil || len(report.Faults) != 1 {
		t.Fatalf("damaged: %v, %+v", err, report)
	}
	if f := report.Faults[0]; "/b/log/"+f.Segment != newest || f.Offset != int64(at-block) || f.First != 15 || f.Last != 16 {
		t.Errorf("fault is %v", f)
	}
}

func TestFramesThatAreNone(t *testing.T) {
	f := frame{kind: records, use: 7, first: 1, count: 1, payload: []byte("x")}
	b := appendFrame(nil, &f, block)
	length, err := frameLength(b, 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseFrame(b[:length], block); err != nil {
		t.Fatal(err)
	}
	if _, err := parseFrame(b[:length], 2*block); err == nil {
		t.Error("a frame is taken at a place where it was not written")
	}
	if _, err := frameLength(b, 8); err == nil {
		t.Error("a frame of another use is taken")
	}
	b[10] = 0x10 // a length of a megabyte more
	if _, err := frameLength(b, 7); err == nil {
		t.Error("a length above MaxPayload is believed")
	}
}

func TestASegmentOfAnotherLogIsSetAside(t *testing.T) {
	fs, m := small(t)
	other, _ := small(t)
	name := "/b/log/events-00000000000000ff-0000000000001000.seg"
	names := other.lane(t, "events")
	b := slices.Clone(other.live[names[2]].live)
	_, h, err := openSegment(other, "/b/log", "events", segment{seq: 3, first: 13})
	if err != nil {
		t.Fatal(err)
	}
	h.seq, h.first = 255, 4096
	fs.live[name] = onDisk(append(appendHeader(nil, &h), b[block:]...))
	l, report, err := openLog(fs, roomy())
	if err != nil || report.Fresh || len(report.Faults) != 1 || fs.live[name] != nil {
		t.Fatalf("%v, %+v", err, report)
	}
	if h := listen(t, m, "events", l.Lane("events").Reader(1), "foreign"); h != (heard{frames: 9}) || l.Lane("events").Next() != 19 {
		t.Errorf("%+v, next is %d", h, l.Lane("events").Next())
	}
}

// A segment of another lane, copied over one of this, says where a segment ended,
// but not where the one before it in this lane did.
func TestACopyOfAnotherLaneCostsItsOwnPlaceOnly(t *testing.T) {
	fs, m := newMemFS(), newModel()
	for _, lanes := range [][]string{{"data", "events", "events", "events"}, {"data", "events"}, {"events"}} {
		l, _, err := openLog(fs, roomy())
		if err != nil {
			t.Fatal(err)
		}
		for _, lane := range lanes {
			if err := m.append(l.Lane(lane), "of "+lane, 2); err != nil {
				t.Fatal(err)
			}
		}
	}
	fs = fs.clone()
	fs.live[fs.lane(t, "events")[1]] = onDisk(slices.Clone(fs.live[fs.lane(t, "data")[1]].live))
	l, report, err := openLog(fs, roomy())
	if err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	if h := listen(t, m, "events", l.Lane("events").Reader(1), "copied over"); h != (heard{frames: 4, lost: 2, told: 1}) {
		t.Errorf("%+v", h)
	}
}

// Nobody knows which numbers an unreadable head has given.
func TestAHeadThatCannotBeReadBeginsANewEpoch(t *testing.T) {
	fs, m := small(t)
	newest := fs.lane(t, "events")[2]
	fs.fail = func(int) error {
		if o := fs.trace[len(fs.trace)-1]; o.what == "read" && o.path == newest {
			return errInjected
		}
		return nil
	}
	l, report, err := openLog(fs, roomy())
	if err != nil || !report.Fresh || report.Kept != "" || !strings.Contains(report.Why, "head") {
		t.Fatalf("%v, %+v", err, report)
	}
	if err := l.Lane("events").Append([]byte("goes on"), 1); err != nil {
		t.Fatal(err)
	}
	if l.Lane("events").Next() != 20 {
		t.Errorf("next is %d", l.Lane("events").Next())
	}
	m.numbered(t, l.Lane("events"), "while it can't be read")
	fs.fail = nil // the card has come to itself
	m.next["events"], m.acked["events"][19], m.count["events"][19] = 20, "goes on", 1
	if h := listen(t, m, "events", l.Lane("events").Reader(1), "it can be read again"); h != (heard{frames: 10}) {
		t.Errorf("%+v", h)
	}
}
