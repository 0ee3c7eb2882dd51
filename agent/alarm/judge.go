package alarm

import (
	"math"

	"pithead/drivers"
)

// A verdict is what one sample says about the condition.
type verdict uint8

const (
	isSilent  verdict = iota // nothing: bad, under test, or no number
	isSafe                   // good, and on the side where the alarm clears
	isBetween                // good, neither beyond the limit nor clear of it
	isBeyond                 // the condition is true, and the on-delay counts
	isPoor                   // under half of the attempts were good: true without delay
)

// Reaches says whether a sample by itself lies beyond the limit of above, below
// or outside, or is what equals asks for.
func Reaches(d *Def, s Sample) bool {
	a := Alarm{def: d}
	return d.Condition <= Equals && a.judge(s) == isBeyond
}

// judge notes the limit that a sample lies beyond.
func (a *Alarm) judge(s Sample) verdict {
	switch a.def.Condition {
	case Above:
		return a.judgeAbove(s)
	case Below:
		return a.judgeBelow(s)
	case Outside:
		return a.judgeOutside(s)
	case Equals:
		return a.judgeEquals(s)
	case Fault:
		return a.judgeQuality(s)
	case Rise, Fall, Flat:
		v := a.window.judge(s)
		if v == isBeyond {
			a.gap, a.limit, a.hasLimit = a.window.gap, a.def.Limit[0], a.def.Condition != Flat
		}
		return v
	}
	return isSilent
}

func (a *Alarm) judgeAbove(s Sample) verdict {
	limit, clear := a.def.Limit[0], a.def.Clear[0]
	v, ok := number(s)
	switch {
	case s.Quality == drivers.Over, ok && drivers.Compare(v, limit) >= 0:
		return a.crossed(limit)
	case !ok:
		return isSilent
	case drivers.Compare(v, clear) < 0:
		return isSafe
	}
	return isBetween
}

func (a *Alarm) judgeBelow(s Sample) verdict {
	limit, clear := a.def.Limit[0], a.def.Clear[0]
	v, ok := number(s)
	switch {
	case s.Quality == drivers.Under, ok && drivers.Compare(v, limit) <= 0:
		return a.crossed(limit)
	case !ok:
		return isSilent
	case drivers.Compare(v, clear) > 0:
		return isSafe
	}
	return isBetween
}

func (a *Alarm) judgeOutside(s Sample) verdict {
	limit, clear := a.def.Limit, a.def.Clear
	v, ok := number(s)
	switch {
	case s.Quality == drivers.Under, ok && drivers.Compare(v, limit[0]) < 0:
		return a.crossed(limit[0])
	case s.Quality == drivers.Over, ok && drivers.Compare(v, limit[1]) > 0:
		return a.crossed(limit[1])
	case !ok:
		return isSilent
	case drivers.Compare(v, clear[0]) >= 0 && drivers.Compare(v, clear[1]) <= 0:
		return isSafe
	}
	return isBetween
}

func (a *Alarm) crossed(limit float64) verdict {
	a.limit, a.hasLimit = limit, true
	return isBeyond
}

// number is the value that a limit may be held against.
func number(s Sample) (float64, bool) {
	v := s.Value.Float()
	return v, s.Quality == drivers.Good && !math.IsNaN(v)
}

// judgeEquals compares integers exactly, since they may be codes, and texts;
// whatever else has a number by that number, a truth being 0 or 1.
func (a *Alarm) judgeEquals(s Sample) verdict {
	want := a.def.Equal
	if s.Quality != drivers.Good {
		return isSilent
	}
	var same bool
	switch k := s.Value.Kind(); {
	case k == want.Kind() && k != drivers.Number:
		same = s.Value == want
	case math.IsNaN(s.Value.Float()) || math.IsNaN(want.Float()):
		return isSilent // a text and a number, or no value: neither equal nor different
	default:
		same = drivers.Compare(s.Value.Float(), want.Float()) == 0
	}
	if same {
		return isBeyond
	}
	return isSafe
}

// judgeQuality doesn't let a good sample clear what is poor.
func (a *Alarm) judgeQuality(s Sample) verdict {
	switch {
	case s.Quality == drivers.Test:
		return isSilent
	case a.attempts.arePoor():
		return isPoor
	case s.Quality != drivers.Good:
		return isBeyond
	}
	return isSafe
}
