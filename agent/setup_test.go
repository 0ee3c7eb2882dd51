package agent

import (
	"strings"
	"testing"
	"testing/synctest"

	"pithead/agent/alarm"
)

// What a device refuses to be set to may be the range that its values are
// scaled for: an alarm says so, as grave as that the device is gone.
func TestWhoRefusesItsSetupIsAnAlarm(t *testing.T) {
	site := strings.Replace(ladderSite, "unit: 1, every: 1h", "unit: 1, every: 1h, setup: [{holding: 10, write: 3}]", 1)
	synctest.Test(t, func(t *testing.T) {
		f := newFold()
		b := newBench(t, parsed(t, site), f, nil)
		for _, why := range []string{"exception 2", "exception 2", ""} {
			b.do(func() error { b.setAgent(setupOf("d"), why != "", why); return nil })
			want := alarm.Active
			if why == "" {
				want = alarm.Normal
			}
			if s := b.alarm("device:d/setup"); s.State() != want || s.Def().Level != alarm.Yellow {
				t.Errorf("%q: %v, %v", why, s.State(), s.Def().Level)
			}
		}
		b.settled()
		n := 0
		for _, e := range b.events {
			if e.ID == "device:d/setup" {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d events, want one raised and one normal", n)
		}
		if without := newBench(t, parsed(t, ladderSite), newFold(), nil); without.apart["device:d/setup"] != nil {
			t.Error("an alarm of a device that is set up by nobody")
		}
	})
}
