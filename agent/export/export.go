// Package export takes readings and events out of a buffer, and says what can't
// be read of it. It only reads, takes no lock, and works on a folder whose agent
// runs as well as on one that is damaged. It knows no site file and no network.
//
// Promises, which the tests cite by number:
//
//  1. What is written are whole rows, in the order of their numbers, whenever
//     the export ends.
//  2. Each number asked for is a row, or is told: as lost, as left out by the
//     pattern of points, or as one that has no wall time where times were asked for.
//  3. Events stand there byte for byte as they were signed, and without a hole
//     that the buffer doesn't have, so that a chain can be verified.
//  4. Nothing in the folder is changed, and no writer waits.
package export

import (
	"bufio"
	"context"
	"errors"
	"io"

	"pithead/agent/record"
	"pithead/buffer"
)

// The lanes of an agent's buffer.
const (
	events = "events"
	data   = "data"
	stats  = "stats"
)

// A Source is a buffer that is looked at, and the wall clock's offset of each
// boot whose readings were stored before their clock was known.
type Source struct {
	*buffer.View
	Offsets map[uint32]int64 // t = m + offset, in Unix milliseconds
}

// A Result is what became of an export.
type Result struct {
	Rows    int    `json:"rows"`
	Last    uint64 `json:"last"`              // the number that was looked at last
	Undated int    `json:"undated,omitempty"` // left out: a time was asked for, or CSV, and they have none
	Lost    []Gap  `json:"lost,omitempty"`
	Stopped bool   `json:"stopped,omitempty"` // before the end, because it was told to
	Error   string `json:"error,omitempty"`   // through the local socket
}

// Progress is told after each frame which share is done, 0 to 1.
type Progress func(share float64)

// Export writes what q asks for. A context that ends is no error: what was
// written until then is whole.
func Export(ctx context.Context, s Source, q Query, w io.Writer, p Progress) (Result, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	e := &exporter{s: s, q: q, w: out, walk: walk{ctx: ctx, v: s.View, tell: p}}
	var err error
	if q.Events {
		err = e.events()
	} else {
		err = e.readings()
	}
	e.Lost, e.Last = e.walk.gaps, e.walk.last
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		e.Stopped, err = true, nil
	}
	return e.Result, errors.Join(err, out.Flush())
}

type exporter struct {
	Result
	s    Source
	q    Query
	w    *bufio.Writer
	walk walk
	row  []byte
}

// readings writes the data lane.
func (e *exporter) readings() error {
	if err := e.write(e.q.head()); err != nil {
		return err
	}
	dec, wanted := record.Decoder{}, map[string]bool{}
	from, to := e.q.numbers(e.s.lane(data))
	return e.walk.parts(data, e.datedParts(), from, to, func(f buffer.Frame) error {
		if f.Key {
			return dec.Key(f.Payload)
		}
		b, err := dec.Frame(f.Payload)
		if err != nil {
			return err
		}
		offset, dated := e.s.offset(b)
		for i := range b.Readings {
			r := row{&b.Readings[i], f.First + uint64(i), b.Boot, b.Readings[i].M + offset, dated}
			want, known := wanted[r.Point]
			if !known {
				want = e.q.point(r.Point)
				wanted[r.Point] = want
			}
			if want && r.n >= from && r.n <= to {
				if err := e.reading(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// reading writes one reading, if its time is asked for.
func (e *exporter) reading(r row) error {
	switch {
	case r.dated && !e.q.within(r.t):
		return nil
	case !r.dated && (e.q.timed() || e.q.CSV):
		e.Undated++
		return nil
	}
	e.Rows++
	if e.q.CSV {
		e.row = r.csv(e.row[:0], e.q.Zone)
	} else {
		e.row = r.json(e.row[:0])
	}
	return e.write(e.row)
}

// write ends the walk where the rows can't be written.
func (e *exporter) write(b []byte) error {
	if _, err := e.w.Write(b); err != nil {
		return &fatal{err}
	}
	return nil
}

// datedParts are the parts of the data lane that may hold what is asked for.
func (e *exporter) datedParts() []buffer.Part {
	parts := e.s.Parts(data)
	if !e.q.timed() {
		return parts
	}
	first, last := e.q.times()
	return buffer.Between(parts, first, last, func(p buffer.Part) (int64, bool) {
		r := e.s.Reader(data, p.First)
		defer r.Close()
		var dec record.Decoder
		for {
			f, err := r.Next()
			if err != nil {
				return 0, false
			}
			if f.Key {
				if dec.Key(f.Payload) != nil {
					return 0, false
				}
				continue
			}
			b, err := dec.Frame(f.Payload)
			if err != nil || len(b.Readings) == 0 {
				return 0, false
			}
			offset, dated := e.s.offset(b)
			return b.Readings[0].M + offset, dated
		}
	})
}

// offset is what makes wall times of a batch's times; false where nobody knows.
func (s Source) offset(b record.Batch) (int64, bool) {
	if b.Clock != record.Unknown {
		return b.Offset, true
	}
	o, ok := s.Offsets[b.Boot]
	return o, ok
}

func (s Source) lane(name string) buffer.ViewLane {
	for _, l := range s.Lanes {
		if l.Name == name {
			return l
		}
	}
	return buffer.ViewLane{Name: name, First: 1, Next: 1}
}
