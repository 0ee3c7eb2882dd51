package board

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// What a flush confirmed is there; of the rest the dice decide.
func TestAfterKeepsWhatWasFlushed(t *testing.T) {
	dir := t.TempDir()
	log := make([]byte, sector)
	binary.LittleEndian.PutUint64(log, logMagic)
	note := func(at int64, fill string, flags uint64) {
		head := make([]byte, sector)
		for i, v := range []uint64{uint64(at), uint64(len(fill)), flags} {
			binary.LittleEndian.PutUint64(head[8*i:], v)
		}
		log = append(log, head...)
		for _, c := range fill {
			log = append(log, bytes.Repeat([]byte{byte(c)}, sector)...)
		}
	}
	note(0, "a", 0)
	note(2, "bb", 0)
	note(0, "", flagFlush)
	note(0, "c", 0)
	note(1, "d", flagFUA)
	note(6, "eeeeeeeeeeeeeeee", 0) // of three blocks
	log = append(log, make([]byte, 3*sector)...)
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, b := range map[string][]byte{"log": log, "before": bytes.Repeat([]byte{'.'}, 24*sector)} {
		if err := os.WriteFile(path(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, want          string
		kept, dropped, torn int
		dice                []int
	}{
		{"all of it", "cdbb..eeeeeeeeeeeeeeee..", 2, 0, 0, []int{1, 1, 1}},
		{"nothing more", "adbb....................", 0, 2, 0, []int{0, 0}},
		{"torn", "adbb..ee........eeeeee..", 0, 1, 1, []int{0, 1, 0, 0, 1, 0}},
	} {
		i := -1
		got, err := After(path("disk"), path("before"), path("log"), func(int) int { i++; return c.dice[i] })
		if err != nil {
			t.Fatal(err)
		}
		disk, err := os.ReadFile(path("disk"))
		if err != nil {
			t.Fatal(err)
		}
		is := ""
		for i := 0; i < len(disk); i += sector {
			is += string(disk[i])
		}
		if is != c.want || got.Flushed != 3 || got.Kept != c.kept || got.Dropped != c.dropped || got.Torn != c.torn {
			t.Errorf("%s: %s %+v, want %s", c.name, is, got, c.want)
		}
	}
}
