package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/config"
)

// signersOf is who signed, in order, each once in a row; a handover is ">".
func signersOf(t *testing.T, events []byte, names map[string]string) string {
	t.Helper()
	var words []string
	for line := range bytes.Lines(events) {
		p, err := event.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		word := names[p.Kid]
		if _, ok := p.Handover(); ok {
			word += ">"
		}
		if len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func copied(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The next key follows by an event that both sign, whenever the power goes.
func TestTheNextKeyIsIntroducedByTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	file := filepath.Join(dir, config.IdentityFile)
	run := func() { synctest.Test(t, func(t *testing.T) { runFor(t, site, 3*time.Second) }) }
	run()
	copied(t, file, file+".kept")
	old, err := event.LoadKey(file)
	if err != nil {
		t.Fatal(err)
	}
	next, err := event.NewKey(event.NextKey(file))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{old.Kid(): "old", next.Kid(): "next"}
	copied(t, event.NextKey(file), file+".heir")
	run()
	// The power went before the next key took the place of the one before.
	for from, to := range map[string]string{file + ".kept": file, file + ".heir": event.NextKey(file)} {
		copied(t, from, to)
	}
	run()
	run()
	events := eventsOf(t, dir)
	if got := signersOf(t, events, names); got != "old old> next" {
		t.Errorf("signed by %s", got)
	}
	if k, err := event.LoadKey(file); err != nil || k.Kid() != next.Kid() {
		t.Errorf("the identity is %v, %v", k, err)
	}
	if _, err := os.Stat(event.NextKey(file)); !os.IsNotExist(err) {
		t.Errorf("the next key waits still: %v", err)
	}
	for _, k := range []*event.Key{old, next} {
		r, err := event.Verify(bytes.NewReader(events), event.Options{Key: k.PublicKey()})
		if err != nil || !r.Whole() || len(r.Epochs) != 1 {
			t.Errorf("with the key %s: %+v, %v", names[k.Kid()], r.Findings, err)
		}
	}
}

// A card that stands in another board, or a board with another key, begins a new
// epoch, which names where it goes on.
func TestAnotherBoardBeginsANewEpoch(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	run := func(board string) (epoch string) {
		synctest.Test(t, func(t *testing.T) {
			a, err := prepare(site, Options{Version: "test", Log: discard(), Board: board})
			if err != nil {
				t.Fatal(err)
			}
			runUntil(t, a, func() { time.Sleep(2 * time.Second) })
			epoch = a.buf.Epoch()
		})
		return epoch
	}
	var epochs []string
	for _, board := range []string{"", "A", "A", "", "B", "B"} {
		epochs = append(epochs, run(board))
	}
	verified(t, dir, eventsOf(t, dir))
	if err := os.Remove(filepath.Join(dir, config.IdentityFile)); err != nil {
		t.Fatal(err)
	}
	epochs = append(epochs, run("B"), run("B"))
	got := ""
	for _, e := range epochs {
		got += string(rune('a' + slices.Index(slices.Compact(slices.Clone(epochs)), e)))
	}
	if got != "aaaabbcc" {
		t.Errorf("epochs %s", got)
	}
	var first []string
	for line := range bytes.Lines(eventsOf(t, dir)) {
		if p, err := event.Parse(line); err == nil && p.Member("after") != nil {
			first = append(first, string(p.Member("after")))
		}
	}
	if len(first) != 2 || !strings.Contains(first[0], epochs[0]) || !strings.Contains(first[1], epochs[4]) {
		t.Errorf("they follow %v", first)
	}
}

// While the disk does not take the introduction the key before goes on signing.
func TestAHandoverThatTheDiskDoesNotTakeChangesNothing(t *testing.T) {
	d := newDesk(t)
	next, err := event.NewKey(event.NextKey(d.dir + "/key"))
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{rec: d.recorder, clock: d.clock, key: d.key, heir: next, keyFile: d.dir + "/key", boot: 1}
	a.Log = discard()
	good := d.events
	d.events = d.broken(laneEvents)
	if faults := a.handOver(); len(faults) != 1 || a.key != d.key || a.heir != next {
		t.Fatalf("told %v", faults)
	}
	d.events = good
	d.event("a")
	d.storeEvents()
	if faults := a.handOver(); len(faults) != 0 || a.key != next || a.heir != nil {
		t.Fatalf("told %v", faults)
	}
	d.event("b")
	d.storeEvents()
	var signers []string
	for _, p := range d.kept() {
		signers = append(signers, p.Kid)
	}
	if old := d.key.Kid(); !slices.Equal(signers, []string{old, old, next.Kid()}) {
		t.Errorf("signed by %v, the key before is %s", signers, old)
	}
	if k, err := event.LoadKey(d.dir + "/key"); err != nil || k.Kid() != next.Kid() {
		t.Errorf("the identity is %v, %v", k, err)
	}
}
