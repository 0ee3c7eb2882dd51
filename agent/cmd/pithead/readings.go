package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"pithead/config"
	"pithead/drivers"
	"pithead/drivers/lent"
)

// recorded reads recorded readings, a line each: NDJSON as exported, or CSV with
// the columns time, point, value, quality. It is made for a year of them, so it
// takes lines apart by itself and leaves to encoding/json what is not plain.
type recorded struct {
	in      *bufio.Reader
	points  map[string]*knownPoint
	columns []string // of a CSV
	comma   byte
	line    int
	lastT   []byte // of a CSV: many lines have one time
	lastAt  time.Time

	Readings int
	Timeless int // left out: their clock was not known when they were stored
}

// knownPoint is what a reading's text is understood by. Points that the site
// file does not have are known by their id alone.
type knownPoint struct {
	id     string
	truth  bool
	number bool
	states []config.State
	n      int
}

func newRecorded(r io.Reader, sites ...*config.Site) *recorded {
	rec := &recorded{in: bufio.NewReaderSize(r, 1<<20), points: map[string]*knownPoint{}}
	for _, s := range sites {
		for _, p := range s.Points {
			rec.points[p.ID] = &knownPoint{id: p.ID, truth: p.Type == "bool", number: p.Type != "bool" && p.Type != "string" && p.Value == nil, states: p.States}
		}
	}
	return rec
}

// A chunk is readings that the reading goroutine hands over at once.
type chunk struct {
	readings []drivers.Reading
	lines    []int32 // of each reading, behind first
	first    int
	err      error // io.EOF at the end; behind the readings
}

// chunks reads on in a goroutine of its own, which close ends and waits for.
type chunks struct {
	full, empty chan *chunk
	quit        chan struct{}
	gone        sync.WaitGroup
}

const chunkLength = 4096

func (r *recorded) chunks() *chunks {
	c := &chunks{full: make(chan *chunk, 5), empty: make(chan *chunk, 5), quit: make(chan struct{})}
	for range cap(c.empty) {
		c.empty <- &chunk{}
	}
	c.gone.Go(func() {
		for {
			select {
			case x := <-c.empty:
				x.fill(r)
				c.full <- x // there are no more chunks than places
				if x.err != nil {
					return
				}
			case <-c.quit:
				return
			}
		}
	})
	return c
}

func (x *chunk) fill(r *recorded) {
	if lent.On {
		x.readings = lent.Again(x.readings)
	}
	*x = chunk{readings: x.readings[:0], lines: x.lines[:0], first: r.line}
	for len(x.readings) < chunkLength && x.err == nil {
		rd, err := r.next()
		if x.err = err; err == nil {
			x.readings, x.lines = append(x.readings, rd), append(x.lines, int32(r.line-x.first))
		}
	}
}

func (c *chunks) close() {
	close(c.quit)
	c.gone.Wait()
}

// next is the next reading, or io.EOF. An error names the line.
func (r *recorded) next() (x drivers.Reading, err error) {
	for {
		line, err := r.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return x, fmt.Errorf("line %d is longer than a reading can be", r.line+1)
		}
		if err != nil && (err != io.EOF || len(line) == 0) {
			return x, err
		}
		r.line++
		if r.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || r.columns == nil && r.header(line) {
			continue
		}
		take := r.json
		if line[0] != '{' {
			take = r.csv
		}
		x, err := take(line)
		if errors.Is(err, errTimeless) {
			r.Timeless++
			continue
		}
		if err != nil {
			return x, fmt.Errorf("line %d: %w", r.line, err)
		}
		r.Readings++
		return x, nil
	}
}

var errTimeless = errors.New("it has no time")

func (r *recorded) point(id []byte) *knownPoint {
	p, ok := r.points[string(id)]
	if !ok {
		p = &knownPoint{id: string(id)}
		r.points[p.id] = p
	}
	p.n++
	return p
}

