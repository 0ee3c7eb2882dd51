package drivers

import (
	"math"
	"testing"
)

func TestTotal(t *testing.T) {
	for _, c := range []struct {
		story  string
		each   float64
		stored float64
		pulses uint64
		want   string
	}{
		{"nothing yet", 0.2, 0, 0, "0"},
		{"three times 0.2 is 0.6", 0.2, 0, 3, "0.6"},
		{"it goes on from what was stored", 0.2, 1234.6, 2, "1235"},
		{"ten years of rain do not drift", 0.1, 0, 123_456_789, "12345678.9"},
		{"whole units", 1, 41, 1, "42"},
		{"a unit of many", 250, 1000, 3, "1750"},
		{"the worth of a pulse was another before", 1, 12.4, 2, "14.4"},
		{"a stored total that can't be", 0.2, math.NaN(), 5, "1"},
		{"or has no end", 0.2, math.Inf(1), 5, "1"},
		{"it may count down", -0.5, 10, 3, "8.5"},
	} {
		t.Run(c.story, func(t *testing.T) {
			total := NewTotal(c.each)
			total.Set(c.stored)
			total.Add(c.pulses)
			if got := total.Value().String(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// At every stop the total is stored, at every start it is given back.
func TestTotalSurvivesAThousandStarts(t *testing.T) {
	stored := 0.0
	for range 1000 {
		total := NewTotal(0.1)
		total.Set(stored)
		total.Add(7)
		stored = total.Value().Float()
	}
	if stored != 700 {
		t.Errorf("7000 pulses of 0.1 make %v", stored)
	}
}
