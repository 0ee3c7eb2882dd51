//go:build board && power

package board

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pithead/agent/event"
)

const powerSite = `version: 1
site: power
gateway: gw
buses:
  plant: {tcp: "10.0.2.2:%d", timeout: 2s}
devices:
  d: {bus: plant, unit: 1, every: 200ms}
points:
%s  pump: {device: d, discrete: 0, alarms: [{level: orange, equals: 1}]}
uplinks:
  county:
    mqtt: tcp://10.0.2.2:%d
    batch: {readings: 200, within: 100ms}
buffer: {dir: /data/buffer, size: 64MB, commit: 200ms}
`

const powerPoints = 20

func powerText(slave, broker int) string {
	var points strings.Builder
	for i := range powerPoints {
		fmt.Fprintf(&points, "  c%02d: {device: d, holding: %d}\n", i, i)
	}
	return fmt.Sprintf(powerSite, slave, points.String(), broker)
}

// cuts is how many times the power goes; the variable CUTS says, or 30.
func cuts(t *testing.T) int {
	text := os.Getenv("CUTS")
	if text == "" {
		return 30
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CUTS=%q: want a number", text)
	}
	return n
}

// The power goes while the whole agent reads, judges, stores and delivers. What
// was not flushed is lost, torn or reordered. What the broker was sent had been
// on disk before: all of it is still there, no number means two things, the
// chain is whole, and nobody repairs anything.
func TestPower(t *testing.T) {
	p := prepare(t, "arm64")
	slave, broker := newSlave(t), newPlatform(t)
	dir := t.TempDir()
	r := &rig{t: t, parts: p, broker: broker, dice: rand.New(rand.NewPCG(5, 6)),
		disk: filepath.Join(dir, "disk"), before: filepath.Join(dir, "before"), log: filepath.Join(dir, "log"),
		site: powerText(slave, broker.port)}
	if err := NewDisk(r.disk, 256<<20); err != nil {
		t.Fatal(err)
	}
	began, n := time.Now(), cuts(t)
	for i := range n {
		r.cut(i)
	}
	r.end()
	got := broker.counts()
	t.Logf("figure: %d power cuts in %v: %d readings and %d events that the broker was sent are all there, %d repeats; "+
		"of the writes behind a last flush %d were kept, %d torn, %d dropped; %d bytes and %d flushes in all",
		n, time.Since(began).Round(time.Second), got.readings, got.events, got.repeats, r.all.Kept, r.all.Torn, r.all.Dropped, r.all.Bytes, r.all.Flushes)
	if got.readings < 100*n/2 {
		t.Errorf("only %d readings: the test saw too little", got.readings)
	}
}

type rig struct {
	t                 *testing.T
	parts             *Parts
	broker            *platform
	dice              *rand.Rand
	disk, before, log string
	site              string
	all               Cuts
}

// noise is another program on the same card, which flushes nothing: so there are
// always writes for a power cut to lose.
const noise = `grep -q ' /data ext4 rw' /proc/mounts || exit 1
echo 5 >/proc/sys/vm/dirty_writeback_centisecs
echo 10 >/proc/sys/vm/dirty_expire_centisecs
(while :; do dd if=/dev/urandom of=/data/noise.$((i=(i+1)%8)) bs=4k count=8; mv /data/noise.$i /data/moved.$i; sleep 0.1; done) >/dev/null 2>&1 &`

// boot puts power on, and holds what is on disk against what was sent.
func (r *rig) boot() *Board {
	r.t.Helper()
	if out, err := exec.Command("cp", "--sparse=always", r.disk, r.before).CombinedOutput(); err != nil {
		r.t.Fatalf("cp: %v %s", err, out)
	}
	if err := os.WriteFile(r.log, nil, 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Truncate(r.log, 1<<30); err != nil {
		r.t.Fatal(err)
	}
	b, err := Boot(r.parts, Config{Disk: r.disk, Log: r.log})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(b.Cut)
	if out, err := b.Run(noise); err != nil {
		r.t.Fatalf("the disk is not there: %v %s\n%s", err, out, b.Console())
	}
	if err := b.Put("/etc/site.yaml", r.site); err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *rig) cut(i int) {
	r.t.Helper()
	b := r.boot()
	r.holds(b, i)
	if _, err := b.Start("pithead run /etc/site.yaml"); err != nil {
		r.t.Fatal(err)
	}
	sent := r.broker.counts().readings
	live := time.Duration(1000+r.dice.IntN(4000)) * time.Millisecond
	if i%5 == 4 { // while it is opening
		time.Sleep(time.Duration(r.dice.IntN(800)) * time.Millisecond)
	} else {
		for end := time.Now().Add(patience); r.broker.counts().readings < sent+70; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				r.t.Fatalf("boot %d delivers nothing; its console:\n%s", i, b.Console())
			}
		}
		time.Sleep(live)
	}
	b.Cut()
	c, err := After(r.disk, r.before, r.log, r.dice.IntN)
	if err != nil {
		r.t.Fatal(err)
	}
	r.all.Kept, r.all.Torn, r.all.Dropped = r.all.Kept+c.Kept, r.all.Torn+c.Torn, r.all.Dropped+c.Dropped
	r.all.Bytes, r.all.Flushes = r.all.Bytes+c.Bytes, r.all.Flushes+c.Flushes
}

// holds says which boot lost something, before the agent has opened its buffer.
func (r *rig) holds(b *Board, boot int) {
	r.t.Helper()
	got := r.broker.counts()
	if got.lastReading == 0 {
		return
	}
	out, err := b.Run("pithead buffer stat --json /data/buffer")
	if err != nil {
		r.t.Fatalf("boot %d: %v", boot, err)
	}
	var st struct {
		Epoch string
		Lanes []struct {
			Name string
			Last uint64
		}
	}
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		r.t.Fatal(err)
	}
	for _, l := range st.Lanes {
		if l.Name == "data" && l.Last < got.lastReading || l.Name == "events" && l.Last < got.lastEvent {
			r.t.Fatalf("boot %d: the %s end with %d, and %d readings and %d events were sent", boot, l.Name, l.Last, got.lastReading, got.lastEvent)
		}
	}
}

// end takes everything out of the buffer and compares.
func (r *rig) end() {
	r.t.Helper()
	b := r.boot()
	r.holds(b, -1)
	pid, err := b.Start("pithead run /etc/site.yaml")
	if err != nil {
		r.t.Fatal(err)
	}
	sent := r.broker.counts().readings
	for end := time.Now().Add(patience); r.broker.counts().readings < sent+powerPoints*5; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("the last boot delivers nothing; its console:\n%s", b.Console())
		}
	}
	if _, err := b.Run(fmt.Sprintf("kill -TERM %d; while kill -0 %d 2>/dev/null; do sleep 0.1; done", pid, pid)); err != nil {
		r.t.Fatal(err)
	}
	if out, err := b.Run("pithead buffer check /data/buffer"); err != nil {
		r.t.Errorf("%v\n%s", err, out)
	}
	readings, err := b.Run("pithead buffer export /data/buffer")
	if err != nil {
		r.t.Fatal(err)
	}
	r.broker.held(r.t, readings)
	events, err := b.Run("pithead buffer export --events /data/buffer")
	if err != nil {
		r.t.Fatal(err)
	}
	r.broker.heldEvents(r.t, events)
	report, err := event.Verify(strings.NewReader(events), event.Options{})
	if err != nil || !report.Whole() || len(report.Epochs) != 1 {
		r.t.Errorf("the chain: %v %+v", err, report)
	}
}
