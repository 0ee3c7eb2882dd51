package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

const (
	mostLines   = 150 // of what a failed test says
	mostReasons = 5   // lines of one test, at the end
	mostFailed  = 8   // tests at the end
)

// A report keeps what each test says until it is known whether it passed. It has
// one reader.
type report struct {
	out   io.Writer
	all   bool // what tests say is shown as it comes
	said  map[test][]string
	fails []failure
}

// A test of a package, or the package itself.
type test struct{ pkg, name string }

type failure struct {
	test
	took    float64 // seconds
	reasons []string
}

func newReport(out io.Writer, all bool) *report {
	return &report{out: out, all: all, said: map[test][]string{}}
}

func (r *report) failed() bool { return len(r.fails) > 0 }

// take takes one line, and says whether a test failed by it.
func (r *report) take(line []byte) (failed bool) {
	o, ok := parse(line)
	if !ok {
		_, _ = r.out.Write(line)
		return false
	}
	it := test{o.Package, o.Test}
	switch o.Action {
	case "output", "build-output":
		if it.pkg == "" {
			it.pkg, _, _ = strings.Cut(o.ImportPath, " ")
		}
		r.said[it] = append(r.said[it], o.Output)
		if r.all || it.name == "" && o.Output != "PASS\n" {
			fmt.Fprint(r.out, o.Output)
		}
		// The word itself comes only with what another test says next.
		if m := fallen.FindStringSubmatch(o.Output); m != nil && it.name != "" {
			if len(reasons(r.said[it])) == 0 {
				return false // a part of it failed, which may be told next
			}
			took, _ := strconv.ParseFloat(m[1], 64)
			return r.fail(it, took)
		}
	case "pass", "skip":
		delete(r.said, it)
	case "fail":
		return r.fail(it, o.Elapsed)
	}
	return false
}

var fallen = regexp.MustCompile(`^\s*--- FAIL: \S+ \(([0-9.]+)s\)`)

// fail notes why. A package fails with a test of it, and a test with a part of it;
// that is only worth a word where they have a reason of their own.
func (r *report) fail(it test, took float64) (noted bool) {
	said := r.said[it]
	delete(r.said, it)
	why := reasons(said)
	if len(why) == 0 {
		for _, f := range r.fails {
			if f.pkg == it.pkg && (it.name == "" || f.name == it.name || strings.HasPrefix(f.name, it.name+"/")) {
				return false
			}
		}
		why = said[max(0, len(said)-mostReasons):]
	}
	if !r.all && it.name != "" {
		if n := len(said) - mostLines; n > 0 {
			said = append(said[:mostLines/2:mostLines/2], said[n+mostLines/2:]...)
		}
		fmt.Fprint(r.out, strings.Join(said, ""))
	}
	r.fails = append(r.fails, failure{it, took, why})
	return true
}

// Where testing says something, the file and line come first. What a test has
// measured is called figure, and what others have logged log.
var told = regexp.MustCompile(`^\s+\S+\.go:\d+: (figure|log)?`)

// reasons are the first lines that say what is wrong.
func reasons(said []string) (why []string) {
	on := false
	for _, line := range said {
		if m := told.FindStringSubmatch(line); m != nil {
			on = m[1] == ""
		} else if !strings.HasPrefix(line, "        ") { // else it goes on
			on = strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.HasPrefix(line, "WARNING: DATA RACE")
		}
		if on && len(why) < mostReasons {
			why = append(why, line)
		}
	}
	return why
}

// end says all that failed once more.
func (r *report) end() {
	for i, f := range r.fails {
		if i == mostFailed {
			fmt.Fprintf(r.out, "and %d more\n", len(r.fails)-i)
			return
		}
		fmt.Fprintf(r.out, "\nFAILED %s %s after %.0f s\n", f.pkg, f.name, f.took)
		for _, why := range f.reasons {
			fmt.Fprintf(r.out, "%.400s\n", strings.TrimRight(why, "\n"))
		}
	}
}
