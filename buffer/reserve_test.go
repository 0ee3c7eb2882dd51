package buffer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Where something else fills the file system: the oldest makes room, and nothing
// that comes is refused, however young a lane is.

// fill appends to each lane in turn, in frames of one to three blocks, and says
// how many were refused. A second is five rounds.
func (m *model) fill(l *Log, rounds int, rng *rand.Rand) (refused []string) {
	for i := range rounds {
		if i%5 == 1 {
			if err := l.Flush(); err != nil {
				refused = append(refused, fmt.Sprintf("round %d: flush: %v", i, err))
			}
		}
		for _, lane := range l.lanes {
			if err := m.append(lane, fmt.Sprintf("%s %d %0*d", lane.name, lane.Next(), rng.IntN(9000), 0), 1+rng.IntN(3)); err != nil {
				refused = append(refused, fmt.Sprintf("round %d: %v", i, err))
			}
		}
	}
	return refused
}

func TestAYoungLaneGoesOnWhereTheFileSystemIsFull(t *testing.T) {
	t.Parallel()
	for _, before := range []int{2, 20} {
		for _, restarts := range []int{0, 2} {
			for _, free := range []int64{0, 70_000} {
				what := fmt.Sprintf("%d records, %d restarts, %d bytes", before, restarts, free)
				rng := rand.New(rand.NewPCG(uint64(before), uint64(restarts)))
				fs, m := newMemFS(), newModel()
				for run := range 2 * (restarts + 1) {
					l, report, err := openLog(fs, roomy())
					if err == nil {
						err = m.opened(l, report)
					}
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					if refused := m.fill(l, before, rng); len(refused) > 0 {
						t.Fatalf("%s: run %d: %d were refused: %s", what, run, len(refused), refused[0])
					}
					if run == restarts { // and from here on it is full
						fs.space = fs.used() + free
						if refused := m.fill(l, 60, rng); len(refused) > 0 {
							t.Fatalf("%s: %d were refused: %s", what, len(refused), refused[0])
						}
						if before == 2 && !l.Cramped() { // the others are near their sizes
							t.Errorf("%s: it is not told", what)
						}
					}
				}
				fs.space = 0
				l, report, err := openLog(fs, roomy())
				if err == nil {
					err = m.opened(l, report)
				}
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if refused := m.fill(l, 40, rng); len(refused) > 0 || l.Cramped() {
					t.Errorf("%s: with space again: %v, cramped: %v", what, refused, l.Cramped())
				}
			}
		}
	}
}

// The file system fills at any operation behind the first second, and the power
// goes some time later.
func TestTheFileSystemFillsAtAnyOperation(t *testing.T) {
	t.Parallel()
	life := func(fs *memFS, m *model, rng *rand.Rand) (first int, refused []string) {
		for run := range 3 {
			l, report, err := openLog(fs, roomy())
			if err == nil {
				err = m.opened(l, report)
			}
			if err != nil {
				t.Fatal(err)
			}
			refused = append(refused, m.fill(l, 2, rng)...)
			if run == 0 {
				first = fs.op
			}
			refused = append(refused, m.fill(l, 20, rng)...)
		}
		return first, refused
	}
	whole := newMemFS()
	first, _ := life(whole, newModel(), rand.New(rand.NewPCG(7, 7)))
	for n := first; n < whole.op; n += 31 {
		fs, m := newMemFS(), newModel()
		fs.short = n%2 == 0
		fs.fail = func(op int) error {
			if op == n || op > n && n%3 > 0 { // what is given back is taken, too
				fs.space = fs.used()
			}
			return nil
		}
		if _, refused := life(fs, m, rand.New(rand.NewPCG(7, 7))); len(refused) > 0 {
			t.Fatalf("full from operation %d on: %d were refused: %s", n, len(refused), refused[0])
		}
		after := fs.powerCut(n%4 < 2, none)
		after.fail = func(int) error {
			after.space = after.used()
			return nil
		}
		l, report, err := openLog(after, roomy())
		if err == nil {
			err = m.opened(l, report)
		}
		if err != nil {
			t.Fatalf("full from operation %d on: %v", n, err)
		}
		if refused := m.fill(l, 25, rand.New(rand.NewPCG(8, 8))); len(refused) > 0 {
			t.Fatalf("full from operation %d on, and after a power cut: %d were refused: %s", n, len(refused), refused[0])
		}
	}
}

