package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

func compare(a, b entry) int {
	return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.n, b.n), cmp.Compare(a.line, b.line))
}

// outOfOrder tells of lines that stand behind a later number: harmless, since
// the chain is judged by number, but a reader of the file should know.
func (v *verifier) outOfOrder() {
	highest := make([]entry, len(v.rep.Epochs))
	for _, e := range v.entries {
		h := &highest[e.epoch]
		if e.n >= h.n {
			*h = e
			continue
		}
		v.tell(e, OutOfOrder, fmt.Sprintf("stands behind event %d (%s)", h.n, v.at(h.line)))
	}
}

// unrepeat leaves one entry for each number.
func (v *verifier) unrepeat() {
	kept := v.entries[:0]
	for _, e := range v.entries {
		if len(kept) == 0 {
			kept = append(kept, e)
			continue
		}
		last := &kept[len(kept)-1]
		switch {
		case last.epoch != e.epoch || last.n != e.n:
			kept = append(kept, e)
		case last.payload == e.payload:
			v.rep.Repeats++
			v.tell(e, Repeated, "the same bytes as "+v.at(last.line))
		case e.bad: // told already; the other line stands
		case last.bad:
			*last = e
		default:
			v.tell(e, Forked, "the same number as "+v.at(last.line)+" with other bytes")
		}
	}
	v.entries = kept
}

// links judges what follows what, in the order of the numbers.
func (v *verifier) links() {
	for i, e := range v.entries {
		ep := &v.rep.Epochs[e.epoch]
		ep.Events++
		if i == 0 || v.entries[i-1].epoch != e.epoch {
			ep.First = e.n
			v.begins(ep, e)
		} else {
			v.link(v.entries[i-1], e)
		}
		ep.Last, ep.Hash = e.n, e.hash
	}
	v.rep.Events = len(v.entries)
}

func (v *verifier) link(prev, e entry) {
	switch {
	case v.o.Readings:
	case e.n > prev.n+1:
		v.missing(e, prev.n+1, e.n-1)
	case prev.bad || e.bad || e.follows && e.chain == prev.hash:
	case v.o.Key != nil:
		v.tell(e, Forked, fmt.Sprintf("does not follow event %d (%s), and both are signed: there are two histories", prev.n, v.at(prev.line)))
	default:
		v.tell(e, Altered, fmt.Sprintf("does not follow event %d (%s) as that stands here: one of the two was altered", prev.n, v.at(prev.line)))
	}
}

// signers judges that each key signs only between the handover to it and the one
// from it.
func (v *verifier) signers() {
	due := ""
	for i := range v.entries {
		e := &v.entries[i]
		if i == 0 || v.entries[i-1].epoch != e.epoch {
			due = v.dueAfter(e.chain)
		}
		if due == "" && !e.bad {
			due = e.kid
		}
		switch {
		case e.bad:
		case e.kid != due:
			e.bad = true
			v.tell(*e, OtherKey, "signed by the key "+quote(e.kid)+"; here "+due+" signs, as far as it was handed over")
		case e.heir != "":
			due = e.heir
			v.tell(*e, HandedOver, "the key "+e.kid+" hands over to "+e.heir)
		}
	}
}

// dueAfter is whose turn it is after the event of that hash; empty where that is
// not known.
func (v *verifier) dueAfter(h Hash) string {
	e, ok := v.byHash(h)
	switch {
	case !ok || e.bad:
		return ""
	case e.heir != "":
		return e.heir
	}
	return e.kid
}

// A drop is an event that tells of others which an uplink can't have any more.
type drop struct {
	epoch    int // of the event
	n        uint64
	of       string // epoch of those that are gone
	from, to uint64
	why      string
	uplink   string
}

// drop remembers what a stored event tells as dropped.
func (v *verifier) drop(w waiting) {
	if w.Kind != "lost" || w.entry < 0 || w.Text("lane") != "events" {
		return
	}
	d := drop{epoch: v.entries[w.entry].epoch, n: w.N, of: w.Text("of"), why: w.Why, uplink: w.Text("uplink")}
	if json.Unmarshal(w.Member("from"), &d.from) == nil && json.Unmarshal(w.Member("to"), &d.to) == nil {
		v.drops = append(v.drops, d)
	}
}

// dropped is the last of the events that tell these numbers as dropped, if
// together they tell all of them.
func (v *verifier) dropped(epoch string, from, to uint64) (last drop, ok bool) {
	for at := from; ; at = last.to + 1 {
		if last, ok = v.tells(epoch, at); !ok || last.to >= to {
			return last, ok
		}
	}
}

