package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
	"pithead/drivers"
)

// desk is a recorder whose steps are taken by hand.
type desk struct {
	*recorder
	t    *testing.T
	dir  string
	told []string       // that the disk fails, or works again
	sent []event.Parsed // without having been stored
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	key, err := event.NewKey(d.dir + "/key")
	if err != nil {
		t.Fatal(err)
	}
	e, _ := record.NewEncoder([]string{"a"}, nil)
	d.recorder = &recorder{log: slog.New(slog.DiscardHandler), clock: NewClock(0, false), queue: newQueue(10), boot: 1, commit: time.Second,
		fold: newFold(), encoder: e, failed: func(err error) { d.told = append(d.told, fmt.Sprint(err)) }, key: key}
	d.unstored = func(payload []byte) {
		p, err := event.Parse(payload)
		if err != nil {
			t.Error(err)
		}
		d.sent = append(d.sent, p)
	}
	d.buf = d.open(d.dir)
	d.events, d.stats, d.data = d.buf.Lane(laneEvents), d.buf.Lane(laneStats), d.buf.Lane(laneData)
	d.chain = event.NewChain(key, d.buf.Epoch())
	return d
}

func (d *desk) open(dir string) *buffer.Log {
	d.t.Helper()
	l, _, err := buffer.Open(buffer.Config{Dir: dir, Lanes: []buffer.LaneConfig{
		{Name: laneEvents, Size: 1 << 20, Key: func() []byte { return d.fold.key() }},
		{Name: laneStats, Size: 1 << 20}, {Name: laneData, Size: 1 << 20, Key: func() []byte { return d.dataKey() }}}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = l.Close() })
	return l
}

// broken is a lane that takes nothing.
func (d *desk) broken(name string) *buffer.Lane {
	l := d.open(d.t.TempDir())
	if err := l.Close(); err != nil {
		d.t.Fatal(err)
	}
	return l.Lane(name)
}

func (d *desk) readings(n int) {
	for range n {
		s := d.clock.Now()
		d.queue.addReadings([]record.Reading{{Point: "a", M: s.M, Value: drivers.NumberValue(1)}})
	}
}

func (d *desk) event(id string) {
	s := d.clock.Now()
	d.queue.addEvent(event.Event{Kind: "alarm", ID: id, State: "active"}, event.Stamp{M: s.M})
}

// kept is kind and id of all events on disk.
func (d *desk) kept() (all []event.Parsed) {
	d.t.Helper()
	r := d.events.Reader(1)
	defer r.Close()
	for {
		f, err := r.Next()
		if err != nil {
			return all
		}
		if f.Key {
			continue
		}
		p, err := event.Parse(slices.Clone(f.Payload))
		if err != nil {
			d.t.Fatal(err)
		}
		all = append(all, p)
	}
}

// A disk that takes nothing for a day is one event when it is back, with all
// that was dropped; not one for each second, which would push alarms out.
func TestWhatADeadDiskLosesIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		good := d.data
		d.data = d.broken(laneData)
		for range 24 * 60 {
			d.readings(2)
			d.store()
			time.Sleep(time.Minute)
		}
		if n := len(d.kept()) + len(d.pending); n != 0 {
			t.Errorf("%d events of what was lost, while it is being lost", n)
		}
		d.data = good
		time.Sleep(time.Minute)
		d.store()
		d.store()
		es := d.kept()
		if len(es) != 1 || es[0].Kind != "lost" || string(es[0].Member("count")) != "2870" {
			t.Errorf("told %+v, want one of 2870", es)
		}
		if got := d.lost.Load(); got != 2870 {
			t.Errorf("counted %d", got)
		}
		if n := d.data.Next() - 1; n != 10 {
			t.Errorf("%d readings stored, want the newest 10", n)
		}
	})
}

// An alarm is not silent for a disk: what it can't take goes out at once, once,
// without a number, and joins the chain when it can.
func TestAnEventThatTheDiskDoesNotTakeGoesOutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		good := d.events
		d.event("a")
		d.storeEvents()
		if len(d.sent) != 0 {
			t.Fatal("what is stored goes its own way")
		}
		d.events = d.broken(laneEvents)
		d.event("b")
		d.storeEvents()
		d.event("c")
		for range 3 {
			d.store()
		}
		var ids []string
		for _, p := range d.sent {
			ids = append(ids, p.ID)
			if p.Stored || p.N != 0 || p.Boot != 1 || !p.SignedBy(d.key.PublicKey()) {
				t.Errorf("%+v", p)
			}
		}
		if !slices.Equal(ids, []string{"b", "c"}) {
			t.Errorf("sent %v", ids)
		}
		d.events = good
		time.Sleep(time.Minute)
		d.store()
		if es := d.kept(); len(es) != 3 || es[2].N != 3 || es[2].ID != "c" || len(d.sent) != 2 {
			t.Errorf("kept %+v, sent %d", es, len(d.sent))
		}
	})
}

