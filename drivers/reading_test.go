package drivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"
)

func TestValueAsJSON(t *testing.T) {
	for _, c := range []struct {
		value    Value
		want     string
		asString string // "" = as the JSON
	}{
		{Value{}, "null", "-"},
		{NumberValue(1247.35), "1247.35", ""},
		{NumberValue(0), "0", ""},
		{NumberValue(1e-7), "1e-7", ""},
		{NumberValue(2.5e-12), "2.5e-12", ""},
		{NumberValue(-1e21), "-1e+21", ""},
		{NumberValue(123456789012345680), "123456789012345680", ""},
		{NumberValue(math.NaN()), "null", ""},
		{NumberValue(math.Inf(1)), "null", ""},
		{UintValue(math.MaxUint64), "18446744073709551615", ""},
		{IntValue(math.MinInt64), "-9223372036854775808", ""},
		{BoolValue(true), "true", ""},
		{BoolValue(false), "false", ""},
		{TextValue("无电 \"x\"\n"), `"无电 \"x\"\n"`, "无电 \"x\"\n"},
		{TextValue(""), `""`, ""},
		{TextValue("\xff<"), `"\ufffd\u003c"`, "\xff<"},
	} {
		got := string(c.value.Append([]byte("x")))
		if got != "x"+c.want {
			t.Errorf("%#v appends %s, want %s", c.value, got[1:], c.want)
		}
		if !json.Valid([]byte(got[1:])) {
			t.Errorf("%s is not JSON", got[1:])
		}
		want := c.asString
		if want == "" && c.value.Kind() != Text {
			want = c.want
		}
		if s := c.value.String(); s != want {
			t.Errorf("%#v prints %s, want %s", c.value, s, want)
		}
		if m, err := json.Marshal(c.value); err != nil || string(m) != c.want {
			t.Errorf("%#v marshals to %s, %v", c.value, m, err)
		}
	}
}

// A number in JSON is what encoding/json makes of it, and the same number for
// who reads it.
func FuzzAppendFloat(f *testing.F) {
	for _, x := range []float64{0, 1e-6, 9.9e-7, 1e21, 1e20, -0.1, math.MaxFloat64, 5e-324} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x float64) {
		b := AppendFloat(nil, x)
		if !finite(x) {
			if string(b) != "null" {
				t.Errorf("%v becomes %s", x, b)
			}
			return
		}
		if std, err := json.Marshal(x); err != nil || string(std) != string(b) {
			t.Errorf("%v becomes %s, by encoding/json %s", x, b, std)
		}
		var back float64
		if err := json.Unmarshal(b, &back); err != nil || back != x {
			t.Errorf("%v becomes %s, which reads as %v, %v", x, b, back, err)
		}
	})
}

func TestFloat(t *testing.T) {
	for _, c := range []struct {
		value Value
		want  float64
	}{
		{NumberValue(-2.5), -2.5},
		{UintValue(7), 7},
		{IntValue(-7), -7},
		{BoolValue(true), 1},
		{BoolValue(false), 0},
	} {
		if got := c.value.Float(); got != c.want {
			t.Errorf("%v is %v as a number", c.value, got)
		}
	}
	for _, v := range []Value{{}, TextValue("1")} {
		if got := v.Float(); !math.IsNaN(got) {
			t.Errorf("%#v is %v as a number, want none", v, got)
		}
	}
}

func TestBitsAreTheWholeValue(t *testing.T) {
	for _, v := range []Value{{}, NumberValue(-0.1), UintValue(math.MaxUint64), IntValue(-1), BoolValue(true), BoolValue(false)} {
		if back := FromBits(v.Kind(), v.Bits()); back != v {
			t.Errorf("%#v comes back as %#v", v, back)
		}
	}
	if TextValue("a").Str() != "a" {
		t.Error("a text is not its content")
	}
}

func TestQualityByName(t *testing.T) {
	for q := Good; q <= Test; q++ {
		if back, ok := ParseQuality(q.String()); !ok || back != q {
			t.Errorf("%v comes back as %v, %v", q, back, ok)
		}
	}
	if q, ok := ParseQuality(""); q != Good || !ok {
		t.Errorf("no quality is %v, %v; want good", q, ok)
	}
	for _, s := range []string{"Good", "bad", "quality(10)"} {
		if q, ok := ParseQuality(s); ok {
			t.Errorf("%q is %v", s, q)
		}
	}
	if s := Quality(200).String(); s != "quality(200)" {
		t.Errorf("an unknown quality is %s", s)
	}
}

func TestBadCarriesNoValue(t *testing.T) {
	now := time.Now()
	if r := Bad("p", now, Comm); r.Value.Kind() != None || r.Quality != Comm || r.Point != "p" || r.At != now {
		t.Errorf("%+v", r)
	}
}

func TestFaultOf(t *testing.T) {
	busy := &Fault{Quality: Exception, Code: 6, Again: true, Err: errors.New("busy")}
	if f := FaultOf(fmt.Errorf("unit 3: %w", busy)); f != busy {
		t.Errorf("%v is not the fault within", f)
	}
	plain := errors.New("no route")
	f := FaultOf(plain)
	if f.Quality != Comm || f.Again || !errors.Is(f, plain) || f.Error() != "comm: no route" {
		t.Errorf("another error is %v", f)
	}
}
