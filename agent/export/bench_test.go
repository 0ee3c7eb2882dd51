package export

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
	"pithead/drivers"
)

// A bench is a folder with a log in it, and what writes it.
type bench struct {
	t     *testing.T
	dir   string
	log   *buffer.Log
	enc   *record.Encoder
	chain *event.Chain
}

var points = []string{"gas.ch4", "pond.level", "pond.rain"}

const morning = 1_772_323_200_000 // 2026-03-01T08:00:00+08:00

var east8 = time.FixedZone("+08:00", 8*3600)

func newBench(t *testing.T, size int64) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	var err error
	if b.enc, err = record.NewEncoder(points, nil); err != nil {
		t.Fatal(err)
	}
	b.log, _, err = buffer.Open(buffer.Config{Dir: b.dir, Lanes: []buffer.LaneConfig{
		{Name: events, Size: size}, {Name: stats, Size: size}, {Name: data, Size: size, Key: b.enc.Key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.log.Close() })
	seed := make([]byte, ed25519.SeedSize)
	b.chain = event.NewChain(event.KeyOf(ed25519.NewKeyFromSeed(seed)), b.log.Epoch())
	return b
}

// readings stores n commits of all points, a second apart from m on.
func (b *bench) readings(n int, boot uint32, clock record.Clock, m int64) {
	b.t.Helper()
	for i := range n {
		at := m + int64(i)*1000
		batch := record.Batch{Boot: boot, Clock: clock, Offset: morning}
		if clock == record.Unknown {
			batch.Offset = 0
		}
		for j, p := range points {
			batch.Readings = append(batch.Readings, record.Reading{Point: p, M: at, Value: drivers.NumberValue(float64(at)/1000 + float64(j)/4)})
		}
		b.store(batch)
	}
}

func (b *bench) store(batch record.Batch) {
	b.t.Helper()
	payload, err := b.enc.Append(nil, batch)
	if err == nil {
		err = b.log.Lane(data).Append(payload, len(batch.Readings))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.enc.Commit()
}

func (b *bench) event(e event.Event, t int64) {
	b.t.Helper()
	payload := b.chain.Next(e, event.Stamp{Boot: 1, M: t - morning, T: t, Known: true})
	if err := b.log.Lane(events).Append(payload, 1); err != nil {
		b.t.Fatal(err)
	}
	b.chain.Commit()
}

func (b *bench) source(offsets map[uint32]int64) Source {
	b.t.Helper()
	v, err := buffer.OpenView(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	return Source{v, offsets}
}

// export is what an export with these bounds writes.
func (b *bench) export(s Source, q Query) (string, Result) {
	b.t.Helper()
	var out bytes.Buffer
	r, err := Export(b.t.Context(), s, q, &out, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return out.String(), r
}

func parse(t *testing.T, from, to, format string, events bool, points ...string) Query {
	t.Helper()
	q, err := Parse(from, to, points, events, format, east8)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// damage writes over some bytes of the lane's segment of that index.
func (b *bench) damage(lane string, segment int, at int64) string {
	b.t.Helper()
	names, err := filepath.Glob(filepath.Join(b.dir, "log", lane+"-*.seg"))
	if err != nil || segment >= len(names) {
		b.t.Fatalf("%s has no segment %d: %v %v", lane, segment, names, err)
	}
	f, err := os.OpenFile(names[segment], os.O_RDWR, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("not what was here"), at); err != nil {
		b.t.Fatal(err)
	}
	return filepath.Base(names[segment])
}

// numbers are those of the rows, as runs such as "1-5 9-12".
func numbers(t *testing.T, ndjson string) string {
	t.Helper()
	var runs []string
	first, last := uint64(0), uint64(math.MaxUint64-1)
	end := func() {
		if first > 0 {
			runs = append(runs, fmt.Sprintf("%d-%d", first, last))
		}
	}
	for line := range strings.Lines(ndjson) {
		i := strings.Index(line, `"n":`)
		var n uint64
		if _, err := fmt.Sscanf(line[i+4:], "%d", &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if n != last+1 {
			end()
			first = n
		}
		last = n
	}
	end()
	return strings.Join(runs, " ")
}
