package export

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
)

// A Health is what Check found.
type Health struct {
	Dir     string   `json:"dir"`
	Epoch   string   `json:"epoch"`
	Lanes   []Lane   `json:"lanes"`
	Damage  []Gap    `json:"damage,omitempty"`
	Aside   []string `json:"aside,omitempty"` // what the agent has set aside: segments (*.bad) and whole logs
	Stopped bool     `json:"stopped,omitempty"`
}

// Lane is what Check or Look says of one lane.
type Lane struct {
	Name    string `json:"name"`
	First   uint64 `json:"first"` // oldest number that is still there
	Last    uint64 `json:"last"`
	Bytes   int64  `json:"bytes"`             // on disk
	Records uint64 `json:"records,omitempty"` // that Check has read
}

// Sound says that all of it could be read.
func (h Health) Sound() bool { return len(h.Damage) == 0 && !h.Stopped }

// Check reads all that is in a folder, and judges each checksum, that every
// record can be understood, and that each event follows the one before it. What
// goes for space meanwhile is no damage.
func Check(ctx context.Context, dir string, v *buffer.View, p Progress) (Health, error) {
	h := Health{Dir: dir, Epoch: v.Epoch}
	w := &walk{ctx: ctx, v: v, tell: p}
	for _, l := range v.Lanes {
		for _, part := range v.Parts(l.Name) {
			w.all += part.Bytes
		}
	}
	for _, l := range v.Lanes {
		lane := Lane{Name: l.Name, First: l.First, Last: l.Next - 1, Bytes: l.Bytes}
		judge := judges(l.Name)
		err := w.parts(l.Name, v.Parts(l.Name), l.First, l.Next-1, func(f buffer.Frame) error {
			if err := judge(f); err != nil {
				return err
			}
			lane.Records += uint64(f.Count)
			return nil
		})
		h.Lanes = append(h.Lanes, lane)
		if errors.Is(err, context.Canceled) {
			h.Stopped = true
			break
		}
		if err != nil {
			return h, err
		}
	}
	h.Damage = slices.DeleteFunc(w.gaps, func(g Gap) bool { return g.Dropped })
	for _, f := range v.Faults {
		told := func(g Gap) bool { return g.Segment == f.Segment && g.Offset == f.Offset }
		if !slices.ContainsFunc(h.Damage, told) {
			lane, _, _ := strings.Cut(f.Segment, "-")
			h.Damage = append(h.Damage, Gap{Lane: lane, Segment: f.Segment, Offset: f.Offset, First: f.First, Last: f.Last, What: f.What})
		}
	}
	h.Aside = aside(dir)
	return h, nil
}

// judges is what understands the frames of a lane. Of a lane that a later
// version has, only the checksums are judged.
func judges(lane string) func(buffer.Frame) error {
	switch lane {
	case data:
		var dec record.Decoder
		return func(f buffer.Frame) error {
			if f.Key {
				return dec.Key(f.Payload)
			}
			b, err := dec.Frame(f.Payload)
			if err == nil && len(b.Readings) != f.Count {
				err = fmt.Errorf("it holds %d readings, not %d", len(b.Readings), f.Count)
			}
			return err
		}
	case stats:
		return func(f buffer.Frame) error {
			if f.Key {
				return nil
			}
			b, err := record.ReadStats(f.Payload)
			if err == nil && len(b.Stats) != f.Count {
				err = fmt.Errorf("it holds %d statistics, not %d", len(b.Stats), f.Count)
			}
			return err
		}
	case events:
		return new(links).judge
	}
	return func(buffer.Frame) error { return nil }
}

// links holds each event against the one before it in its epoch.
type links struct {
	epoch string
	n     uint64 // of that one, 0: there is none
	hash  event.Hash
}

func (l *links) judge(f buffer.Frame) error {
	if f.Key {
		return nil
	}
	p, err := event.Parse(f.Payload)
	if err != nil {
		return err
	}
	was := *l
	*l = links{p.Epoch, p.N, p.Hash()}
	if p.N != f.First {
		return fmt.Errorf("it says that it is event %d", p.N)
	}
	if was.epoch == p.Epoch && was.n+1 == p.N && p.Chain != was.hash.String() {
		return fmt.Errorf("it doesn't follow event %d: one of the two was changed", was.n)
	}
	return nil
}

// aside is what the agent set aside, and left for a person.
func aside(dir string) []string {
	var names []string
	for _, pattern := range []string{"log/*.bad", "*.bad", "log.old-*"} {
		found, _ := filepath.Glob(filepath.Join(escape(dir), pattern)) // the patterns are sound
		for _, f := range found {
			if rel, err := filepath.Rel(dir, f); err == nil {
				names = append(names, rel)
			}
		}
	}
	return names
}

// escape makes a path of a pattern mean itself.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// Look is the quick look that stat takes: nothing but the newest segments is read.
func Look(dir string, v *buffer.View) Stat {
	st := Stat{Dir: dir, Epoch: v.Epoch, Positions: v.Positions, Aside: aside(dir)}
	// The agent notes other things beside the positions.
	maps.DeleteFunc(st.Positions, func(name string, _ uint64) bool {
		lane, _, _ := strings.Cut(name, "/")
		return !slices.Contains([]string{"data", "events", "stats"}, lane)
	})
	for _, l := range v.Lanes {
		st.Lanes = append(st.Lanes, Lane{Name: l.Name, First: l.First, Last: l.Next - 1, Bytes: l.Bytes})
	}
	for _, f := range v.Faults {
		st.Faults = append(st.Faults, f.String())
	}
	return st
}

// Stat is what buffer stat prints with --json.
type Stat struct {
	Dir       string            `json:"dir"`
	Epoch     string            `json:"epoch"`
	Lanes     []Lane            `json:"lanes"`
	Positions map[string]uint64 `json:"positions"` // lane/uplink: the last acknowledged number
	Faults    []string          `json:"faults,omitempty"`
	Aside     []string          `json:"aside,omitempty"`
}
