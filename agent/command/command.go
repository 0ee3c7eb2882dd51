// Package command reads what people ask of the gateway, and judges whether it
// may be done: the envelope that a platform signs, or the plain words of
// somebody who stands beside it. It does nothing itself, and knows no network.
//
// Promises, which the tests cite by number:
//
//  1. A signed command is taken only if a key that the site file names signed
//     the exact bytes of cmd, that key may give this op, and it is meant for
//     this gateway and this session, is not expired and was not seen before.
//  2. What is refused says why, changes nothing, and costs bounded time and
//     memory, whatever its bytes.
//  3. No two commands of one session have the same id, also after the list of
//     ids is full: then the next one is refused, not the oldest forgotten.
package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Command is what somebody wants done.
type Command struct {
	ID     string // of a signed one
	Op     string
	Args   Args
	By     string
	Why    string
	Signed bool   // in an envelope; else it came from somebody at the gateway
	Key    string // the commander's id in the site file, of a signed one
	Uplink string // that brought it; empty: none did
}

// Args are the arguments of all ops; each op uses its own.
type Args struct {
	Alarm  string   `json:"alarm,omitempty"`
	Event  uint64   `json:"event,omitempty"` // the alarm's event that was seen
	Point  string   `json:"point,omitempty"`
	Seal   string   `json:"seal,omitempty"`
	Output string   `json:"output,omitempty"`
	On     *bool    `json:"on,omitempty"` // of output; default on
	Mode   string   `json:"mode,omitempty"`
	For    Duration `json:"for,omitempty"`
	Points []string `json:"points,omitempty"`
	From   uint64   `json:"from,omitempty"` // number of a reading
	To     uint64   `json:"to,omitempty"`
	T      int64    `json:"t,omitempty"` // Unix ms
	Hash   string   `json:"hash,omitempty"`
}

// Duration is written as in the site file: "30m".
type Duration time.Duration

var units = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// UnmarshalJSON reads "500ms", "5s", "1m", "24h" or "7d".
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("for is %s; want a duration in quotes, as \"30m\"", clip(string(b)))
	}
	v, err := ParseDuration(s)
	*d = Duration(v)
	return err
}

// MarshalJSON writes what UnmarshalJSON reads.
func (d Duration) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "\"%dms\"", time.Duration(d).Milliseconds()), nil
}

// ParseDuration reads a duration as the site file writes it, at most a year.
func ParseDuration(s string) (time.Duration, error) {
	i := strings.LastIndexAny(s, "0123456789") + 1
	unit, ok := units[s[i:]]
	n, err := strconv.ParseFloat(s[:i], 64)
	if err != nil || !ok || strings.Trim(s[:i], "0123456789.") != "" || n*float64(unit) > float64(366*24*time.Hour) {
		return 0, fmt.Errorf("%q is not a duration; want a number and ms, s, m, h or d, as 30m", clip(s))
	}
	return time.Duration(n * float64(unit)), nil
}

// What a person may say fits into an event, and that into a message.
const (
	MaxWhy      = 2 << 10
	maxBy       = 256
	MaxEnvelope = 16 << 10
	maxID       = 128
)

// ParseArgs reads the arguments of a command; a member that no op has is an
// error, since a word that is not understood may be the one that matters.
func ParseArgs(b []byte) (Args, error) {
	var a Args
	if len(b) == 0 || string(b) == "null" {
		return a, nil
	}
	if err := strictly(b, &a); err != nil {
		return Args{}, fmt.Errorf("args: %w", err)
	}
	return a, nil
}

// strictly reads one JSON value without members that v does not have, and
// nothing behind it.
func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind it")
	}
	return nil
}

// Check refuses words that are too long for an event.
func (c *Command) Check() error {
	switch {
	case len(c.Why) > MaxWhy:
		return fmt.Errorf("%d bytes are too long a reason, want at most %d", len(c.Why), MaxWhy)
	case len(c.By) > maxBy:
		return fmt.Errorf("%d bytes are too long a name, want at most %d", len(c.By), maxBy)
	case !slices.Contains(Ops, c.Op):
		return fmt.Errorf("there is no op %q", clip(c.Op))
	}
	return nil
}

// Ops are all that may be asked for.
var Ops = []string{"ack", "reset", "shelve", "unshelve", "out", "in", "test", "mode", "seal.open", "seal.close", "seal.reset",
	"output", "read", "snapshot", "resend", "config.get", "reload", "time", "diag"}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
