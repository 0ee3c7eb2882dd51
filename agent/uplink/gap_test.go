package uplink

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pithead/agent/event"
	"pithead/buffer"
)

// chained stores events that follow each other, and returns their payloads.
func (b *bench) chained(c *event.Chain, count int) (all [][]byte) {
	b.t.Helper()
	for range count {
		p := c.Next(event.Event{Kind: "alarm", ID: "pond.level/red", Why: strings.Repeat("x", 3000)}, event.Stamp{Boot: boot, M: 1})
		if err := b.log.Lane("events").Append(p, 1); err != nil {
			b.t.Fatal(err)
		}
		c.Commit()
		all = append(all, p)
	}
	return all
}

func hashOf(t *testing.T, payload []byte) string {
	t.Helper()
	p, err := event.Parse(payload)
	if err != nil {
		t.Fatal(err)
	}
	return p.Hash().String()
}

// An uplink whose unsent events were dropped for space says which, with the
// hashes of the last that it sent and of the last that is gone.
func TestEventsThatWereDroppedAreToldWithTheirHashes(t *testing.T) {
	b := newBench(t, 1<<20)
	key, err := event.NewKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	c := event.NewChain(key, b.log.Epoch())
	all := b.chained(c, 3)
	e := b.uplink(uplinkConfig()).events(1)
	defer e.close()
	for n := uint64(2); n <= 3; n++ {
		if m, ok, err := e.next(time.Now(), false); err != nil || !ok || m.last != n {
			t.Fatalf("%v, %v, %v", m, ok, err)
		}
	}
	lane := b.log.Lane("events")
	for lane.First() < 5 {
		all = append(all, b.chained(c, 1)...)
	}
	m, ok, err := e.next(time.Now(), false)
	if err != nil || !ok || m.last != lane.First() {
		t.Fatalf("%v, %v, %v", m.last, ok, err)
	}
	if len(b.gaps) != 1 {
		t.Fatalf("told %v", b.gaps)
	}
	first := lane.First()
	if g := b.gaps[0]; g.Uplink != "county" || g.From != 4 || g.To != first-1 || g.Damage != nil || g.Epoch != b.log.Epoch() ||
		g.Before != hashOf(t, all[2]) || g.Last != hashOf(t, all[first-2]) {
		t.Errorf("told %+v, want 4 to %d", g, first-1)
	}
}

// A place that can't be read is told as such, of events and of readings.
func TestDamageIsTold(t *testing.T) {
	b := newBench(t, 1<<20)
	dir := t.TempDir()
	key, err := event.NewKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	lanes := []buffer.LaneConfig{{Name: "events", Size: 1 << 20}, {Name: "stats", Size: 1 << 20}, {Name: "data", Size: 1 << 20, Key: b.enc.Key}}
	if b.log, _, err = buffer.Open(buffer.Config{Dir: dir, Lanes: lanes}); err != nil {
		t.Fatal(err)
	}
	defer func() { b.log.Close() }()
	all := b.chained(event.NewChain(key, b.log.Epoch()), 3)
	for range 3 {
		b.readings(2)
	}
	for _, lane := range []string{"events", "data"} { // the second frame of each
		name := filepath.Join(dir, "log", lane+"-0000000000000001-0000000000000001.seg")
		at := int64(2 * 4096)
		if lane == "data" {
			at += 4096 // behind the key
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{0xff}, at+60); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	u := b.uplink(uplinkConfig())
	e, d := u.events(0), u.readings(0)
	defer e.close()
	defer d.close()
	for range 3 {
		if _, _, err := e.next(time.Now(), true); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.next(time.Now(), true); err != nil {
			t.Fatal(err)
		}
	}
	var events, data *Gap
	for i := range b.gaps {
		if b.gaps[i].Lane == "events" {
			events = &b.gaps[i]
		} else {
			data = &b.gaps[i]
		}
	}
	if events == nil || events.From != 2 || events.To != 2 || events.Damage == nil || events.Damage.Offset != 8192 ||
		events.Before != hashOf(t, all[0]) || events.Last != hashOf(t, all[1]) {
		t.Errorf("of events was told %+v", events)
	}
	if data == nil || data.From != 3 || data.To != 4 || data.Damage == nil || data.Damage.Offset != 12288 {
		t.Errorf("of readings was told %+v", data)
	}
}
