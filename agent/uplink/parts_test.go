package uplink

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestPartsHoldEverythingInOrderAndNoneIsTooLong(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		sections := []section{{name: "outputs"}, {name: "points"}, {name: "alarms"}}
		var want []string
		for i := range sections {
			for k := range r.IntN(20) {
				item := fmt.Sprintf("%d-%d-%s", i, k, strings.Repeat("x", r.IntN(60)))
				want = append(want, item)
				sections[i].items = append(sections[i].items, fmt.Appendf(nil, "%q", item))
			}
		}
		limit := 200 + r.IntN(2000)
		var got []string
		msgs := parts([]byte(`{"v":1,"epoch":"e"`), sections, limit)
		for i, m := range msgs {
			if len(m) > limit {
				t.Fatalf("part %d has %d bytes, the limit is %d", i, len(m), limit)
			}
			var p struct {
				Part, Of                int
				Outputs, Points, Alarms []string
			}
			if err := json.Unmarshal(m, &p); err != nil {
				t.Fatalf("%v in %s", err, m)
			}
			if len(msgs) > 1 && (p.Part != i || p.Of != len(msgs)) {
				t.Fatalf("part %d of %d says %d of %d", i, len(msgs), p.Part, p.Of)
			}
			got = append(append(append(got, p.Outputs...), p.Points...), p.Alarms...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestOnePartSaysNothingOfParts(t *testing.T) {
	msgs := parts([]byte(`{"v":1`), []section{{"points", [][]byte{[]byte(`"a"`)}}, {"alarms", nil}}, 100)
	if len(msgs) != 1 || string(msgs[0]) != `{"v":1,"points":["a"],"alarms":[]}` {
		t.Errorf("%q", msgs)
	}
}