// header takes in the first line, if it names a CSV's columns.
func (r *recorded) header(line []byte) bool {
	r.columns, r.comma = []string{"time", "point", "value", "quality"}, ','
	if line[0] == '{' {
		return false
	}
	for _, c := range []byte{';', '\t'} {
		if bytes.IndexByte(line, ',') < 0 && bytes.IndexByte(line, c) >= 0 {
			r.comma = c
		}
	}
	var names []string
	for _, f := range bytes.Split(bytes.ToLower(line), []byte{r.comma}) {
		names = append(names, string(bytes.Trim(f, " \"")))
	}
	if !slices.Contains(names, "point") || !slices.Contains(names, "time") {
		return false
	}
	r.columns = names
	return true
}

func (r *recorded) csv(line []byte) (x drivers.Reading, err error) {
	var value, quality []byte
	var p *knownPoint
	for i, name := range r.columns {
		var f []byte
		if f, line, err = field(line, r.comma); err != nil {
			return x, err
		}
		switch name {
		case "time":
			if x.At, err = r.csvTime(f); err != nil {
				return x, err
			}
		case "point":
			if len(f) == 0 {
				return x, fmt.Errorf("column %d: no point", i+1)
			}
			p = r.point(f)
		case "value":
			value = f
		case "quality":
			quality = f
		}
	}
	q, ok := drivers.ParseQuality(view(quality))
	if !ok {
		return x, fmt.Errorf("%.40q is no quality; want good or empty, comm, protocol, exception, sensor, over, under, stale, input or test", quality)
	}
	if x.Point, x.Quality = p.id, q; q == drivers.Good || q == drivers.Test {
		x.Value, err = p.value(value)
	}
	return x, err
}

// field takes the next field off a line; one in quotes may hold the comma.
func field(line []byte, comma byte) (f, rest []byte, err error) {
	if len(line) > 0 && line[0] == '"' {
		end := bytes.IndexByte(line[1:], '"')
		if end < 0 {
			return nil, nil, errors.New(`there is no " at the end of a field`)
		}
		f, rest = line[1:end+1], line[end+2:]
	} else if end := bytes.IndexByte(line, comma); end >= 0 {
		f, rest = line[:end], line[end:]
	} else {
		f = line
	}
	return bytes.TrimSpace(f), bytes.TrimPrefix(rest, []byte{comma}), nil
}

func (r *recorded) csvTime(f []byte) (time.Time, error) {
	if bytes.Equal(f, r.lastT) {
		return r.lastAt, nil
	}
	at, err := parseTime(f)
	if err == nil {
		r.lastT, r.lastAt = append(r.lastT[:0], f...), at
	}
	return at, err
}

