package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pithead/agent/event"
)

func TestCoveredRanges(t *testing.T) {
	for _, c := range []struct{ spans, want []span }{
		{[]span{{0, 5}, {5, 9}}, []span{{0, 9}}},
		{[]span{{5, 9}, {0, 5}}, []span{{0, 9}}},
		{[]span{{0, 5}, {7, 9}}, []span{{0, 5}, {7, 9}}},
		{[]span{{0, 5}, {7, 9}, {12, 20}, {4, 8}}, []span{{0, 9}, {12, 20}}},
		{[]span{{0, 5}, {0, 5}, {2, 3}}, []span{{0, 5}}},
		{[]span{{10, 12}, {0, 2}, {5, 6}}, []span{{0, 2}, {5, 6}, {10, 12}}},
	} {
		var got []span
		for _, s := range c.spans {
			got = cover(got, s)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v: %v, want %v", c.spans, got, c.want)
		}
	}
}

// The vectors of agent/event/README.md, as a gateway would send them.
func TestEventsAreStoredAsTheyCameAndFollowed(t *testing.T) {
	text, err := os.ReadFile("../../agent/event/testdata/vectors.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	pin, _ := event.ParsePublic("iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=")
	p := &platform{dir: t.TempDir(), pin: pin, gateways: map[string]*gateway{}}
	for _, line := range bytes.Split(text, []byte("\n"))[:3] {
		p.take("pithead/v1/tsf/gw-01/events", line, time.Now())
		p.take("pithead/v1/tsf/gw-01/events/late", line, time.Now()) // a repeat
	}
	g := p.gateways["pithead/v1/tsf/gw-01"]
	if g.head.N != 3 || g.head.Hash.String() != "sha256:ad53dd29e671083503dc81fcf5eb42cd3a31e666fbd08b979073ee9b37886f1f" {
		t.Errorf("at %+v", g.head)
	}
	stored, err := os.ReadFile(filepath.Join(p.dir, "tsf-gw-01-events.ndjson"))
	if err != nil || string(stored) != string(bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:3], nil)) {
		t.Errorf("stored %s, %v", stored, err)
	}
}

// A gateway that was stopped before it knew what had arrived sends again what the
// key of before signed, and what was missing may be from before too.
func TestWhatIsOlderThanAHandoverComesAfterIt(t *testing.T) {
	text, err := os.ReadFile("../../agent/event/testdata/handover.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	pin, _ := event.ParsePublic("iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=")
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n")) // the third hands over
	for _, c := range []struct {
		name, told string
		order      []int
	}{
		{"all again", "", []int{1, 2, 3, 4, 5, 1, 2, 3, 4, 5}},
		{"one was missing", "missing", []int{1, 3, 4, 2, 5}},
		{"the handover was missing", "did not sign", []int{1, 2, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said bytes.Buffer
			log.SetOutput(&said)
			defer log.SetOutput(os.Stderr)
			p := &platform{dir: t.TempDir(), pin: pin, gateways: map[string]*gateway{}}
			for _, n := range c.order {
				p.take("pithead/v1/tsf/gw-01/events", lines[n-1], time.Now())
			}
			if got := said.String(); strings.Contains(got, "TAMPERING") != (c.told == "did not sign") || !strings.Contains(got, c.told) {
				t.Errorf("the platform says\n%s", got)
			}
			if g := p.gateways["pithead/v1/tsf/gw-01"]; c.told != "did not sign" && g.head.N != 5 {
				t.Errorf("at %+v", g.head)
			}
		})
	}
}
