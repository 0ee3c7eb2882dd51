package record

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// sealed gives bytes the sums that a decoder asks for, so that a fuzzer gets
// behind them.
func sealed(body []byte, sum uint32) []byte {
	return binary.LittleEndian.AppendUint32(append([]byte(nil), body...), sum)
}

// Promise 4, for keys: what is taken can be written again and means the same.
func FuzzKey(f *testing.F) {
	for seed := range uint64(4) {
		for _, l := range history(f, rand.New(rand.NewPCG(seed, 9)), 12) {
			if l.key {
				f.Add(l.payload[:len(l.payload)-4])
			}
		}
	}
	for _, name := range []string{"key-1", "key-4"} {
		f.Add(oldKey(f, name))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var d, again Decoder
		if d.Key(sealed(body, crc32.ChecksumIEEE(body))) != nil {
			return
		}
		if err := again.Key(d.state.key()); err != nil {
			t.Fatal(err)
		}
		a, b := d.Last(), again.Last()
		if len(a) != len(b) {
			t.Fatalf("%d points, then %d", len(a), len(b))
		}
		for i := range a {
			if !sameLast(a[i], b[i]) {
				t.Fatalf("%+v, then %+v", a[i], b[i])
			}
		}
	})
}

// Promise 4, for frames.
func FuzzFrame(f *testing.F) {
	points := names(12)
	r := rand.New(rand.NewPCG(5, 5))
	e := encoder(f, points, nil)
	frame(f, e, randomBatch(r, points))
	key := e.Key()
	for range 20 {
		p, err := e.Append(nil, randomBatch(r, points))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p[:len(p)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var d Decoder
		if err := d.Key(key); err != nil {
			t.Fatal(err)
		}
		b, err := d.Frame(sealed(body, crc32.Update(d.state.sum, crc32.IEEETable, body)))
		if err != nil {
			return
		}
		if len(b.Readings) > MaxReadings {
			t.Fatalf("%d readings", len(b.Readings))
		}
		for _, rd := range b.Readings {
			if rd.Point == "" {
				t.Fatal("a reading of no point")
			}
		}
	})
}

func FuzzReadStats(f *testing.F) {
	f.Add(AppendStats(nil, StatBatch{Boot: 1, Clock: Free, Stats: []Stat{{Point: "a", Good: 1, Max: 2}}}))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = ReadStats(b) })
}