func parseTime(f []byte) (time.Time, error) {
	if ms, err := strconv.ParseInt(view(f), 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	at, err := time.Parse(time.RFC3339, view(f))
	if err != nil {
		return at, fmt.Errorf("%.40q is no time; want RFC 3339 as 2026-03-01T08:00:00+08:00, or Unix milliseconds", f)
	}
	return at, nil
}

// value is what a field says, as the point's kind has it.
func (p *knownPoint) value(f []byte) (drivers.Value, error) {
	switch {
	case len(f) == 0:
		return drivers.Value{}, errors.New("no value; a reading without one has a quality such as comm")
	case f[0] == '-' || '0' <= f[0] && f[0] <= '9':
		var v drivers.Value
		if v.UnmarshalJSON(f) == nil && v.Float()-v.Float() == 0 {
			if p.truth {
				v = drivers.BoolValue(v.Float() != 0)
			}
			return v, nil
		}
	case string(f) == "true", string(f) == "false":
		return drivers.BoolValue(f[0] == 't'), nil
	}
	for _, s := range p.states {
		if s.Label == string(f) {
			return s.Value, nil
		}
	}
	if p.number {
		return drivers.Value{}, fmt.Errorf("%.40q is no value of %s", f, p.id)
	}
	return drivers.TextValue(string(f)), nil
}

// view is a text that is not kept.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// exported is a line as buffer export writes it.
type exported struct {
	P string
	T *int64
	M *int64
	V drivers.Value
	Q string
	X uint8
}

// json takes a line in the form that export writes, or leaves it to encoding/json.
func (r *recorded) json(line []byte) (x drivers.Reading, err error) {
	if x, ok := r.plain(line); ok {
		return x, nil
	}
	var e exported
	if err := json.Unmarshal(line, &e); err != nil {
		return x, fmt.Errorf("is no reading: %w", err)
	}
	q, ok := drivers.ParseQuality(e.Q)
	switch {
	case e.P == "":
		return x, errors.New(`is no reading: it has no "p"`)
	case !ok:
		return x, fmt.Errorf("%.40q is no quality", e.Q)
	case e.T == nil && e.M != nil:
		return x, errTimeless
	case e.T == nil:
		return x, errors.New(`is no reading: it has no "t"`)
	}
	p := r.point([]byte(e.P))
	x = drivers.Reading{Point: p.id, At: time.UnixMilli(*e.T), Value: e.V, Quality: q, Code: e.X}
	return p.sound(x)
}

// sound refuses a good reading without a value, and gives a truth its kind.
func (p *knownPoint) sound(x drivers.Reading) (drivers.Reading, error) {
	switch k := x.Value.Kind(); {
	case k == drivers.None && x.Quality == drivers.Good:
		return x, errors.New(`is no reading: it has neither "v" nor "q"`)
	case k == drivers.Number && p.truth:
		x.Value = drivers.BoolValue(x.Value.Float() != 0)
	}
	return x, nil
}

// plain takes {"p":"a","n":1,"t":2,"v":3.5} apart: flat, without escapes and
// spaces. Of anything else it says false.
func (r *recorded) plain(line []byte) (x drivers.Reading, ok bool) {
	var p *knownPoint
	timed := false
	for rest := line[1:]; ; {
		name, val, after, ok := member(rest)
		if !ok {
			return x, false
		}
		switch string(name) {
		case `"p"`:
			if val[0] != '"' {
				return x, false
			}
			p = r.point(val[1 : len(val)-1])
			p.n-- // counted when all of it is taken
		case `"t"`:
			ms, err := strconv.ParseInt(view(val), 10, 64)
			if err != nil {
				return x, false
			}
			x.At, timed = time.UnixMilli(ms), true
		case `"v"`:
			if val[0] == '"' || x.Value.UnmarshalJSON(val) != nil {
				return x, false
			}
		case `"q"`, `"x"`, `"m"`:
			return x, false
		}
		if after[0] == '}' {
			break
		}
		rest = after[1:]
	}
	if p == nil || p.id == "" || !timed {
		return x, false
	}
	x.Point = p.id
	x, err := p.sound(x)
	if err != nil {
		return x, false
	}
	p.n++
	return x, true
}

// member takes "name":value off; rest begins with the comma or brace behind it.
func member(b []byte) (name, val, rest []byte, ok bool) {
	if len(b) < 5 || b[0] != '"' {
		return nil, nil, nil, false
	}
	end := bytes.IndexByte(b[1:], '"') + 2
	if end < 2 || end+1 >= len(b) || b[end] != ':' {
		return nil, nil, nil, false
	}
	name, b = b[:end], b[end+1:]
	if b[0] == '"' {
		end = bytes.IndexByte(b[1:], '"') + 2
		if end < 2 || bytes.IndexByte(b[:end], '\\') >= 0 {
			return nil, nil, nil, false
		}
	} else {
		for end = 0; end < len(b) && b[end] != ',' && b[end] != '}'; end++ {
			if b[end] == ' ' || b[end] == '{' || b[end] == '[' || b[end] == '"' {
				return nil, nil, nil, false
			}
		}
	}
	if end == 0 || end >= len(b) || b[end] != ',' && b[end] != '}' || b[end] == '}' && len(b) != end+1 {
		return nil, nil, nil, false
	}
	return name, b[:end], b[end:], true
}
