package event

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// A feed is what one uplink sends: messages of ten readings, each run's chained,
// and events that anchor them.
type feed struct {
	chain  *Chain
	h      Hash
	last   uint64
	data   []string
	events []string
}

func newFeed() *feed {
	f := &feed{chain: NewChain(key(1), "e")}
	f.happen(Event{Kind: "start", ID: "agent"})
	return f
}

func (f *feed) happen(e Event) {
	f.events = append(f.events, string(f.chain.Next(e, at)))
	f.chain.Commit()
}

// message is one with these numbers, as the next of the run.
func (f *feed) message(prev, last uint64, more string) string {
	var rs []string
	for n := prev + 1; n <= last; n++ {
		rs = append(rs, fmt.Sprintf(`{"p":"a","n":%d,"t":%d,"v":%d}`, n, 1763779200000+n, n%7))
	}
	open := fmt.Sprintf(`{"v":1,"epoch":"e","boot":1,"clock":"synced","prev":%d,"last":%d%s,"readings":[%s]`, prev, last, more, strings.Join(rs, ","))
	b, h := AppendHash([]byte(open), f.h)
	f.h = h
	return string(b)
}

func (f *feed) send(messages int) *feed {
	for range messages {
		f.data = append(f.data, f.message(f.last, f.last+10, ""))
		f.last += 10
	}
	return f
}

func (f *feed) again(from, to uint64) *feed {
	f.data = append(f.data, f.message(from-1, to, `,"resend":"7f"`))
	return f
}

func (f *feed) anchor() *feed { return f.anchorOf("county", f.h) }

func (f *feed) anchorOf(uplink string, h Hash) *feed {
	f.happen(Event{Kind: "anchor", ID: "uplink:" + uplink, More: []Field{{"of", "e"}, {"last", f.last}, {"h", h.String()}}})
	return f
}

// connect begins a run.
func (f *feed) connect() *feed {
	f.h = Hash{}
	return f
}

// twoHours is two runs: 1 to 200, anchored at 100 and 200, and 201 to 320,
// anchored at 300. Message i is line 6+i, behind five events.
func twoHours() *feed {
	f := newFeed().send(10).anchor().send(10).anchor()
	f.anchorOf("city", Hash{9}) // of what somebody else got
	return f.connect().send(10).anchor().send(2)
}

