package record

import (
	"bytes"
	"compress/flate"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"pithead/drivers"
)

// Promise 4: frames that no encoder writes, under sums that are right.
func TestFramesThatNoEncoderWrites(t *testing.T) {
	e := encoder(t, []string{"a", "b"}, nil)
	key := e.Key()
	for name, body := range map[string]string{
		"no count":                       "\x02",
		"columns longer than the frame":  "\x02\x01\x7f\x01\x01",
		"more readings than a batch has": "\x02\x81\x80\x04\x03\x01\x01\x82\x80\x08\x00\x82\x80\x08",
		"a point beyond the dictionary":  "\x02\x01\x01\x01\x01\x05\x02\x02",
		"a point far beyond":             "\x02\x01\x0a\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x02",
		"a run of no length":             "\x02\x01\x01\x01\x01\x00\x02\x02",
		"a run longer than the batch":    "\x02\x01\x01\x01\x01\x04\x02\x02",
		"times longer than the batch":    "\x02\x01\x01\x02\x01\x02\x03\x01\x02",
		"a value that nobody reads":      "\x02\x01\x01\x01\x01\x02\x02\x02\x00",
		"a decimal of sixteen digits":    "\x02\x01\x01\x01\x02\x02\x02\x03\x10\x02",
		"a text longer than the frame":   "\x02\x01\x01\x01\x01\x02\x02\x0f\x7fhello",
		"a code of nothing":              "\x02\x01\x01\x01\x02\x02\x02\x11\x00",
		"a boot beyond its bounds":       "\x03\xff\xff\xff\xff\x7f\x00\x00\x00\x00\x00\x00",
	} {
		var d Decoder
		if err := d.Key(key); err != nil {
			t.Fatal(err)
		}
		payload := sealed([]byte(body), crc32.Update(d.state.sum, crc32.IEEETable, []byte(body)))
		if b, err := d.Frame(payload); !errors.Is(err, errDamaged) {
			t.Errorf("%s: got %+v, %v", name, b, err)
		}
		if _, err := d.Frame(frame(t, encoder(t, []string{"a", "b"}, nil), Batch{})); !errors.Is(err, ErrGap) {
			t.Errorf("%s: what follows half a frame: got %v, want ErrGap", name, err)
		}
	}
	// The frame that the ones above are made from.
	var d Decoder
	if err := d.Key(key); err != nil {
		t.Fatal(err)
	}
	body := "\x02\x01\x01\x01\x01\x02\x02\x02"
	if _, err := d.Frame(sealed([]byte(body), crc32.Update(d.state.sum, crc32.IEEETable, []byte(body)))); err != nil {
		t.Fatal(err)
	}
}

func TestKeysThatNoEncoderWrites(t *testing.T) {
	const head = "\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00" // era, no point, time 0, sum 0
	refused(t, map[string]string{
		"nothing":                      "\x05",
		"a version that is not known":  "\x09",
		"readings":                     "\x02\x00\x00\x00\x00",
		"more points than bytes":       head + "\x7f\x03\x01\x01\x00\x00\x00\x01a\x02\x02",
		"columns longer than the key":  head + "\x01\x03\x01\x03\x00\x00\x00\x01a\x02\x02",
		"an id of no letters":          head + "\x01\x02\x01\x01\x00\x00\x00\x00\x02\x02",
		"an id longer than its column": head + "\x01\x03\x01\x01\x00\x00\x00\x02a\x02\x02",
		"more of the id before":        head + "\x02\x06\x01\x01\x00\x00\x00\x01a\x02\x01b\x04\x04",
		"more than ids may share":      head + "\x02\x6a\x01\x01\x00\x00\x00\x65" + strings.Repeat("a", 101) + "\x65\x01b\x04\x04",
		"a next beyond the dictionary": head + "\x01\x03\x01\x01\x00\x00\x00\x01a\x03\x02",
		"nexts of more points":         head + "\x01\x03\x01\x01\x00\x00\x00\x01a\x04\x02",
		"flags that mean nothing":      head + "\x01\x03\x01\x01\x01\x01\x00\x01a\x02\x11\x00\x0d",
		"an era of no reading":         head + "\x01\x03\x01\x01\x00\x00\x00\x01a\x02\x05",
		"a time that is missing":       head + "\x01\x03\x01\x01\x00\x01\x00\x01a\x02\x03\x0d",
		"a time beyond its bounds":     head + "\x01\x03\x01\x01\x0a\x01\x00\x01a\x02\x03\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x01\x0d",
		"a shape that is missing":      head + "\x01\x03\x01\x01\x01\x00\x00\x01a\x02\x03\x00",
		"a value that is missing":      head + "\x01\x03\x01\x01\x01\x01\x00\x01a\x02\x03\x00\x07",
		"a good value of no reading":   head + "\x01\x03\x01\x01\x00\x00\x00\x01a\x02\x09",
		"a good value before a good":   head + "\x01\x03\x01\x01\x01\x02\x00\x01a\x02\x0b\x00\x01\x0d",
		"a good value that is bad":     head + "\x01\x03\x01\x01\x01\x02\x00\x01a\x02\x0b\x00\x21\x2d",
		"a good value with a code":     head + "\x01\x03\x01\x01\x01\x03\x00\x01a\x02\x0b\x00\x21\x1d\x01",
		"a good value of no value":     head + "\x01\x03\x01\x01\x01\x02\x00\x01a\x02\x0b\x00\x21\x01",
		"a good value that is missing": head + "\x01\x03\x01\x01\x01\x01\x00\x01a\x02\x0b\x00\x21",
		"something behind":             head + "\x01\x03\x01\x01\x00\x00\x00\x01a\x02\x02\x00",
		"a cursor beyond the last":     "\x05\x00\x00\x00\x02\x00\x00\x00\x00\x00\x01\x03\x01\x01\x00\x00\x00\x01a\x02\x02",
	}, []string{
		head + "\x01\x03\x01\x01\x00\x00\x00\x01a\x02\x02",
		head + "\x02\x06\x01\x01\x00\x00\x00\x01a\x01\x01b\x04\x04",
		head + "\x02\x69\x01\x01\x00\x00\x00\x64" + strings.Repeat("a", 100) + "\x64\x01b\x04\x04",
		head + "\x01\x03\x01\x01\x01\x01\x00\x01a\x02\x03\x00\x0d",
		head + "\x01\x03\x01\x01\x01\x02\x00\x01a\x02\x0b\x00\x21\x0d", // comm, and true before it
	})
}