// tells is the event that tells this number, and most behind it, as dropped.
func (v *verifier) tells(epoch string, n uint64) (most drop, ok bool) {
	for _, d := range v.drops {
		if e, there := v.find(d.epoch, d.n); there && !e.bad && d.of == epoch && d.from <= n && n <= d.to && d.to >= most.to {
			most, ok = d, true
		}
	}
	return most, ok
}

func (v *verifier) missing(e entry, from, to uint64) {
	if d, ok := v.dropped(v.rep.Epochs[e.epoch].Name, from, to); ok {
		v.rep.Dropped += int(to - from + 1)
		v.rep.add(Finding{Line: e.line, Epoch: d.of, From: from, To: to, What: Dropped,
			Text: fmt.Sprintf("%d to %d never reached uplink %s: %s, as event %d tells", from, to, quote(d.uplink), plain(d.why), d.n)})
		return
	}
	what := "event " + strconv.FormatUint(from, 10) + " is"
	if to > from {
		what = fmt.Sprintf("%d events, %d to %d, are", to-from+1, from, to)
	}
	v.rep.add(Finding{Line: e.line, Epoch: v.rep.Epochs[e.epoch].Name, From: from, To: to, What: Removed, Text: what + " missing before this line"})
}

// begins judges what the first event of an epoch that is here says of the one
// before it: another epoch's, which may be in the file too.
func (v *verifier) begins(ep *Epoch, e entry) {
	if !e.follows {
		return
	}
	o, ok := v.byHash(e.chain)
	if e.n == 1 || ok {
		ep.Follows = e.chain
	}
	if !ok || o.epoch == e.epoch {
		return
	}
	ep.After = Head{v.rep.Epochs[o.epoch].Name, o.n, o.hash}
	if later, ok := v.find(o.epoch, o.n+1); ok {
		v.tell(e, Forked, fmt.Sprintf("its epoch follows event %d of epoch %s, but that one goes on with event %d (%s): there are two histories",
			o.n, quote(ep.After.Epoch), later.n, v.at(later.line)))
	}
}

// known holds the record against what was receipted.
func (v *verifier) known() {
	for _, h := range v.o.Known {
		i, ok := v.epochs[h.Epoch]
		if !ok {
			v.rep.add(Finding{Epoch: h.Epoch, From: h.N, To: h.N, What: Removed, Text: "this epoch was receipted, and nothing of it is here"})
			continue
		}
		ep := v.rep.Epochs[i]
		e, ok := v.find(i, h.N)
		switch {
		case ok && e.hash != h.Hash:
			v.tell(e, Forked, "is not the event that was receipted under this number")
		case !ok && h.N > ep.Last:
			v.rep.add(Finding{Epoch: h.Epoch, From: ep.Last + 1, To: h.N, What: Removed,
				Text: fmt.Sprintf("the tail is missing: event %d was receipted, the record ends with %d", h.N, ep.Last)})
		}
	}
}

func (v *verifier) find(epoch int, n uint64) (entry, bool) {
	i, ok := slices.BinarySearchFunc(v.entries, entry{epoch: epoch, n: n}, compare)
	if !ok && i < len(v.entries) { // compare also looks at the line, which is not known here
		ok = v.entries[i].epoch == epoch && v.entries[i].n == n
	}
	if !ok {
		return entry{}, false
	}
	return v.entries[i], true
}

func (v *verifier) byHash(h Hash) (entry, bool) {
	if v.hashes == nil {
		v.hashes = make(map[Hash]int, len(v.entries))
		for i, e := range v.entries {
			v.hashes[e.hash] = i
		}
	}
	i, ok := v.hashes[h]
	if !ok {
		return entry{}, false
	}
	return v.entries[i], true
}

func (v *verifier) tell(e entry, what What, text string) {
	v.rep.add(Finding{Line: e.line, Epoch: v.rep.Epochs[e.epoch].Name, From: e.n, To: e.n, What: what, Text: text})
}

// at names a line of one of the files.
func (v *verifier) at(line int) string {
	name, n := v.rep.where(line)
	if len(v.rep.files) > 1 {
		return fmt.Sprintf("%s:%d", name, n)
	}
	return fmt.Sprintf("line %d", n)
}

// quote shows what comes from the file in a message, whatever it is.
func quote(s string) string { return fmt.Sprintf("%.40q", s) }