// Each case begins with two hours of messages, and does something to them.
func TestVerifyReadings(t *testing.T) {
	rehashed := func(f *feed, from, to int) {
		if f.h = (Hash{}); from > 0 {
			m := f.data[from-1]
			f.h, _ = ParseHash(m[len(m)-73 : len(m)-2])
		}
		for i := from; i < to; i++ {
			open, _, _ := strings.Cut(f.data[i], hashMember)
			b, h := AppendHash([]byte(strings.Replace(open, `"v":3`, `"v":4`, 1)), f.h)
			f.data[i], f.h = string(b), h
		}
	}
	for _, c := range []struct {
		name  string
		do    func(*feed)
		told  string
		whole bool
	}{
		{"whole", func(*feed) {}, "", true},
		{"one removed", func(f *feed) { f.data = slices.Delete(f.data, 14, 15) }, "unproven 101-140@16, removed 141-150@20, unproven 151-160@20", false},
		{"one altered", func(f *feed) { f.data[14] = strings.Replace(f.data[14], `"v":3`, `"v":4`, 1) }, "altered 101-150@20", false},
		{"two readings of it swapped", func(f *feed) {
			f.data[14] = strings.NewReplacer(`"n":143`, `"n":144`, `"n":144`, `"n":143`).Replace(f.data[14])
		}, "altered 101-150@20", false},
		{"its hash altered", func(f *feed) { f.data[14] = f.data[14][:len(f.data[14])-4] + `00"}` }, "altered 141-150@20", false},
		{"two swapped", func(f *feed) { f.data[14], f.data[15] = f.data[15], f.data[14] }, "out-of-order 141-150@21", true},
		{"one repeated", func(f *feed) { f.data = slices.Insert(f.data, 15, f.data[14]) }, "repeated 141-150@21", true},
		{"one repeated later", func(f *feed) { f.data = append(f.data, f.data[14]) }, "repeated 141-150@38", true},
		{"altered, and hashed anew to the end of the run", func(f *feed) { rehashed(f, 14, 20) }, "altered 101-200@16", false},
		{"and from the beginning", func(f *feed) { rehashed(f, 0, 20) }, "altered 1-200@6", false},
		{"the tail cut, and its anchor there", func(f *feed) { f.data = f.data[:25] }, "removed 251-300@0, unproven 201-250@26", false},
		{"what no anchor reaches yet cut", func(f *feed) { f.data = f.data[:30] }, "", true},
		{"what no anchor reaches yet altered", func(f *feed) { f.data[31] = strings.Replace(f.data[31], `"v":3`, `"v":4`, 1) }, "altered 311-320@37", false},
		{"begun in the middle", func(f *feed) { f.data = f.data[5:] }, "", true},
		{"begun in the middle, and the first claims all", func(f *feed) {
			f.data = f.data[5:]
			f.data[0] = strings.NewReplacer(`"prev":50,"last":60`, `"prev":0,"last":900`).Replace(f.data[0])
			f.data[9] = strings.Replace(f.data[9], `"v":3`, `"v":4`, 1)
		}, "altered 101-150@15", false},
		{"only a message from the middle", func(f *feed) { f.data = f.data[5:6] }, "unproven 0-0@0", false},
		{"the anchored one removed", func(f *feed) { f.data = slices.Delete(f.data, 9, 10) }, "unproven 1-90@6, removed 91-100@15, unproven 101-110@15", false},
		{"all of the first run's second half removed", func(f *feed) { f.data = slices.Delete(f.data, 10, 20) }, "removed 101-200@16", false},
		{"all of an anchor's stretch and a run's beginning removed", func(f *feed) { f.data = slices.Delete(f.data, 20, 30) }, "removed 201-300@26", false},
		{"the anchors removed", func(f *feed) { f.events = slices.Delete(f.events, 1, 3) }, "removed 2-3@2, unproven 1-200@4", false},
		{"no anchors at all", func(f *feed) { f.events = f.events[:1] }, "unproven 0-0@0", false},
		{"an anchor by another key", func(f *feed) {
			f.events[2] = strings.Replace(f.events[2], key(1).Kid(), key(2).Kid(), 1)
		}, "other-key 3-3@3, unproven 101-200@16", false},
		{"an anchor altered", func(f *feed) { f.events[2] = strings.Replace(f.events[2], `"last":200`, `"last":190`, 1) }, "altered 3-3@3, unproven 101-200@16", false},
		{"no message", func(f *feed) { f.data = []string{strings.Replace(f.data[0], `"last":10`, `"last":"x"`, 1)} }, "malformed 0-0@6", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := twoHours()
			c.do(f)
			if r := f.verify(t); told(r) != c.told || r.Whole() != c.whole {
				t.Errorf("whole %v, %q\nwant %v, %q", r.Whole(), told(r), c.whole, c.told)
			}
		})
	}
}

