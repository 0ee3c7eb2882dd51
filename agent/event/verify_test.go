package event

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"pithead/drivers"
)

// lines is a record of n events of one epoch.
func lines(k *Key, epoch string, n int) []string {
	c := NewChain(k, epoch)
	var ls []string
	for i := range n {
		ls = append(ls, string(c.Next(Event{Kind: "alarm", ID: "a/red", Value: drivers.NumberValue(float64(i))}, Stamp{Boot: 1, M: int64(i)})))
		c.Commit()
	}
	return ls
}

// again is event n of a chain, signed but of another content, following what
// the true one followed.
func again(k *Key, ls []string, n int) string {
	c := NewChain(k, "e")
	if n > 1 {
		if err := c.Resume(uint64(n-1), []byte(ls[n-2])); err != nil {
			panic(err)
		}
	}
	return string(c.Next(Event{Kind: "alarm", ID: "a/red", Why: "rewritten"}, at))
}

// nothing is event n, signed, that says of no event that it follows it.
func nothing(k *Key, n uint64) string {
	c := NewChain(k, "e")
	c.Follow(Head{}, n)
	return string(c.Next(Event{Kind: "start"}, at))
}

func head(epoch string, n uint64, line string) Head {
	p, err := Parse([]byte(line))
	if err != nil {
		panic(err)
	}
	return Head{epoch, n, p.Hash()}
}

func altered(line string) string {
	return strings.Replace(line, `"id":"a/red"`, `"id":"b/red"`, 1)
}

// told is the findings in short: "removed 5-5@5".
func told(r Report) string {
	var s []string
	for _, f := range r.Findings {
		s = append(s, fmt.Sprintf("%s %d-%d@%d", f.What, f.From, f.To, f.Line))
	}
	return strings.Join(s, ", ")
}

