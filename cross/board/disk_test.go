//go:build board

package board

import (
	"fmt"
	"testing"
	"time"
)

const frozenSite = `version: 1
site: board
gateway: gw
buses:
  box: {gpio: box}
points:
  door: {gpio: box/door, every: 1s, alarms: [{level: red, equals: true, do: [siren]}]}
outputs:
  siren: {gpio: box/siren}
uplinks:
  county: {mqtt: "tcp://10.0.2.2:%d"}
buffer: {dir: /data/buffer, size: 32MB}
`

// A card whose writes do not come back: the siren sounds, the platform hears of
// it at once, and later with a number.
func TestACardThatHangs(t *testing.T) {
	e := listen(t)
	disk := t.TempDir() + "/disk"
	if err := NewDisk(disk, 128<<20); err != nil {
		t.Fatal(err)
	}
	b, err := Boot(prepare(t, "arm64"), Config{Disk: disk, Chips: []Chip{{Label: "box", Lines: []string{"door", "siren"}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Cut)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v; the console:\n%s", err, b.Console())
		}
	}
	run := func(script string) { t.Helper(); _, err := b.Run(script); do(err) }
	do(b.Put("/etc/site.yaml", fmt.Sprintf(frozenSite, e.port)))
	_, err = b.Start("pithead run /etc/site.yaml")
	do(err)
	e.renewed("")
	e.wait(10*time.Second, "agent")

	run("fsfreeze --freeze /data")
	if h := e.wait(30*time.Second, "agent/buffer active"); h.N != 0 {
		t.Errorf("%v has number %d, and the disk takes nothing", h, h.N)
	}
	took, _, err := b.Answer("door", true, "siren", true, time.Minute)
	do(err)
	if h := e.wait(10*time.Second, "door/red active  door"); h.N != 0 {
		t.Errorf("%v has number %d, and the disk takes nothing", h, h.N)
	}
	t.Logf("figure: from the edge to the siren's line %v, while no write comes back", took)
	run("pithead read door && wget -q -O - http://127.0.0.1:8080/api/v1/alarms | grep -q door/red && wget -q -O - http://127.0.0.1:8080/healthz | grep -q agent/buffer")

	run("fsfreeze --unfreeze /data")
	if h := e.wait(10*time.Second, "agent/buffer active"); h.N == 0 {
		t.Errorf("%v has no number, and the disk works", h)
	}
	if h := e.wait(10*time.Second, "door/red active  door"); h.N == 0 {
		t.Errorf("%v has no number, and the disk works", h)
	}
	if h := e.wait(10*time.Second, "agent/buffer normal"); h.N == 0 {
		t.Errorf("%v has no number, and the disk works", h)
	}
}
