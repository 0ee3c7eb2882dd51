package record

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"pithead/drivers"
)

// logged is what a log would hold.
type logged struct {
	payload []byte
	key     bool
	batch   Batch
}

func encoder(t testing.TB, points []string, last []Last) *Encoder {
	t.Helper()
	e, err := NewEncoder(points, last)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func frame(t testing.TB, e *Encoder, b Batch) []byte {
	t.Helper()
	p, err := e.Append(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	e.Commit()
	return p
}

// same compares bit for bit, where == would find NaN unlike itself and -0 like 0.
func same(a, b Reading) bool {
	return a.Point == b.Point && a.M == b.M && a.Quality == b.Quality && a.Code == b.Code && sameValue(a.Value, b.Value)
}

func sameValue(a, b drivers.Value) bool {
	return a.Kind() == b.Kind() && a.Bits() == b.Bits() && a.Str() == b.Str()
}

func sameLast(a, b Last) bool {
	return same(a.Reading, b.Reading) && sameValue(a.Good, b.Good) && a.Boot == b.Boot && a.Clock == b.Clock && a.Offset == b.Offset
}

func compareBatch(t testing.TB, got, want Batch) {
	t.Helper()
	if got.Boot != want.Boot || got.Clock != want.Clock || got.Offset != want.Offset || len(got.Readings) != len(want.Readings) {
		t.Fatalf("got boot %d clock %v offset %d with %d readings, want %d %v %d with %d", got.Boot, got.Clock, got.Offset, len(got.Readings),
			want.Boot, want.Clock, want.Offset, len(want.Readings))
	}
	for i := range want.Readings {
		if !same(got.Readings[i], want.Readings[i]) {
			t.Fatalf("reading %d: got %+v, want %+v", i, got.Readings[i], want.Readings[i])
		}
	}
}

var awkward = []drivers.Value{
	{},
	drivers.NumberValue(0), drivers.NumberValue(math.Copysign(0, -1)),
	drivers.NumberValue(12.5), drivers.NumberValue(12.53), drivers.NumberValue(-1e-15), drivers.NumberValue(0.1 + 0.2),
	drivers.NumberValue(math.MaxFloat64), drivers.NumberValue(math.SmallestNonzeroFloat64),
	drivers.NumberValue(math.Inf(1)), drivers.NumberValue(math.Inf(-1)), drivers.NumberValue(math.NaN()),
	drivers.FromBits(drivers.Number, 0x7ff4dead00000001), // a NaN that carries something
	drivers.NumberValue(1 << 53), drivers.NumberValue(1<<53 + 2), drivers.NumberValue(-(1 << 53)), drivers.NumberValue(1e21),
	drivers.NumberValue(float64(float32(0.1))),
	drivers.UintValue(0), drivers.UintValue(math.MaxUint64), drivers.UintValue(1<<53 + 1),
	drivers.IntValue(math.MinInt64), drivers.IntValue(math.MaxInt64), drivers.IntValue(-1),
	drivers.BoolValue(true), drivers.BoolValue(false),
	drivers.TextValue(""), drivers.TextValue("库水位"), drivers.TextValue("not \xff UTF-8 \x00"),
}

func randomValue(r *rand.Rand) drivers.Value {
	switch r.IntN(8) {
	case 0:
		return awkward[r.IntN(len(awkward))]
	case 1:
		return drivers.FromBits(drivers.Number, r.Uint64())
	case 2:
		return drivers.UintValue(r.Uint64() >> r.IntN(64))
	case 3:
		return drivers.IntValue(int64(r.Uint64()) >> r.IntN(64))
	case 4:
		return drivers.BoolValue(r.IntN(2) == 1)
	case 5:
		return drivers.TextValue(fmt.Sprint("text ", r.IntN(3)))
	}
	return drivers.NumberValue(float64(r.IntN(100000)-50000) / pow10[r.IntN(5)])
}

func randomBatch(r *rand.Rand, points []string) Batch {
	b := Batch{Boot: 7, Clock: Synced, Offset: 1763779200123}
	if r.IntN(4) == 0 {
		b = Batch{Boot: r.Uint32(), Clock: Clock(r.IntN(3)), Offset: int64(r.Uint64())}
	}
	m := r.Int64N(1 << 40)
	at := r.IntN(len(points))
	for range r.IntN(60) {
		switch r.IntN(3) {
		case 0:
			m += r.Int64N(2000) - 50
		case 1:
			at = r.IntN(len(points))
		}
		if r.IntN(100) == 0 {
			m = maxM - r.Int64N(2*maxM+1)
		}
		at = (at + 1) % len(points)
		rd := Reading{Point: points[at], M: m, Value: randomValue(r)}
		if r.IntN(3) == 0 {
			rd.Quality, rd.Code = drivers.Quality(r.IntN(11)), uint8(r.IntN(3))
		}
		b.Readings = append(b.Readings, rd)
		m = max(min(m, maxM-5000), -maxM+5000)
	}
	return b
}

func names(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("dev%02d.p%d", i/10, i%10))
	}
	return ids
}

