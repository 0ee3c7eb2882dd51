package export

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pithead/agent/record"
)

// Promise 2, wherever a bit flips among the readings: each number is a row or told
// as lost, once, and the check finds the same.
func TestAFlippedBitIsToldExactly(t *testing.T) {
	b := newBench(t, 1<<20)
	for i := range 9 {
		if i == 5 {
			if err := b.log.Lane(data).AppendKey(b.enc.Key()); err != nil {
				t.Fatal(err)
			}
		}
		b.readings(1, 1, record.Synced, int64(i)*1000)
	}
	b.log.Close()
	name, _ := filepath.Glob(filepath.Join(b.dir, "log", data+"-*.seg"))
	sound, err := os.ReadFile(name[0])
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := b.export(b.source(nil), parse(t, "", "", "", false))
	rows := map[string]bool{}
	for line := range strings.Lines(whole) {
		rows[line] = true
	}
	for block := range 11 { // the last frame can't be told from a torn write
		for _, at := range []int{5, 9, 17, 33, 44, 46, 60, 90} {
			what := fmt.Sprintf("block %d, byte %d", block, at)
			hit := slices.Clone(sound)
			hit[block*4096+at] ^= 4
			if err := os.WriteFile(name[0], hit, 0o600); err != nil {
				t.Fatal(err)
			}
			s := b.source(nil)
			got, r := b.export(s, parse(t, "", "", "", false))
			told := map[uint64]int{}
			for line := range strings.Lines(got) {
				if !rows[line] {
					t.Fatalf("%s: %s was never stored", what, line)
				}
				var n uint64
				if _, err := fmt.Sscanf(line[strings.Index(line, `"n":`):], `"n":%d`, &n); err != nil {
					t.Fatal(err)
				}
				told[n]++
			}
			if len(told) < 12 {
				t.Errorf("%s: only %d rows", what, len(told))
			}
			for _, g := range r.Lost {
				for n := g.First; n <= g.Last; n++ {
					told[n]++
				}
			}
			for n := range uint64(27) {
				if told[n+1] != 1 {
					t.Errorf("%s: %d is told %d times: %+v", what, n+1, told[n+1], r.Lost)
				}
			}
			h, err := Check(t.Context(), b.dir, s.View, nil)
			if err != nil || !slices.Equal(h.Damage, r.Lost) {
				t.Errorf("%s: the check has %+v, and the export %+v", what, h.Damage, r.Lost)
			}
		}
	}
}
