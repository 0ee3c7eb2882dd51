package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Readers are told which epoch each frame was written in, and go through all of
// them.
func TestReadersGoThroughEpochs(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	names := map[string]string{l.Epoch(): "A"}
	v, err := openView(fs, "/b")
	if err == nil {
		t.Fatalf("a view of nothing: %+v", v)
	}
	put := func(what string) {
		t.Helper()
		if err := lane.Append([]byte(what), 1); err != nil {
			t.Fatal(err)
		}
	}
	put("1")
	if v, err = openView(fs, "/b"); err != nil {
		t.Fatal(err)
	}
	viewed := v.Reader("data", 1)
	follows := lane.Reader(1)
	if former := l.NewEpoch(); names[former] != "A" {
		t.Fatalf("the former epoch is %s", former)
	}
	names[l.Epoch()] = "B"
	put("2")
	l.NewEpoch()
	names[l.Epoch()] = "C"
	put("3")
	l, report, err := openLog(fs.powerCut(false, none), plain("/b", 1<<20))
	if err != nil || report.Fresh || names[l.Epoch()] != "C" {
		t.Fatalf("%v, %+v", err, report)
	}
	put("4") // by the former run, so that the view has something to follow
	if v, err = openView(fs, "/b"); err != nil || names[v.Epoch] != "C" {
		t.Fatalf("%v, %+v", err, v)
	}
	for what, r := range map[string]*Reader{"reader": l.Lane("data").Reader(1), "view": v.Reader("data", 1),
		"older reader": follows, "older view": viewed} {
		var got []string
		for {
			f, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			got = append(got, names[f.Epoch]+string(f.Payload))
		}
		want := "A1 B2 C3 C4"
		if what == "reader" {
			want = "A1 B2 C3"
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %s, want %s", what, s, want)
		}
		r.Close()
	}
}

// A reader of a lane whose head is lost is told so in the words of the former epoch.
func TestWhatWasLostIsOfTheEpochItWasWrittenIn(t *testing.T) {
	fs, _ := small(t)
	delete(fs.live, fs.lane(t, "events")[2])
	l, report, err := openLog(fs, roomy())
	if err != nil || !report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	for range 2 { // before and after anything was written in the new one
		r := l.Lane("events").Reader(11)
		for {
			f, err := r.Next()
			var lost *Lost
			if errors.As(err, &lost) {
				if lost.From != 13 || lost.To != 18 || lost.Epoch != report.Former || lost.Damage == nil {
					t.Errorf("%+v, want 13 to 18 of %s", lost, report.Former)
				}
				break
			}
			if err != nil || f.Epoch != report.Former {
				t.Fatalf("%+v, %v", f, err)
			}
		}
		r.Close()
		if err := l.Lane("events").Append([]byte("new"), 1); err != nil {
			t.Fatal(err)
		}
	}
}

// The power goes at any moment of a new epoch's beginning: nothing that was
// acknowledged in any of the epochs is lost for it, and no number is given twice.
func TestPowerCutWhileANewEpochBegins(t *testing.T) {
	t.Parallel()
	fs, m := small(t)
	delete(fs.live, fs.lane(t, "events")[2])
	delete(fs.disk, fs.lane(t, "events")[1]) // deleting and syncing the folder is the damage
	fs = fs.clone()
	rng := rand.New(rand.NewPCG(3, 4))
	for n := 1; ; n++ {
		cut, k := fs.clone(), m.clone()
		cut.fail = offAfter(n)
		for range 2 {
			l, _, err := openLog(cut, roomy())
			if err != nil {
				break
			}
			for i := range 3 {
				for _, name := range []string{"data", "events"} {
					_ = k.append(l.Lane(name), fmt.Sprintf("%s in the new epoch, %d", name, i), 2)
				}
			}
			_ = l.Close()
		}
		done := cut.fail(cut.op) == nil
		for i, keep := range []func(memWrite) []memWrite{none, whole, shuffled(rng)} {
			after := cut.powerCut(i > 0, keep)
			what := fmt.Sprintf("cut %d after operation %d", i, n)
			l, report, err := openLog(after, roomy())
			if err != nil || report.Kept != "" {
				t.Fatalf("%s: %v, %+v", what, err, report)
			}
			for _, lane := range l.lanes {
				if lane.Next() < k.next[lane.name] {
					t.Fatalf("%s: %s ends at %d, acknowledged was up to %d", what, lane.name, lane.Next(), k.next[lane.name]-1)
				}
				k.delivers(t, lane, what)
			}
		}
		if done {
			break
		}
	}
}

