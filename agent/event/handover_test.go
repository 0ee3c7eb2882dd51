package event

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rotated is nine events of an epoch, of three keys: each hands over to the next
// with its third.
func rotated(keys ...*Key) (ls []string) {
	c := NewChain(keys[0], "e")
	put := func(payload []byte) {
		ls = append(ls, string(payload))
		c.Commit()
	}
	for i := range keys {
		put(c.Next(raised, at))
		put(c.Next(raised, at))
		if i+1 < len(keys) {
			put(c.HandOver(keys[i+1], at))
		}
	}
	return ls
}

func TestVerifyAcrossHandovers(t *testing.T) {
	a, b, d, rogue := key(1), key(2), key(3), key(9)
	ls := rotated(a, b, d)
	handed := "handed-over 3-3@3, handed-over 6-6@6"
	put := func(at int, lines ...string) []string {
		return append(append(append([]string(nil), ls[:at]...), lines...), ls[at:]...)
	}
	resumed := func(k *Key, n int) *Chain {
		c := NewChain(k, "e")
		if err := c.Resume(uint64(n), []byte(ls[n-1])); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		name  string
		lines []string
		pin   *Key
		told  string
		whole bool
	}{
		{"the first key is pinned", ls, a, handed, true},
		{"the middle one", ls, b, handed, true},
		{"the last one", ls, d, handed, true},
		{"none", ls, nil, handed, true},
		{"another", ls, rogue, "", false},
		{"in any order", []string{ls[7], ls[5], ls[2], ls[0], ls[1], ls[3], ls[4], ls[6]}, a, "", true},
		{"the first handover is missing", put(0)[3:], a, "", false},
		{"a new key without an introduction", append(put(0), string(resumed(rogue, 8).Next(raised, at))), a, "other-key 9-9@9, " + handed, false},
		{"the old key goes on", append(put(0), string(resumed(a, 8).Next(raised, at))), a, "other-key 9-9@9, " + handed, false},
		{"the old key hands over once more", append(put(0), string(resumed(a, 8).HandOver(rogue, at))), a, "other-key 9-9@9, " + handed, false},
		{"the old key, given up, hands over and the heir signs", stolen(resumed(a, 8), rogue, ls), d, "other-key 10-10@10, other-key 9-9@9, " + handed, false},
		{"an introduction that the new key did not sign", []string{ls[0], ls[1], strings.Replace(ls[2], `"new-sig":"`+sig(ls[2], "new-sig")[:4], `"new-sig":"AAAA`, 1), ls[3]}, a, "altered 3-3@3, other-key 4-4@4", false},
		{"an introduction that only the old key signed", alone(a, b), a, "other-key 2-2@2", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{}
			if c.pin != nil {
				o.Key = c.pin.PublicKey()
			}
			r, err := Verify(strings.NewReader(strings.Join(c.lines, "\n")), o)
			if err != nil || r.Whole() != c.whole || c.told != "" && !sameFindings(told(r), c.told) {
				t.Errorf("whole %v, %q, %v; want %v, %q", r.Whole(), told(r), err, c.whole, c.told)
			}
		})
	}
}

// alone is a key that names its heir, who does not sign that.
func alone(old, heir *Key) []string {
	c := NewChain(old, "e")
	first := c.Next(Event{Kind: "key", ID: "agent/identity", More: []Field{{"old", old.Public()}, {"new", heir.Public()}}}, at)
	c = NewChain(heir, "e")
	_ = c.Resume(1, first)
	return []string{string(first), string(c.Next(raised, at))}
}

func stolen(c *Chain, heir *Key, ls []string) []string {
	out := append([]string(nil), ls...)
	out = append(out, string(c.HandOver(heir, at)))
	c.Commit()
	return append(out, string(c.Next(raised, at)))
}

func sig(line, member string) string {
	_, s, _ := strings.Cut(line, `"`+member+`":"`)
	return s
}

func sameFindings(got, want string) bool {
	count := map[string]int{}
	for _, f := range strings.Split(got, ", ") {
		count[f]++
	}
	for _, f := range strings.Split(want, ", ") {
		count[f]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// An epoch that follows one goes on with the key that signed there last.
func TestAHandoverHoldsInTheNextEpoch(t *testing.T) {
	a, b := key(1), key(2)
	ls := rotated(a, b)
	last, _ := Parse([]byte(ls[len(ls)-1]))
	for _, c := range []struct {
		by   *Key
		told string
	}{{b, "handed-over 3-3@3"}, {a, "handed-over 3-3@3, other-key 1-1@6"}} {
		next := NewChain(c.by, "f")
		next.Follow(Head{"e", last.N, last.Hash()}, 1)
		r, err := Verify(strings.NewReader(strings.Join(append(ls[:5:5], string(next.Next(raised, at))), "\n")), Options{Key: a.PublicKey()})
		if err != nil || told(r) != c.told {
			t.Errorf("%q, %v, want %q", told(r), err, c.told)
		}
	}
}

// What was not committed hands nothing over.
func TestAHandoverCountsWhenItIsDurable(t *testing.T) {
	a, b := key(1), key(2)
	c := NewChain(a, "e")
	c.HandOver(b, at)
	p, err := Parse(c.Next(raised, at))
	if err != nil || p.Kid != a.Kid() {
		t.Fatalf("signed by %s, %v", p.Kid, err)
	}
	c.Commit()
	p, _ = Parse(c.HandOver(b, at))
	if h, ok := p.Handover(); !ok || p.Kid != a.Kid() || KidOf(h.New) != b.Kid() || p.N != 2 {
		t.Fatalf("%+v", p)
	}
	c.Commit()
	if p, _ = Parse(c.Next(raised, at)); p.Kid != b.Kid() || p.N != 3 {
		t.Fatalf("signed by %s as %d", p.Kid, p.N)
	}
	if _, ok := p.Handover(); ok {
		t.Fatal("an alarm hands over")
	}
}

func TestReportNamesTheKeys(t *testing.T) {
	r, err := Verify(strings.NewReader(strings.Join(rotated(key(1), key(2)), "\n")), Options{Key: key(1).PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	_ = r.Write(&b)
	for _, want := range []string{
		fmt.Sprintf("-:3: handed-over: event 3: the key %s hands over to %s\n", key(1).Kid(), key(2).Kid()),
		fmt.Sprintf("signatures checked against key %s, and by handover %s\n", key(1).Kid(), key(2).Kid()),
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s\nlacks %s", &b, want)
		}
	}
}

// The vectors of a handover stand in the README.
func TestTheVectorsOfAHandover(t *testing.T) {
	ls := rotated(key(1), key(2))
	file := filepath.Join("testdata", "handover.ndjson")
	text := strings.Join(ls, "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || text != string(want) {
		t.Fatalf("got\n%s\nwant\n%s%v", text, want, err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	show := []string{key(2).Public(), key(2).Kid()}
	for _, l := range ls {
		p, _ := Parse([]byte(l))
		show = append(show, p.Hash().String())
	}
	for _, s := range show {
		if !strings.Contains(string(readme), s) {
			t.Errorf("README.md lacks %s", s)
		}
	}
}
