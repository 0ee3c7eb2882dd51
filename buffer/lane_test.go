package buffer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func mustOpen(t *testing.T, c Config) *Log {
	t.Helper()
	l, report, err := Open(c)
	if err != nil {
		t.Fatalf("%v, %+v", err, report)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func plain(dir string, size int64) Config {
	return Config{Dir: dir, Lanes: []LaneConfig{{Name: "data", Size: size}}}
}

func TestASecondWriterIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buffer")
	l := mustOpen(t, plain(dir, MinSize))
	if _, _, err := Open(plain(dir, MinSize)); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Lane("data").Append([]byte("x"), 1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a log that is closed takes it: %v", err)
	}
	mustOpen(t, plain(dir, MinSize))
}

func TestOnARealDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buffer")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "identity.key"), []byte("the agent's"), 0o600); err != nil {
		t.Fatal(err)
	}
	var epoch string
	for run := range 3 {
		l, report, err := Open(plain(dir, 1<<20))
		if err != nil || report.Fresh != (run == 0) {
			t.Fatalf("%v, %+v", err, report)
		}
		if run > 0 && l.Epoch() != epoch || len(l.Epoch()) != 32 {
			t.Fatalf("epoch %s, was %s", l.Epoch(), epoch)
		}
		epoch = l.Epoch()
		for i := range 20 {
			if err := l.Lane("data").Append(fmt.Appendf(nil, "%d.%d", run, i), 1); err != nil {
				t.Fatal(err)
			}
		}
		l.SetPosition("data/county", uint64(run*20+7))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	v, err := OpenView(dir)
	if err != nil {
		t.Fatal(err)
	}
	if v.Epoch != epoch || v.Positions["data/county"] != 47 || len(v.Lanes) != 1 || v.Lanes[0].First != 1 || v.Lanes[0].Next != 61 {
		t.Errorf("view is %+v", v)
	}
	r := v.Reader("data", 1)
	defer r.Close()
	for n := range uint64(60) {
		if f, err := r.Next(); err != nil || f.First != n+1 {
			t.Fatalf("%d: %v, %v", n, f, err)
		}
	}
	modes(t, dir)
}

func modes(t *testing.T, dir string) {
	t.Helper()
	var bytes int64
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		} else {
			bytes += info.Size()
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil || bytes > 1<<20 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
}

