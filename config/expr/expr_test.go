package expr

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

// site is an Env of a few points.
type site map[string]Info

func (s site) Point(id string) (Info, bool) {
	i, ok := s[id]
	return i, ok
}

func (s site) Points() []string {
	var ids []string
	for id := range s {
		ids = append(ids, id)
	}
	return ids
}

var mine = site{
	"pond.level": {Kind: drivers.Number, Unit: "m"},
	"pond.beach": {Kind: drivers.Number, Unit: "m"},
	"pond.rain":  {Kind: drivers.Number, Unit: "mm"},
	"gas.ch4":    {Kind: drivers.Number, Unit: "%CH4"},
	"oven.in":    {Kind: drivers.Number, Unit: "℃"},
	"oven.out":   {Kind: drivers.Number, Unit: "°C"},
	"a":          {Kind: drivers.Number},
	"b":          {Kind: drivers.Uint},
	"c":          {Kind: drivers.Int},
	"fan.run":    {Kind: drivers.Bool},
	"fan.main":   {Kind: drivers.Bool},
	"feed.face": {Kind: drivers.Bool, States: []State{
		{drivers.BoolValue(false), "无电"}, {drivers.BoolValue(true), "有电"},
	}},
	"valve": {Kind: drivers.Number, States: []State{
		{drivers.NumberValue(0), "shut"}, {drivers.NumberValue(2), "open"},
	}},
	"plc.text": {Kind: drivers.Text},
	"min":      {Kind: drivers.Number},
}

func good(v drivers.Value) Sample { return Sample{Value: v} }

var now = map[string]Sample{
	"pond.level": good(drivers.NumberValue(1247.3)),
	"pond.beach": good(drivers.NumberValue(80)),
	"pond.rain":  good(drivers.NumberValue(12.5)),
	"gas.ch4":    {Quality: drivers.Comm},
	"oven.in":    {Value: drivers.NumberValue(40), Quality: drivers.Test},
	"oven.out":   {Quality: drivers.Over},
	"a":          good(drivers.NumberValue(3)),
	"b":          good(drivers.UintValue(4)),
	"c":          good(drivers.IntValue(-5)),
	"fan.run":    good(drivers.BoolValue(true)),
	"fan.main":   good(drivers.BoolValue(false)),
	"feed.face":  good(drivers.BoolValue(true)),
	"valve":      good(drivers.NumberValue(2)),
	"plc.text":   good(drivers.TextValue("运行")),
	"min":        good(drivers.NumberValue(7)),
}

// once evaluates an expression with empty windows, from what the points hold.
func once(e *Expr, read func(id string) Sample) (drivers.Value, drivers.Quality) {
	return e.Use().Eval(Now{Mode: "sealed", Known: true}, func(i int) Sample { return read(e.Inputs()[i]) })
}

func read(id string) Sample {
	s, ok := now[id]
	if !ok {
		panic("asked for " + id + ", which is no input")
	}
	return s
}

func num(f float64) drivers.Value { return drivers.NumberValue(f) }

var (
	yes  = drivers.BoolValue(true)
	no   = drivers.BoolValue(false)
	none = drivers.Value{}
)

// less subtracts at run time, as the expression does; constants are exact.
func less(a, b float64) float64 { return a - b }