// Promise 3. Each case begins with ten events of epoch e.
func TestVerify(t *testing.T) {
	k, pinned := key(1), key(1).PublicKey()
	ls := lines(k, "e", 10)
	cut := func(from, to int, put ...string) []string {
		out := append([]string(nil), ls[:from]...)
		return append(append(out, put...), ls[to:]...)
	}
	follower := func(after Head, next uint64) string {
		c := NewChain(k, "f")
		c.Follow(after, next)
		return string(c.Next(Event{Kind: "start"}, at))
	}
	cases := []struct {
		name  string
		lines []string
		known []Head
		keyed string // what is found with the key
		bare  string // and without
		whole bool   // with the key
	}{
		{name: "whole", lines: ls, whole: true},
		{name: "one removed", lines: cut(4, 5), keyed: "removed 5-5@5", bare: "removed 5-5@5"},
		{name: "several removed", lines: cut(2, 8), keyed: "removed 3-8@3", bare: "removed 3-8@3"},
		{name: "one altered", lines: cut(4, 5, altered(ls[4])), keyed: "altered 5-5@5", bare: "altered 6-6@6"},
		{name: "its signature altered", lines: cut(4, 5, strings.Replace(ls[4], `"sig":"`+sigOf(ls[4])[:4], `"sig":"AAAA`, 1)), keyed: "altered 5-5@5"},
		{name: "the last altered, which a chain alone can't show", lines: cut(9, 10, altered(ls[9])), keyed: "altered 10-10@10"},
		{name: "the first altered", lines: cut(0, 1, altered(ls[0])), keyed: "altered 1-1@1", bare: "altered 2-2@2"},
		{name: "two swapped", lines: cut(3, 5, ls[4], ls[3]), keyed: "out-of-order 4-4@5", bare: "out-of-order 4-4@5", whole: true},
		{name: "two numbers swapped", lines: cut(3, 5, renumbered(ls[3], 4, 5), renumbered(ls[4], 5, 4)),
			keyed: "altered 5-5@4, altered 4-4@5, out-of-order 4-4@5", bare: "altered 5-5@4, out-of-order 4-4@5, altered 4-4@5, altered 6-6@6"},
		{name: "one repeated", lines: cut(5, 5, ls[4]), keyed: "repeated 5-5@6", bare: "repeated 5-5@6", whole: true},
		{name: "one repeated late", lines: append(cut(0, 0), ls[4]), keyed: "out-of-order 5-5@11, repeated 5-5@11", bare: "out-of-order 5-5@11, repeated 5-5@11", whole: true},
		{name: "repeated with other bytes", lines: cut(5, 5, altered(ls[4])), keyed: "altered 5-5@6", bare: "forked 5-5@6"},
		{name: "other bytes first", lines: cut(4, 4, altered(ls[4])), keyed: "altered 5-5@5", bare: "forked 5-5@6, altered 6-6@7"},
		{name: "one number signed twice", lines: cut(5, 5, again(k, ls, 5)), keyed: "forked 5-5@6", bare: "forked 5-5@6"},
		{name: "rewritten by who has the key", lines: cut(4, 5, again(k, ls, 5)), keyed: "forked 6-6@6", bare: "altered 6-6@6"},
		{name: "one signed by another key", lines: cut(4, 5, again(key(2), ls, 5)), keyed: "other-key 5-5@5", bare: "other-key 5-5@5"},
		{name: "another key under the right name", lines: cut(4, 5, strings.Replace(again(key(2), ls, 5), key(2).Kid(), k.Kid(), 1)), keyed: "altered 5-5@5", bare: "altered 6-6@6"},
		{name: "all signed by another key", lines: lines(key(2), "e", 2), keyed: "other-key 1-1@1, other-key 2-2@2"},
		{name: "tail cut, nothing known", lines: ls[:7], whole: true},
		{name: "tail cut, a receipt known", lines: ls[:7], known: []Head{head("e", 9, ls[8])}, keyed: "removed 8-9@0", bare: "removed 8-9@0"},
		{name: "as receipted", lines: ls, known: []Head{head("e", 9, ls[8])}, whole: true},
		{name: "receipted before this file begins", lines: ls[5:], known: []Head{head("e", 3, ls[2])}, whole: true},
		{name: "another event was receipted", lines: ls, known: []Head{head("e", 9, ls[7])}, keyed: "forked 9-9@9", bare: "forked 9-9@9"},
		{name: "a receipted epoch is gone", lines: ls, known: []Head{{Epoch: "x", N: 4}}, keyed: "removed 4-4@0", bare: "removed 4-4@0"},
		{name: "begins in the middle", lines: ls[5:], whole: true},
		{name: "a new epoch follows", lines: append(cut(0, 0), follower(head("e", 10, ls[9]), 1)), whole: true},
		{name: "a new epoch goes on in the numbers of the old", lines: append(cut(0, 0), follower(head("e", 10, ls[9]), 14)), whole: true},
		{name: "and in the middle of another", lines: append(cut(0, 0), follower(head("e", 7, ls[6]), 14)), keyed: "forked 14-14@11", bare: "forked 14-14@11"},
		{name: "one that follows nothing, behind another", lines: append(cut(5, 10), nothing(k, 6)), keyed: "forked 6-6@6", bare: "altered 6-6@6"},
		{name: "a new epoch in the middle of another", lines: append(cut(0, 0), follower(head("e", 7, ls[6]), 1)), keyed: "forked 1-1@11", bare: "forked 1-1@11"},
		{name: "epochs that know nothing of each other", lines: append(cut(0, 0), lines(k, "g", 2)...), whole: true},
		{name: "no event", lines: cut(4, 4, `{"a":1}`, "plain", "[]", `{"sig":"`), keyed: "malformed 0-0@5, malformed 0-0@6, malformed 0-0@7, malformed 0-0@8", bare: "malformed 0-0@5, malformed 0-0@6, malformed 0-0@7, malformed 0-0@8"},
		{name: "a line beyond all bounds", lines: cut(4, 4, strings.Repeat("x", 3*maxLine)), keyed: "malformed 0-0@5", bare: "malformed 0-0@5"},
		{name: "one that was not stored", lines: cut(4, 4, string(Unstored(k, "e", raised, at))), whole: true},
		{name: "one that was not stored, altered", lines: cut(4, 4, strings.Replace(string(Unstored(k, "e", raised, at)), `"red"`, `"blue"`, 1)), keyed: "altered 0-0@5"},
		{name: "blank lines and Windows", lines: cut(4, 4, "", "  ", "\r"), whole: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Join(c.lines, "\n")
			r, err := Verify(strings.NewReader(text), Options{Key: pinned, Known: c.known})
			if err != nil || told(r) != c.keyed || r.Whole() != c.whole {
				t.Errorf("with the key: whole %v, %q, %v\nwant %v, %q", r.Whole(), told(r), err, c.whole, c.keyed)
			}
			r, err = Verify(strings.NewReader(text), Options{Known: c.known})
			if err != nil || told(r) != c.bare {
				t.Errorf("without: %q, %v\nwant %q", told(r), err, c.bare)
			}
		})
	}
}