// history is a log of random frames, with keys between them, as several runs
// of an agent with failing disks would write it.
func history(t testing.TB, r *rand.Rand, frames int) []logged {
	points := names(1 + r.IntN(40))
	var d Decoder
	e := encoder(t, points, nil)
	log := []logged{{payload: e.Key(), key: true}}
	if err := d.Key(log[0].payload); err != nil {
		t.Fatal(err)
	}
	for len(log) < frames {
		b := randomBatch(r, points)
		switch r.IntN(12) {
		case 0: // a key between frames
			log = append(log, logged{payload: e.Key(), key: true})
		case 1: // the disk fails: this frame is never stored
			if _, err := e.Append(nil, randomBatch(r, points)); err != nil {
				t.Fatal(err)
			}
		case 2: // a restart
			e = encoder(t, points, d.Last())
			log = append(log, logged{payload: e.Key(), key: true})
			if err := d.Key(log[len(log)-1].payload); err != nil {
				t.Fatal(err)
			}
		}
		p, err := e.Append(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		if r.IntN(8) == 0 { // a segment begins while the frame is being stored
			log = append(log, logged{payload: e.Key(), key: true})
		}
		e.Commit()
		if _, err := d.Frame(p); err != nil {
			t.Fatal(err)
		}
		log = append(log, logged{payload: p, batch: b})
	}
	return log
}

// Promises 1 and 3: whatever is written is read, from every key on.
func TestWhatGoesInComesOut(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		log := history(t, r, 40)
		for from, l := range log {
			if !l.key {
				continue
			}
			var d Decoder
			replay(t, &d, log[from:])
		}
	}
}

func replay(t *testing.T, d *Decoder, log []logged) {
	t.Helper()
	for i, l := range log {
		if l.key {
			if err := d.Key(l.payload); err != nil {
				t.Fatalf("key %d: %v", i, err)
			}
			continue
		}
		got, err := d.Frame(l.payload)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		compareBatch(t, got, l.batch)
	}
}

// Promise 2: frames and keys that are lost, doubled or swapped cost readings,
// never make a wrong one, and decoding goes on at the next key.
func TestDamageCostsFramesUpToTheNextKey(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		log := history(t, r, 60)
		damaged := damage(r, log)
		var d Decoder
		for _, l := range damaged {
			if l.key {
				if err := d.Key(l.payload); err != nil {
					t.Fatal(err)
				}
				continue
			}
			got, err := d.Frame(l.payload)
			switch {
			case err == nil:
				compareBatch(t, got, l.batch)
			case !errors.Is(err, ErrGap):
				t.Fatal(err)
			}
		}
	}
}

func damage(r *rand.Rand, log []logged) []logged {
	d := append([]logged(nil), log...)
	for range 1 + r.IntN(4) {
		i := r.IntN(len(d) - 1)
		switch r.IntN(3) {
		case 0:
			d = append(d[:i], d[i+1:]...)
		case 1:
			d[i], d[i+1] = d[i+1], d[i]
		case 2:
			d = append(d[:i+1], d[i:]...)
		}
	}
	return d
}

