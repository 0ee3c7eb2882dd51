package event

import (
	"fmt"
	"io"
	"strings"
)

// What is wrong, or worth telling, about a line.
type What uint8

const (
	Malformed  What = iota + 1 // no event
	Removed                    // numbers are missing
	Altered                    // the bytes are not those that were signed or chained
	Forked                     // two histories under one number
	OtherKey                   // signed by another key
	OutOfOrder                 // harmless: the line stands behind a later number
	Repeated                   // harmless: the same bytes once more
)

var whatNames = [...]string{"", "malformed", "removed", "altered", "forked", "other-key", "out-of-order", "repeated"}

func (w What) String() string { return whatNames[w] }

// Harmless says that the record is whole in spite of it.
func (w What) Harmless() bool { return w == OutOfOrder || w == Repeated }

// A Finding is one thing about the record.
type Finding struct {
	Line     int    // in the file; 0 where it is about the whole
	Epoch    string // empty where the line is malformed
	From, To uint64 // numbers; 0 where there are none
	What     What
	Text     string
}

// An Epoch is what the record holds of one.
type Epoch struct {
	Name        string
	First, Last uint64 // numbers
	Events      int    // without repeats
	Hash        Hash   // of the last event
	Follows     Hash   // what event 1 chains to; zero where it follows nothing known, or is not here
	After       Head   // the same, where it is in the record
}

// maxFindings bounds the list; what is beyond it is only counted.
const maxFindings = 1000

// A Report is Verify's judgement.
type Report struct {
	Lines    int // that are not blank
	Events   int // numbered ones, without repeats
	Repeats  int
	Unstored int // sent while the disk could not take them; they are in no chain
	Epochs   []Epoch
	Findings []Finding // by line, at most the first 1000
	Untold   int       // findings beyond those
	Broken   int       // findings that are not harmless
	Kid      string    // of the key that was given, else of the first event
	Keyed    bool      // signatures were judged
}

func (r *Report) add(f Finding) {
	if !f.What.Harmless() {
		r.Broken++
	}
	if len(r.Findings) >= maxFindings {
		r.Untold++
		return
	}
	r.Findings = append(r.Findings, f)
}

// Whole says that nothing is missing between the first and last number of each
// epoch and nothing was changed, as far as the options let Verify see. A record
// without events is not whole.
func (r Report) Whole() bool { return r.Broken == 0 && r.Events+r.Unstored > 0 }

// Write writes the report for a person; name is that of the file.
func (r Report) Write(w io.Writer, name string) error {
	var b strings.Builder
	for _, f := range r.Findings {
		where := name
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d", name, f.Line)
		}
		if f.From > 0 && f.From == f.To {
			fmt.Fprintf(&b, "%s: %s: event %d: %s\n", where, f.What, f.From, f.Text)
		} else {
			fmt.Fprintf(&b, "%s: %s: %s\n", where, f.What, f.Text)
		}
	}
	if r.Untold > 0 {
		fmt.Fprintf(&b, "%s: and %s more\n", name, count(r.Untold, "finding", "findings"))
	}
	for _, e := range r.Epochs {
		fmt.Fprintf(&b, "epoch %s: %s, %d to %d%s; the last is %s\n", plain(e.Name), count(e.Events, "event", "events"), e.First, e.Last, e.before(), e.Hash)
	}
	if r.Unstored > 0 {
		fmt.Fprintf(&b, "%s beside the chain, sent while the disk could not take it\n", count(r.Unstored, "event", "events"))
	}
	if r.Repeats > 0 {
		fmt.Fprintf(&b, "%s\n", count(r.Repeats, "line is a repeat", "lines are repeats"))
	}
	b.WriteString(r.verdict())
	_, err := io.WriteString(w, b.String())
	return err
}

func (e Epoch) before() string {
	switch {
	case e.First > 1:
		return fmt.Sprintf(" (what came before %d is not in this file)", e.First)
	case e.After.N > 0:
		return fmt.Sprintf(", following event %d of epoch %s", e.After.N, plain(e.After.Epoch))
	case e.Follows != Hash{}:
		return ", following an event that is not in this file"
	}
	return ", following nothing known"
}

func (r Report) verdict() string {
	var b strings.Builder
	switch {
	case r.Events+r.Unstored == 0 && r.Broken == 0:
		b.WriteString("NOT WHOLE: there is no event in it\n")
	case r.Whole():
		b.WriteString("whole: nothing is missing between the first and the last number, nothing was changed\n")
	default:
		fmt.Fprintf(&b, "NOT WHOLE: %s\n", count(r.Broken, "finding", "findings"))
	}
	if r.Keyed {
		fmt.Fprintf(&b, "signatures checked against key %s\n", r.Kid)
	} else {
		b.WriteString("no key was given: signatures were not checked, only the chain\n")
	}
	b.WriteString("whether events after the last one were cut off, a file alone can't show: compare with the platform's last receipt\n")
	return b.String()
}

// plain shows a name from the file without what would disturb a terminal.
func plain(s string) string {
	if q := quote(s); q != `"`+s+`"` {
		return q
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