// Promise 6, while segments come and go and with frames of all sizes.
func TestALaneNeverPassesItsSize(t *testing.T) {
	for _, size := range []int64{MinSize, 200_000, 1 << 20, 9 << 20} {
		fs := newMemFS()
		l, _, err := openLog(fs, plain("/b", size))
		if err != nil {
			t.Fatal(err)
		}
		lane := l.Lane("data")
		fs.quotas = map[string]int64{"data": lane.budget} // the folder takes the rest
		for i := range int(min(600, 100+(100<<20)/size)) {
			payload := make([]byte, (i*7919)%int(min(size/5, MaxPayload)))
			if err := lane.Append(payload, 1+i%5); err != nil {
				t.Fatalf("size %d, append %d: %v", size, i, err)
			}
			if lane.Bytes() > lane.budget {
				t.Fatalf("size %d: %d bytes", size, lane.Bytes())
			}
			if err := l.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if len(fs.broken) > 0 {
			t.Errorf("size %d: %v", size, fs.broken[0])
		}
		if lane.First() == 1 {
			t.Errorf("size %d: nothing was dropped", size)
		}
		if lane.Bytes() < size/3 {
			t.Errorf("size %d: only %d bytes are used", size, lane.Bytes())
		}
	}
}

// A lane whose size is lowered gets within it as soon as its newest segment of
// before is the oldest.
func TestALaneIsLoweredInSize(t *testing.T) {
	fs := newMemFS()
	for _, size := range []int64{9 << 20, 1 << 20} {
		l, _, err := openLog(fs, plain("/b", size))
		if err != nil {
			t.Fatal(err)
		}
		lane := l.Lane("data")
		for range 400 {
			if err := lane.Append(make([]byte, 30_000), 1); err != nil {
				t.Fatal(err)
			}
		}
		if lane.Bytes() > lane.budget || lane.Bytes() < lane.budget/2 || lane.Bytes() != fs.used() {
			t.Errorf("%d of %d bytes, and %d are there", lane.Bytes(), size, fs.used())
		}
		if n := len(lane.spares); n > 0 {
			t.Errorf("%d files lie about", n)
		}
	}
}

// A crash loop must not spend the lane on segments that hold next to nothing.
func TestManyRestartsCostLittle(t *testing.T) {
	fs := newMemFS()
	c := plain("/b", 1<<20)
	for i := range 60 {
		l, _, err := openLog(fs, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Lane("data").Append([]byte("one"), 1); err != nil {
			t.Fatal(err)
		}
		if first := l.Lane("data").First(); first != 1 {
			t.Fatalf("restart %d: %d is the first", i, first)
		}
	}
}

func TestTooLong(t *testing.T) {
	l, _, err := openLog(newMemFS(), plain("/b", MinSize))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{40 << 10, MaxPayload + 1} {
		if err := l.Lane("data").Append(make([]byte, n), 1); !errors.Is(err, ErrTooLong) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if err := l.Lane("data").Append(make([]byte, 10<<10), 1); err != nil || l.Lane("data").Next() != 2 {
		t.Errorf("%v", err)
	}
	// A reader would take a longer one for damage, wherever it stands.
	c := plain("/b", 64<<20)
	long := 10
	c.Lanes[0].Key = func() []byte { return make([]byte, long) }
	if l, _, err = openLog(newMemFS(), c); err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for range 2 { // in a new segment, and in one that is there
		for _, err := range []error{lane.Append(make([]byte, MaxPayload+1), 1), lane.AppendKey(make([]byte, MaxPayload+1))} {
			if !errors.Is(err, ErrTooLong) {
				t.Errorf("%v", err)
			}
		}
		if err := lane.Append(make([]byte, MaxPayload), 1); err != nil {
			t.Error(err)
		}
	}
	if l, _, err = openLog(newMemFS(), c); err != nil {
		t.Fatal(err)
	}
	long = MaxPayload + 1
	if err := l.Lane("data").Append([]byte("x"), 1); !errors.Is(err, ErrTooLong) {
		t.Errorf("a key that is too long: %v", err)
	}
}

func TestBadConfig(t *testing.T) {
	for _, lanes := range [][]LaneConfig{nil, {{Name: "Data", Size: MinSize}}, {{Name: "a-b", Size: MinSize}}, {{Name: "", Size: MinSize}},
		{{Name: "data", Size: 100}}, {{Name: "data", Size: MinSize}, {Name: "data", Size: MinSize}}} {
		if _, _, err := openLog(newMemFS(), Config{Dir: "/b", Lanes: lanes}); err == nil {
			t.Errorf("%+v: no error", lanes)
		}
	}
}

// Opening reads the newest segment of each lane and no other: promise 7.
func TestOpeningReadsOnlyTheNewest(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", 20<<20))
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if err := l.Lane("data").Append(make([]byte, 500_000), 1); err != nil {
			t.Fatal(err)
		}
	}
	clear(fs.reads)
	if _, _, err := openLog(fs, plain("/b", 20<<20)); err != nil {
		t.Fatal(err)
	}
	if len(fs.reads) != 1 || len(fs.lane(t, "data")) < 4 {
		t.Errorf("%d of %d segments were read", len(fs.reads), len(fs.lane(t, "data")))
	}
}

func TestAReaderBeginsAtTheNewestKey(t *testing.T) {
	fs := newMemFS()
	c := Config{Dir: "/b", Lanes: []LaneConfig{{Name: "data", Size: 1 << 20, Key: func() []byte { return []byte("key 0") }}}}
	l, _, err := openLog(fs, c)
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for i := range 10 {
		if i == 4 || i == 7 {
			if err := lane.AppendKey(fmt.Appendf(nil, "key %d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := lane.Append(fmt.Append(nil, i), 2); err != nil { // frame i is 2i+1 and 2i+2
			t.Fatal(err)
		}
	}
	for from, want := range map[uint64]string{
		0: "key 0 0 1 2 3 key 4 4 5 6 key 7 7 8 9", 1: "key 0 0 1 2 3 key 4 4 5 6 key 7 7 8 9", 8: "key 0 0 1 2 3 key 4 4 5 6 key 7 7 8 9",
		9: "key 4 4 5 6 key 7 7 8 9", 14: "key 4 4 5 6 key 7 7 8 9", 15: "key 7 7 8 9", 20: "key 7 7 8 9", 21: "key 7 7 8 9", 99: "key 7 7 8 9",
	} {
		if got := all(t, lane.Reader(from)); got != want {
			t.Errorf("from %d: got %q, want %q", from, got, want)
		}
	}
}

// all is what a reader delivers up to the present end.
func all(t *testing.T, r *Reader) string {
	t.Helper()
	var parts []string
	for {
		f, err := r.Next()
		var lost *Lost
		switch {
		case errors.Is(err, io.EOF):
			return strings.Join(parts, " ")
		case errors.As(err, &lost):
			parts = append(parts, fmt.Sprintf("lost %d-%d", lost.From, lost.To))
		case err != nil:
			t.Fatal(err)
		default:
			parts = append(parts, string(f.Payload))
		}
	}
}

func TestAReaderInALaneWithoutKeysBeginsAtItsFrame(t *testing.T) {
	l, _, err := openLog(newMemFS(), plain("/b", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for i := range 4 {
		if err := lane.Append(fmt.Append(nil, i), 3); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[uint64]string{1: "0 1 2 3", 3: "0 1 2 3", 4: "1 2 3", 12: "3", 13: ""} {
		if got := all(t, lane.Reader(from)); got != want {
			t.Errorf("from %d: got %q, want %q", from, got, want)
		}
	}
}

// A reader whose segment is recycled under it is told exactly what it missed.
func TestASlowReaderLearnsWhatWasDropped(t *testing.T) {
	l, _, err := openLog(newMemFS(), plain("/b", MinSize))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	appendSome := func(n int) {
		for range n {
			if err := lane.Append(fmt.Append(nil, lane.Next()), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	appendSome(1)
	r := lane.Reader(1)
	if f, err := r.Next(); err != nil || f.First != 1 {
		t.Fatalf("%v, %v", f, err)
	}
	appendSome(100)
	_, err = r.Next()
	var lost *Lost
	if !errors.As(err, &lost) || lost.From != 2 || lost.To != lane.First()-1 || lost.Damage != nil {
		t.Fatalf("got %v, want lost 2 to %d", err, lane.First()-1)
	}
	for n := lane.First(); n < lane.Next(); n++ {
		if f, err := r.Next(); err != nil || f.First != n || string(f.Payload) != fmt.Sprint(n) {
			t.Fatalf("%v, %v", f, err)
		}
	}
	if got, want := all(t, lane.Reader(1)), fmt.Sprintf("lost 1-%d", lane.First()-1); !strings.HasPrefix(got, want) {
		t.Errorf("a new reader gets %s, want %s", got, want)
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, err := openLog(newMemFS(), plain("/b", MinSize))
		if err != nil {
			t.Fatal(err)
		}
		lane := l.Lane("data")
		done := make(chan error)
		go func() { done <- lane.Wait(context.Background(), 2) }()
		for range 2 {
			synctest.Wait()
			select {
			case <-done:
				t.Fatal("too early")
			default:
			}
			if err := lane.Append([]byte("x"), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := lane.Wait(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestPositions(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	before := fs.op
	if err := l.Flush(); err != nil || fs.op != before {
		t.Fatalf("a Flush of nothing did something: %v", err)
	}
	for range 9 {
		if err := l.Lane("data").Append([]byte("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	l.SetPosition("data/a", 4)
	l.SetPosition("data/b", 5)
	l.SetPosition("other", 1<<60)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	l.SetPosition("data/a", 6)
	l.DropPosition("data/b")
	if err := l.Lane("data").Append([]byte("takes them along"), 1); err != nil {
		t.Fatal(err)
	}
	before = fs.op
	if err := l.Flush(); err != nil || fs.op != before {
		t.Errorf("what a frame took along is written again: %v", err)
	}
	l.SetPosition("data/a", 7) // is lost with the power
	fs = fs.powerCut(false, none)
	l, report, err := openLog(fs, plain("/b", 1<<20))
	if err != nil || report.Fresh {
		t.Fatalf("%v, %+v", err, report)
	}
	a, _ := l.Position("data/a")
	_, dropped := l.Position("data/b")
	other, _ := l.Position("other")
	if a != 6 || dropped || other != 1<<60 {
		t.Errorf("positions are %d, %v, %d", a, dropped, other)
	}
}

// Readers follow a writer on a real disk, here and from another process's view.
// With -race this shows who may touch what.
func TestReadersFollowTheWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buffer")
	l := mustOpen(t, Config{Dir: dir, Lanes: []LaneConfig{{Name: "data", Size: 8 << 20, Key: func() []byte { return []byte("key") }}}})
	lane := l.Lane("data")
	const last = 400
	payload := func(n uint64) []byte {
		return binary.LittleEndian.AppendUint64(make([]byte, n*37%9000), n)
	}
	if err := lane.Append(payload(1), 1); err != nil {
		t.Fatal(err)
	}
	v, err := OpenView(dir)
	if err != nil {
		t.Fatal(err)
	}
	follow := func(r *Reader) error {
		defer r.Close()
		for n := uint64(1); n <= last; {
			f, err := r.Next()
			switch {
			case errors.Is(err, io.EOF):
				if err := lane.Wait(t.Context(), n); err != nil {
					return err
				}
			case err != nil:
				return err
			case f.Key:
			case f.First != n || string(f.Payload) != string(payload(n)):
				return fmt.Errorf("got %d, want %d", f.First, n)
			default:
				n++
			}
		}
		return nil
	}
	var readers sync.WaitGroup
	for _, r := range []*Reader{lane.Reader(1), lane.Reader(1), v.Reader("data", 1)} {
		readers.Go(func() {
			if err := follow(r); err != nil {
				t.Error(err)
			}
		})
	}
	for n := uint64(2); n <= last; n++ {
		if err := lane.Append(payload(n), 1); err != nil {
			t.Fatal(err)
		}
		l.SetPosition("data/x", n-1)
	}
	readers.Wait()
}

// An Open asks for the sizes of few files, however many there are.
func TestOpeningAsksForFewSizes(t *testing.T) {
	fs := newMemFS()
	c := plain("/b", 16<<20)
	var bytes int64
	for run := range 3 {
		l, _, err := openLog(fs, c)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			if err := l.Lane("data").Append(make([]byte, 100_000), 1); err != nil {
				t.Fatal(err)
			}
		}
		if bytes = l.Lane("data").Bytes(); bytes != fs.used() {
			t.Errorf("run %d: %d bytes are counted, and there are %d", run, bytes, fs.used())
		}
	}
	fs.trace = nil
	l, _, err := openLog(fs, c)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, o := range fs.trace {
		if o.what == "size" {
			asked++
		}
	}
	if n := len(fs.lane(t, "data")); asked > 2 || n < 6 {
		t.Errorf("asked for %d sizes of %d files", asked, n)
	}
	if got := l.Lane("data").Bytes(); got != fs.used() {
		t.Errorf("%d bytes are counted, and there are %d", got, fs.used())
	}
}

// An Open reads the newest segment once, and its last frame a second time.
func TestOpeningReadsTheTailOnce(t *testing.T) {
	fs := newMemFS()
	c := plain("/b", 16<<20)
	l, _, err := openLog(fs, c)
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		if err := l.Lane("data").Append([]byte("one block"), 1); err != nil {
			t.Fatal(err)
		}
	}
	name := fs.lane(t, "data")[0]
	size := int64(len(fs.live[name].live))
	clear(fs.reads)
	if l, _, err = openLog(fs, c); err != nil || l.Lane("data").Next() != 301 {
		t.Fatalf("%v, numbers go on at %d", err, l.Lane("data").Next())
	}
	if read := fs.reads[filepath.Base(name)]; read > size+block || size < 300*block {
		t.Errorf("read %d bytes of %d", read, size)
	}
}
