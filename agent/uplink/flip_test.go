package uplink

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A bit flips anywhere in what is stored: each number is a reading, with the value
// that it had, or told as lost, once; what can't be decoded without the frame that
// is hit ends at the next key.
func TestAFlippedBitIsToldExactly(t *testing.T) {
	b := newBench(t, 1<<20)
	for range 2 { // two segments: the key, six frames, a key, six frames
		for i := range 12 {
			if i == 6 {
				if err := b.log.Lane("data").AppendKey(b.enc.Key()); err != nil {
					t.Fatal(err)
				}
			}
			b.readings(3)
		}
		if err := b.log.Close(); err != nil {
			t.Fatal(err)
		}
		b.open(b.dir, 1<<20)
	}
	end := b.log.Lane("data").Next()
	names, err := filepath.Glob(filepath.Join(b.dir, "log", "data-*.seg"))
	if err != nil || len(names) != 2 || end != 73 {
		t.Fatalf("%v, %v, next is %d", names, err, end)
	}
	for segment, name := range names {
		sound, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for block := 0; block*4096 < len(sound); block++ {
			for _, at := range []int{5, 9, 17, 33, 44, 46, 60, 90} {
				hit := slices.Clone(sound)
				hit[block*4096+at] ^= 4
				if err := os.WriteFile(name, hit, 0o600); err != nil {
					t.Fatal(err)
				}
				for _, after := range []uint64{0, 50} {
					what := fmt.Sprintf("segment %d, block %d, byte %d, after %d", segment, block, at, after)
					if lost := b.covered(after, end-1, what); lost > 18 {
						t.Errorf("%s: %d are lost", what, lost)
					}
				}
			}
		}
		if err := os.WriteFile(name, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if lost := b.covered(0, end-1, "sound"); lost > 0 {
		t.Errorf("%d are lost of what is sound", lost)
	}
}

// covered reads what an uplink sends behind a number, and says how much it tells
// as lost.
func (b *bench) covered(after, end uint64, what string) (lost uint64) {
	b.t.Helper()
	d := b.uplink(uplinkConfig()).readings(after)
	defer d.close()
	n := after
	for _, m := range all(b.t, d) {
		e := parse(b.t, m.payload)
		if e.Prev != n {
			b.t.Fatalf("%s: a message from %d on follows %d", what, e.Prev, n)
		}
		if e.Lost != nil {
			if e.Lost.From != n+1 || e.Lost.Count != e.Lost.To-n {
				b.t.Fatalf("%s: lost %+v behind %d", what, *e.Lost, n)
			}
			n, lost = e.Lost.To, lost+e.Lost.Count
		}
		for _, r := range e.Readings {
			if n++; r.N != n || string(r.V) != fmt.Sprint(n) || r.P != points[n%4] {
				b.t.Fatalf("%s: %d is %+v", what, n, r)
			}
		}
		if e.Last != n {
			b.t.Fatalf("%s: it ends at %d, and says %d", what, n, e.Last)
		}
	}
	if n != end {
		b.t.Fatalf("%s: told up to %d of %d", what, n, end)
	}
	return lost
}
