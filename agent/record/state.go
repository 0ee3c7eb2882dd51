package record

import (
	"math"

	"pithead/drivers"
)

// state is what both sides remember between frames. The encoder writes what
// differs from it, the decoder adds the same difference; so every rule of how
// it moves stands here once.
type state struct {
	points []point
	cursor
}

// cursor is the end of the newest frame.
type cursor struct {
	era *era   // never changed itself, so that points may share it
	at  int    // the point of the newest reading; -1 before the first
	m   int64  // its time
	sum uint32 // of everything that was framed: what the next frame must follow
}

// era is what the readings of a frame share.
type era struct {
	boot   uint32
	clock  Clock
	offset int64
}

// point is a point with where it stands.
type point struct {
	id string
	newest
}

// newest is the newest reading of a point.
type newest struct {
	era  *era // nil: there is none
	m    int64
	num  uint64 // mantissa, bits or integer, as the form says
	rest *rest
	next int32 // the point whose reading came after this one's the last time
	shape
}

// rest is what few points have. It is never changed itself, since an undo keeps it;
// nil where both are empty.
type rest struct {
	text string
	good drivers.Value // the last good one; none while the newest reading is good itself
}

func (p *point) text() string {
	if p.rest == nil {
		return ""
	}
	return p.rest.text
}

func (p *point) good() drivers.Value {
	if p.rest == nil {
		return drivers.Value{}
	}
	return p.rest.good
}

func (p *point) keep(text string, good drivers.Value) {
	switch r := (rest{text, good}); {
	case r == rest{}:
		p.rest = nil
	case p.rest == nil || *p.rest != r:
		p.rest = &r
	}
}

// shape is what rarely changes from one reading of a point to the next.
type shape struct {
	quality drivers.Quality
	code    uint8
	form    form
	exp     uint8 // of a decimal: digits behind the point
}

// form is how a value stands in a frame.
type form uint8

const (
	none form = iota
	decimal
	float
	unsigned
	signed
	no
	yes
	text
)

// predict is the point whose reading should come next: the one that came after
// this one the last time. Devices are polled in turn, so this is mostly right.
func (s *state) predict() int {
	if s.at < 0 {
		return 0
	}
	return int(s.points[s.at].next)
}

// reshape makes p's value one of another shape: nothing is left of the old one
// to build on, but the last good one is kept.
func (p *point) reshape(s shape) {
	good := p.good()
	switch {
	case s.quality == drivers.Good:
		good = drivers.Value{}
	case p.quality == drivers.Good:
		good = p.value()
	}
	p.shape, p.num = s, 0
	p.keep("", good)
}

func (p *point) lastGood() drivers.Value {
	if p.quality == drivers.Good {
		return p.value()
	}
	return p.good()
}

func (p *point) value() drivers.Value {
	switch p.form {
	case decimal:
		return drivers.NumberValue(float64(int64(p.num)) / pow10[p.exp])
	case float:
		return drivers.FromBits(drivers.Number, p.num)
	case unsigned:
		return drivers.UintValue(p.num)
	case signed:
		return drivers.IntValue(int64(p.num))
	case no, yes:
		return drivers.BoolValue(p.form == yes)
	case text:
		return drivers.TextValue(p.text())
	}
	return drivers.Value{}
}

func (p *point) reading() Reading {
	return Reading{Point: p.id, M: p.m, Value: p.value(), Quality: p.quality, Code: p.code}
}

func (s *state) last() []Last {
	var ls []Last
	for i := range s.points {
		if p := &s.points[i]; p.era != nil {
			ls = append(ls, Last{p.reading(), p.lastGood(), p.era.boot, p.era.clock, p.era.offset})
		}
	}
	return ls
}

// shapeOf is how r is written where the reading before it had the shape was.
func shapeOf(r *Reading, was shape) (s shape, num uint64) {
	s = shape{quality: r.Quality, code: r.Code}
	v := r.Value
	switch num = v.Bits(); v.Kind() {
	case drivers.Number:
		hint := uint8(0)
		if was.form == decimal {
			hint = was.exp
		}
		if mant, exp, ok := decimalOf(v.Float(), hint); ok {
			s.form, s.exp = decimal, exp
			return s, uint64(mant)
		}
		s.form = float
	case drivers.Uint:
		s.form = unsigned
	case drivers.Int:
		s.form = signed
	case drivers.Bool:
		s.form = no + form(num&1)
		num = 0
	case drivers.Text:
		s.form = text
	}
	return s, num
}

const maxExp = 15

var pow10 = [maxExp + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimalOf is f as mant/10^exp, where that division gives f back bit for bit:
// with hint digits if it can be (so that 12.5 among values like 12.53 stays in
// hundredths), else with as few as it can be.
func decimalOf(f float64, hint uint8) (mant int64, exp uint8, ok bool) {
	if m, ok := fits(f, hint); ok {
		return m, hint, true
	}
	for e := range uint8(maxExp + 1) {
		if m, ok := fits(f, e); ok {
			return m, e, true
		}
	}
	return 0, 0, false
}

func fits(f float64, exp uint8) (int64, bool) {
	m := math.RoundToEven(f * pow10[exp])
	if !(math.Abs(m) <= 1<<53) { // not a number, too, fails this
		return 0, false
	}
	back := float64(int64(m)) / pow10[exp]
	return int64(m), math.Float64bits(back) == math.Float64bits(f)
}