func TestOldKeysThatNoEncoderWrote(t *testing.T) {
	const head = "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" // era, no point, time 0, sum 0
	refused(t, map[string]string{
		"nothing":                           "\x01",
		"nothing deflated":                  "\x04",
		"something that deflates to no key": "\x04" + deflated("\x02"),
		"more than a key unfolds to":        "\x04" + deflated(head+"\x01\x01a\x00\x00"+strings.Repeat("\x00", 1<<16)),
		"more points than bytes":            head + "\x7f",
		"an id of no letters":               head + "\x01\x00\x00\x00\x00",
		"a next beyond the dictionary":      head + "\x01\x01a\x02\x00",
		"a next before the dictionary":      head + "\x01\x01a\x01\x00",
		"flags that mean nothing":           head + "\x01\x01a\x00\x08\x00\x21",
		"an era of no reading":              head + "\x01\x01a\x00\x02",
		"a good value of no reading":        head + "\x01\x01a\x00\x04",
		"a good value before a good":        head + "\x01\x01a\x00\x05\x00\x01\x0d",
		"a good value that is missing":      head + "\x01\x01a\x00\x05\x00\x21",
		"a shape that is a run":             head + "\x01\x01a\x00\x01\x00\x00",
		"something behind":                  head + "\x01\x01a\x00\x00\x00",
		"a cursor beyond the last":          "\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x01\x01a\x00\x00",
	}, []string{
		head + "\x01\x01a\x00\x00",
		"\x04" + deflated(head+"\x01\x01a\x00\x00"),
		head + "\x01\x01a\x00\x05\x00\x21\x0d", // comm, and true before it
	})
}

func deflated(s string) string {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

// refused wants each of these keys refused, without a trace, and those taken that they
// are made from; the last is of a bad reading after true.
func refused(t *testing.T, bodies map[string]string, taken []string) {
	t.Helper()
	whole := encoder(t, []string{"a"}, []Last{{Reading: Reading{Point: "a", M: 5, Value: drivers.TextValue("x")}}})
	var d Decoder
	if err := d.Key(whole.Key()); err != nil {
		t.Fatal(err)
	}
	for name, body := range bodies {
		if err := d.Key(sealed([]byte(body), crc32.ChecksumIEEE([]byte(body)))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := d.Key(nil); err == nil {
		t.Error("no bytes: no error")
	}
	if last := d.Last(); len(last) != 1 || last[0].Value.Str() != "x" {
		t.Errorf("a refused key changed the state: %+v", last)
	}
	if _, err := d.Frame(frame(t, whole, Batch{})); err != nil {
		t.Errorf("after a refused key: %v", err)
	}
	for i, ok := range taken {
		d = Decoder{} // else the one above stands at this key's cursor already
		if err := d.Key(sealed([]byte(ok), crc32.ChecksumIEEE([]byte(ok)))); err != nil {
			t.Errorf("key %d that the ones above are made from: %v", i, err)
		}
	}
	if last := d.Last(); len(last) != 1 || last[0].Quality == drivers.Good || last[0].Good != drivers.BoolValue(true) {
		t.Errorf("got %+v, want a bad reading after true", last)
	}
}
