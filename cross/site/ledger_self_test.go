//go:build site

package site

import (
	"strings"
	"testing"
)

// The book must object to what it is there to find; else all the rest proves nothing.
func TestTheLedgerBites(t *testing.T) {
	const top = "pithead/v1/mine/gw-01/"
	online := message{topic: top + "status", payload: []byte(`{"state":"online","epoch":"e"}`)}
	msg := func(prev, last, readings string) message {
		return message{topic: top + "data", payload: []byte(`{"epoch":"e","prev":` + prev + `,"last":` + last + `,"readings":[` + readings + `]}`)}
	}
	lost := func(prev, last, what, readings string) message {
		return message{topic: top + "data", payload: []byte(`{"epoch":"e","prev":` + prev + `,"last":` + last + `,"lost":` + what + `,"readings":[` + readings + `]}`)}
	}
	one, two, three := `{"p":"a","n":1,"t":1,"v":1}`, `{"p":"a","n":2,"t":2,"v":2}`, `{"p":"a","n":3,"t":3,"q":"comm"}`
	ev := func(n, more string) message {
		return message{topic: top + "events", payload: []byte(`{"epoch":"e","n":` + n + `,"kind":"alarm"` + more + `}`)}
	}
	for name, c := range map[string]struct {
		all  []message
		want string // empty: nothing to object to
	}{
		"in order":                  {[]message{online, msg("0", "2", one+","+two), msg("2", "3", three)}, ""},
		"a repeat after reconnect":  {[]message{online, msg("0", "2", one+","+two), online, msg("1", "3", two+","+three)}, ""},
		"a repeat without one":      {[]message{online, msg("0", "2", one+","+two), msg("1", "3", two+","+three)}, "on one connection"},
		"a hole":                    {[]message{online, msg("0", "1", one), online, msg("2", "3", three)}, "a hole"},
		"a number missing inside":   {[]message{online, msg("0", "3", one+","+three)}, "follows"},
		"what was lost is said":     {[]message{online, msg("0", "1", one), online, lost("1", "3", `{"from":2,"to":2,"count":1}`, three)}, ""},
		"more lost than is said":    {[]message{online, lost("0", "3", `{"from":1,"to":1,"count":1}`, three)}, "follows"},
		"lost, miscounted":          {[]message{online, lost("0", "3", `{"from":1,"to":2,"count":3}`, three)}, "follows"},
		"a message cut short":       {[]message{online, msg("0", "3", one+","+two)}, "ends with 2"},
		"a number used twice":       {[]message{online, msg("0", "1", one), online, msg("0", "1", `{"p":"a","n":1,"t":1,"v":7}`)}, "two readings"},
		"a value with a bad cause":  {[]message{online, msg("0", "1", `{"p":"a","n":1,"t":1,"v":7,"q":"comm"}`)}, "with quality"},
		"neither value nor quality": {[]message{online, msg("0", "1", `{"p":"a","n":1,"t":1}`)}, "with quality"},
		"events in order, repeated": {[]message{online, ev("4", ""), ev("5", ""), online, ev("5", ""), ev("6", "")}, ""},
		"an event missing":          {[]message{online, ev("4", ""), ev("6", "")}, "follows"},
		"an event's number twice":   {[]message{online, ev("4", ""), online, ev("4", `,"id":"x"`)}, "two events"},
		"a new epoch":               {[]message{online, {topic: top + "status", payload: []byte(`{"state":"online","epoch":"f"}`)}}, "epoch"},
	} {
		l := newLedger(c.all)
		got := strings.Join(l.wrong, "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: objected %q, want %q", name, got, c.want)
		}
	}
}

// A platform that is sent only the points a: (0, 5] covers 1, 3 and 5.
func TestThePartLedgerBites(t *testing.T) {
	msg := func(prev, last string, readings ...string) message {
		return message{topic: "pithead/v1/mine/gw-01/data", payload: []byte(`{"epoch":"e","prev":` + prev + `,"last":` + last + `,"readings":[` + strings.Join(readings, ",") + `]}`)}
	}
	one, three, five, other := `{"p":"a","n":1,"t":1,"v":1}`, `{"p":"a","n":3,"t":1,"v":1}`, `{"p":"a","n":5,"t":1,"v":1}`, `{"p":"b","n":4,"t":1,"v":1}`
	for name, c := range map[string]struct {
		all   []message
		wrong bool
	}{
		"in order":             {[]message{msg("0", "3", one, three), msg("3", "5", five)}, false},
		"another's point":      {[]message{msg("0", "4", one, three, other)}, true},
		"out of order":         {[]message{msg("0", "1", three, one)}, true},
		"prev is not the last": {[]message{msg("0", "3", one, three), msg("4", "5", five)}, true},
		"last is not the last": {[]message{msg("0", "4", one, three)}, true},
	} {
		l := newPartLedger(c.all, func(p string) bool { return p == "a" })
		if c.wrong != (len(l.wrong) > 0) {
			t.Errorf("%s: objected %q", name, l.wrong)
		}
	}
}