// Promise 3: what the gateway tells as dropped, and no more than that.
func TestWhatIsToldAsDroppedIsNotMissing(t *testing.T) {
	k := key(1)
	record := func(from, to uint64, by *Key) []string {
		c := NewChain(k, "e")
		var ls []string
		for i := range 10 {
			e := Event{Kind: "alarm", ID: "a/red"}
			if i == 8 {
				e = Event{Kind: "lost", ID: "agent/buffer", Why: "dropped for space", More: []Field{{"uplink", "county"}, {"lane", "events"}, {"of", "e"}, {"from", from}, {"to", to}}}
			}
			b := c.Next(e, at)
			c.Commit()
			if i == 8 && by != k {
				b = bytes.Replace(b, []byte(k.Kid()), []byte(by.Kid()), 1)
			}
			ls = append(ls, string(b))
		}
		return ls
	}
	for _, c := range []struct {
		name     string
		ls       []string
		from, to int
		told     string
		whole    bool
	}{
		{"all that is told", record(3, 6, k), 2, 6, "dropped 3-6@3", true},
		{"some of it came", record(3, 6, k), 3, 5, "dropped 4-5@4", true},
		{"one more is missing", record(3, 6, k), 2, 7, "removed 3-7@3", false},
		{"told by another key", record(3, 6, key(2)), 2, 6, "removed 3-6@3, other-key 9-9@5", false},
	} {
		text := strings.Join(append(append([]string(nil), c.ls[:c.from]...), c.ls[c.to:]...), "\n")
		r, err := Verify(strings.NewReader(text), Options{Key: k.PublicKey()})
		if err != nil || told(r) != c.told || r.Whole() != c.whole {
			t.Errorf("%s: %q, whole %v, %v; want %q", c.name, told(r), r.Whole(), err, c.told)
		}
		var b bytes.Buffer
		if err := r.Write(&b); err != nil || c.whole && !strings.Contains(b.String(), "that the gateway tells as gone") {
			t.Errorf("%s: %s %v", c.name, &b, err)
		}
	}
}

// A gap that went on to grow is told by several events: together they count.
func TestAGapThatGrewIsToldByTwoEvents(t *testing.T) {
	k := key(1)
	for name, c := range map[string]struct {
		second uint64 // where the second one begins
		told   string
	}{
		"one behind the other": {5, "dropped 3-6@3"},
		"the whole again":      {3, "dropped 3-6@3"},
		"a hole between":       {6, "removed 3-6@3"},
	} {
		chain := NewChain(k, "e")
		var ls []string
		for i := range 10 {
			e := Event{Kind: "alarm", ID: "a/red"}
			if i == 7 || i == 8 {
				from, to := uint64(3), uint64(4)
				if i == 8 {
					from, to = c.second, 6
				}
				e = Event{Kind: "lost", ID: "agent/buffer", Why: "dropped for space", More: []Field{{"uplink", "county"}, {"lane", "events"}, {"of", "e"}, {"from", from}, {"to", to}}}
			}
			ls = append(ls, string(chain.Next(e, at)))
			chain.Commit()
		}
		r, err := Verify(strings.NewReader(strings.Join(append(ls[:2:2], ls[6:]...), "\n")), Options{Key: k.PublicKey()})
		if err != nil || told(r) != c.told {
			t.Errorf("%s: %q, %v; want %q", name, told(r), err, c.told)
		}
	}
}

