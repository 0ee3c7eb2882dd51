// Package event makes the gateway's record of what happened: numbered, chained
// by hash, signed; and judges such a record. It knows no disk and no network:
// events go in, payloads come out.
//
// Promises, which the tests cite by number:
//
//  1. A payload is the same bytes on disk, on the wire and under the signature;
//     what was signed and hashed is its bytes from { up to, not including, ,"sig":.
//  2. Numbers rise by one within an epoch, and a number is used again only for
//     an event that Commit never confirmed.
//  3. Verify calls a record whole only if every number between its first and
//     last is there or told as dropped, and each follows the one before it.
//  4. No bytes make Parse or Verify panic, or use memory out of proportion.
package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"pithead/drivers"
)

// An Event is something that happened. Members that are empty are left out of
// the payload; they stand there in the order of the fields.
type Event struct {
	Kind  string // alarm, group, seal, output, input, command, config, start, stop, clock, lost, flood, burst, fault, fork, anchor, key
	ID    string // of what it is about: an alarm, output, device, …
	Name  string // of the same, for people
	State string
	Level string
	Point string

	Value   drivers.Value
	Quality drivers.Quality // written as "q" unless Good
	Limit   *float64        // what Value was judged against

	More []Field // members of this kind alone, in order
	By   string  // who did it
	Why  string
}

// A Field is a member beyond the common ones. Value is a string, number, bool,
// drivers.Value, or what encoding/json can write; what it can't is null. A name
// that is taken is written with an underscore behind it: no member comes twice.
type Field struct {
	Name  string
	Value any
}

// A Stamp says when: milliseconds since the boot began, and the wall time as
// Unix milliseconds where it is known.
type Stamp struct {
	Boot  uint32
	M     int64
	T     int64
	Known bool // T counts
}

// reserved are the members that More may not write twice.
var reserved = map[string]bool{
	"v": true, "epoch": true, "n": true, "stored": true, "boot": true, "m": true, "t": true,
	"kind": true, "id": true, "name": true, "state": true, "level": true, "point": true,
	"value": true, "q": true, "limit": true, "by": true, "why": true,
	"chain": true, "alg": true, "kid": true, "new-sig": true, "sig": true,
}

// AppendMembers writes an event's own members, each with a comma before it.
func (e Event) AppendMembers(b []byte) []byte {
	b = appendText(b, "kind", e.Kind)
	b = appendText(b, "id", e.ID)
	b = appendText(b, "name", e.Name)
	b = appendText(b, "state", e.State)
	b = appendText(b, "level", e.Level)
	b = appendText(b, "point", e.Point)
	if v := appendValue(nil, e.Value); !bytes.Equal(v, null) {
		b = append(appendName(b, "value"), v...)
	}
	if e.Quality != drivers.Good {
		b = appendText(b, "q", e.Quality.String())
	}
	if e.Limit != nil {
		b = drivers.AppendFloat(appendName(b, "limit"), *e.Limit)
	}
	for i, f := range e.More {
		for reserved[f.Name] || slices.ContainsFunc(e.More[:i], func(o Field) bool { return o.Name == f.Name }) {
			f.Name += "_"
		}
		b = f.append(b)
	}
	b = appendText(b, "by", e.By)
	return appendText(b, "why", e.Why)
}

func (f Field) append(b []byte) []byte {
	b = appendName(b, f.Name)
	switch v := f.Value.(type) {
	case string:
		return appendString(b, v)
	case drivers.Value:
		return appendValue(b, v)
	case float64:
		return drivers.AppendFloat(b, v)
	}
	return appendJSON(b, f.Value)
}

func (s Stamp) append(b []byte) []byte {
	b = strconv.AppendUint(appendName(b, "boot"), uint64(s.Boot), 10)
	b = strconv.AppendInt(appendName(b, "m"), s.M, 10)
	if s.Known {
		b = strconv.AppendInt(appendName(b, "t"), s.T, 10)
	}
	return b
}

var null = []byte("null")

// appendValue differs from Value.Append in that text stays readable.
func appendValue(b []byte, v drivers.Value) []byte {
	if v.Kind() == drivers.Text {
		return appendString(b, v.Str())
	}
	return v.Append(b)
}

func appendJSON(b []byte, v any) []byte {
	var w bytes.Buffer
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return append(b, null...)
	}
	return append(b, bytes.TrimSpace(w.Bytes())...)
}

func appendText(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return appendString(appendName(b, name), s)
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',')
	b = appendString(b, name)
	return append(b, ':')
}

// appendString writes s as JSON and escapes only what JSON asks for, so that
// the bytes that are signed are also what a person can read. What is not UTF-8
// becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
