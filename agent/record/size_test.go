package record

import (
	"math"
	"math/rand/v2"
	"testing"

	"pithead/drivers"
)

// A tailings pond's day in short: devices polled in turn, ten points in each
// answer, values in hundredths that wander.
type pond struct {
	r      *rand.Rand
	points []string
	value  []float64
	m      int64
}

func newPond(n int) *pond {
	p := &pond{r: rand.New(rand.NewPCG(1, 2)), points: names(n), m: 60_000}
	for range n {
		p.value = append(p.value, p.r.Float64()*1000)
	}
	return p
}

func (p *pond) reading(i int, m int64) Reading {
	p.value[i] += p.r.NormFloat64() * 0.15
	return Reading{Point: p.points[i], M: m, Value: drivers.NumberValue(math.Round(p.value[i]*100) / 100)}
}

// polled is a second in which every point is read.
func (p *pond) polled() Batch {
	b := Batch{Boot: 1, Clock: Synced, Offset: 1763779200123}
	m := p.m
	for i := range p.points {
		if i%10 == 0 {
			m += 3 + p.r.Int64N(20)
		}
		b.Readings = append(b.Readings, p.reading(i, m))
	}
	p.m += 1000
	return b
}

// exceptional is a commit of as many readings, each of any point at its own time.
func (p *pond) exceptional() Batch {
	b := Batch{Boot: 1, Clock: Synced, Offset: 1763779200123}
	for range p.points {
		p.m += p.r.Int64N(20)
		i := p.r.IntN(len(p.points))
		p.value[i] += p.r.NormFloat64() * 5
		b.Readings = append(b.Readings, p.reading(i, p.m))
	}
	return b
}

func bytesPerReading(t testing.TB, p *pond, next func() Batch) float64 {
	e := encoder(t, p.points, nil)
	bytes, readings := 0, 0
	for range 60 {
		b := next()
		bytes += len(frame(t, e, b))
		readings += len(b.Readings)
	}
	return float64(bytes) / float64(readings)
}

// Without keys: one stands before megabytes of frames.
func TestReadingsAreShort(t *testing.T) {
	p := newPond(1000)
	for _, c := range []struct {
		name string
		next func() Batch
		most float64
	}{{"polled", p.polled, 1.5}, {"by exception", p.exceptional, 6.5}} {
		got := bytesPerReading(t, p, c.next)
		t.Logf("%s: %.2f bytes a reading", c.name, got)
		if got > c.most {
			t.Errorf("%s: want at most %.1f", c.name, c.most)
		}
	}
}

// A last good value stands in a key only where it is not the reading itself.
func TestKeysAreShort(t *testing.T) {
	p := newPond(1000)
	e := encoder(t, p.points, nil)
	size := func(name string, most float64) {
		t.Helper()
		got := float64(len(e.Key())) / float64(len(p.points))
		t.Logf("%s: %.2f bytes a point", name, got)
		if got > most {
			t.Errorf("%s: want at most %.1f", name, most)
		}
	}
	b := p.polled()
	frame(t, e, b)
	size("all good", 8)
	for i := range b.Readings {
		b.Readings[i].Quality, b.Readings[i].Value = drivers.Comm, drivers.Value{}
	}
	frame(t, e, b)
	size("all bad, good before", 8)
}

func BenchmarkAppend(b *testing.B) {
	for name, next := range map[string]func(*pond) Batch{"polled": (*pond).polled, "exceptional": (*pond).exceptional} {
		b.Run(name, func(b *testing.B) {
			p := newPond(1000)
			e := encoder(b, p.points, nil)
			var batches []Batch
			for range 64 {
				batches = append(batches, next(p))
			}
			var dst []byte
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				dst, _ = e.Append(dst[:0], batches[n%len(batches)])
				e.Commit()
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/reading")
		})
	}
}

func BenchmarkFrame(b *testing.B) {
	p := newPond(1000)
	e := encoder(b, p.points, nil)
	var d Decoder
	key := e.Key()
	payload := frame(b, e, p.polled())
	b.ReportAllocs()
	for b.Loop() {
		if d.Key(key) != nil {
			b.Fatal("key")
		}
		if _, err := d.Frame(payload); err != nil {
			b.Fatal(err)
		}
	}
}