// delivers checks that what was acknowledged is there, but for what the damage took.
func (m *model) delivers(t *testing.T, lane *Lane, what string) {
	t.Helper()
	got := map[uint64]string{}
	r := lane.Reader(1)
	defer r.Close()
	for {
		f, err := r.Next()
		var lost *Lost
		if errors.As(err, &lost) {
			continue
		}
		if err != nil {
			break
		}
		if !f.Key {
			got[f.First] = string(f.Payload)
		}
	}
	for n, payload := range m.acked[lane.name] {
		if lane.name == "events" && n >= 13 && n <= 18 {
			continue
		}
		if got[n] != payload {
			t.Fatalf("%s: %s: %d is %q, want %q", what, lane.name, n, got[n], payload)
		}
	}
}

// A log that could not be gone on with counts in the lanes' sizes, stays as it
// is until its space is needed, and goes before anything newer.
func TestALogThatWasMovedAsideTakesNoSpaceBeyondTheLanes(t *testing.T) {
	fs := newMemFS()
	const size = 1 << 20
	l, _, err := openLog(fs, plain("/b", size))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; l.Lane("data").First() == 1; i++ {
		if i == 1000 {
			t.Fatal("nothing is dropped")
		}
		if err := l.Lane("data").Append(make([]byte, 9000), 1); err != nil {
			t.Fatal(err)
		}
	}
	newest := fs.lane(t, "data")
	for _, at := range []int{7, secondCopy + 7} {
		fs.live[newest[len(newest)-1]].live[at] = version + 1
	}
	fs.quotas = map[string]int64{"data-": size}
	l, report, err := openLog(fs, plain("/b", size))
	if err != nil || report.Kept != "/b/log.old-1" {
		t.Fatalf("%v, %+v", err, report)
	}
	lane := l.Lane("data")
	if lane.Bytes() < size/2 || lane.Bytes() > size {
		t.Fatalf("the lane counts %d bytes", lane.Bytes())
	}
	left := func() (n int) {
		for name := range fs.live {
			if strings.HasPrefix(name, report.Kept) {
				n++
			}
		}
		return n
	}
	all := left()
	for i := 0; lane.First() == 1 && len(fs.broken) == 0; i++ {
		if err := lane.Append(make([]byte, 9000), 1); err != nil {
			t.Fatal(err)
		}
		if i == 0 && left() < all-2 {
			t.Errorf("%d of %d files went at once", all-left(), all)
		}
		if lane.First() > 1 && left() > 0 {
			t.Error("something newer went before it")
		}
	}
	if len(fs.broken) > 0 {
		t.Error(fs.broken[0])
	}
	_, _, err = openLog(fs, plain("/b", size))
	if _, still := fs.dirs[report.Kept]; err != nil || still {
		t.Errorf("%v, and its folder is still there: %v", err, still)
	}
}

