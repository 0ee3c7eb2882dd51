package record

import (
	"slices"
	"testing"

	"pithead/drivers"
)

// A counter's life over restarts: it goes on from its last good value, however
// long it was bad, and wherever the keys stand.
func TestTheLastGoodValueOutlivesBadReadings(t *testing.T) {
	bad := func(q drivers.Quality) Reading { return Reading{Quality: q} }
	is := func(v drivers.Value) Reading { return Reading{Value: v} }
	none, u, n := drivers.Value{}, drivers.UintValue, drivers.NumberValue
	for _, c := range []struct {
		story string
		runs  [][]Reading
		want  drivers.Value
	}{
		{"good when it stopped", [][]Reading{{is(u(7)), is(u(8))}}, u(8)},
		{"comm when it stopped", [][]Reading{{is(u(7)), is(u(8)), bad(drivers.Comm)}}, u(8)},
		{"bad for a run and a half", [][]Reading{{is(u(8)), bad(drivers.Comm)}, {bad(drivers.Stale), bad(drivers.Comm)}, {bad(drivers.Sensor)}}, u(8)},
		{"a run without a reading", [][]Reading{{is(u(8)), bad(drivers.Comm)}, {}, {}}, u(8)},
		{"good again", [][]Reading{{is(u(8)), bad(drivers.Comm)}, {is(u(9))}, {bad(drivers.Comm)}}, u(9)},
		{"reset to zero", [][]Reading{{is(u(8)), is(u(0)), bad(drivers.Comm)}}, u(0)},
		{"never good", [][]Reading{{bad(drivers.Comm)}, {bad(drivers.Sensor)}}, none},
		{"what a test shows is not good", [][]Reading{{is(u(8)), {Quality: drivers.Test, Value: u(999)}}, {bad(drivers.Comm)}}, u(8)},
		{"a fraction", [][]Reading{{is(n(0.1)), is(n(12.53)), bad(drivers.Comm)}, {bad(drivers.Comm)}}, n(12.53)},
		{"no decimal fraction", [][]Reading{{is(n(1.0 / 3)), bad(drivers.Comm)}, {bad(drivers.Comm)}}, n(1.0 / 3)},
		{"a text", [][]Reading{{is(drivers.TextValue("停")), bad(drivers.Comm)}, {bad(drivers.Comm)}}, drivers.TextValue("停")},
		{"a truth", [][]Reading{{is(drivers.BoolValue(false)), bad(drivers.Comm)}, {bad(drivers.Comm)}}, drivers.BoolValue(false)},
		{"a kind that changed", [][]Reading{{is(u(8)), is(n(8.5)), bad(drivers.Comm)}}, n(8.5)},
	} {
		t.Run(c.story, func(t *testing.T) {
			var last []Last
			for _, run := range c.runs {
				last = live(t, last, run)
			}
			if len(last) != 1 || !sameValue(last[0].Good, c.want) {
				t.Errorf("got %+v, want %v", last, c.want)
			}
		})
	}
}

// live is a run of one point that goes on from last. A decoder that read on and
// one that begins at the last key must end alike.
func live(t *testing.T, last []Last, readings []Reading) []Last {
	t.Helper()
	e := encoder(t, []string{"p"}, last)
	var on Decoder
	if err := on.Key(e.Key()); err != nil {
		t.Fatal(err)
	}
	for i, r := range readings {
		r.Point, r.M = "p", int64(i)
		if _, err := on.Frame(frame(t, e, Batch{Boot: 1, Readings: []Reading{r}})); err != nil {
			t.Fatal(err)
		}
	}
	var begun Decoder
	if err := begun.Key(e.Key()); err != nil {
		t.Fatal(err)
	}
	if a, b := on.Last(), begun.Last(); !slices.EqualFunc(a, b, sameLast) {
		t.Fatalf("read on: %+v; begun at the key: %+v", a, b)
	}
	return begun.Last()
}

// A frame that the disk refused takes its good value back with it.
func TestAGoodValueThatWasNotStoredIsForgotten(t *testing.T) {
	at := func(q drivers.Quality, v drivers.Value) Batch {
		return Batch{Readings: []Reading{{Point: "p", Quality: q, Value: v}}}
	}
	e := encoder(t, []string{"p"}, nil)
	frame(t, e, at(drivers.Good, drivers.UintValue(8)))
	frame(t, e, at(drivers.Comm, drivers.Value{}))
	lost := at(drivers.Good, drivers.UintValue(9))
	lost.Readings = append(lost.Readings, at(drivers.Comm, drivers.Value{}).Readings...)
	if _, err := e.Append(nil, lost); err != nil {
		t.Fatal(err)
	}
	var d Decoder
	if err := d.Key(e.Key()); err != nil {
		t.Fatal(err)
	}
	if last := d.Last(); len(last) != 1 || last[0].Good != drivers.UintValue(8) {
		t.Errorf("got %+v, want 8", last)
	}
}

func TestALastValueThatCantBeWrittenIsRefused(t *testing.T) {
	for name, l := range map[string]Last{
		"the reading":         {Reading: Reading{Point: "p", Value: drivers.FromBits(9, 1)}},
		"its last good value": {Reading: Reading{Point: "p", Quality: drivers.Comm}, Good: drivers.FromBits(9, 1)},
	} {
		if _, err := NewEncoder([]string{"p"}, []Last{l}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
