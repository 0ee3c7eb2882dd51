package agent

import (
	"testing"
	"testing/synctest"
	"time"
)

// A write that does not come back keeps the recorder, and nobody else: what
// waits is told without a number meanwhile, and with one afterwards.
func TestAWriteThatHangsSilencesNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		card := make(chan struct{})
		wrote := make(chan struct{})
		d.event("taken")
		d.fetch()
		go func() {
			_ = d.pace.took(func() error { <-card; return nil })
			d.note(ofReadings, nil)
			d.storeEvents()
			close(wrote)
		}()
		look := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			d.lookAfter()
			got := ""
			for _, e := range d.sent {
				got += e.ID + " "
			}
			if got != want {
				t.Errorf("sent %q, want %q", got, want)
			}
		}
		look(4*time.Second, "")
		if len(d.told) != 0 {
			t.Errorf("a stall of 4 s is told: %q", d.told)
		}
		look(time.Second, "taken ")
		d.event("while it hangs")
		look(time.Second, "taken while it hangs ")
		look(time.Minute, "taken while it hangs ")
		if len(d.told) != 1 || d.told[0] != errHung.Error() || *d.why.Load() != errHung.Error() {
			t.Errorf("told %q", d.told)
		}
		close(card)
		<-wrote
		look(time.Second, "taken while it hangs ")
		if len(d.told) != 2 || d.told[1] != "<nil>" || d.why.Load() != nil {
			t.Errorf("told %q after it has come back", d.told)
		}
		if kept := d.kept(); len(kept) != 2 || kept[0].ID != "taken" || kept[1].ID != "while it hangs" {
			t.Errorf("kept %v", kept)
		}
	})
}