func sigOf(line string) string {
	_, sig, _ := strings.Cut(line, `,"sig":"`)
	return sig
}

func renumbered(line string, from, to int) string {
	return strings.Replace(line, fmt.Sprintf(`"n":%d`, from), fmt.Sprintf(`"n":%d`, to), 1)
}

func TestAnEmptyFileIsNotWhole(t *testing.T) {
	r, err := Verify(strings.NewReader("\n\n"), Options{})
	if err != nil || r.Whole() {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestAFileThatCantBeRead(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Verify(iotest.ErrReader(broken), Options{}); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	r, err := Verify(strings.NewReader(strings.Repeat("x\n", 3*maxFindings)), Options{})
	if err != nil || len(r.Findings) != maxFindings || r.Untold != 2*maxFindings || r.Broken != 3*maxFindings {
		t.Fatalf("%d findings, %d untold, %d broken, %v", len(r.Findings), r.Untold, r.Broken, err)
	}
}

// Every single flipped bit of an event is found, with the key.
func TestEveryFlippedBitIsFound(t *testing.T) {
	ls := lines(key(1), "e", 2)
	for bit := range 8 * len(ls[0]) {
		bad := []byte(ls[0])
		if bad[bit/8] ^= 1 << (bit % 8); bad[bit/8] == '\n' {
			continue // two lines then; neither is an event
		}
		r, err := Verify(strings.NewReader(string(bad)+"\n"+ls[1]), Options{Key: key(1).PublicKey()})
		if err != nil || r.Whole() {
			t.Fatalf("bit %d: %s is taken", bit, bad)
		}
	}
}

func TestReportReadsWell(t *testing.T) {
	ls := lines(key(1), "e", 6)
	text := strings.Join([]string{ls[0], ls[1], ls[1], ls[4], altered(ls[5])}, "\n")
	r, err := VerifyFiles([]File{{"log.ndjson", strings.NewReader(text)}}, Options{Key: key(1).PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `log.ndjson:3: repeated: event 2: the same bytes as line 2
log.ndjson:4: removed: 2 events, 3 to 4, are missing before this line
log.ndjson:5: altered: event 6: its signature does not fit its bytes
epoch e: 4 events, 1 to 6, following nothing known; the last is ` + head("e", 6, altered(ls[5])).Hash.String() + `
1 line is a repeat
NOT WHOLE: 2 findings
signatures checked against key 34750f98bd59fcfc
whether events after the last one were cut off, a file alone can't show: compare with the platform's last receipt
`
	if b.String() != want {
		t.Fatalf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func FuzzParse(f *testing.F) {
	for _, l := range lines(key(1), "e", 2) {
		f.Add([]byte(l))
	}
	f.Add(Unstored(key(1), "e", raised, at))
	f.Add([]byte(`{"v":1,"epoch":"e","n":1,"boot":1,"m":1,"kind":"x","value":1e999,"chain":"","sig":"` + strings.Repeat("A", 86) + `=="}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := Parse(payload)
		if err != nil {
			return
		}
		// What was understood, written anew, is understood as the same.
		c := NewChain(key(1), p.Epoch)
		q, err := Parse(c.Next(p.Event, p.Stamp))
		if err != nil {
			t.Fatal(err)
		}
		if q.Kind != p.Kind || q.ID != p.ID || q.Value != p.Value || q.Stamp != p.Stamp || len(q.More) != len(p.More) {
			t.Fatalf("%+v\n%+v", p, q)
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(strings.Join(lines(key(1), "e", 3), "\n")))
	f.Add([]byte(strings.Join(rotated(key(1), key(2)), "\n")))
	d := newFeed().send(2).anchor().connect().send(1).again(1, 10).anchor()
	f.Add([]byte(strings.Join(append(d.events, d.data...), "\n")))
	f.Add([]byte(strings.Join(append(d.data[1:], d.events...), "\n")))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, o := range []Options{{}, {Key: key(1).PublicKey(), Known: []Head{{Epoch: "e", N: 2}}}} {
			r, err := Verify(bytes.NewReader(file), o)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Write(&bytes.Buffer{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