// The data lane may fail while the events lane works: that is one alarm, not one
// that comes and goes with each write.
func TestALaneThatFailsAloneIsOneAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		good := d.data
		d.data = d.broken(laneData)
		for i := range 60 {
			d.readings(1)
			d.event(fmt.Sprint("e", i))
			d.storeEvents()
			d.store()
			d.flush()
			time.Sleep(time.Second)
		}
		if len(d.told) != 1 || d.told[0] == "<nil>" {
			t.Fatalf("told %q", d.told)
		}
		if n := len(d.kept()); n != 60 {
			t.Errorf("%d events stored while the data lane failed", n)
		}
		d.data = good
		time.Sleep(retryDisk)
		d.store()
		if len(d.told) != 2 || d.told[1] != "<nil>" {
			t.Errorf("told %q", d.told)
		}
	})
}

// Number and chain move only when the event is on disk.
func TestAnEventThatTheDiskRefusedKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.event("one")
		d.storeEvents()
		good := d.events
		d.events = d.broken(laneEvents)
		d.event("two")
		d.storeEvents()
		d.event("three")
		d.storeEvents()
		if len(d.fold.Alarms) != 1 {
			t.Errorf("what is not on disk is in the fold: %v", d.fold.Alarms)
		}
		d.events = good
		time.Sleep(retryDisk)
		d.storeEvents()
		var got []string
		for i, p := range d.kept() {
			got = append(got, p.ID)
			if p.N != uint64(i+1) {
				t.Errorf("%s has number %d", p.ID, p.N)
			}
		}
		if !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("stored %v", got)
		}
	})
}

func TestNothingThatWaitsForADiskGrowsWithoutBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.events, d.stats = d.broken(laneEvents), d.broken(laneStats)
		for range 2 {
			for range mostEvents {
				d.event("e")
			}
			d.queue.addStats(make([]stat, mostStats))
			d.store()
		}
		if len(d.pending) > mostEvents || len(d.stat) > mostStats {
			t.Errorf("%d events, %d statistics wait", len(d.pending), len(d.stat))
		}
		for range mostEvents + 5 { // the recorder hangs in a write
			d.event("e")
		}
		d.queue.addStats(make([]stat, 2*mostStats))
		if _, n := d.queue.waiting(); n > mostEvents || len(d.queue.stats) > mostStats {
			t.Errorf("%d events, %d statistics in the queue", n, len(d.queue.stats))
		}
		if d.untold.events != mostEvents || d.untold.stats != mostStats || d.queue.lost.events != 5 {
			t.Errorf("counted %+v and %+v", d.untold, d.queue.lost)
		}
	})
}

func TestTheQueueDropsTheOldestReadingsAndCountsThem(t *testing.T) {
	q := newQueue(3)
	for i := range 5 {
		q.addReadings([]record.Reading{{M: int64(i)}})
	}
	rs, lost := q.swapReadings(nil)
	if lost != 2 || len(rs) != 3 || rs[0].M != 2 {
		t.Errorf("%v, %d lost", rs, lost)
	}
	if rs, lost := q.swapReadings(rs); lost != 0 || len(rs) != 0 {
		t.Errorf("%v, %d lost the second time", rs, lost)
	}
}

// What the last store has to tell is stored before the end.
func TestTheEndTellsWhatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.readings(12)
		s := newStage()
		s.start(d.run)
		s.stop()
		es := d.kept()
		if len(es) != 1 || string(es[0].Member("count")) != "2" {
			t.Errorf("told %+v", es)
		}
	})
}