func TestEval(t *testing.T) {
	for _, c := range []struct {
		story, src string
		want       drivers.Value // none: bad
	}{
		{"a constant", "5", num(5)},
		{"a constant truth", "true", yes},
		{"the freeboard", "1250.0 - pond.level", num(less(1250.0, 1247.3))},
		{"no space needed around a sign, which no id holds", "1250.0-pond.level", num(less(1250.0, 1247.3))},
		{"an exponent is part of a number", "1.5e3 + 2E-1", num(1500.2)},
		{"products before sums", "1 + 2 * 3 - 4 / 8", num(6.5)},
		{"left to right", "10 - 4 - 3", num(3)},
		{"left to right in products too", "16 / 4 / 2", num(2)},
		{"powers from right to left", "2 ^ 3 ^ 2", num(512)},
		{"a power before its sign", "-2 ^ 2", num(-4)},
		{"a signed exponent", "2 ^ -2", num(0.25)},
		{"a power before a product", "3 * 2 ^ 2", num(12)},
		{"two signs", "- - a", num(3)},
		{"parentheses", "(1 + 2) * 3", num(9)},
		{"integers of a device", "b * c", num(-20)},
		{"a truth is 0 or 1", "fan.run + fan.main + 1", num(2)},
		{"never minus zero", "0 * c", num(0)},

		{"under", "a < 3.1", yes},
		{"not under itself", "a < 3", no},
		{"at most", "a <= 3", yes},
		{"over", "a > 3", no},
		{"at least", "a >= 3", yes},
		{"equal, written twice", "a == 3", yes},
		{"equal, written once", "a = 3", yes},
		{"different", "a <> 3", no},
		{"equal although binary can't hold it", "0.1 + 0.2 == 0.3", yes},
		{"not over by what binary can't hold", "0.1 + 0.2 > 0.3", no},
		{"a truth as a number", "fan.run == 1", yes},
		{"a truth as a truth", "fan.run == true", yes},
		{"two truths", "fan.run <> fan.main", yes},

		{"and before or", "true or true and false", yes},
		{"not before and", "not false and false", no},
		{"not after a comparison", "not a == 4", yes},
		{"not not", "not not fan.run", yes},

		{"a state by its label", "feed.face == '有电'", yes},
		{"the label first", "'无电' == feed.face", no},
		{"not that state", "valve <> 'shut'", yes},
		{"a numbered state", "valve = 'open'", yes},
		{"a text", "plc.text == '运行'", yes},
		{"not that text", "plc.text <> '停'", yes},
		{"a text and itself", "plc.text = plc.text", yes},

		{"then", "if(fan.run, a, b)", num(3)},
		{"else", "if(fan.main, a, b)", num(4)},
		{"a choice of truths", "if(fan.main, true, fan.run)", yes},
		{"what is not chosen is not calculated", "if(a - 3 == 0, 0, 1 / (a - 3))", num(0)},
		{"and stops at the first false", "a <> 3 and 1 / (a - 3) > 1", no},
		{"or stops at the first true", "a == 3 or 1 / (a - 3) > 1", yes},

		{"abs", "abs(c)", num(5)},
		{"min", "min(a, b, c)", num(-5)},
		{"max", "max(c, a, b)", num(4)},
		{"round half away from zero", "round(2.5) + round(-2.5)", num(0)},
		{"round as on paper", "round(2.675, 2)", num(2.68)},
		{"round what has no decimals left", "round(1e300, 3)", num(1e300)},
		{"a point may be called as a function is", "min(min, a)", num(3)},

		{"an input is gone", "gas.ch4 + 1", none},
		{"an input is gone where it isn't even chosen", "if(fan.run, a, gas.ch4)", none},
		{"an input is gone behind an or", "fan.run or gas.ch4 > 1", none},
		{"an input is under test", "oven.in", none},
		{"an input is over its range", "oven.out > 30", none},
		{"divided by zero", "a / fan.main", none},
		{"an infinite number doesn't make a truth", "1 / fan.main > 3", none},
		{"zero by zero", "fan.main / fan.main", none},
		{"too large", "10 ^ 200 * 10 ^ 200", none},
		{"too large a power", "10 ^ 400", none},
		{"a root of what is negative", "c ^ 0.5", none},

		{"the mode", "mode == 'sealed'", yes},
		{"another mode", "mode == 'running'", no},
		{"a root", "sqrt(b)", num(2)},
		{"no root", "sqrt(c)", none},
		{"a power by its name", "pow(a, 2)", num(9)},
		{"a table between its pairs", "interp([[0, 10], [4, 20], [8, 10]], a)", num(17.5)},
		{"a table at a pair", "interp([[0, 10], [4, 20], [8, 10]], b)", num(20)},
		{"a table at its first end", "interp([[3, 10], [4, 20]], a)", num(10)},
		{"a table at its last end", "interp([[-1, 10], [4, 20]], b)", num(20)},
		{"a table knows nothing beyond its ends", "interp([[0, 10], [2, 20]], a)", none},
		{"nor before them", "interp([[3.5, -10], [4, 20]], a)", none},
		{"a mean", "avg(a, b, c)", num((3.0 + 4 - 5) / 3)},
		{"a median of three", "median(b, a, c)", num(3)},
		{"a median of four", "median(b, a, c, 1)", num(2)},
		{"a median in a median", "median(b, median(1, 9, 8), a)", num(4)},
		{"a sum", "sum(a, b, c)", num(2)},
		{"how many", "count(fan.run, fan.main, a > 2, valve == 'shut')", num(2)},
		{"the fallback for what is gone", "good(gas.ch4, 7)", num(7)},
		{"no fallback for what is there", "good(a, 7)", num(3)},
		{"what is there needs no good fallback", "good(a, oven.in)", num(3)},
		{"a fallback that is gone", "good(oven.in, oven.out)", none},
		{"a fallback's fallback", "good(oven.out, good(oven.in, a))", num(3)},
		{"good saves only its own", "good(gas.ch4, 7) + gas.ch4", none},
		{"two of three", "vote(2, fan.run, fan.main, a > 2)", yes},
		{"one of three", "vote(2, fan.run, fan.main, a > 3)", no},
		{"two of three, whatever the third", "vote(2, fan.run, a > 2, gas.ch4 > 1)", yes},
		{"none of three, whatever the third", "vote(2, fan.main, a > 3, gas.ch4 > 1)", no},
		{"the third would decide", "vote(2, fan.run, a > 3, gas.ch4 > 1)", none},
		{"a vote that divides by zero", "vote(1, fan.main, 1 / fan.main > 3)", none},
		{"a vote over over-range", "vote(1, oven.out > 3, fan.run)", yes},
	} {
		t.Run(c.story, func(t *testing.T) {
			e, err := Parse(c.src, mine)
			if err != nil {
				t.Fatalf("%s: %v", c.src, err)
			}
			v, q := once(e, read)
			if v != c.want || (q == drivers.Good) != (c.want != none) {
				t.Errorf("%s is %v (%v), want %v", c.src, v, q, c.want)
			}
			if q != drivers.Good && q != drivers.Input {
				t.Errorf("bad by %v, want input", q)
			}
			if q == drivers.Good && v.Kind() != e.Kind() {
				t.Errorf("Kind is %v, but the value is %v", e.Kind(), v.Kind())
			}
		})
	}
}

