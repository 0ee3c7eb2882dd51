package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// hashMember is the last of a message of readings; what it hashes ends there.
const hashMember = `,"h":"`

// AppendHash ends a message of readings, which is open (without its brace), with
// the running hash, and returns that: the next message's before. It uses the
// message's own memory, brace and all, where that has room.
func AppendHash(open []byte, before Hash) ([]byte, Hash) {
	h := follow(before, open)
	open = append(append(open, hashMember...), h.String()...)
	return append(open, '"', '}'), h
}

// HashBytes is how much AppendHash adds to a message.
const HashBytes = len(hashMember) + len("sha256:") + 2*sha256.Size + len(`"`)

// follow is the running hash of what comes after a message with the hash before.
func follow(before Hash, open []byte) (h Hash) {
	d := sha256.New()
	d.Write(before[:])
	d.Write(open)
	d.Sum(h[:0])
	return h
}

// A message of readings, as far as it is judged.
type message struct {
	line       int
	epoch      int
	prev, last uint64
	h          Hash // as it says
	before     int  // what it follows: another message's index, atStart or loose
	proven     bool
	bent       bool   // all of it is as it was sent but for its own hash
	open       []byte // what it hashes, while it is loose
	again      bool   // asked for again: its numbers lie anywhere
	joins      bool   // its numbers go on where those of the line before it ended
	guess      int    // the message before its line, and what it would
	should     Hash   // have to say if it followed that one; only while loose
}

const (
	atStart = -1 // the first of a run
	loose   = -2 // nothing that is here
)

// An anchor is an event that signs a run's hash.
type anchor struct {
	epoch  int // of the event
	n      uint64
	event  Hash
	uplink string
	of     string // epoch of the readings
	last   uint64
	h      Hash
}

// readings are the messages of readings of a record.
type readings struct {
	all   []message
	seen  map[Hash]int // by SHA-256 of all of it
	byH   map[Hash]int // by running hash
	ends  []int        // messages that nothing follows yet, the newest last
	loose []int        // messages that follow nothing yet, but may follow what comes
	last  uint64       // of the newest that was not asked for again
}

// mostTried is how many ends a message is tried against, and how many messages
// wait for the one that they follow.
const mostTried = 32

// parseReadings takes a message of readings apart; ok is false for what is none.
func parseReadings(text []byte) (m message, epoch string, ok bool, err error) {
	text = bytes.TrimSpace(text)
	i := len(text) - HashBytes - 1
	if i < 0 || !bytes.HasPrefix(text[i:], []byte(hashMember)) || !bytes.HasSuffix(text, []byte(`"}`)) {
		return m, "", false, nil
	}
	var x struct {
		Epoch      string
		Prev, Last uint64
		Resend     string
		Readings   json.RawMessage
	}
	if err := json.Unmarshal(text, &x); err != nil {
		return m, "", true, fmt.Errorf("not JSON: %w", err)
	}
	if m.h, err = ParseHash(string(text[i+len(hashMember) : len(text)-2])); err != nil {
		return m, "", true, err
	}
	if x.Epoch == "" || x.Last <= x.Prev || x.Last > math.MaxInt64 || x.Readings == nil {
		return m, "", true, errors.New("no message of readings: it has an epoch, prev, a later last, and readings")
	}
	m.prev, m.last, m.again, m.open = x.Prev, x.Last, x.Resend != "", text[:i]
	return m, x.Epoch, true, nil
}

// take finds what a message follows: most often the one before its line. First is
// the line of the one that it repeats; ahead that of one which waited for it.
func (r *readings) take(m message, payload Hash) (first, ahead int) {
	if i, again := r.seen[payload]; again { // a run that begins alike may go on otherwise
		r.ends, r.last = append(without(r.ends, i), i), m.last
		return r.all[i].line, 0
	}
	if r.seen == nil {
		r.seen, r.byH = map[Hash]int{}, map[Hash]int{}
	}
	at := len(r.all)
	r.seen[payload], r.byH[m.h] = at, at
	if m.joins = !m.again && (m.prev == r.last || m.prev == 0); !m.again {
		r.last = m.last
	}
	if m.before = r.find(m); m.before == loose {
		r.wait(&m)
	} else {
		m.open = nil
	}
	r.all = append(r.all, m)
	r.ends = without(r.ends, m.before)
	if r.ends = append(r.ends, at); len(r.ends) > mostTried {
		r.ends = r.ends[1:]
	}
	return 0, r.tie(at)
}

