package export

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/drivers"
)

// row is one reading on its way out.
type row struct {
	*record.Reading
	n     uint64
	boot  uint32
	t     int64 // Unix milliseconds, if it is dated
	dated bool
}

// json is the reading as a platform receives it, in a line of its own; without
// a wall time it has the boot, and m since that began.
func (r row) json(b []byte) []byte {
	b = drivers.AppendText(append(b, `{"p":`...), r.Point)
	b = strconv.AppendUint(append(b, `,"n":`...), r.n, 10)
	if r.dated {
		b = strconv.AppendInt(append(b, `,"t":`...), r.t, 10)
	} else {
		b = strconv.AppendUint(append(b, `,"boot":`...), uint64(r.boot), 10)
		b = strconv.AppendInt(append(b, `,"m":`...), r.M, 10)
	}
	if r.valued() {
		b = r.Value.Append(append(b, `,"v":`...))
	}
	if r.Quality != drivers.Good {
		b = append(append(append(b, `,"q":"`...), r.Quality.String()...), '"')
	}
	if r.Quality == drivers.Exception && r.Code != 0 {
		b = strconv.AppendUint(append(b, `,"x":`...), uint64(r.Code), 10)
	}
	return append(b, "}\n"...)
}

// valued: a bad reading has no value, except under test.
func (r row) valued() bool {
	return r.Value.Kind() != drivers.None && (r.Quality == drivers.Good || r.Quality == drivers.Test)
}

const csvTime = "2006-01-02T15:04:05.000Z07:00"

// csv is the columns that replay reads: time, point, value, quality.
func (r row) csv(b []byte, zone *time.Location) []byte {
	b = append(time.UnixMilli(r.t).In(zone).AppendFormat(b, csvTime), ',')
	b = append(appendField(b, r.Point), ',')
	if r.valued() {
		b = appendCell(b, r.Value)
	}
	b = append(b, ',')
	if r.Quality != drivers.Good {
		b = append(b, r.Quality.String()...)
	}
	return append(b, '\n')
}

func appendCell(b []byte, v drivers.Value) []byte {
	if v.Kind() == drivers.Text {
		return appendField(b, v.String())
	}
	return v.Append(b)
}

// appendField quotes what RFC 4180 wants quoted.
func appendField(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	return append(append(append(b, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}

// head is the first line of a CSV.
func (q Query) head() []byte {
	switch {
	case q.CSV && q.Events:
		return []byte(strings.Join(eventColumns, ",") + "\n")
	case q.CSV:
		return []byte("time,point,value,quality\n")
	}
	return nil
}

var eventColumns = []string{"n", "time", "kind", "id", "name", "state", "level", "point", "value", "limit", "by", "why", "rest"}

// eventCSV is an event for a spreadsheet: the common members in columns, those
// of its kind as JSON in the last. No chain can be verified from it.
func eventCSV(b []byte, p event.Parsed, t int64, dated bool, zone *time.Location) []byte {
	b = append(strconv.AppendUint(b, p.N, 10), ',')
	if dated {
		b = time.UnixMilli(t).In(zone).AppendFormat(b, csvTime)
	}
	for _, s := range []string{p.Kind, p.ID, p.Name, p.State, p.Level, p.Point} {
		b = appendField(append(b, ','), s)
	}
	if b = append(b, ','); p.Value.Kind() != drivers.None {
		b = appendCell(b, p.Value)
	}
	if b = append(b, ','); p.Limit != nil {
		b = drivers.AppendFloat(b, *p.Limit)
	}
	for _, s := range []string{p.By, p.Why, rest(p)} {
		b = appendField(append(b, ','), s)
	}
	return append(b, '\n')
}

// rest is the members of an event's kind, as they stand in it.
func rest(p event.Parsed) string {
	var b bytes.Buffer
	for _, f := range p.More {
		raw, ok := f.Value.(json.RawMessage)
		if !ok {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.Write(drivers.AppendText(nil, f.Name))
		b.WriteByte(':')
		b.Write(raw)
	}
	if b.Len() == 0 {
		return ""
	}
	return "{" + b.String() + "}"
}
