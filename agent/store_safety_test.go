package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
)

// A card that has become read-only still says which trips are on.
func TestALogThatCanOnlyBeReadKeepsTripsAndLatches(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	latched := strings.Replace(pondSite, "for: 3s, do: [siren]", "latch: true, do: [siren, cutoff]", 1)
	latched = strings.Replace(latched, "siren: {gpio: pit/6}", "siren: {gpio: pit/6}\n  cutoff: {kind: trip, gpio: pit/7, on-start: off, first-line: none}", 1)
	synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, latched), 20*time.Second) })
	if got := told(t, eventsOf(t, dir)); !strings.HasSuffix(got, "output:siren=on output:cutoff=on") {
		t.Fatalf("told %q", got)
	}
	// The lock can't be written, nothing else is wrong.
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	low := strings.Replace(latched, "[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 4]]", 1)
	volatile := filepath.Join(os.TempDir(), "pithead-pond-g1")
	for range 2 { // and it stays so over one more restart
		synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, low), 20*time.Second) })
		got := told(t, eventsOf(t, volatile))
		if strings.Contains(got, "cutoff=off") || strings.Contains(got, "red=normal") || !strings.Contains(got, "red=cleared") {
			t.Errorf("told %q", got)
		}
	}
}

// What stood when the disk failed last time is nothing that stands when it fails
// again: in between the disk knew better.
func TestALaterSmallBufferKnowsNothingOfAnEarlierOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buf")
	t.Setenv("TMPDIR", t.TempDir())
	low := strings.Replace(pondSite, "[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 4]]", 1)
	volatile := filepath.Join(os.TempDir(), "pithead-pond-g1")
	fails := func(site, want string) {
		t.Helper()
		if err := os.WriteFile(dir, nil, 0o600); err != nil { // where a folder is wanted
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, site), 20*time.Second) })
		if got := told(t, eventsOf(t, volatile)); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
	}
	const raised = "agent/buffer=active pond.level/red=active output:siren=on"
	fails(pondSite, raised)
	fails(low, raised+" pond.level/red=normal output:siren=off") // a start while the disk fails goes on
	fails(pondSite, raised+" pond.level/red=normal output:siren=off pond.level/red=active output:siren=on")
	synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, low), time.Second) })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fails(low, "agent/buffer=active")
}

// A card that is read-only has taken /tmp along.
func TestASmallBufferNeedsNoTmp(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", file)
	a, err := prepare(simSite(t, file, pondSite), Options{Log: slog.New(slog.DiscardHandler), Socket: filepath.Join(root, "s.sock")})
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if want := filepath.Join(root, "pithead-pond-g1"); a.dir != want || a.volatile == "" {
		t.Errorf("it is in %s, want it in %s", a.dir, want)
	}
}

// A disk that hangs at the start: it guards without, and the disk is told how
// things stand when it comes back.
func TestAStartOnADiskThatHangsGuards(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	site := simSite(t, dir, strings.Replace(pondSite, "for: 3s", "latch: true", 1))
	synctest.Test(t, func(t *testing.T) {
		o := Options{Version: "test", Log: slog.New(slog.DiscardHandler), Hung: true}
		for _, d := range []time.Duration{15 * time.Second, time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			left, err := Run(ctx, site, o)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			if all, _ := filepath.Glob(filepath.Join(dir, "*")); o.Hung && len(all) > 0 {
				t.Errorf("it tried the disk: %q", all)
			}
			o.Before, o.Hung = left, false
		}
	})
	if got, want := told(t, eventsOf(t, filepath.Join(os.TempDir(), "pithead-pond-g1"))), "agent/buffer=active pond.level/red=active output:siren=on"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if got, want := told(t, eventsOf(t, dir)), "pond.level/red=active agent/buffer=active agent/buffer=normal output:siren=on pond.level/red=cleared"; got != want {
		t.Errorf("the disk is told %q, want %q", got, want)
	}
}

func TestAnAlarmOfAVolatileBufferDoesNotEndWithAFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		b.story()
		a := &agent{judge: b.judge, volatile: "the disk is gone"}
		b.do(func() error { b.setAgent(agentBuffer, true, a.volatile); return nil })
		b.want("agent/buffer=active")
		a.diskFailed(errors.New("full"))
		a.diskFailed(nil)
		b.want("")
	})
}

func TestManyFaultsAreFewEvents(t *testing.T) {
	var faults []string
	for i := range 5000 {
		faults = append(faults, fmt.Sprint(i))
	}
	if got := few(faults); len(got) != 10 || got[9] != "and 4991 more" || faults[9] != "9" {
		t.Errorf("%q", got)
	}
	if got := few(faults[:10]); len(got) != 10 || got[9] != "9" {
		t.Errorf("%q", got)
	}
}

// stubborn is a bus that can't be closed.
type stubborn struct{ fakeBus }

func (*stubborn) Close() error { return errors.New("hung up") }

// A reload goes on with a new site file: a line that can't be closed must not
// end the process.
func TestALineThatCantBeClosedEndsNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, err := prepare(simSite(t, dir, pondSite), Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		a.loops = append(a.loops, loopOf(&stubborn{}, &collect{}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a.run(ctx)
		a.close()
	})
	synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, pondSite), time.Second) }) // the buffer is free
}

// A judge that was held up computes once, not once for each time it missed.
func TestAGridThatWasSleptOverIsNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		site.Points = append(site.Points, computed(t, "free", "20 - level", "level"))
		site.Points[3].Every = time.Second
		b := newBench(t, site, newFold(), nil)
		b.good("level", 3)
		b.stop()
		b.stored = nil
		at := b.now()
		time.Sleep(10 * time.Second)
		b.timers.run(b.now())
		b.flush()
		b.settled()
		n := 0
		for _, r := range b.stored {
			if r.Point == "free" {
				n++
			}
		}
		if next, _ := b.timers.next(); n != 1 || next <= b.now() || (next-at)%time.Second != (b.now()-at)%time.Second && next-b.now() > time.Second {
			t.Errorf("computed %d times; the next is in %v", n, next-b.now())
		}
		if p := b.find("free"); p.mark.quality != drivers.Good || p.last.Float() != 17 {
			t.Errorf("%v, %v", p.last, p.mark.quality)
		}
	})
}