// No event that can be made stops the recorder, whatever text a person gives.
func TestNoTextStopsTheRecorder(t *testing.T) {
	d := newDesk(t)
	for _, why := range []string{`","sig":"`, "\xff\xfe", "a\x00b", strings.Repeat("长", 2000), "\u2028</script>", `\`} {
		d.queue.addEvent(event.Event{Kind: "command", ID: why, Why: why, By: why}, event.Stamp{M: 1})
	}
	d.queue.addEvent(event.Event{Kind: "command", Why: strings.Repeat("x", 2<<20)}, event.Stamp{M: 1})
	d.event("after")
	d.storeEvents()
	if es := d.kept(); len(es) != 7 || es[6].ID != "after" {
		t.Errorf("%d events stored", len(es))
	}
	if len(d.told) != 0 || errors.Is(d.troubles[ofEvents].err, buffer.ErrTooLong) {
		t.Errorf("a long event counts as a failing disk: %q", d.told)
	}
}

func TestHowFarBackTheBufferGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		if got := days(laneOf(d.data), d.clock.Now()); got != nil {
			t.Errorf("an empty buffer goes back %v days", *got)
		}
		d.readings(1)
		d.store()
		time.Sleep(36 * time.Hour)
		d.readings(1)
		d.store()
		if got := days(laneOf(d.data), d.clock.Now()); got == nil || *got != 1.5 {
			t.Errorf("it goes back %v days, want 1.5", got)
		}
	})
}

// The size is the folder's, so the data lane gives way to what lies beside it; but
// somebody's own files are no reason to store nothing.
func TestWhatLiesBesideTheLogCountsInItsSize(t *testing.T) {
	dir := t.TempDir()
	if n := besides(dir, 1<<30); n != 64<<10 {
		t.Errorf("an empty folder counts %d", n)
	}
	for name, size := range map[string]int{"site.good.yaml": 10_000, "identity.key": 200} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := besides(dir, 1<<30); n != 64<<10+4*block {
		t.Errorf("counts %d", n)
	}
	if n := besides(dir, 1<<18); n != 1<<15 {
		t.Errorf("of a small buffer it takes %d", n)
	}
}

func TestHealthTellsWhatWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		good := d.data
		d.data = d.broken(laneData)
		d.readings(4)
		d.store()
		if n := d.waiting.Load(); n != 4 || d.why.Load() == nil || d.pace.failed.Load() != 1 {
			t.Errorf("%d wait, because of %v, %d failed", n, d.why.Load(), d.pace.failed.Load())
		}
		d.data = good
		time.Sleep(retryDisk)
		d.store()
		if n := d.waiting.Load(); n != 0 || d.why.Load() != nil {
			t.Errorf("%d wait, because of %v", n, d.why.Load())
		}
	})
}

// A write that failed is told, though the next one went well.
func TestAWriteThatFailedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		log, gone := filepath.Join(d.dir, "log"), filepath.Join(d.dir, "gone")
		if err := os.Rename(log, gone); err != nil {
			t.Fatal(err)
		}
		d.readings(1)
		d.store()
		if err := os.Rename(gone, log); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			time.Sleep(retryDisk)
			d.store()
		}
		es := d.kept()
		if len(es) != 1 || es[0].Kind != "fault" || !strings.Contains(es[0].Why, "a write to the disk failed") || d.data.Next() != 2 {
			t.Errorf("told %+v, next is %d", es, d.data.Next())
		}
	})
}

// Somebody clears /var/lib: the files that are open would take writes as ever,
// and nobody could ever read them. It is told, and all begins anew in their place.
func TestAFolderThatIsRemovedIsToldAndMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		renewed := 0
		d.renew = func() error { renewed++; return nil }
		d.event("pond.level/red")
		d.readings(1)
		d.store()
		d.flush()
		time.Sleep(positions)
		d.flush()
		if len(d.told) > 0 {
			t.Fatalf("told %q", d.told)
		}
		if err := os.RemoveAll(d.dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(positions)
		d.flush()
		if len(d.told) != 1 || !strings.Contains(d.told[0], buffer.ErrRemoved.Error()) || renewed != 1 || d.why.Load() == nil {
			t.Fatalf("told %q; put there again %d times", d.told, renewed)
		}
		d.event("pond.level/orange")
		d.readings(1)
		d.store()
		time.Sleep(retryDisk)
		d.flush()
		if len(d.told) != 2 || d.told[1] != "<nil>" || renewed != 1 {
			t.Errorf("told %q; put there again %d times", d.told, renewed)
		}
		v, err := buffer.OpenView(d.dir)
		if err != nil || v.Epoch != d.buf.Epoch() || v.Lanes[0].Next != 3 || v.Lanes[1].Next != 3 {
			t.Errorf("%v, %+v", err, v)
		}
	})
}

// Positions that move after each second's readings ride with those of the next, and
// cost no write of their own; where no readings follow they are durable in a second.
func TestPositionsRideWithTheReadingsOfTheNextSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.commit = positions - 10*time.Millisecond // a commit takes no time here, and would come together with the flush
		d.readings(1)
		d.store() // the first of each file has more to it
		d.buf.SetPosition("county/data", 0)
		d.flush()
		stop := newStage()
		stop.start(d.run)
		defer stop.stop()
		before := written(t, d.dir)
		const seconds = 10
		for i := range seconds {
			time.Sleep(400 * time.Millisecond)
			d.readings(1)
			time.Sleep(d.commit - 400*time.Millisecond + time.Millisecond)
			synctest.Wait()
			d.buf.SetPosition("county/data", uint64(i)+1)
		}
		if n := written(t, d.dir) - before; n > seconds {
			t.Errorf("%d writes for the readings of %d seconds", n, seconds)
		}
		before = written(t, d.dir)
		time.Sleep(positions + time.Millisecond)
		synctest.Wait()
		if n := written(t, d.dir) - before; n != 1 {
			t.Errorf("%d writes in the second after a position moved, want one", n)
		}
	})
}

// written is how many blocks of a buffer hold anything: each small write fills one.
func written(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for ; len(b) >= block; b = b[block:] {
			if strings.Trim(string(b[:block]), "\x00") != "" {
				n++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
