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
	Unproven                   // no anchor reaches these readings, though later ones are anchored
	OutOfOrder                 // harmless: the line stands behind a later number
	Repeated                   // harmless: the same bytes once more
	HandedOver                 // harmless: another key signs from here on
	Dropped                    // harmless: numbers that the gateway itself tells as gone
)

var whatNames = [...]string{"", "malformed", "removed", "altered", "forked", "other-key", "unproven", "out-of-order", "repeated", "handed-over", "dropped"}

func (w What) String() string { return whatNames[w] }

// Harmless says that the record is whole in spite of it.
func (w What) Harmless() bool { return w >= OutOfOrder }

// A Finding is one thing about the record.
type Finding struct {
	Line     int    // of all files, one after the other; 0 where it is about the whole
	Epoch    string // empty where the line is malformed
	Readings bool   // From and To are numbers of readings, not of events
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
	Heirs    []string  // other keys, that one or the other handed over to
	Dropped  int       // events that the gateway tells as gone
	Keyed    bool      // signatures were judged
	Readings []Covered // what messages of readings cover
	files    []begun
}

// begun is where a file begins among the lines of all.
type begun struct {
	name string
	base int
}

// where is the file and the line in it.
func (r Report) where(line int) (name string, n int) {
	for i, f := range r.files {
		if i == 0 || f.base < line {
			name, n = f.name, line-f.base
		}
	}
	return name, n
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
func (r Report) Whole() bool { return r.Broken == 0 && r.Events+r.Unstored+len(r.Readings) > 0 }

// Write writes the report for a person.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s%s: %s%s\n", r.place(f), f.What, f.about(), f.Text)
	}
	if r.Untold > 0 {
		fmt.Fprintf(&b, "and %s more\n", count(r.Untold, "finding", "findings"))
	}
	for _, e := range r.Epochs {
		if e.Events == 0 {
			continue // of readings alone
		}
		fmt.Fprintf(&b, "epoch %s: %s, %d to %d%s; the last is %s\n", plain(e.Name), count(e.Events, "event", "events"), e.First, e.Last, e.before(), e.Hash)
	}
	for _, c := range r.Readings {
		fmt.Fprintf(&b, "readings of epoch %s: %s, %d to %d; %s prove %d of them, %d are newer\n", plain(c.Epoch),
			count(c.Messages, "message", "messages"), c.First, c.Last, count(c.Anchors, "anchor", "anchors"), c.Proven, c.Newer)
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

// place is the file and line of a finding, as compilers write it.
func (r Report) place(f Finding) string {
	file, line := r.where(f.Line)
	switch {
	case f.Line > 0:
		return fmt.Sprintf("%s:%d: ", file, line)
	case len(r.files) > 1:
		return ""
	}
	return file + ": "
}

// about names the numbers that a finding is about.
func (f Finding) about() string {
	switch {
	case f.From == 0:
		return ""
	case f.Readings && f.From == f.To:
		return fmt.Sprintf("reading %d: ", f.From)
	case f.Readings:
		return fmt.Sprintf("readings %d to %d: ", f.From, f.To)
	case f.From == f.To:
		return fmt.Sprintf("event %d: ", f.From)
	}
	return ""
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
	case r.Events+r.Unstored+len(r.Readings) == 0 && r.Broken == 0:
		b.WriteString("NOT WHOLE: there is no event in it\n")
	case r.Whole() && r.Dropped > 0:
		fmt.Fprintf(&b, "whole but for %s that the gateway tells as gone; nothing was changed\n", count(r.Dropped, "event", "events"))
	case r.Whole():
		b.WriteString("whole: nothing is missing between the first and the last number, nothing was changed\n")
	default:
		fmt.Fprintf(&b, "NOT WHOLE: %s\n", count(r.Broken, "finding", "findings"))
	}
	if r.Keyed {
		fmt.Fprintf(&b, "signatures checked against key %s%s\n", r.Kid, r.heirs())
	} else {
		b.WriteString("no key was given: signatures were not checked, only the chain\n")
	}
	b.WriteString("whether events after the last one were cut off, a file alone can't show: compare with the platform's last receipt\n")
	return b.String()
}

func (r Report) heirs() string {
	if len(r.Heirs) == 0 {
		return ""
	}
	return ", and by handover " + strings.Join(r.Heirs, ", ")
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
