package record

import (
	"encoding/json"
	"fmt"
	"strconv"

	"pithead/drivers"
)

// A Stat is what a point's samples were in one period, before any deadband.
// Max to Mean are of the good samples, and count only where Good is not 0.
type Stat struct {
	Point   string  `json:"p"`
	N       uint64  `json:"n"`    // its number; 0 in a frame, where the log numbers it
	From    int64   `json:"from"` // Unix ms, the first that counts
	To      int64   `json:"to"`   // Unix ms, the first that does not
	Max     float64 `json:"max"`
	TMax    int64   `json:"tmax"` // Unix ms
	Min     float64 `json:"min"`
	TMin    int64   `json:"tmin"`
	Mean    float64 `json:"mean"`
	Good    int     `json:"good"` // samples
	Bad     int     `json:"bad"`
	Partial bool    `json:"partial"` // the period was cut by a step of the clock or a power loss
}

// A StatBatch is the statistics of one commit, in the order of their numbers.
type StatBatch struct {
	Boot  uint32
	Clock Clock
	Stats []Stat
}

// Append appends s as the JSON object that a platform receives. What does not
// count is left out.
func (s Stat) Append(b []byte) []byte {
	b = append(b, `{"p":`...)
	b = drivers.AppendText(b, s.Point)
	if s.N > 0 {
		b = strconv.AppendUint(append(b, `,"n":`...), s.N, 10)
	}
	b = strconv.AppendInt(append(b, `,"from":`...), s.From, 10)
	b = strconv.AppendInt(append(b, `,"to":`...), s.To, 10)
	if s.Good > 0 {
		b = drivers.AppendFloat(append(b, `,"max":`...), s.Max)
		b = strconv.AppendInt(append(b, `,"tmax":`...), s.TMax, 10)
		b = drivers.AppendFloat(append(b, `,"min":`...), s.Min)
		b = strconv.AppendInt(append(b, `,"tmin":`...), s.TMin, 10)
		b = drivers.AppendFloat(append(b, `,"mean":`...), s.Mean)
	}
	b = strconv.AppendInt(append(b, `,"good":`...), int64(s.Good), 10)
	b = strconv.AppendInt(append(b, `,"bad":`...), int64(s.Bad), 10)
	if s.Partial {
		b = append(b, `,"partial":true`...)
	}
	return append(b, '}')
}

// AppendStats appends a frame of the stats lane: JSON, since there are few.
func AppendStats(dst []byte, b StatBatch) []byte {
	dst = strconv.AppendUint(append(dst, `{"v":1,"boot":`...), uint64(b.Boot), 10)
	dst = strconv.AppendUint(append(dst, `,"clock":`...), uint64(b.Clock), 10)
	dst = append(dst, `,"stats":[`...)
	for i, s := range b.Stats {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.Append(dst)
	}
	return append(dst, ']', '}')
}

// ReadStats reads what AppendStats wrote.
func ReadStats(payload []byte) (StatBatch, error) {
	var f struct {
		V     int
		Boot  uint32
		Clock Clock
		Stats []Stat
	}
	if err := json.Unmarshal(payload, &f); err != nil {
		return StatBatch{}, fmt.Errorf("a frame of statistics: %w", err)
	}
	if f.V != 1 {
		return StatBatch{}, errVersion
	}
	return StatBatch{f.Boot, f.Clock, f.Stats}, nil
}
