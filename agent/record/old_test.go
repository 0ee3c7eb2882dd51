package record

import (
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// life is that of a gateway of 200 points, most of which have readings, as
// testdata's keys have it.
func life(t *testing.T) *Encoder {
	points, r := names(200), rand.New(rand.NewPCG(11, 11))
	e := encoder(t, points, nil)
	for range 8 {
		frame(t, e, randomBatch(r, points))
	}
	return e
}

// oldKey is one of testdata, without its checksum.
func oldKey(t testing.TB, name string) []byte {
	t.Helper()
	key, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return key[:len(key)-4]
}

// Promise 3, for a log of an older version: keys 1 and 4 are read as what they meant,
// and frames follow them.
func TestKeysOfOlderVersionsAreRead(t *testing.T) {
	e := life(t)
	var now Decoder
	if err := now.Key(e.Key()); err != nil {
		t.Fatal(err)
	}
	next := frame(t, e, randomBatch(rand.New(rand.NewPCG(12, 12)), names(200)))
	for _, name := range []string{"key-1", "key-4"} {
		body := oldKey(t, name)
		var d Decoder
		if err := d.Key(sealed(body, crc32.ChecksumIEEE(body))); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a, b := d.Last(), now.Last(); len(a) < 100 || !slices.EqualFunc(a, b, sameLast) {
			t.Errorf("%s: %d points, or others than the %d of now", name, len(a), len(b))
		}
		// The sum of a run goes on from its own first key, which was another one then.
		d.state.sum = now.state.sum
		if _, err := d.Frame(next); err != nil {
			t.Errorf("%s: what follows it: %v", name, err)
		}
	}
}