// What is in reserve is neither a segment nor in the way of one, and goes with a
// log that is moved aside.
func TestWhatIsInReserve(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	put := func(n int) {
		t.Helper()
		for range n {
			if err := lane.Append(make([]byte, 3000), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(3)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	const name = "/b/log/data.spare"
	if f := fs.live[name]; f == nil || len(f.synced) != leastSegment || fs.disk[name] == nil || lane.Bytes() != fs.used() {
		t.Fatalf("%d bytes are counted of %d: %s", lane.Bytes(), fs.used(), fs.last(5))
	}
	put(3)
	before := fs.op
	if err := l.Flush(); err != nil || fs.op != before {
		t.Errorf("%v; it is looked for each time: %s", err, fs.last(5))
	}
	if err := lane.AppendKey(make([]byte, 50_000)); err != nil { // which is what the next one has to begin with
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil || len(fs.live[name].synced) < 100_000 || lane.Bytes() != fs.used() {
		t.Errorf("%v; %d bytes are counted of %d: %s", err, lane.Bytes(), fs.used(), fs.last(5))
	}
	v, err := openView(fs, "/b")
	if err != nil || v.Lanes[0].Next != 7 || v.Lanes[0].Bytes != fs.used() {
		t.Fatalf("%v, %+v", err, v)
	}
	if got := strings.Count(all(t, v.Reader("data", 1)), "\x00 "); got != 6 {
		t.Errorf("a view has %d records and a key", got)
	}
	old := fs.clone()
	for lane.First() == 1 {
		put(1)
	}
	if err := l.Flush(); err != nil || fs.live[name] != nil || lane.Bytes() != fs.used() {
		t.Errorf("it is kept beside older segments; %d bytes are counted of %d", lane.Bytes(), fs.used())
	}
	keyed := plain("/b", 1<<20)
	keyed.Lanes[0].Key = func() []byte { return make([]byte, 50_000) }
	large := newMemFS()
	l, _, err = openLog(large, keyed)
	if err == nil {
		err = errors.Join(l.Lane("data").Append([]byte("x"), 1), l.Flush())
	}
	if err != nil || len(large.live[name].synced) < 100_000 {
		t.Errorf("%v; what the first key needs is not there", err)
	}
	clear(old.live[old.lane(t, "data")[0]].live)
	l, report, err := openLog(old, plain("/b", 1<<20))
	if err != nil || report.Kept == "" || l.Lane("data").Bytes() != old.used() {
		t.Errorf("%v, %+v: %d bytes of %d", err, report, l.Lane("data").Bytes(), old.used())
	}
}

// A frame larger than all before finds no space; the reserve is there for what
// follows.
func TestAFrameThatDoesNotFitCostsNoReserve(t *testing.T) {
	for i, short := range []bool{false, true, false} {
		fs := newMemFS()
		var lane *Lane
		put := func(size int) error { return lane.Append(make([]byte, size), 1) }
		for range i + 1 { // segments, of which the older could take turns
			l, _, err := openLog(fs, plain("/b", 1<<20))
			if err != nil {
				t.Fatal(err)
			}
			lane = l.Lane("data")
			if err := errors.Join(put(100), l.Flush()); err != nil {
				t.Fatal(err)
			}
		}
		fs.short = short
		fs.fail = func(int) error {
			fs.space = fs.used()
			return nil
		}
		for i := range 100 {
			if err := put(62_000); !full(err) {
				t.Fatalf("frame %d: %v", i, err)
			}
			if err := put(100); err != nil {
				t.Fatalf("short %v, %d: %v: %s", short, i, err, fs.last(9))
			}
		}
	}
}

// An earlier version cut each segment behind its last frame, so that the oldest may
// be too short for what comes: then it is the next one's turn.
func TestShortSegmentsOnAFullFileSystem(t *testing.T) {
	fs := newMemFS()
	c := plain("/b", 1<<20)
	var l *Log
	for range 6 {
		for _, f := range fs.live {
			f.live = f.live[:2*block]
			f.synced = f.synced[:2*block]
		}
		var err error
		if l, _, err = openLog(fs, c); err == nil {
			err = l.Lane("data").Append([]byte("x"), 1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	fs.fail = func(int) error {
		fs.space = fs.used()
		return nil
	}
	for i := range 60 {
		for _, size := range []int{100, 5000, 9000} {
			if err := l.Lane("data").Append(make([]byte, size), 1); err != nil {
				t.Fatalf("%d bytes, %d: %v: %s", size, i, err, fs.last(9))
			}
		}
	}
}

// Where there is no space for it, it is made when there is.
func TestTheReserveIsTriedAgain(t *testing.T) {
	fs, m := newMemFS(), newModel()
	fs.space, fs.short = 2*leastSegment+3*block, true
	l, _, err := openLog(fs, roomy())
	if err != nil {
		t.Fatal(err)
	}
	if refused := m.fill(l, 3, rand.New(rand.NewPCG(1, 1))); len(refused) > 0 || fs.used() != 2*leastSegment {
		t.Fatalf("%v; %d bytes are taken", refused, fs.used())
	}
	fs.space = 0
	before := fs.op
	for range pauses {
		if err := l.Flush(); err != nil || fs.op != before {
			t.Fatalf("%v: %s", err, fs.last(3))
		}
	}
	if err := l.Flush(); err != nil || fs.used() != 4*leastSegment {
		t.Errorf("%v; %d bytes are taken", err, fs.used())
	}
}

// The file system is full before there is any event: data gives up even what it
// has in reserve.
func TestTheFirstEventOnAFullFileSystem(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plainLanes())
	if err == nil {
		err = errors.Join(l.Lane("data").Append([]byte("x"), 1), l.Flush())
	}
	if err != nil || fs.live["/b/log/data.spare"] == nil {
		t.Fatal(err)
	}
	fs.space = fs.used()
	for i := range 10 {
		if err := l.Lane("events").Append([]byte("event"), 1); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if fs.live["/b/log/data.spare"] != nil || l.Lane("data").First() != 1 || !l.Cramped() {
		t.Errorf("data begins at %d: %s", l.Lane("data").First(), fs.last(9))
	}
}

// A disk that refuses a write now and then: what a segment had to itself beyond
// its last frame is given back, or the lane would be full of nothing.
func TestFailedWritesCostNoSpace(t *testing.T) {
	for _, what := range []string{"write", "sync"} {
		fs := newMemFS()
		l, _, err := openLog(fs, plain("/b", 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		fs.fail = func(int) error {
			if fs.trace[len(fs.trace)-1].what == what {
				if n++; n%10 == 0 {
					return errInjected
				}
			}
			return nil
		}
		lane := l.Lane("data")
		for range 1000 {
			if err := lane.Append(make([]byte, 300), 1); err != nil {
				t.Fatal(err)
			}
		}
		if held := lane.Next() - lane.First(); held < 160 || lane.Bytes() != fs.used() {
			t.Errorf("%s fails: %d records are held in %d bytes of %d", what, held, lane.Bytes(), fs.used())
		}
	}
}
