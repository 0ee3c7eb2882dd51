package uplink

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pithead/agent/record"
	"pithead/drivers"
)

// Whoever begins in the middle reads frames only because later ones lean on them, and
// the log's reader moves on over its memory meanwhile: nothing is lost, no value is
// another one's.
func TestAFeedThatBeginsInTheMiddleLosesNothing(t *testing.T) {
	b := newBench(t, 8<<20)
	const frames, each = 400, 40
	value := func(n uint64) float64 { return float64(n) + 1/float64(n) } // which no frame can foresee
	for n := uint64(1); n <= frames*each; {
		batch := record.Batch{Boot: boot, Clock: record.Synced, Offset: wall}
		for range each {
			batch.Readings = append(batch.Readings, record.Reading{Point: points[n%4], M: int64(n), Value: drivers.NumberValue(value(n))})
			n++
		}
		b.batch(batch)
	}
	for from := uint64(1); from <= frames*each; from += 997 {
		r := b.uplink(uplinkConfig()).readings(from - 1)
		var it item
		for n := from; n <= frames*each; n++ {
			err := errMore
			for errors.Is(err, errMore) { // it does not read on for ever to find the next
				err = r.feed.next(&it)
			}
			if err != nil {
				t.Fatalf("begun at %d: got %v for %d", from, err, n)
			}
			if want := fmt.Sprintf(`"v":%v}`, value(n)); it.n != n || !strings.HasSuffix(string(it.json), want) {
				t.Fatalf("begun at %d: got %d, %s; want %d with %s", from, it.n, it.json, n, want)
			}
		}
		if err := r.feed.next(&it); !errors.Is(err, io.EOF) {
			t.Fatalf("begun at %d: got %v at the end", from, err)
		}
		r.close()
	}
}
