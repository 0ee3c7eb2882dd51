package agent

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/agent/uplink"
)

// An image of last week is put back: the platform has seen later events of the
// epoch. A new one begins, which names where it forked, and outlives a restart.
func TestAForkBeginsANewEpoch(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	var old string
	synctest.Test(t, func(t *testing.T) {
		a, err := prepare(site, Options{Version: "test", Log: discard()})
		if err != nil {
			t.Fatal(err)
		}
		old = a.buf.Epoch()
		runUntil(t, a, func() {
			time.Sleep(5 * time.Second)
			a.tellFork(uplink.Fork{Uplink: "county", Epoch: old, Event: 5000})
			time.Sleep(5 * time.Second)
			a.tellFork(uplink.Fork{Uplink: "county", Epoch: old, Event: 5000}) // it is known now
			a.tellFork(uplink.Fork{Uplink: "county", Epoch: "another card's", Event: 7})
			time.Sleep(5 * time.Second)
			a.tellFork(uplink.Fork{Uplink: "county", Epoch: "another card's", Event: 7})
			time.Sleep(5 * time.Second)
			second := a.buf.Epoch()
			if second == old {
				t.Error("the epoch is the old one")
			}
			for _, f := range []uplink.Fork{
				{Epoch: second, Event: 2, Last: 9_000}, // readings that were never sent
				{Epoch: second, Event: 2, Last: 9_000}, // it is known now
				{Epoch: old, Event: 3, Hash: "sha256:ab"},
			} {
				f.Uplink = "county"
				a.tellFork(f)
				time.Sleep(5 * time.Second)
			}
			third := a.buf.Epoch()
			a.tellFork(uplink.Fork{Uplink: "county", Epoch: third, Event: 3, Hash: "sha256:ab"})
			time.Sleep(5 * time.Second)
			if third == second || a.buf.Epoch() == third {
				t.Errorf("epochs %s, %s, %s", second, third, a.buf.Epoch())
			}
		})
	})
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 5*time.Second) })
	events := eventsOf(t, dir)
	verified(t, dir, events)
	var forks []string
	for line := range bytes.Lines(events) {
		p, err := event.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if p.Kind == "fork" {
			forks = append(forks, p.State)
			if len(forks) == 1 && (p.Epoch == old || !strings.Contains(string(p.Member("after")), old)) {
				t.Errorf("the fork is told as %s", line)
			}
		}
	}
	if strings.Join(forks, " ") != "behind other behind parted" {
		t.Errorf("forks %v", forks)
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// runUntil runs an agent that was prepared, as Run does, until f returns.
func runUntil(t *testing.T, a *agent, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.run(ctx) }()
	f()
	cancel()
	<-done
	a.close()
}

// What changed in the site file is told as old and new, red where it guards less.
func TestAConfigEventTellsWhatChanged(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, pondSite), 3*time.Second) })
	weak := strings.Replace(pondSite, "above: 5, clear: 4.5, for: 3s", "above: 6, clear: 4.5, for: 3s", 1)
	synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, weak), 3*time.Second) })
	synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, pondSite), 3*time.Second) })
	var told []string
	for line := range bytes.Lines(eventsOf(t, dir)) {
		p, err := event.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if p.Kind == "config" {
			told = append(told, p.Level+string(p.Member("changes")))
		}
	}
	want := `red[{"path":"points.pond.level.alarms.red.above","old":"5","new":"6","weaker":true}] [{"path":"points.pond.level.alarms.red.above","old":"6","new":"5"}]`
	if got := strings.Join(told, " "); got != want {
		t.Errorf("told %s", got)
	}
}
