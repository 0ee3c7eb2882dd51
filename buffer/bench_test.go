package buffer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The log alone; make bench-buffer holds it against its peers. TMPDIR says on
// which disk.

func benchLog(b *testing.B, dir string) *Log {
	b.Helper()
	l, _, err := Open(Config{Dir: dir, Lanes: []LaneConfig{{Name: "data", Size: 4 << 30}}})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// fill appends n records of 200 bytes, a thousand at a time.
func fill(b *testing.B, l *Log, n int) {
	b.Helper()
	payload := make([]byte, 200*1000)
	for ; n > 0; n -= 1000 {
		if err := l.Lane("data").Append(payload, 1000); err != nil {
			b.Fatal(err)
		}
	}
}

// From nothing to the first record on disk, whatever is there already.
func BenchmarkOpenToFirstAppend(b *testing.B) {
	for _, n := range []int{10_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := filepath.Join(os.TempDir(), fmt.Sprintf("pithead-bench-%d", os.Getpid()))
			defer os.RemoveAll(dir)
			l := benchLog(b, dir)
			fill(b, l, n)
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
			payload := make([]byte, 200)
			for b.Loop() {
				l := benchLog(b, dir)
				if err := l.Lane("data").Append(payload, 1); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// Reading back, each frame's checksum judged.
func BenchmarkRead(b *testing.B) {
	l := benchLog(b, b.TempDir())
	defer l.Close()
	const n = 200_000
	payload := make([]byte, 200*100)
	for range n / 100 {
		if err := l.Lane("data").Append(payload, 100); err != nil {
			b.Fatal(err)
		}
	}
	records := 0
	for b.Loop() {
		r := l.Lane("data").Reader(1)
		for {
			f, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			records += f.Count
		}
		r.Close()
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

// One record a commit, and a hundred.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := benchLog(b, b.TempDir())
			defer l.Close()
			payload := make([]byte, 200*n)
			worst := time.Duration(0)
			for b.Loop() {
				begin := time.Now()
				if err := l.Lane("data").Append(payload, n); err != nil {
					b.Fatal(err)
				}
				worst = max(worst, time.Since(begin))
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(worst.Microseconds()), "µs-worst")
		})
	}
}