// What version 1 wrote (testdata/v1, three runs of it) is read and gone on with.
func TestAFolderOfVersion1IsReadAndGoneOnWith(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/v1")); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "log", "*.seg"))
	if err != nil || len(names) == 0 {
		t.Fatal("no segments in testdata/v1")
	}
	for _, name := range names {
		if b, err := os.ReadFile(name); err != nil || b[7] != 1 {
			t.Fatalf("%s is of another version, %v", name, err)
		}
	}
	l := mustOpen(t, Config{Dir: dir, Lanes: roomy().Lanes})
	if at, ok := l.Position("events/county"); !ok || at != 3 {
		t.Errorf("position %d, %v", at, ok)
	}
	for _, name := range []string{"events", "data"} {
		lane := l.Lane(name)
		if err := lane.Append([]byte("by a later version"), 1); err != nil {
			t.Fatal(err)
		}
		got := all(t, lane.Reader(1))
		var want []string
		for run := range 3 {
			want = append(want, "key of version 1")
			for i := range 2 {
				want = append(want, fmt.Sprintf("%s %d %d", name, run, i))
			}
		}
		want = append(want, "key 1", "by a later version")
		if name == "data" { // the same function makes the keys of both
			want[len(want)-2] = "key 2"
		}
		if got != strings.Join(want, " ") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestHeadersWithAndWithoutFormerEpochs(t *testing.T) {
	h := header{lineage: lineage{}.begin(), use: 1, seq: 2, first: 3, lane: strings.Repeat("a", maxLaneName)}
	for range maxFormer + 3 {
		got, err := parseHeader(appendHeader(nil, &h))
		if err != nil || got.epoch != h.epoch || !slices.Equal(got.former, h.former) || got.lane != h.lane {
			t.Fatalf("%d former epochs: %v, %+v", len(h.former), err, got)
		}
		h.lineage = h.begin()
	}
	if len(h.former) != maxFormer {
		t.Errorf("%d former epochs", len(h.former))
	}
	b := appendHeader(nil, &h)
	if len(b) != block || bytes.Equal(b[:secondCopy], make([]byte, secondCopy)) {
		t.Errorf("a header of %d bytes", len(b))
	}
	b[fixedHeader+maxLaneName+16*maxFormer-1] ^= 1
	b[secondCopy+82] ^= 0xff
	if _, err := parseHeader(b); err == nil {
		t.Error("a damaged list of epochs is believed")
	}
}

// A segment of an epoch that this log did not go through, and behind it one that
// a crash left without a header: what that one's name says of numbers counts, also
// where the lane is looked at a second time. Each Open goes on at the same number.
func TestNumbersGoOnBehindAnEmptySegmentThatFollowsAForeignOne(t *testing.T) {
	fs := newMemFS()
	run := func(lanes ...string) Report {
		t.Helper()
		fs = fs.clone()
		l, report, err := openLog(fs, roomy())
		if err != nil {
			t.Fatal(err)
		}
		for _, lane := range lanes {
			if err := l.Lane(lane).Append([]byte(lane), 3); err != nil {
				t.Fatal(err)
			}
		}
		return report
	}
	newest := func() string {
		names := fs.lane(t, "data")
		return names[len(names)-1]
	}
	run("data", "events")
	run("data", "events") // whose mark knows of what is lost now
	fs.live[newest()] = onDisk(make([]byte, block))
	if !run("data").Fresh {
		t.Fatal("no new epoch")
	}
	foreign := newest()
	fs = fs.clone()
	fs.fail = func(int) error {
		if o := fs.trace[len(fs.trace)-1]; o.what == "read" && o.path == foreign {
			return errInjected
		}
		return nil
	}
	l, report, err := openLog(fs, roomy())
	if err != nil || !report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	for range 3 { // it is what was written last
		if err := l.Lane("events").Append([]byte("events"), 3); err != nil {
			t.Fatal(err)
		}
	}
	next := l.Lane("data").Next()
	fs = fs.clone()
	if newest() == foreign {
		t.Fatal("the lane was not settled")
	}
	clear(fs.live[newest()].live[:block])
	for range 2 {
		l, report, err := openLog(fs, roomy())
		if err != nil || report.Fresh {
			t.Fatalf("%v, %+v", err, report)
		}
		if got := l.Lane("data").Next(); got != next {
			t.Errorf("data goes on at %d, want %d", got, next)
		}
	}
}

// A head that began an epoch of its own can't be read, so the next begins; then the
// power goes at any operation of its first append, and the head can be read again.
// What was acknowledged in between is delivered.
func TestAHeadThatComesBackCostsNothingOfTheNextEpoch(t *testing.T) {
	base := first(t)
	name := base.lane(t, "events")[0]
	l, _, err := openLog(base, roomy())
	if err == nil {
		err = l.Lane("data").Append([]byte("data"), 1) // whose mark knows of the events
	}
	if err != nil {
		t.Fatal(err)
	}
	base = base.clone()
	base.live[name] = onDisk(make([]byte, block))
	l, report, err := openLog(base, roomy())
	if err != nil || !report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	for range 5 {
		if err := l.Lane("events").Append([]byte("an epoch of its own"), 1); err != nil {
			t.Fatal(err)
		}
	}
	names := base.lane(t, "events")
	head := names[len(names)-1]
	for cut := 0; ; cut++ {
		fs := base.clone()
		end := -1
		fs.fail = func(op int) error {
			o := fs.trace[len(fs.trace)-1]
			switch {
			case end >= 0 && op > end:
				return errOff
			case o.what == "read" && o.path == head:
				return errInjected
			}
			return nil
		}
		l, report, err := openLog(fs, roomy())
		if err != nil || !report.Fresh {
			t.Fatalf("%v, %+v", err, report)
		}
		end = fs.op + cut
		acked := l.Lane("data").Append([]byte("acknowledged"), 1) == nil
		whole := fs.op <= end
		fs.fail = nil
		l, _, err = openLog(fs.powerCut(false, none), roomy())
		if err != nil {
			t.Fatal(err)
		}
		if got := all(t, l.Lane("data").Reader(1)); acked && !strings.Contains(got, "acknowledged") {
			t.Errorf("cut after %d operations: %q", cut, got)
		}
		if whole {
			return
		}
	}
}
