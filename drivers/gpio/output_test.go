package gpio

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
	periph "periph.io/x/conn/v3/gpio"
)

const low, high = periph.Low, periph.High

// Promise 6.
func TestAnOutputBeginsInItsWantedState(t *testing.T) {
	for _, c := range []struct {
		story, id string
		pin       int
		set       []bool
		want      []periph.Level
	}{
		{"a siren that is off", "siren", 22, []bool{false}, []periph.Level{low}},
		{"a siren that is on from the start was never off", "siren", 22, []bool{true, false}, []periph.Level{high, low}},
		{"a cut-off that is on while low", "cutoff", 23, []bool{true, false, true}, []periph.Level{low, high, low}},
	} {
		t.Run(c.story, func(t *testing.T) {
			f := newBoard()
			b := openOn(t, f, siteBoard())
			o := b.Output(c.id)
			for _, on := range c.set {
				if err := o.Set(t.Context(), on); err != nil {
					t.Fatal(err)
				}
				if got, err := o.Get(t.Context()); err != nil || got != on {
					t.Errorf("set %v, read back %v, %v", on, got, err)
				}
			}
			if p := f.wire(c.pin); !slices.Equal(p.shown, c.want) {
				t.Errorf("the line went %v, want %v", p.shown, c.want)
			}
			before := len(f.wire(c.pin).shown)
			b.Close()
			if p := f.wire(c.pin); len(p.shown) != before || p.held {
				t.Error("closing changed the line, or kept it")
			}
		})
	}
}

// Promise 6.
func TestGetBeforeSetDrivesNothing(t *testing.T) {
	f := newBoard()
	b := openOn(t, f, siteBoard())
	if on, err := b.Output("cutoff").Get(t.Context()); err == nil {
		t.Errorf("an output that nobody set reads %v", on)
	}
	if f.wire(23).held || f.dials != 0 {
		t.Error("asking touched the line")
	}
}

func TestAnOutputThatReadsBackAnotherLevel(t *testing.T) {
	f := newBoard()
	b := openOn(t, f, siteBoard())
	o := b.Output("siren")
	o.Set(t.Context(), true)
	f.wire(22).L = low // a short
	if on, err := o.Get(t.Context()); on || err != nil {
		t.Errorf("read back %v, %v; want what is on the wire", on, err)
	}
}

func TestAnOutputThatCannotBeHad(t *testing.T) {
	f := newBoard()
	f.busy[22] = true
	b := openOn(t, f, siteBoard())
	o := b.Output("siren")
	if err := o.Set(t.Context(), true); !errors.Is(err, unix.EBUSY) {
		t.Errorf("set: %v", err)
	}
	if _, err := o.Get(t.Context()); !errors.Is(err, unix.EBUSY) {
		t.Errorf("get: %v", err)
	}
	f.busy[22] = false
	// Reading back asks for the line again, in the state that was wanted.
	if on, err := o.Get(t.Context()); !on || err != nil {
		t.Errorf("read back %v, %v", on, err)
	}
	if !slices.Equal(f.wire(22).shown, []periph.Level{high}) {
		t.Errorf("the line went %v", f.wire(22).shown)
	}
}

func TestAnOutputComesBackWithItsChip(t *testing.T) {
	f := newBoard()
	b := openOn(t, f, siteBoard())
	o := b.Output("cutoff")
	o.Set(t.Context(), true)
	f.present = false
	if _, err := o.Get(t.Context()); err == nil {
		t.Error("an output without a chip can be read back")
	}
	if err := o.Set(t.Context(), true); err == nil {
		t.Error("an output without a chip can be set")
	}
	f.present = true
	if err := o.Set(t.Context(), true); err != nil {
		t.Error(err)
	}
	if !slices.Equal(f.wire(23).shown, []periph.Level{low, low}) {
		t.Errorf("the line went %v, want low and low again", f.wire(23).shown)
	}
}