// A frame of the same numbers after another key is what a plain sequence
// number would let pass.
func TestAFrameOfAnotherKeyIsRefused(t *testing.T) {
	points := []string{"a", "b"}
	at := func(v float64) Batch {
		return Batch{Readings: []Reading{{Point: "a", M: 5, Value: drivers.NumberValue(v)}}}
	}
	one, two := encoder(t, points, nil), encoder(t, points, []Last{{Reading: Reading{Point: "a", Value: drivers.NumberValue(100)}}})
	var d Decoder
	if err := d.Key(one.Key()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Frame(frame(t, two, at(101))); !errors.Is(err, ErrGap) {
		t.Fatalf("got %v, want ErrGap", err)
	}
	got, err := d.Frame(frame(t, one, at(1)))
	if err != nil {
		t.Fatalf("the right frame after a stray one: %v", err)
	}
	compareBatch(t, got, at(1))
}

func TestAFrameBeforeAnyKeyIsRefused(t *testing.T) {
	var d Decoder
	if _, err := d.Frame(frame(t, encoder(t, []string{"a"}, nil), Batch{})); !errors.Is(err, ErrGap) {
		t.Fatalf("got %v, want ErrGap", err)
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	log := history(t, r, 6)
	for i, l := range log {
		for bit := range 8 * len(l.payload) {
			var d Decoder
			replay(t, &d, log[:i])
			bad := append([]byte(nil), l.payload...)
			bad[bit/8] ^= 1 << (bit % 8)
			if l.key && d.Key(bad) == nil {
				t.Fatalf("key %d takes a flipped bit %d", i, bit)
			}
			if !l.key {
				if _, err := d.Frame(bad); err == nil {
					t.Fatalf("frame %d takes a flipped bit %d", i, bit)
				}
			}
		}
	}
}

func TestLastIsTheLatestOfEachPoint(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	points := names(20)
	e := encoder(t, points, nil)
	var d Decoder
	if err := d.Key(e.Key()); err != nil {
		t.Fatal(err)
	}
	want := map[string]Last{}
	for range 10 {
		b := randomBatch(r, points)
		if _, err := d.Frame(frame(t, e, b)); err != nil {
			t.Fatal(err)
		}
		for _, rd := range b.Readings {
			good := want[rd.Point].Good
			if rd.Quality == drivers.Good {
				good = rd.Value
			}
			want[rd.Point] = Last{rd, good, b.Boot, b.Clock, b.Offset}
		}
	}
	check := func(got []Last) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%d points have a last reading, want %d", len(got), len(want))
		}
		for _, l := range got {
			w := want[l.Point]
			if !sameLast(l, w) {
				t.Fatalf("got %+v, want %+v", l, w)
			}
		}
	}
	check(d.Last())
	// A restart with one point less and one more.
	delete(want, points[3])
	again := encoder(t, append([]string{"new"}, append(points[:3:3], points[4:]...)...), d.Last())
	var next Decoder
	if err := next.Key(again.Key()); err != nil {
		t.Fatal(err)
	}
	check(next.Last())
}

func TestWhatCantBeWrittenChangesNothing(t *testing.T) {
	good := Batch{Boot: 1, Readings: []Reading{{Point: "a", M: 10, Value: drivers.NumberValue(1.5)}}}
	cases := map[string]Batch{
		"a point that is not in the dictionary": {Readings: []Reading{{Point: "a", M: 11}, {Point: "c"}}},
		"a time beyond bounds":                  {Readings: []Reading{{Point: "b", M: maxM + 1}}},
		"a kind that is not known":              {Readings: []Reading{{Point: "b", Value: drivers.FromBits(9, 1)}}},
		"more readings than a frame takes":      {Readings: make([]Reading, MaxReadings+1)},
	}
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			e := encoder(t, []string{"a", "b"}, nil)
			frame(t, e, good)
			key := e.Key()
			dst, err := e.Append([]byte("kept"), bad)
			if err == nil || string(dst) != "kept" {
				t.Fatalf("got %q, %v", dst, err)
			}
			if !reflect.DeepEqual(e.Key(), key) {
				t.Fatal("the state moved")
			}
		})
	}
}