func (f *feed) verify(t *testing.T) Report {
	t.Helper()
	file := func(name string, lines []string) File {
		return File{name, strings.NewReader(strings.Join(lines, "\n"))}
	}
	r, err := VerifyFiles([]File{file("events", f.events), file("data", f.data)}, Options{Key: key(1).PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What was missed, asked for again and sent is proven by the run in which it came.
func TestReadingsThatCameAgainAreProven(t *testing.T) {
	f := newFeed().send(10).anchor().send(10).anchor().connect().send(3).again(101, 140).again(151, 160).again(141, 150).send(1).anchor()
	f.data = slices.Delete(f.data, 14, 15)
	if r := f.verify(t); told(r) != "" || !r.Whole() || len(r.Readings) != 1 || r.Readings[0].Proven != 240 || r.Readings[0].Newer != 0 {
		t.Errorf("%q, %+v", told(r), r.Readings)
	}
	f.data = slices.DeleteFunc(f.data, func(m string) bool { return strings.Contains(m, `"prev":150,"last":160,"resend"`) })
	if r := f.verify(t); !strings.Contains(told(r), "unproven 101-160") || r.Whole() {
		t.Errorf("without one of them: %q", told(r))
	}
}

// A run that begins with the very bytes of another, and is cut otherwise then.
func TestARunThatBeginsLikeAnother(t *testing.T) {
	f := newFeed().send(2)
	f.connect().again(1, 10)
	f.data[2] = f.data[0]
	f.h, _ = ParseHash(f.data[0][len(f.data[0])-73 : len(f.data[0])-2])
	f.data = append(f.data, f.message(10, 15, ""), f.message(15, 20, ""))
	f.send(3).anchor()
	if r := f.verify(t); told(r) != "repeated 1-10@5" || !r.Whole() || r.Readings[0].Proven != 50 {
		t.Errorf("%q, %+v", told(r), r.Readings)
	}
}

// An uplink that gets only some events has anchors, and holes in the chain.
func TestReadingsAreProvenWithoutAllEvents(t *testing.T) {
	f := twoHours()
	f.events = f.events[2:]
	f.events = slices.Delete(f.events, 1, 2)
	files := func() []File {
		return []File{{"events", strings.NewReader(strings.Join(append(f.events, f.data...), "\n"))}}
	}
	r, err := VerifyFiles(files(), Options{Key: key(1).PublicKey()})
	if err != nil || told(r) != "removed 4-4@2" {
		t.Errorf("%q, %v", told(r), err)
	}
	if r, _ = VerifyFiles(files(), Options{Key: key(1).PublicKey(), Readings: true}); told(r) != "" || !r.Whole() {
		t.Errorf("the readings alone: %q", told(r))
	}
}

func TestReportOfReadingsReadsWell(t *testing.T) {
	f := twoHours()
	f.data = slices.Delete(f.data, 14, 15)
	var b strings.Builder
	if err := f.verify(t).Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"data:15: removed: readings 141 to 150: missing before this line\n",
		"data:11: unproven: readings 101 to 140: no anchor reaches them: ask for them again\n",
		"readings of epoch e: 31 messages, 1 to 320; 3 anchors prove 240 of them, 20 are newer\n",
		"NOT WHOLE: 3 findings\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s\nlacks %s", &b, want)
		}
	}
}

// The vectors, with an event that anchors them.
func TestTheVectorsOfReadingsAreWhole(t *testing.T) {
	text, err := os.ReadFile("testdata/readings.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	c := NewChain(key(1), "9f2c41d8")
	last := "sha256:e90690e1033dbd18f87abbdf32be0d53b3b810f9cd92ad4fee714d3cdfbe1958"
	a := c.Next(Event{Kind: "anchor", ID: "uplink:county", More: []Field{{"of", "9f2c41d8"}, {"last", 2}, {"h", last}}}, at)
	r, err := Verify(strings.NewReader(string(text)+string(a)), Options{Key: key(1).PublicKey()})
	if err != nil || told(r) != "" || !r.Whole() || r.Readings[0].Proven != 3 {
		t.Errorf("%q, %+v, %v", told(r), r.Readings, err)
	}
}

// Messages that fit nowhere take no time out of proportion.
func TestMessagesThatFitNowhere(t *testing.T) {
	f := newFeed().send(1).anchor()
	for i := range uint64(2_000) {
		f.h = Hash{byte(i), byte(i >> 8), 1}
		f.data = append(f.data, f.message(3*i+10, 3*i+12, ""))
	}
	if r := f.verify(t); r.Whole() || r.Broken < 2_000 {
		t.Errorf("%d findings", r.Broken)
	}
}
