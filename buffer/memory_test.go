package buffer

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// How large a log TestHeapOfALargeLog fills; make test-large takes 2 GB.
var largeLog = flag.Int64("large", 64<<20, "bytes of a large log")

// The heap does not depend on how much is in the log, nor on how far behind its
// readers are: 4 MiB, and 256 KiB a reader.
func TestHeapOfALargeLog(t *testing.T) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("pithead-large-%d", os.Getpid()))
	defer os.RemoveAll(dir)
	before := heap()
	l, _, err := Open(Config{Dir: dir, Lanes: []LaneConfig{
		{Name: "events", Size: max(*largeLog/8, 1<<20)}, {Name: "data", Size: *largeLog, Key: func() []byte { return make([]byte, 8000) }}}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lane := l.Lane("data")
	payload := make([]byte, 126<<10) // the most that a commit of the agent takes: 20,000 readings
	for lane.First() == 1 {
		if err := lane.Append(payload, 20_000); err != nil {
			t.Fatal(err)
		}
	}
	first, next := lane.Parts()[2].First, lane.Next() // not the oldest, which may go meanwhile
	var readers []*Reader
	for _, from := range []uint64{first, first + (next-first)/2, next - 20_000} { // a week behind, half of that, up to date
		r := lane.Reader(from)
		defer r.Close()
		readers = append(readers, r)
	}
	most := uint64(0)
	for n := 0; readers[0] != nil; n++ {
		for i, r := range readers {
			if r == nil {
				continue
			}
			_, err := r.Next()
			if errors.Is(err, io.EOF) {
				if i == 0 {
					readers[0] = nil
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if n%200 == 0 {
			if err := lane.Append(payload[:6000], 1000); err != nil {
				t.Fatal(err)
			}
			most = max(most, heap())
		}
	}
	if n := cap(l.buf); n > mostKept {
		t.Errorf("%d bytes are kept for the next frame", n)
	}
	took := int64(most) - int64(before)
	runtime.KeepAlive(l)
	t.Logf("a log of %d MB in %d segments with %d readers: %d KiB of heap", lane.Bytes()>>20, len(lane.Parts()), len(readers), took>>10)
	if want := int64(4<<20 + len(readers)*256<<10); took > want {
		t.Errorf("want at most %d KiB", want>>10)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