func TestPointsMustBeDistinct(t *testing.T) {
	for name, points := range map[string][]string{
		"twice": {"a", "b", "a"}, "empty": {""}, "too many": make([]string, MaxPoints+1),
	} {
		if _, err := NewEncoder(points, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestStatsComeOutAsTheyWentIn(t *testing.T) {
	b := StatBatch{Boot: 3, Clock: Synced, Stats: []Stat{
		{Point: "库.水位", From: 1, To: 300001, Max: 1247.315, TMax: 5, Min: -1e-9, TMin: 7, Mean: 0.1 + 0.2, Good: 300},
		{Point: "b", From: 1, To: 300001, Bad: 300, Partial: true},
	}}
	got, err := ReadStats(AppendStats(nil, b))
	if err != nil || !reflect.DeepEqual(got, b) {
		t.Fatalf("got %+v, %v", got, err)
	}
	want := `{"p":"b","n":9,"from":1,"to":300001,"good":0,"bad":300,"partial":true}`
	if b.Stats[1].N = 9; string(b.Stats[1].Append(nil)) != want {
		t.Fatalf("got %s, want %s", b.Stats[1].Append(nil), want)
	}
	for _, bad := range []string{"", "{", `{"v":2}`, `{"v":1,"boot":-1}`} {
		if _, err := ReadStats([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// A key that repeats where a decoder stands costs it next to nothing, plain or
// packed; one of another run is read.
func TestAKeyThatRepeatsIsNotReadAgain(t *testing.T) {
	for _, n := range []int{2, 200} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprint("point", i)
		}
		e, d := encoder(t, ids, nil), &Decoder{}
		if err := d.Key(e.Key()); err != nil {
			t.Fatal(err)
		}
		before := &d.state.points[0]
		for m := range int64(3) {
			if _, err := d.Frame(frame(t, e, Batch{Boot: 1, Clock: Synced, Offset: 5, Readings: []Reading{{Point: ids[1], M: m, Value: drivers.NumberValue(1)}}})); err != nil {
				t.Fatal(err)
			}
			if err := d.Key(e.Key()); err != nil || &d.state.points[0] != before {
				t.Fatalf("%d points: a key that repeats was read: %v", n, err)
			}
		}
		if err := d.Key(encoder(t, append(ids, "new"), d.Last()).Key()); err != nil || len(d.state.points) != n+1 {
			t.Errorf("%d points: a new run's key left %d, %v", n, len(d.state.points), err)
		}
	}
}

// Promise 2, for whoever leaves a frame before its end, and reads what follows into the
// same memory: the next one follows it all the same, and means the same.
func TestAFrameThatIsLeftBeforeItsEnd(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	ids := []string{"a", "b", "c"}
	e := encoder(t, ids, nil)
	var whole, parts Decoder
	memory := make([]byte, 1<<10)
	key := e.Key()
	if err := errors.Join(whole.Key(key), parts.Key(key)); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		b := Batch{Boot: 1, Clock: Synced, Offset: 5}
		for range r.IntN(6) {
			b.Readings = append(b.Readings, Reading{Point: ids[r.IntN(3)], M: r.Int64N(9), Value: drivers.NumberValue(r.Float64()), Quality: drivers.Quality(r.IntN(2))})
		}
		f := frame(t, e, b)
		want, err := whole.Frame(f)
		if err != nil {
			t.Fatal(err)
		}
		clear(memory) // which the frame before lay in
		_, n, err := parts.Open(append(memory[:0], f...))
		if err != nil || n != len(want.Readings) {
			t.Fatalf("%d readings, %v; want %d", n, err, len(want.Readings))
		}
		for i := range r.IntN(n + 1) {
			var got Reading
			if err := parts.Next(&got); err != nil || !same(got, want.Readings[i]) {
				t.Fatalf("got %v, %v, want %v", got, err, want.Readings[i])
			}
		}
		if r.IntN(4) == 0 {
			if err := parts.Key(e.Key()); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := frame(t, e, Batch{Boot: 1, Clock: Synced, Offset: 5})
	for _, d := range []*Decoder{&whole, &parts} {
		if _, err := d.Frame(f); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(parts.Last(), whole.Last()) {
		t.Errorf("%v, want %v", parts.Last(), whole.Last())
	}
}

// Promise 3: what a key says of each point is what the frames before it came to; that
// tests look at wherever a key repeats finds any difference.
func TestAKeyAgreesWithTheFramesBeforeIt(t *testing.T) {
	e, d := encoder(t, []string{"a", "b"}, nil), &Decoder{}
	if err := d.Key(e.Key()); err != nil {
		t.Fatal(err)
	}
	b := Batch{Boot: 1, Clock: Synced, Offset: 5, Readings: []Reading{
		{Point: "a", M: 1, Value: drivers.NumberValue(1.5)}, {Point: "b", M: 1, Value: drivers.TextValue("on")}}}
	if _, err := d.Frame(frame(t, e, b)); err != nil {
		t.Fatal(err)
	}
	key := e.Key()
	body := key[:len(key)-4]
	if !d.agrees(body) {
		t.Fatal("they differ")
	}
	for what, garble := range map[string]func(*point){
		"the value": func(p *point) { p.num ^= 8 },
		"the time":  func(p *point) { p.m++ },
		"the shape": func(p *point) { p.quality = drivers.Comm },
		"the text":  func(p *point) { p.rest = &rest{text: "off"} },
		"the boot":  func(p *point) { p.era = &era{boot: 2} },
		"the next":  func(p *point) { p.next = 1 - p.next },
	} {
		p := &d.state.points[1]
		if what == "the value" {
			p = &d.state.points[0]
		}
		was := *p
		if garble(p); !d.stands(body) || d.agrees(body) {
			t.Errorf("%s is another, and nobody sees it", what)
		}
		*p = was
	}
}
