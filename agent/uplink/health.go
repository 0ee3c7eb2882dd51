package uplink

import (
	"math"
	"time"
)

// Health is how the gateway itself fares, each minute. Members that are not
// known are left out rather than sent as zero.
type Health struct {
	Buses   []BusHealth    `json:"buses,omitempty"`
	Units   []UnitHealth   `json:"units,omitempty"`
	Points  []PointHealth  `json:"points,omitempty"` // bad for a reason of their own
	Uplinks []UplinkHealth `json:"uplinks,omitempty"`
	Buffer  BufferHealth   `json:"buffer"`
	Alarms  *AlarmHealth   `json:"alarms,omitempty"`
	Clock   string         `json:"clock"`            // synced, free, unknown
	Memory  uint64         `json:"memory,omitempty"` // bytes resident
	Load    *float64       `json:"load,omitempty"`   // one-minute average of the machine
	Celsius *float64       `json:"temperature,omitempty"`
	Uptime  int64          `json:"uptime"` // ms since the agent began
}

// BusHealth is one bus, and what became of its requests since the start; of one
// that makes none the counts are left out.
type BusHealth struct {
	ID         string  `json:"id"`
	Down       string  `json:"down,omitempty"` // why the line itself is not there
	Requests   uint64  `json:"requests,omitempty"`
	Comm       uint64  `json:"comm,omitempty"`
	Protocol   uint64  `json:"protocol,omitempty"`
	Exceptions uint64  `json:"exceptions,omitempty"`
	P50        float64 `json:"p50-ms,omitempty"` // time to answer, of late
	P99        float64 `json:"p99-ms,omitempty"`
	Share      float64 `json:"share,omitempty"`  // of its time, of late
	Missed     int     `json:"missed,omitempty"` // cycles
}

// PointHealth is a point that is bad though its device answers: a register that
// is refused, a line that another program holds.
type PointHealth struct {
	ID   string `json:"id"`
	Line int    `json:"line,omitempty"` // in the site file
	Why  string `json:"why"`
}

// UnitHealth is one Modbus unit or board.
type UnitHealth struct {
	ID       string   `json:"id"`
	Online   bool     `json:"online"`
	Answered *float64 `json:"answered,omitempty"` // share of requests, 0 to 1; nil: none were made
	Setup    string   `json:"setup,omitempty"`    // why it can't be set up
}

// UplinkHealth is one platform; the agent takes it from State.
type UplinkHealth struct {
	ID        string `json:"id"`
	Connected bool   `json:"connected"`
	Events    uint64 `json:"events"` // not acknowledged
	Stats     uint64 `json:"stats"`
	Data      uint64 `json:"data"`
	Behind    int64  `json:"behind"`           // ms: age of the oldest unacknowledged reading
	Oldest    int64  `json:"oldest,omitempty"` // its time, where known
	Fault     string `json:"fault,omitempty"`  // what a person must see to
	Error     string `json:"error,omitempty"`  // why it is not connected, or was not of late
	// Until the first of its certificates expires; absent without one. Negative: it has.
	Certificate *float64 `json:"certificate-days,omitempty"`
}

// HealthOf is how health tells an uplink's state; now is by when certificates
// are judged.
func HealthOf(id string, s State, now time.Time) UplinkHealth {
	h := UplinkHealth{ID: id, Connected: s.Connected, Events: s.Events, Stats: s.Stats, Data: s.Data,
		Behind: s.Behind.Milliseconds(), Oldest: s.Oldest, Fault: s.Fault, Error: s.LastError}
	if !s.Expires.IsZero() {
		days := math.Floor(s.Expires.Sub(now).Hours()/24*10) / 10
		h.Certificate = &days
	}
	return h
}

// BufferHealth is the log on disk.
type BufferHealth struct {
	Bytes uint64   `json:"bytes"`
	Days  *float64 `json:"days,omitempty"` // from the oldest stored reading to now
	Lost  uint64   `json:"lost,omitempty"` // readings of this run that could not be stored
	// Waiting is readings that the disk has not taken yet; of more than Room the
	// oldest are dropped.
	Waiting int        `json:"waiting"`
	Room    int        `json:"room"`
	Error   string     `json:"error,omitempty"`
	Disk    DiskHealth `json:"disk"`
}

// DiskHealth is the disk that the log is on.
type DiskHealth struct {
	Free    *uint64 `json:"free,omitempty"`    // bytes of its file system
	Slowest int64   `json:"slowest"`           // ms: the longest write of the last minute or two
	Failed  uint64  `json:"failed,omitempty"`  // writes of this run
	Life    *int    `json:"life,omitempty"`    // percent that is used, as an eMMC says; 110: beyond it
	Worn    string  `json:"pre-eol,omitempty"` // warning, urgent: its spare blocks run out
}

// AlarmHealth is figures of IEC 62682 of the alarms that called somebody in this
// run: not those that were shelved, suppressed, out of service or covered.
type AlarmHealth struct {
	Day        int            `json:"day"`         // raised in the last 24 h
	Hour       int            `json:"hour"`        // in the last hour
	TenMinutes int            `json:"ten-minutes"` // in the last ten minutes
	Flood      float64        `json:"flood"`       // share of the day's ten minutes with more than ten
	Flooded    bool           `json:"flooded"`     // now
	Chattering int            `json:"chattering"`  // alarms that came three times in a minute, in the last 24 h
	Stale      int            `json:"stale"`       // that stand for more than 24 h
	Levels     map[string]int `json:"levels"`      // of the last 24 h
	Standing   int            `json:"standing"`
	Shelved    int            `json:"shelved"`
	Suppressed int            `json:"suppressed"`
	Out        int            `json:"out"` // alarms of points out of service
}

// Count adds one where it is so.
func (*AlarmHealth) Count(is bool, n *int) {
	if is {
		*n++
	}
}
