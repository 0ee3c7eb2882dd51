package agent

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/config"
	"pithead/drivers"
)

// replayed is what a replay of a buffer's readings tells, a line each.
func replayed(t *testing.T, site *config.Site, dir string, begun time.Time, base int64) string {
	t.Helper()
	var lines []string
	r := NewReplay(site, func(x Told) {
		e := x.Event
		lines = append(lines, fmt.Sprintf("%v %s %s %s %s", x.At.Sub(begun), e.ID, e.State, e.Level, e.Value))
	})
	for _, x := range readingsOf(t, dir) {
		at := begun.Add(time.Duration(x.M-base) * time.Millisecond)
		r.Add(drivers.Reading{Point: x.Point, At: at, Value: x.Value, Quality: x.Quality, Code: x.Code})
	}
	r.End()
	return strings.Join(lines, "\n")
}

func TestAReplayTellsWhatTheAgentTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		site := simSite(t, dir, pondSite)
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		left, err := Run(ctx, site, Options{Version: "test", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		base := left.clock.M(begun).Milliseconds()
		live := lived(t, dir, base)
		if again := replayed(t, site, dir, begun, base); again != live || strings.Count(live, "pond.level/red active") != 3 {
			t.Errorf("live:\n%s\nreplayed:\n%s", live, again)
		}
	})
}

// lived is what the agent told that comes from readings, in the same form.
func lived(t *testing.T, dir string, base int64) string {
	t.Helper()
	var lines []string
	for line := range bytes.Lines(eventsOf(t, dir)) {
		p, err := event.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains([]string{"start", "stop", "clock", "config", "fault", "command", "lost"}, p.Kind) {
			continue
		}
		at := time.Duration(p.M-base) * time.Millisecond
		lines = append(lines, fmt.Sprintf("%v %s %s %s %s", at, p.ID, p.State, p.Level, p.Value))
	}
	return strings.Join(lines, "\n")
}
