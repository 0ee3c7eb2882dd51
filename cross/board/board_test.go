//go:build board

package board

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const doorSite = `version: 1
site: board
gateway: gw
buses:
  box: {gpio: box}
points:
  door: {gpio: box/door, states: {0: open, 1: closed}, alarms: [{level: red, equals: closed, do: [siren]}]}
outputs:
  siren: {gpio: box/siren}
buffer: {dir: /data/buffer, size: 32MB}
`

// patience is what an emulated board on a slow machine may take for anything that
// no verdict hangs on.
const patience = 5 * time.Minute

func prepare(t *testing.T, arch string) *Parts {
	t.Helper()
	p, err := Prepare(arch)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A line that is pulled outside is a reading of the released binary, and the
// siren that it switches is a level that is seen outside.
func TestLineIsReadAndSirenFollows(t *testing.T) {
	for _, arch := range []string{"arm64", "armv7"} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, arch)
			disk := t.TempDir() + "/disk"
			if err := NewDisk(disk, 128<<20); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			b, err := Boot(p, Config{Disk: disk, Chips: []Chip{{Label: "box", Lines: []string{"door", "bolt", "siren"}}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Cut)
			t.Logf("figure: %s booted in %v", arch, time.Since(began).Round(10*time.Millisecond))
			startAgent(t, b, doorSite)
			if readDoor(t, b) {
				t.Error("the door is pulled down and reads closed")
			}
			took, _, err := b.Answer("door", true, "siren", true, time.Minute)
			if err != nil {
				t.Fatalf("%v; the console:\n%s", err, b.Console())
			}
			t.Logf("figure: %s from edge to siren %v", arch, took)
			if !readDoor(t, b) {
				t.Error("the door is pulled up and reads open")
			}
		})
	}
}

func startAgent(t *testing.T, b *Board, site string) {
	t.Helper()
	if err := b.Put("/etc/site.yaml", site); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start("pithead run /etc/site.yaml"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if _, err := b.Run("pithead read"); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the agent does not answer; the console:\n%s", b.Console())
		}
	}
}

func readDoor(t *testing.T, b *Board) bool {
	t.Helper()
	out, err := b.Run("pithead read door --json")
	if err != nil {
		t.Fatal(err)
	}
	var reads []struct{ Value bool }
	if err := json.Unmarshal([]byte(strings.TrimSpace(out)), &reads); err != nil || len(reads) != 1 {
		t.Fatalf("%q: %v", out, err)
	}
	return reads[0].Value
}
