package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pithead/config"
	"pithead/drivers"
)

// lamp is an output that remembers how it was switched.
type lamp struct {
	puts  []bool
	reads func() (bool, error)
	fails int // from this write on
}

func (l *lamp) Set(_ context.Context, on bool) error {
	if l.fails > 0 && len(l.puts) >= l.fails {
		return errors.New("no answer")
	}
	l.puts = append(l.puts, on)
	return nil
}

func (l *lamp) Get(context.Context) (bool, error) {
	if l.reads != nil {
		return l.reads()
	}
	return l.puts[len(l.puts)-1], nil
}

func TestAHandHoldsAnOutputForItsTime(t *testing.T) {
	stuck := func() (bool, error) { return false, nil }
	deaf := func() (bool, error) { return false, errors.ErrUnsupported }
	for _, c := range []struct {
		story string
		trip  bool
		line  lamp
		took  time.Duration
		puts  []bool
		err   string
	}{
		{"a siren goes off again", false, lamp{}, time.Minute, []bool{true, false}, ""},
		{"a line that can't be read back", false, lamp{reads: deaf}, time.Minute, []bool{true, false}, ""},
		{"a trip stays", true, lamp{}, time.Minute, []bool{true}, ""},
		{"it does not act", false, lamp{reads: stuck}, 0, []bool{true}, "x was switched on, but reads back off"},
		{"it can't be put back", false, lamp{fails: 1}, time.Minute, []bool{true}, "x IS STILL on: switch x off: no answer"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				err := hold(ctx, &config.Output{ID: "x", Trip: c.trip}, drivers.Output(&c.line), true, func(string) {})
				if got := time.Since(began); got != c.took || !slices.Equal(c.line.puts, c.puts) || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
					t.Errorf("after %v: %v, %v", got, c.line.puts, err)
				}
			})
		})
	}
}
