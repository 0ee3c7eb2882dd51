package agent

import (
	"cmp"
	"slices"

	"pithead/agent/event"
	"pithead/agent/uplink"
)

// tellFork takes what a platform has of this gateway to the recorder, which
// knows the chain.
func (a *agent) tellFork(f uplink.Fork) {
	select {
	case a.rec.forks <- f:
	default: // one is being judged; the next connection asks again
	}
}

// fork judges what a platform has. A head ahead of ours in this very epoch, or
// another event than ours, means that numbers are used twice: an old image was put
// back. Then a new epoch begins, whose first event names the last one that is
// known here. An epoch that nobody knows here is told: another card stands here,
// or another board.
func (r *recorder) fork(f uplink.Fork) {
	head := r.chain.Head()
	if f.Epoch != head.Epoch && slices.Contains(r.fold.Epochs, f.Epoch) {
		return
	}
	e := event.Event{Kind: "fork", ID: "uplink:" + f.Uplink, Level: "red", More: []event.Field{
		{Name: "their", Value: f.Had()},
		{Name: "our", Value: map[string]any{"epoch": head.Epoch, "n": head.N, "last": r.data.Next() - 1}}}}
	switch {
	case f.Epoch != head.Epoch:
		e.State, e.Why = "other", "the platform has seen another epoch, that is not known here: the card or the board was changed"
		r.fold.epochs(f.Epoch) // once is enough
	case f.Hash != "":
		e.State, e.Why = "parted", "the platform holds another event of this number and epoch: an old image was put back, or there are two of this gateway; a new epoch begins"
	case f.Event > cmp.Or(f.Ours, head.N) || f.Last >= r.data.Next():
		e.State, e.Why = "behind", "the platform has seen later numbers of this epoch: an old image was put back; a new epoch begins"
	default:
		return
	}
	if e.State != "other" {
		r.buf.NewEpoch()
		r.chain = event.NewChain(r.key, r.buf.Epoch())
		r.chain.Follow(head, r.events.Next())
	}
	r.log.Error("fork", "uplink", f.Uplink, "why", e.Why, "epoch", f.Epoch, "event", f.Event)
	s := r.clock.Now()
	r.queue.addEvent(e, event.Stamp{M: s.M, T: s.T, Known: s.Known()})
}

// tellAnchor has an event sign an uplink's running hash.
func (a *agent) tellAnchor(x uplink.Anchor) {
	s := a.clock.Now()
	a.queue.addEvent(event.Event{Kind: "anchor", ID: "uplink:" + x.Uplink, More: []event.Field{
		{Name: "of", Value: x.Epoch}, {Name: "last", Value: x.Last}, {Name: "h", Value: x.H}}},
		event.Stamp{M: s.M, T: s.T, Known: s.Known()})
}
