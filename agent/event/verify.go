package event

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"io"
	"sort"
)

// Options say what Verify may trust.
type Options struct {
	// Key is the gateway's public key, pinned when it was commissioned. Without
	// it no signature is judged, only the chain: whoever can write the file
	// could have made a chain of his own.
	Key ed25519.PublicKey
	// Known are events that were certainly there, from a platform's receipts:
	// only they show that a tail was cut off.
	Known []Head
	// Readings judges messages of readings alone: of an uplink that gets only
	// some events the chain has holes, and its anchors are signed all the same.
	Readings bool
}

// A File is part of a record: messages as they were stored, one a line.
type File struct {
	Name string
	io.Reader
}

// maxLine bounds one event; no message on the wire is as long.
const maxLine = 1 << 20

// Verify judges a record: NDJSON, one event or message of readings a line, as
// exported or as received. Order and repeats don't matter, but are told. The error
// is that of reading r; whatever is wrong with the record stands in the report.
func Verify(r io.Reader, o Options) (Report, error) {
	return VerifyFiles([]File{{"-", r}}, o)
}

// VerifyFiles is Verify for a record in several files, as a subscriber that has
// one for each topic leaves it.
func VerifyFiles(files []File, o Options) (Report, error) {
	v := verifier{o: o, epochs: map[string]int{}}
	for _, f := range files {
		base := v.lines
		v.rep.files = append(v.rep.files, begun{f.Name, base})
		if err := eachLine(f, func(n int, text []byte) { v.lines = base + n; v.line(base+n, text) }); err != nil {
			return Report{}, err
		}
	}
	return v.report(), nil
}

// entry is what is remembered of one line.
type entry struct {
	epoch   int // index into Report.Epochs
	n       uint64
	line    int
	payload [sha256.Size]byte // of the whole payload: tells a repeat from another
	hash    Hash
	chain   Hash
	follows bool   // chain counts
	kid     string // who signed
	heir    string // the kid of whom it hands over to; empty: it doesn't
	bad     bool   // the signature was found wrong: the line proves nothing
}

type verifier struct {
	o       Options
	lines   int // of all files so far
	rep     Report
	epochs  map[string]int // name to index into rep.Epochs
	entries []entry
	hashes  map[Hash]int // index into entries, made when first asked for
	keys    keys
	anchors []anchor
	drops   []drop
	data    readings
}

// line takes one line of the file; nil is one that was too long.
func (v *verifier) line(number int, text []byte) {
	v.rep.Lines++
	if text == nil {
		v.rep.add(Finding{Line: number, What: Malformed, Text: "longer than any event can be"})
		return
	}
	if v.message(number, text) {
		return
	}
	p, err := Parse(text)
	if err != nil {
		v.rep.add(Finding{Line: number, What: Malformed, Text: err.Error()})
		return
	}
	if v.keys.known == nil {
		v.keys.begin(v.o.Key, p.Kid)
	}
	entry := v.enter(number, text, p)
	if h, ok := p.Handover(); ok {
		v.keys.hear(h)
	}
	if _, ok := v.keys.known[p.Kid]; ok {
		v.signature(waiting{entry, number, p})
	} else {
		p.Signed = bytes.Clone(p.Signed)
		v.keys.waiting = append(v.keys.waiting, waiting{entry, number, p})
	}
}

// enter remembers an event, and returns its place among the entries; -1 where it
// is in no chain.
func (v *verifier) enter(number int, text []byte, p Parsed) int {
	if !p.Stored {
		v.rep.Unstored++
		return -1
	}
	chain, err := ParseHash(p.Chain)
	e := entry{
		epoch: v.epoch(p.Epoch), n: p.N, line: number, kid: p.Kid,
		payload: sha256.Sum256(bytes.TrimSpace(text)), hash: p.Hash(),
		chain: chain, follows: err == nil,
	}
	if h, ok := p.Handover(); ok {
		e.heir = KidOf(h.New)
	}
	v.entries = append(v.entries, e)
	return len(v.entries) - 1
}

// signature judges who signed; without a key only under which name.
func (v *verifier) signature(w waiting) {
	f := Finding{Line: w.line, Epoch: w.Epoch, From: w.N, To: w.N}
	s, ok := v.keys.known[w.Kid]
	switch {
	case !ok:
		f.What, f.Text = OtherKey, "signed by the key "+quote(w.Kid)+", which "+v.keys.first+" did not introduce"
	case s.key != nil && !w.SignedBy(s.key):
		f.What, f.Text = Altered, "its signature does not fit its bytes"
	default:
		v.anchor(w)
		v.drop(w)
		return
	}
	v.rep.add(f)
	if w.entry >= 0 {
		v.entries[w.entry].bad = true
	}
}

func (v *verifier) epoch(name string) int {
	i, ok := v.epochs[name]
	if !ok {
		i = len(v.rep.Epochs)
		v.epochs[name] = i
		v.rep.Epochs = append(v.rep.Epochs, Epoch{Name: name})
	}
	return i
}

func (v *verifier) report() Report {
	for _, w := range v.keys.waiting {
		v.signature(w)
	}
	v.outOfOrder()
	sort.SliceStable(v.entries, func(i, j int) bool { return compare(v.entries[i], v.entries[j]) < 0 })
	v.unrepeat()
	v.signers()
	v.links()
	v.known()
	v.readings()
	v.rep.Kid, v.rep.Heirs, v.rep.Keyed = v.keys.first, v.keys.others(), v.o.Key != nil
	sort.SliceStable(v.rep.Findings, func(i, j int) bool { return v.rep.Findings[i].Line < v.rep.Findings[j].Line })
	return v.rep
}

// eachLine calls f with each line that is not blank, numbered from 1; with nil
// for one longer than maxLine.
func eachLine(r io.Reader, f func(number int, text []byte)) error {
	br := bufio.NewReaderSize(r, maxLine)
	for number := 1; ; number++ {
		text, err := br.ReadSlice('\n')
		long := false
		for errors.Is(err, bufio.ErrBufferFull) {
			long = true
			_, err = br.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return err
		}
		switch {
		case long:
			f(number, nil)
		case len(bytes.TrimSpace(text)) > 0:
			f(number, text)
		}
		if err == io.EOF {
			return nil
		}
	}
}
