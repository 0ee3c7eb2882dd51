package agent

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
)

// A reload while the disk takes nothing: what happened meanwhile is neither
// forgotten nor told twice, and a trip whose alarm is edited stays on.
func TestAReloadOverADiskThatFails(t *testing.T) {
	dir := t.TempDir()
	trip := strings.Replace(pondSite, "do: [siren]", "latch: true, do: [siren, cutoff]", 1)
	trip = strings.Replace(trip, "siren: {gpio: pit/6}", "siren: {gpio: pit/6}\n  cutoff: {kind: trip, gpio: pit/7, on-start: off, first-line: none}", 1)
	edited := strings.Replace(trip, "above: 5, clear: 4.5, for: 3s", "above: 5.5, clear: 4.5, for: 1h", 1)
	synctest.Test(t, func(t *testing.T) {
		o := Options{Log: slog.New(slog.DiscardHandler)}
		a, err := prepare(simSite(t, dir, trip), o)
		if err != nil {
			t.Fatal(err)
		}
		broken := newDesk(t).broken(laneEvents)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		a.rec.storeEvents() // of the start
		a.rec.events = broken
		a.run(ctx)
		a.close()
		if got := told(t, eventsOf(t, dir)); strings.Contains(got, "cutoff=on") {
			t.Fatalf("the disk took %q", got)
		}
		events, lost := a.rec.left()
		o.Before = Left{a.judge.alarms(), a.judge.sleepers(), a.judge.sealsLeft(), a.clock, events, lost, nil, a.buf.Epoch()}
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		a, err = prepare(simSite(t, dir, edited), o)
		if err != nil {
			t.Fatal(err)
		}
		if s := a.judge.alarm("pond.level/red").State(); s != alarm.Active || !a.judge.byName["cutoff"].held {
			t.Errorf("after the reload the alarm is %v, the trip held: %v", s, a.judge.byName["cutoff"].held)
		}
		a.run(ctx)
		a.close()
	})
	events := eventsOf(t, dir)
	verified(t, dir, events)
	got := told(t, events)
	if strings.Count(got, "pond.level/red=active") != 1 || strings.Count(got, "output:cutoff=on") != 1 || strings.Contains(got, "cutoff=off") {
		t.Errorf("told %q", got)
	}
}
