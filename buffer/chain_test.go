package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"pithead/agent/event"
)

// An author stores signed events as the agent does. The log itself knows nothing
// of events; this tries that a chain holds on it.
type author struct {
	t    *testing.T
	key  *event.Key
	lane *Lane
	*event.Chain
	acked map[uint64]string // by number: what Append took
}

// resume goes on behind the last event that is there.
func (a *author) resume(l *Log, epoch string) {
	a.t.Helper()
	a.lane, a.Chain = l.Lane("events"), event.NewChain(a.key, epoch)
	if n := a.lane.Next(); n > 1 {
		if err := a.Resume(n-1, []byte(a.all()[n-1])); err != nil {
			a.t.Fatal(err)
		}
	}
}

// all are the events that can be read, by number.
func (a *author) all() map[uint64]string {
	a.t.Helper()
	all := map[uint64]string{}
	r := a.lane.Reader(1)
	defer r.Close()
	for {
		f, err := r.Next()
		var lost *Lost
		switch {
		case errors.Is(err, io.EOF):
			return all
		case errors.As(err, &lost) && lost.Damage == nil:
		case err != nil:
			a.t.Fatal(err)
		case f.Count == 1:
			all[f.First] = string(f.Payload)
		}
	}
}

// write stores events until it fails; at most n.
func (a *author) write(n int, e event.Event) {
	for range n {
		p := a.Next(e, event.Stamp{Boot: 1, M: int64(a.Head().N)})
		if a.lane.Append(p, 1) != nil {
			return
		}
		a.Commit()
		a.acked[a.Head().N] = string(p)
	}
}

// Twenty power cuts, at any operation and with any part of what was not synced, and
// three segments and more that were dropped for space: the chain is whole from the
// oldest event that is there to the newest that was acknowledged. What an uplink
// missed meanwhile it is told by an event, and its record is whole but for that.
func TestAChainAcrossPowerCutsAndDroppedSegments(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(20, 3))
	key, err := event.NewKey(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Dir: "/b", Lanes: []LaneConfig{{Name: "events", Size: 4 << 20}, {Name: "data", Size: MinSize}}}
	fs := newMemFS()
	a := &author{t: t, key: key, acked: map[uint64]string{}}
	alarm := event.Event{Kind: "alarm", ID: "pond.level/red", State: "active", Why: fmt.Sprintf("%0600d", 0)}
	var stored bytes.Buffer // by a platform that was there until the tenth cut
	sent, epoch, torn := uint64(0), "", 0
	segments := map[string]bool{}
	send := func() {
		all := a.all()
		for n := sent + 1; n < a.lane.Next(); n++ {
			if p, ok := all[n]; ok {
				fmt.Fprintln(&stored, p)
				sent = n
			}
		}
	}
	for cut := range 20 {
		l, report, err := openLog(fs, config)
		if err != nil || epoch != "" && l.Epoch() != epoch {
			t.Fatalf("after %d cuts: %v, %+v", cut, err, report)
		}
		epoch = l.Epoch()
		a.resume(l, epoch)
		if cut <= 10 {
			send()
		}
		a.write(150, alarm)
		fs.fail = offAfter(fs.op + rng.IntN(60))
		was := a.Head().N
		for _, name := range fs.lane(t, "events") {
			segments[name] = true
		}
		a.write(60, alarm)
		if a.Head().N < was+60 {
			torn++
		}
		fs = fs.powerCut(rng.IntN(2) == 0, prefix(rng.IntN(2000)))
	}
	l, _, err := openLog(fs, config)
	if err != nil {
		t.Fatal(err)
	}
	a.resume(l, epoch)
	all := a.all()
	first, last := a.lane.First(), a.lane.Next()-1
	for n, p := range a.acked {
		if n >= first && all[n] != p || n > last {
			t.Fatalf("event %d was acknowledged, and is %q", n, all[n])
		}
	}
	var export bytes.Buffer
	for n := first; n <= last; n++ {
		fmt.Fprintln(&export, all[n])
	}
	r, err := event.Verify(&export, event.Options{Key: key.PublicKey()})
	if err != nil || !r.Whole() || len(r.Findings) > 0 || r.Epochs[0].First != first || r.Epochs[0].Last != last || first == 1 {
		t.Errorf("%d to %d: %+v, %v", first, last, r, err)
	}
	for _, name := range fs.lane(t, "events") {
		delete(segments, name)
	}
	if len(segments) < 3 {
		t.Errorf("%d segments were dropped", len(segments))
	}
	if torn < 15 {
		t.Errorf("only %d cuts came while something was written", torn)
	}
	// What the platform missed is told, as the agent tells it.
	if gone := first - 1 - sent; sent >= first || gone < 100 {
		t.Fatalf("sent to %d, and there from %d on: nothing was dropped before it was sent", sent, first)
	}
	a.write(1, event.Event{Kind: "lost", ID: "agent/buffer", Why: "dropped for space", More: []event.Field{
		{Name: "uplink", Value: "county"}, {Name: "lane", Value: "events"}, {Name: "of", Value: epoch}, {Name: "from", Value: sent + 1}, {Name: "to", Value: first - 1}}})
	gone := int(first - 1 - sent)
	send()
	r, err = event.Verify(bytes.NewReader(stored.Bytes()), event.Options{Key: key.PublicKey()})
	if err != nil || !r.Whole() || r.Dropped != gone || r.Events != int(last)+1-gone {
		t.Errorf("the platform's record: %+v, %v; %d were dropped", r, err, gone)
	}
	without := slices.DeleteFunc(bytes.SplitAfter(stored.Bytes(), []byte("\n")), func(line []byte) bool { return bytes.Contains(line, []byte(`"kind":"lost"`)) })
	if r, err = event.Verify(bytes.NewReader(bytes.Join(without, nil)), event.Options{Key: key.PublicKey()}); err != nil || r.Whole() {
		t.Errorf("without being told: %+v, %v", r, err)
	}
}
