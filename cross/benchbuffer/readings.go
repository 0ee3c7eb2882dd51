package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"pithead/agent/record"
	"pithead/buffer"
	"pithead/drivers"
)

const seconds = 20 // of readings, at the pace of a site

// A pond is a thousand points in hundredths that wander.
type pond struct {
	r      *rand.Rand
	points []string
	value  []float64
	m      int64
}

func newPond() *pond {
	p := &pond{r: rand.New(rand.NewPCG(1, 2)), m: 60_000}
	for i := range 1000 {
		p.points = append(p.points, fmt.Sprintf("pond.p%03d", i))
		p.value = append(p.value, p.r.Float64()*1000)
	}
	return p
}

func (p *pond) reading(i int, m int64, swing float64) record.Reading {
	p.value[i] += p.r.NormFloat64() * swing
	return record.Reading{Point: p.points[i], M: m, Value: drivers.NumberValue(math.Round(p.value[i]*100) / 100)}
}

// polled is a second in which every point is read, ten in an answer.
func (p *pond) polled() (rs []record.Reading) {
	m := p.m
	for i := range p.points {
		if i%10 == 0 {
			m += 3 + p.r.Int64N(20)
		}
		rs = append(rs, p.reading(i, m, 0.15))
	}
	p.m += 1000
	return rs
}

// exceptional is as many readings, each of any point at its own time.
func (p *pond) exceptional() (rs []record.Reading) {
	for range p.points {
		p.m += p.r.Int64N(2)
		rs = append(rs, p.reading(p.r.IntN(len(p.points)), p.m, 5))
	}
	return rs
}

// readings measures a thousand readings a second, committed each second, with
// two uplinks whose acknowledgements ride with them.
func (b *bench) readings(p *place) {
	b.title("%s: 1,000 readings a second, committed each second, two positions moving", p.name)
	for _, c := range []struct {
		name           string
		next           func(*pond) []record.Reading
		device, stored float64
	}{{"polled", (*pond).polled, 4.5, 1.5}, {"by exception", (*pond).exceptional, 9, 6.5}} {
		dir := filepath.Join(p.dir, "readings")
		b.must(os.MkdirAll(dir, 0o700))
		stored, t, cpu, bare := b.site(p, dir, c.next)
		n := float64(seconds * 1000)
		device, us := float64(t.bytes+p.over(seconds*time.Second))/n, float64(cpu.Nanoseconds())/1000/n
		b.say("  %-12s stored %.2f bytes, device %.2f bytes, %.3f µs of processor a reading (%.3f for raw to write as many blocks); %.2f flushes a commit",
			c.name, stored/n, device, us, float64(bare.Nanoseconds())/1000/n, float64(t.flushes)/seconds)
		b.goal(device <= c.device, "%s: at most %.1f device bytes a reading: %.2f", c.name, c.device, device)
		b.goal(stored/n <= c.stored, "%s: stored at most %.1f bytes a reading: %.2f", c.name, c.stored, stored/n)
		b.goal(us <= 0.5, "%s: at most 0.5 µs of processor a reading: %.3f", c.name, us)
		b.must(os.RemoveAll(dir))
	}
}

func (b *bench) site(p *place, dir string, next func(*pond) []record.Reading) (stored float64, t traffic, cpu, bare time.Duration) {
	w := newPond()
	enc, err := record.NewEncoder(w.points, nil)
	b.must(err)
	log, _, err := buffer.Open(buffer.Config{Dir: dir, Lanes: []buffer.LaneConfig{{Name: "events", Size: 8 << 20}, {Name: "data", Size: space, Key: enc.Key}}})
	b.must(err)
	defer log.Close()
	lane := log.Lane("data")
	var payload []byte
	store := func(rs []record.Reading) {
		payload, err = enc.Append(payload[:0], record.Batch{Boot: 1, Clock: record.Synced, Offset: 1763779200123, Readings: rs})
		b.must(err)
		b.must(lane.Append(payload, len(rs)))
		enc.Commit()
	}
	for lane.First() == 1 { // until segments are used again
		store(next(w))
	}
	for range 5 {
		store(next(w))
	}
	from := lane.Next()
	var all []record.Reading
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := openRaw(p.dir, 1<<20)
	b.must(err)
	unix.Sync()
	for i := range seconds {
		rs := next(w) // making readings is not what is measured
		all = append(all, rs...)
		began, was := processor(), p.traffic()
		log.SetPosition("data/county", lane.Next()-1)
		log.SetPosition("data/city", lane.Next()-uint64(i)-1)
		store(rs)
		cpu += processor() - began
		stored += float64(len(payload))
		time.Sleep(500 * time.Millisecond)
		t = t.and(p.traffic().since(was))
		began = processor()
		b.must(r.commit([][]byte{payload}))
		bare += processor() - began
		time.Sleep(500 * time.Millisecond)
	}
	b.must(r.close())
	b.goal(b.same(lane, from, all), "%d readings come back exactly as they were", len(all))
	return stored, t, cpu, bare
}

// same reads back what was stored from a number on, and compares bit for bit.
func (b *bench) same(lane *buffer.Lane, from uint64, want []record.Reading) bool {
	r := lane.Reader(from)
	defer r.Close()
	var dec record.Decoder
	for {
		f, err := r.Next()
		if err == io.EOF {
			return len(want) == 0
		}
		var lost *buffer.Lost
		if errors.As(err, &lost) {
			return false
		}
		b.must(err)
		if f.Key {
			b.must(dec.Key(f.Payload))
			continue
		}
		got, err := dec.Frame(f.Payload)
		b.must(err)
		if f.First < from {
			continue
		}
		for _, x := range got.Readings {
			if len(want) == 0 || x != want[0] {
				return false
			}
			want = want[1:]
		}
	}
}

// processor is what this thread has used: the collector, which picks up after
// the making of readings, is not what is measured.
func processor() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}
