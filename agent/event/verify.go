package event

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
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
}

// maxLine bounds one event; no message on the wire is as long.
const maxLine = 1 << 20

// Verify judges a record of events: NDJSON, one event a line, as exported or as
// received. Order and repeats don't matter, but are told. The error is that of
// reading r; whatever is wrong with the record stands in the report.
func Verify(r io.Reader, o Options) (Report, error) {
	v := verifier{o: o, epochs: map[string]int{}}
	err := eachLine(r, v.line)
	if err != nil {
		return Report{}, err
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
	follows bool // chain counts
	bad     bool // the signature was found wrong: the line proves nothing
}

type verifier struct {
	o       Options
	rep     Report
	epochs  map[string]int // name to index into rep.Epochs
	entries []entry
	hashes  map[Hash]int // index into entries, made when first asked for
	kid     string       // of the first event: what all others should have
}

// line takes one line of the file; nil is one that was too long.
func (v *verifier) line(number int, text []byte) {
	v.rep.Lines++
	if text == nil {
		v.rep.add(Finding{Line: number, What: Malformed, Text: "longer than any event can be"})
		return
	}
	p, err := Parse(text)
	if err != nil {
		v.rep.add(Finding{Line: number, What: Malformed, Text: err.Error()})
		return
	}
	bad := v.signature(number, p)
	if !p.Stored {
		v.rep.Unstored++
		return
	}
	chain, err := ParseHash(p.Chain)
	v.entries = append(v.entries, entry{
		epoch: v.epoch(p.Epoch), n: p.N, line: number, bad: bad,
		payload: sha256.Sum256(bytes.TrimSpace(text)), hash: p.Hash(),
		chain: chain, follows: err == nil,
	})
}

// signature judges who signed; without a key only that it is always the same.
func (v *verifier) signature(line int, p Parsed) (bad bool) {
	if v.kid == "" {
		v.kid = p.Kid
		if v.o.Key != nil {
			v.kid = KidOf(v.o.Key)
		}
	}
	f := Finding{Line: line, Epoch: p.Epoch, From: p.N, To: p.N}
	switch {
	case p.Kid != v.kid:
		f.What, f.Text = OtherKey, "signed by the key "+quote(p.Kid)+", not by "+v.kid
	case v.o.Key != nil && !p.SignedBy(v.o.Key):
		f.What, f.Text = Altered, "its signature does not fit its bytes"
	default:
		return false
	}
	v.rep.add(f)
	return true
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
	v.outOfOrder()
	slices.SortStableFunc(v.entries, compare)
	v.unrepeat()
	v.links()
	v.known()
	v.rep.Kid, v.rep.Keyed = v.kid, v.o.Key != nil
	slices.SortStableFunc(v.rep.Findings, func(a, b Finding) int { return a.Line - b.Line })
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