// wait keeps what a message hashes: the one that it follows may come later.
func (r *readings) wait(m *message) {
	m.open = bytes.Clone(m.open)
	if n := len(r.ends); n > 0 {
		m.guess = r.ends[n-1]
		m.should = follow(r.all[m.guess].h, m.open)
	}
	if r.loose = append(r.loose, len(r.all)); len(r.loose) > mostTried {
		r.all[r.loose[0]].open = nil
		r.loose = r.loose[1:]
	}
}

// find is the place of the message that m follows.
func (r *readings) find(m message) int {
	for i := len(r.ends) - 1; i >= 0; i-- {
		end := r.ends[i]
		if r.follows(m, end) {
			return end
		}
		if i == len(r.ends)-1 && follow(Hash{}, m.open) == m.h {
			return atStart
		}
	}
	if len(r.ends) == 0 && follow(Hash{}, m.open) == m.h {
		return atStart
	}
	return loose
}

// follows says whether m follows the message at end. One whose own hash was
// altered is known by that m follows what it should have said.
func (r *readings) follows(m message, end int) bool {
	e := &r.all[end]
	if follow(e.h, m.open) == m.h {
		return true
	}
	if e.before != loose || e.should == (Hash{}) || follow(e.should, m.open) != m.h {
		return false
	}
	r.ends, r.loose = without(r.ends, e.guess), without(r.loose, end)
	e.before, e.h, e.bent, e.open = e.guess, e.should, true, nil
	r.byH[e.h] = end
	return true
}

// tie hangs a message behind the one that came, if it waited for that.
func (r *readings) tie(at int) (line int) {
	for _, i := range r.loose {
		m := &r.all[i]
		if i == at || follow(r.all[at].h, m.open) != m.h {
			continue
		}
		m.before, m.open = at, nil
		r.ends, r.loose = without(r.ends, at), without(r.loose, i)
		return m.line
	}
	return 0
}

// without is a list without one of its members.
func without(all []int, one int) []int {
	for k, i := range all {
		if i == one {
			return append(all[:k], all[k+1:]...)
		}
	}
	return all
}

// prove marks all messages of the run up to the one that an anchor names.
func (r *readings) prove(i int) {
	for ; i >= 0 && !r.all[i].proven && r.all[i].before != loose; i = r.all[i].before {
		r.all[i].proven = true
	}
}

// message takes a line that is one; false where it is none.
func (v *verifier) message(number int, text []byte) bool {
	m, epoch, ok, err := parseReadings(text)
	if !ok {
		return false
	}
	if err != nil {
		v.rep.add(Finding{Line: number, What: Malformed, Text: err.Error()})
		return true
	}
	m.line, m.epoch = number, v.epoch(epoch)
	f := Finding{Line: number, Epoch: epoch, Readings: true, From: m.prev + 1, To: m.last}
	first, ahead := v.data.take(m, sha256.Sum256(bytes.TrimSpace(text)))
	switch {
	case first > 0:
		v.rep.Repeats++
		f.What, f.Text = Repeated, "the same bytes as "+v.at(first)
	case ahead > 0:
		f.What, f.Text = OutOfOrder, "stands behind "+v.at(ahead)+", which follows it"
	default:
		return true
	}
	v.rep.add(f)
	return true
}

// anchor remembers an event that signs readings; what is in no chain signs none.
func (v *verifier) anchor(w waiting) {
	if w.Kind != "anchor" || w.entry < 0 {
		return
	}
	h, err := ParseHash(w.Text("h"))
	a := anchor{epoch: v.entries[w.entry].epoch, n: w.N, event: v.entries[w.entry].hash, uplink: strings.TrimPrefix(w.ID, "uplink:"), of: w.Text("of"), h: h}
	if err == nil && json.Unmarshal(w.Member("last"), &a.last) == nil {
		v.anchors = append(v.anchors, a)
	}
}
