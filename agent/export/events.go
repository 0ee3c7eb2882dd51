package export

import (
	"pithead/agent/event"
	"pithead/buffer"
)

// events writes the events lane. Where times were asked for it goes through the
// lane twice: a clock that was set back must leave no hole in the chain, so all
// between the first and the last event of these times is written.
func (e *exporter) events() error {
	if err := e.write(e.q.head()); err != nil {
		return err
	}
	from, to := e.q.numbers(e.s.lane(events))
	if e.q.timed() {
		var err error
		if from, to, err = e.span(from, to); err != nil {
			return err
		}
	}
	return e.walk.parts(events, e.s.Parts(events), from, to, func(f buffer.Frame) error {
		if f.Key || f.First < from {
			return nil
		}
		e.Rows++
		if !e.q.CSV {
			return e.write(append(f.Payload[:len(f.Payload):len(f.Payload)], '\n'))
		}
		p, err := event.Parse(f.Payload)
		if err != nil {
			e.Rows--
			return err
		}
		t, dated := e.s.when(p)
		e.row = eventCSV(e.row[:0], p, t, dated, e.q.Zone)
		return e.write(e.row)
	})
}

// span is the numbers of the first and the last event whose time was asked for.
func (e *exporter) span(from, to uint64) (first, last uint64, err error) {
	w := walk{ctx: e.walk.ctx, v: e.walk.v}
	first, last = to+1, to
	err = w.parts(events, e.s.Parts(events), from, to, func(f buffer.Frame) error {
		if f.Key || f.First < from {
			return nil
		}
		p, err := event.Parse(f.Payload)
		if err != nil {
			return err
		}
		if t, dated := e.s.when(p); dated && e.q.within(t) {
			if first > to {
				first = f.First
			}
			last = f.First
		}
		return nil
	})
	return first, last, err
}

// when is an event's wall time; false where nobody knows it.
func (s Source) when(p event.Parsed) (int64, bool) {
	if p.Known {
		return p.T, true
	}
	o, ok := s.Offsets[p.Boot]
	return p.M + o, ok
}
