package uplink

import (
	"bytes"
	"encoding/json"
	"strconv"

	"pithead/agent/event"
	"pithead/drivers"
)

// appendJSON appends what encoding/json makes of v, with no escapes but those
// that JSON asks for: names in any language stay readable.
func appendJSON(b []byte, v any) []byte {
	var w bytes.Buffer
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return append(b, "null"...)
	}
	return append(b, bytes.TrimSpace(w.Bytes())...)
}

// appendName begins a member; b ends in the opening brace or a member.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

// appendText appends a member; none where s is empty.
func appendText(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	b = appendName(b, name)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return appendJSON(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"') // as an id and most else: JSON escapes nothing of it
}

func appendInt(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(appendName(b, name), n, 10)
}

func appendUint(b []byte, name string, n uint64) []byte {
	return strconv.AppendUint(appendName(b, name), n, 10)
}

// appendWhen appends a time: by the wall where it is known, else as m, with the
// boot where that is not the message's own.
func appendWhen(b []byte, name string, s event.Stamp, boot uint32) []byte {
	if s.Known {
		return appendInt(b, name, s.T)
	}
	if s.Boot != boot {
		b = appendUint(b, "boot", uint64(s.Boot))
	}
	return appendInt(b, "m", s.M)
}

// appendValue appends a value under its name, and under q and x why it is bad.
// A bad reading has no value, except under test.
func appendValue(b []byte, name string, v drivers.Value, q drivers.Quality, code uint8) []byte {
	if v.Kind() != drivers.None && (q == drivers.Good || q == drivers.Test) {
		b = v.Append(appendName(b, name))
	}
	if q != drivers.Good {
		b = appendText(b, "q", q.String())
	}
	if q == drivers.Exception && code != 0 {
		b = appendUint(b, "x", uint64(code))
	}
	return b
}