// A point that lies about its kind must not become 0 or false.
func TestEvalOfAnotherKindThanPromised(t *testing.T) {
	for _, c := range []struct {
		story, src string
		got        drivers.Value
	}{
		{"a number that is a text", "a + 1", drivers.TextValue("3")},
		{"a number that is none", "a + 1", none},
		{"a number that is not a number", "a > 1", num(math.NaN())},
		{"an infinite number", "a > 1", num(math.Inf(1))},
		{"a truth that is none", "not fan.run", none},
		{"a text that is a number", "plc.text <> 'x'", num(1)},
		{"a text that is none", "plc.text == plc.text", none},
	} {
		t.Run(c.story, func(t *testing.T) {
			e, err := Parse(c.src, mine)
			if err != nil {
				t.Fatal(err)
			}
			v, q := once(e, func(string) Sample { return Sample{Value: c.got} })
			if v != none || q != drivers.Input {
				t.Errorf("%s is %v (%v), want none, input", c.src, v, q)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		story, src string
		col        int
		text       string // part of the message
	}{
		{"nothing", "", 1, "empty"},
		{"only spaces", "  ", 1, "empty"},
		{"letters swapped in a point", "1250 - pond.levle", 8, `unknown point "pond.levle"; did you mean pond.level?`},
		{"a point that is like nothing", "1250 - xyzzy.plugh", 8, `unknown point "xyzzy.plugh"`},
		{"capitals", "Pond.Level", 1, "did you mean pond.level?"},
		{"the column counts characters, not bytes", "'有电' == feed.fase", 9, "did you mean feed.face?"},
		{"a name instead of an id", "库水位 + 1", 1, `unknown point "库水位"`},
		{"a hyphen in an id", "pond-level", 1, `unknown point "pond"`},
		{"an unknown function", "mni(a, b)", 1, `unknown function "mni"; did you mean min(x, y, ...) or`},
		{"a function like no other", "frobnicate(a)", 1, `unknown function "frobnicate"`},
		{"a function without its arguments", "abs + 1", 1, "abs is a function; write abs(x)"},
		{"too few arguments", "1 + max(a)", 5, "max has 1 arguments here; write max(x, y, ...)"},
		{"too many arguments", "abs(a, b)", 1, "abs has 2 arguments here; write abs(x)"},
		{"if with two arms missing", "if(fan.run)", 1, "write if(condition, then, else)"},
		{"if without parentheses", "if fan.run", 1, "if is a function"},

		{"a parenthesis too few", "(a + (b)", 9, "there is no ) for the ( at column 1"},
		{"a parenthesis too many", "a + b)", 6, "there is no ( for this )"},
		{"a comma at the end", "min(a, b,)", 10, "nothing behind the last comma"},
		{"an operator at the end", "a +", 4, "ends too soon"},
		{"an operator too many", "a + * b", 5, "* stands where"},
		{"no operator", "a b", 3, "there is no operator before b"},
		{"no operator before a parenthesis", "2 (a)", 3, "there is no operator before ("},
		{"and where a point should be", "a > 1 and and", 11, "and stands where"},
		{"AND", "a > 1 AND b > 1", 7, "did you mean and?"},
		{"a chain", "1 < a < 3", 7, "can't be chained"},
		{"a dot in front", ".5 + a", 1, "'.' has no meaning here"},
		{"a dot behind", "a. + 1", 2, "'.' has no meaning here"},
		{"a dot behind a number", "5. + a", 1, "5. is neither"},
		{"a number with letters", "10x", 1, "10x is neither a number nor a duration"},
		{"a number too large", "1e999", 1, "too large"},
		{"hexadecimal", "0xFF", 1, "0xFF is neither"},
		{"a text without its end", "valve == 'open", 10, "has no ' at its end"},

		{"! before", "!fan.run", 1, "write not"},
		{"!=", "a != 3", 3, "write <>"},
		{"&&", "fan.run && fan.main", 9, "write and"},
		{"||", "fan.run || fan.main", 9, "write or"},
		{"?:", "fan.run ? a : b", 9, "write if(a, b, c)"},
		{"=>", "a => 3", 3, "write >="},
		{"**", "a ** 2", 3, "write ^"},
		{"≥", "a ≥ 3", 3, "write >="},
		{"×", "a × 3", 3, "write *"},
		{"double quotes", `valve == "open"`, 10, "single quotes"},
		{"a full-width parenthesis", "min（a, b)", 4, "（ is a full-width character; write ("},
		{"a full-width digit", "a + ３", 5, "write 3"},
		{"a full-width letter", "ａ + 3", 1, "write a"},
		{"a full-width space", "a\u3000+ 3", 2, "a plain space"},
		{"a stray character", "a # b", 3, "'#' has no meaning here"},
		{"not UTF-8", "a + \xff", 1, "UTF-8"},
		{"no character at all", "a \x00", 3, "has no meaning"},

		{"metres and percent", "pond.level + gas.ch4", 14, "gas.ch4 in %CH4 doesn't go with pond.level in m"},
		{"metres against millimetres", "pond.level > pond.rain", 14, "pond.rain in mm doesn't go with pond.level in m"},
		{"units through a sum", "1 + pond.level - (2 + pond.rain)", 19, "this number in mm doesn't go with this number in m"},
		{"units in a function", "max(1, pond.level, gas.ch4)", 20, "gas.ch4 in %CH4 doesn't go with pond.level in m"},
		{"units in a choice", "if(fan.run, pond.level, gas.ch4)", 25, "doesn't go with"},
		{"units through a sign", "-pond.level + pond.rain", 15, "doesn't go with"},

		{"a number as a truth", "a and fan.run", 1, "a is neither true nor false; compare it"},
		{"a number as a condition", "if(a, 1, 2)", 4, "a is neither true nor false"},
		{"not of a number", "not a", 5, "a is neither true nor false"},
		{"a number against true", "a == true", 3, "a number is neither true nor false"},
		{"a text in a sum", "plc.text + 1", 1, "plc.text can't be calculated with"},
		{"a text as a whole", "plc.text", 1, "the result is a text"},
		{"a literal text as a whole", "'x'", 1, "the result is a text"},
		{"a duration as a whole", "10m", 1, "the result is a duration"},
		{"a duration in a sum", "a + 10m", 5, "can't be calculated with"},
		{"a duration compared", "a > 10m", 3, "a duration can't be compared"},
		{"a text against a number", "plc.text == a", 10, "can't be compared: one is a text"},
		{"a text in order", "plc.text < 'x'", 10, "only be compared by == or <>"},
		{"a state in order", "valve >= 'open'", 7, "only be compared by == or <>"},
		{"two literal texts", "'a' == 'b'", 5, "two texts that never change"},
		{"a point without states", "a == 'open'", 6, "a has no states"},
		{"a state nearly", "valve == 'opne'", 10, "valve is never 'opne'; did you mean 'open'?"},
		{"a state not at all", "valve == 'broken'", 10, "it is one of 'shut', 'open'"},
		{"a mode nearly", "mode == 'seald'", 9, "did you mean 'sealed'?"},
		{"mode in a sum", "mode + 1", 1, "mode can't be calculated with"},
		{"decimals that are no number", "round(a, b)", 10, "a whole number from 0 to 15"},
		{"half a decimal", "round(a, 1.5)", 10, "a whole number"},
		{"too many decimals", "round(a, 16)", 10, "a whole number"},

		{"delta of a sum", "delta(a + 1, 1h)", 7, "a point with a number must stand here"},
		{"delta without a duration", "delta(a, 60)", 10, "a duration such as 10m"},
		{"a duration in no unit", "delta(a, 5min)", 10, "5min is neither"},
		{"half an hour", "delta(a, 0.5h)", 10, "0.5h is neither"},
		{"no time at all", "delta(a, 0s)", 10, "more than 0"},
		{"longer than time", "delta(a, 99999999999d)", 10, "too long"},
		{"held of a number", "held(a, 5m)", 6, "neither true nor false"},
		{"since no time of day", "since(a, '25:00')", 10, "no time of day"},
		{"since a number", "since(a, 8)", 10, "a text in single quotes"},
		{"four of three", "vote(4, fan.run, fan.main, true)", 6, "4 of 3 is no vote"},
		{"none of three", "vote(0, fan.run, fan.main, true)", 6, "0 of 3 is no vote"},
		{"good of another unit", "good(pond.level, pond.rain)", 18, "doesn't go with"},

		{"a name where a table should stand", "interp(beach, a)", 8, "a table must stand here; write interp([[x1, y1], [x2, y2], ...], x)"},
		{"a table that falls", "interp([[0, 1], [0, 2]], a)", 17, "0 is not above 0"},
		{"a table of one", "interp([[0, 1]], a)", 8, "two pairs"},
		{"a table of triples", "interp([[0, 1, 2], [3, 4, 5]], a)", 14, "there is no ] for the [ at column 9"},
		{"a table of points", "interp([[0, a], [1, b]], a)", 13, "a number must stand here"},
		{"a table that ends too soon", "interp([[0, 1], [1", 19, "a comma and a second number"},
		{"a table elsewhere", "[[0, 1]] + 1", 1, "a table stands only in interp"},
		{"a mean of a sum over a time", "avg(a + 1, 10m)", 5, "a point with a number must stand here; write avg(x, y, ...) or avg(point, 10m)"},
		{"a sum over a time", "sum(a, 10m)", 8, "can't be calculated with"},
		{"longer than a year", "delta(a, 400d)", 10, "longer than a year"},
		{"two means that don't go together", "avg(pond.level, 10m) - avg(pond.rain, 10m)", 24, "this number in mm doesn't go with this number in m"},
		{"a rate and a level", "rate(pond.level, 1h) > pond.level", 24, "pond.level in m doesn't go with this number in m/h"},

		{"too long", strings.Repeat("a+", 500) + "a", 1, "at most 1000 characters"},
		{"too deep in parentheses", strings.Repeat("(", 200) + "a", 101, "nested too deep"},
		{"too deep in signs", strings.Repeat("-", 200) + "a", 101, "nested too deep"},
		{"too deep in nots", strings.Repeat("not ", 200) + "true", 401, "nested too deep"},
		{"too deep in powers", strings.Repeat("2^", 200) + "2", 201, "nested too deep"},
		{"too deep in calls", strings.Repeat("abs(", 200) + "a", 401, "nested too deep"},
	} {
		t.Run(c.story, func(t *testing.T) {
			_, err := Parse(c.src, mine)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%s: error %v, want an *Error", c.src, err)
			}
			if e.Col != c.col || !strings.Contains(e.Text, c.text) {
				t.Errorf("%s:\n got %d: %s\nwant %d: %s", c.src, e.Col, e.Text, c.col, c.text)
			}
		})
	}
}

func TestWhatGoesTogether(t *testing.T) {
	for _, src := range []string{
		"oven.in - oven.out", // two spellings of one unit
		"pond.level * 1000 - pond.rain",
		"pond.rain / 1000 + pond.level",
		"pond.level > 3 and pond.rain > 3",
		"if(pond.rain > 3, pond.level, 0)",
		"pond.level ^ 2 + pond.rain",
		"avg(a, b, c) + median(a, b) + sum(a) + pow(a, 2) + interp([[0, 1], [1.5, -2e3]], pond.level)",
		"count(fan.run, a > 3) + delta(a, 1h) + rate(pond.level, 10m) + since(a, '08:00')",
		"held(gas.ch4 > 1, 5m) or vote(2, fan.run, fan.main, a > 1) or good(fan.run, false)",
		"good(pond.level, 1200) + pond.beach",
		"mode <> 'running'",
	} {
		if _, err := Parse(src, mine); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestInputsKindUnit(t *testing.T) {
	e, err := Parse("pond.level + good(pond.beach, pond.level) > delta(pond.level, 1h) and mode == 'sealed' or good(fan.run, false)", mine)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Inputs(), []string{"pond.level", "pond.beach", "fan.run"}; !slices.Equal(got, want) {
		t.Errorf("Inputs %v, want %v", got, want)
	}
	if e.Reach() != time.Hour || !e.Moody() {
		t.Errorf("Reach %v, Moody %v, want an hour, true", e.Reach(), e.Moody())
	}
	if e.Kind() != drivers.Bool {
		t.Errorf("Kind %v, want Bool", e.Kind())
	}
}

func TestUnits(t *testing.T) {
	for src, want := range map[string]string{
		"1250 - pond.level": "m", "pond.level * 2": "", "rate(pond.level, 1h)": "m/h", "delta(pond.rain, 24h)": "mm",
		"avg(oven.in, oven.out)": "℃", "max(pond.level, 10m)": "m", "sqrt(pond.level)": "", "count(fan.run)": "", "good(pond.rain, 0)": "mm",
		"if(fan.run, 0, pond.rain)": "mm", "rate(a, 1h)": "", "since(pond.rain, '08:00')": "mm",
	} {
		e, err := Parse(src, mine)
		if err != nil || e.Unit() != want {
			t.Errorf("%s is in %q (%v), want %q", src, e.Unit(), err, want)
		}
	}
}
