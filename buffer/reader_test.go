package buffer

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// A reader that is up to date when its segment ends gets what was still written
// to it, and then the next.
func TestASegmentThatEndsUnderItsReader(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	put := func() {
		t.Helper()
		if err := lane.Append(fmt.Append(nil, lane.Next()), 1); err != nil {
			t.Fatal(err)
		}
	}
	put()
	v, err := openView(fs, "/b")
	if err != nil {
		t.Fatal(err)
	}
	readers := map[string]*Reader{"a reader": lane.Reader(1), "a view's": v.Reader("data", 1)}
	for what, r := range readers {
		if got := all(t, r); got != "1" {
			t.Errorf("%s: %q", what, got)
		}
	}
	put()
	l.NewEpoch() // which begins a segment
	put()
	for what, r := range readers {
		if got := all(t, r); got != "2 3" {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// A segment is recycled while a reader is in the middle of it: what stands in
// front of it is of the new use, and behind that of its own. That is no damage.
func TestASegmentThatIsOverwrittenUnderItsReader(t *testing.T) {
	l, _, err := openLog(newMemFS(), plain("/b", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	put := func() {
		t.Helper()
		if err := lane.Append([]byte("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		put()
	}
	r := lane.Reader(1)
	if f, err := r.Next(); err != nil || f.First != 1 {
		t.Fatalf("%v, %v", f, err)
	}
	for lane.First() == 1 {
		put()
	}
	for range 4 { // into the first of the files, again
		put()
	}
	for n := uint64(2); ; n++ {
		f, err := r.Next()
		var lost *Lost
		if errors.As(err, &lost) {
			if lost.From != n || lost.To != lane.First()-1 || lost.Damage != nil {
				t.Errorf("at %d: %+v", n, lost)
			}
			break
		}
		if err != nil || f.First != n || n > 10 {
			t.Fatalf("at %d: %v, %v", n, f, err)
		}
	}
}

// Where a key may be hidden by damage, a reader begins before that and tells of it.
func TestAReaderThatMayMissItsKeyIsTold(t *testing.T) {
	fs := newMemFS()
	c := Config{Dir: "/b", Lanes: []LaneConfig{{Name: "data", Size: 1 << 20, Key: func() []byte { return []byte("key") }}}}
	l, _, err := openLog(fs, c)
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for i := range 3 {
		if err := lane.Append(fmt.Append(nil, i), 2); err != nil {
			t.Fatal(err)
		}
	}
	fs.live[fs.lane(t, "data")[0]].live[block+50] ^= 1
	r := lane.Reader(5)
	_, err = r.Next()
	var lost *Lost
	if !errors.As(err, &lost) || lost.To != lost.From-1 || lost.Damage == nil || lost.Damage.Offset != block {
		t.Errorf("%v, %+v", err, lost)
	}
	if got := all(t, r); got != "0 1 2" {
		t.Errorf("then %q", got)
	}
}

// No writer leaves numbers out, or goes back, within a segment. Whatever does, a
// reader gets each once, in order, and is told what is missing.
func TestNumbersThatJumpInASegment(t *testing.T) {
	fs := newMemFS()
	c := plain("/b", 1<<20)
	l, _, err := openLog(fs, c)
	if err == nil {
		err = l.Lane("data").Append([]byte("1"), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	fs = fs.clone()
	name := fs.lane(t, "data")[0]
	b := fs.live[name].live[:2*block]
	h, err := parseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint64{5, 2, 6} {
		f := frame{kind: records, use: h.use, durable: uint32(len(b)), first: n, count: 1, payload: fmt.Append(nil, n)}
		b = appendFrame(b, &f, int64(len(b)))
	}
	fs.live[name] = onDisk(b)
	if l, _, err = openLog(fs, c); err != nil || l.Lane("data").Next() != 7 {
		t.Fatal(err)
	}
	r := l.Lane("data").Reader(1)
	var got []uint64
	for {
		f, err := r.Next()
		var lost *Lost
		if errors.As(err, &lost) {
			if lost.From != 2 || lost.To != 4 || lost.Damage == nil || lost.Damage.First != 2 || lost.Damage.Last != 4 || lost.Damage.Offset != 2*block {
				t.Errorf("%+v", lost)
			}
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f.First)
	}
	if fmt.Sprint(got) != "[1 5 6]" {
		t.Errorf("got %v", got)
	}
}

// On a dying card each read that fails takes seconds: a segment of which nothing
// can be read is given up after a few, with what the disk said.
func TestASegmentThatCantBeRead(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", 4<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for len(lane.segs) < 2 {
		if err := lane.Append([]byte("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	name, last, reads := fs.lane(t, "data")[0], lane.segs[1].first-1, 0
	fs.fail = func(int) error {
		if o := fs.trace[len(fs.trace)-1]; o.what == "read" && o.path == name {
			if reads++; reads > 1 { // its header
				return errInjected
			}
		}
		return nil
	}
	r := lane.Reader(1)
	_, err = r.Next()
	var lost *Lost
	if !errors.As(err, &lost) || lost.From != 1 || lost.To != last || lost.Damage == nil || lost.Damage.What != errInjected.Error() {
		t.Errorf("%v, %+v", err, lost)
	}
	if most := 2*3*mostFailed + 3; reads > most { // it is gone through to seek, and to read
		t.Errorf("%d reads, want at most %d", reads, most)
	}
	if f, err := r.Next(); err != nil || f.First != last+1 {
		t.Errorf("%v, %v", f, err)
	}
}

// A frame is good until the next Next, or Close; where lending is set nobody who keeps
// it longer finds it. What is appended to its payload changes nothing that follows.
func TestAFrameIsGoodUntilTheNext(t *testing.T) {
	l, _, err := openLog(newMemFS(), plain("/b", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for _, text := range []string{"one", "two"} {
		if err := lane.Append([]byte(text), 1); err != nil {
			t.Fatal(err)
		}
	}
	r := lane.Reader(1)
	one, err := r.Next()
	if err != nil || string(one.Payload) != "one" {
		t.Fatalf("%q, %v", one.Payload, err)
	}
	_ = append(one.Payload, make([]byte, 2*block)...)
	two, err := r.Next()
	if err != nil || string(two.Payload) != "two" || lending && string(one.Payload) == "one" {
		t.Fatalf("%q, %v, and %q is kept", two.Payload, err, one.Payload)
	}
	if r.Close(); lending && string(two.Payload) == "two" {
		t.Error("it is there after Close")
	}
}
