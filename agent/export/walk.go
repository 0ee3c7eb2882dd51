package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"pithead/buffer"
)

// A Gap is numbers that were asked for and can't be had.
type Gap struct {
	Lane    string `json:"lane"`
	Segment string `json:"segment,omitempty"` // the file that is damaged
	Offset  int64  `json:"offset"`            // where in it
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"` // First-1 if no number is gone, but perhaps a key
	What    string `json:"what"`
	Dropped bool   `json:"dropped,omitempty"` // for space: nothing is damaged
}

// fatal is an error that no other frame mends.
type fatal struct{ error }

func (f *fatal) Unwrap() error { return f.error }

// walk goes through lanes, and notes what is missing.
type walk struct {
	ctx  context.Context
	v    *buffer.View
	tell Progress
	gaps []Gap
	last uint64

	done, all int64 // bytes, for the progress
}

// parts gives take the frames of the numbers from to to in some parts of a lane.
// A frame that take refuses is noted, and the rest follows.
func (w *walk) parts(lane string, parts []buffer.Part, from, to uint64, take func(buffer.Frame) error) error {
	if w.all == 0 {
		for _, p := range parts {
			w.all += p.Bytes
		}
	}
	whole := w.v.Parts(lane)
	for len(parts) > 0 {
		n := 1 // parts that follow each other are one run
		for i := index(whole, parts[0]); n < len(parts) && i+n < len(whole) && whole[i+n].First == parts[n].First; n++ {
		}
		run, end := parts[:n], to
		if i := index(whole, run[n-1]); i+1 < len(whole) {
			end = min(end, whole[i+1].First-1)
		}
		if first := max(from, run[0].First); first <= end {
			if err := w.run(lane, run, first, end, take); err != nil {
				return err
			}
		}
		for _, p := range run {
			w.done += p.Bytes
		}
		parts = parts[n:]
	}
	return nil
}

// index is where in a lane a part is; the end where it has gone.
func index(whole []buffer.Part, p buffer.Part) int {
	for i := range whole {
		if whole[i].First == p.First {
			return i
		}
	}
	return len(whole)
}

func (w *walk) run(lane string, run []buffer.Part, from, to uint64, take func(buffer.Frame) error) error {
	r := w.v.Reader(lane, from)
	defer r.Close()
	for next := from; next <= to; {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		f, err := r.Next()
		var lost *buffer.Lost
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &lost):
			w.note(lane, *lost)
			next = max(next, lost.To+1)
			continue
		case err != nil:
			return err
		}
		if f.First > to {
			return nil
		}
		if err := take(f); err != nil {
			var f2 *fatal
			if errors.As(err, &f2) {
				return f2.error
			}
			w.refused(lane, f, err)
		}
		if f.Count > 0 {
			next = f.First + uint64(f.Count)
			w.last = min(next-1, to)
		}
		w.progress(run, next)
	}
	return nil
}

func (w *walk) note(lane string, l buffer.Lost) {
	g := Gap{Lane: lane, First: l.From, Last: l.To}
	if d := l.Damage; d != nil {
		g.Segment, g.Offset, g.What = d.Segment, d.Offset, d.What
	} else {
		g.What, g.Dropped = "dropped for space", true
	}
	w.gaps = append(w.gaps, g)
}

// refused notes a frame that is sound to the disk but says nothing: mostly
// because it follows one that is lost.
func (w *walk) refused(lane string, f buffer.Frame, err error) {
	g := Gap{Lane: lane, First: f.First, Last: f.First + uint64(f.Count) - 1, What: err.Error()}
	if n := len(w.gaps); n > 0 {
		if was := &w.gaps[n-1]; was.Lane == lane && was.Last+1 == g.First && !was.Dropped {
			if was.What == g.What {
				was.Last = g.Last
				return
			}
			g.Segment, g.Offset = was.Segment, was.Offset
		}
	}
	w.gaps = append(w.gaps, g)
}

// progress tells how far it is: the parts that are done, and of the one in hand
// its share of numbers.
func (w *walk) progress(run []buffer.Part, next uint64) {
	if w.tell == nil || w.all == 0 {
		return
	}
	done := w.done
	for i, p := range run {
		if i+1 < len(run) && run[i+1].First <= next {
			done += p.Bytes
			continue
		}
		if i+1 < len(run) && next > p.First {
			done += int64(float64(p.Bytes) * float64(next-p.First) / float64(run[i+1].First-p.First))
		}
		break
	}
	w.tell(float64(done) / float64(w.all))
}

func (g Gap) String() string {
	what := g.What
	if g.Segment != "" {
		what = fmt.Sprintf("%s at %d: %s", g.Segment, g.Offset, g.What)
	}
	if g.Last < g.First {
		return fmt.Sprintf("%s: %s; no number is gone", g.Lane, what)
	}
	return fmt.Sprintf("%s %d to %d: %s", g.Lane, g.First, g.Last, what)
}

// Damaged says that something is missing that should be there.
func (r Result) Damaged() bool {
	return slices.ContainsFunc(r.Lost, func(g Gap) bool { return !g.Dropped })
}
