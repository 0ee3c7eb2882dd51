package buffer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
)

// Each part is readable by itself, from a Log and from a View, and by little.
func TestPartsAreReadOnTheirOwn(t *testing.T) {
	fs := newMemFS()
	c := Config{Dir: "/b", Lanes: []LaneConfig{{Name: "data", Size: 8 << 20, Key: func() []byte { return []byte("key") }}}}
	l, _, err := openLog(fs, c)
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	for range 100 {
		if err := lane.Append(make([]byte, 50_000), 3); err != nil {
			t.Fatal(err)
		}
	}
	v, err := openView(fs, "/b")
	if err != nil {
		t.Fatal(err)
	}
	parts := lane.Parts()
	if len(parts) < 5 || !slices.Equal(parts, v.Parts("data")) || v.Parts("other") != nil {
		t.Fatalf("parts are %v and %v", parts, v.Parts("data"))
	}
	for _, p := range parts {
		clear(fs.reads)
		r := v.Reader("data", p.First)
		if f, err := r.Next(); err != nil || !f.Key || f.First != p.First {
			t.Errorf("part %d begins with %v, %v", p.First, f, err)
		}
		for name, n := range fs.reads {
			if n > 160<<10 {
				t.Errorf("part %d: %d bytes of %s were read", p.First, n, name)
			}
		}
		r.Close()
	}
}

func TestBetween(t *testing.T) {
	const unknown = -1
	for _, c := range []struct {
		story    string
		begins   []int64 // of each part
		from, to int64
		want     string // parts, by index
	}{
		{"in order", []int64{10, 20, 30, 40}, 22, 33, "1 2"},
		{"one whole part", []int64{10, 20, 30, 40}, 20, 29, "0 1"}, // the first may end at 20
		{"all", []int64{10, 20, 30}, 0, 99, "0 1 2"},
		{"the newest goes on", []int64{10, 20, 30}, 90, 99, "2"},
		{"before everything", []int64{10, 20, 30}, 0, 9, ""},
		{"no clock in between", []int64{10, unknown, 30, 40}, 32, 33, "0 1 2"},
		{"a clock without a battery came up in 1970", []int64{100, 200, 1, 300, 400}, 250, 260, "1 2"},
		{"and nothing else is sought", []int64{100, 200, 1, 300, 400}, 310, 320, "1 3"},
		{"nothing", nil, 1, 2, ""},
	} {
		parts := make([]Part, len(c.begins))
		for i := range parts {
			parts[i].First = uint64(i)
		}
		var got []string
		for _, p := range Between(parts, c.from, c.to, func(p Part) (int64, bool) {
			return c.begins[p.First], c.begins[p.First] != unknown
		}) {
			got = append(got, fmt.Sprint(p.First))
		}
		if s := fmt.Sprint(got); s != "["+c.want+"]" {
			t.Errorf("%s: got %v, want %s", c.story, s, c.want)
		}
	}
}

// A View's parts go while they are read: that is told as lost, and nothing else.
func TestAPartThatGoesIsLost(t *testing.T) {
	fs := newMemFS()
	l, _, err := openLog(fs, plain("/b", MinSize))
	if err != nil {
		t.Fatal(err)
	}
	lane := l.Lane("data")
	fill := func() {
		for range 40 {
			if err := lane.Append(make([]byte, 3000), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill()
	v, err := openView(fs, "/b")
	if err != nil {
		t.Fatal(err)
	}
	part := v.Parts("data")[0]
	fill()
	r := v.Reader("data", part.First)
	defer r.Close()
	_, err = r.Next()
	var lost *Lost
	if !errors.As(err, &lost) || lost.From != part.First || lost.To != lane.First()-1 || lost.Damage != nil {
		t.Errorf("got %v, want lost from %d to %d", err, part.First, lane.First()-1)
	}
	if _, err := r.Next(); err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
