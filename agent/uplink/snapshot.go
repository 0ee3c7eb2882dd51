package uplink

import (
	"strconv"

	"pithead/agent/event"
	"pithead/drivers"
)

// A Snapshot is what is true now, whatever of the backlog is still to come.
type Snapshot struct {
	Mode    string
	Points  []PointNow // all; the uplink leaves out what its points leave out
	Alarms  []AlarmNow // all that are not normal
	Outputs []OutputNow
	Seals   []SealNow
	// What is beside the states: alarms that are shelved or suppressed, points that
	// are out of service or under test.
	Shelved, Suppressed, Out, Test []AsideNow
}

// AsideNow is an alarm or a point that is not judged or told as ever.
type AsideNow struct {
	ID    string
	Since event.Stamp // not of what is suppressed
	Until event.Stamp // of what ends by itself
	Ends  bool        // Until counts
	By    string
	Why   string
}

// PointNow is a point's latest reading.
type PointNow struct {
	Point   string
	At      event.Stamp
	Value   drivers.Value
	Quality drivers.Quality
	Code    uint8 // the exception's, where Quality is Exception
}

// AlarmNow is a standing alarm.
type AlarmNow struct {
	ID, Name, Point string
	State           string // active, acked, cleared
	Level           string
	Since           event.Stamp
	Value           drivers.Value   // of the sample that raised it
	Quality         drivers.Quality // of the same
	Limit           *float64
	Shelved         bool
	Suppressed      bool
	Out             bool   // its point is out of service
	Covered         string // by the alarm that stands for it, too
}

// OutputNow is an output as the agent wants it.
type OutputNow struct {
	ID, Name string
	On       bool
	Why      []string // what asks for it
	Fault    string   // empty: it does as it is told
}

// SealNow is a seal as it stands.
type SealNow struct {
	ID, Name string
	State    string
	Since    event.Stamp
	Closed   bool         // it guards, whatever it shows besides
	Until    *event.Stamp // the end of an opening
	Why      []string     // what is not as it must be: points with their value or quality
}

func (s SealNow) append(b []byte, boot uint32) []byte {
	b = appendText(append(b, '{'), "id", s.ID)
	b = appendText(b, "name", s.Name)
	b = appendText(b, "state", s.State)
	b = appendWhen(b, "since", s.Since, boot)
	b = strconv.AppendBool(append(b, `,"closed":`...), s.Closed)
	if s.Until != nil && s.Until.Known {
		b = appendInt(b, "until", s.Until.T)
	} else if s.Until != nil {
		b = appendInt(b, "until-m", s.Until.M)
	}
	if len(s.Why) > 0 {
		b = appendJSON(append(b, `,"why":`...), s.Why)
	}
	return append(b, '}')
}

func (p PointNow) append(b []byte, boot uint32) []byte {
	b = appendText(append(b, '{'), "p", p.Point)
	b = appendWhen(b, "t", p.At, boot)
	return append(appendValue(b, "v", p.Value, p.Quality, p.Code), '}')
}

func (a AlarmNow) append(b []byte, boot uint32) []byte {
	b = appendText(append(b, '{'), "id", a.ID)
	b = appendText(b, "name", a.Name)
	b = appendText(b, "state", a.State)
	b = appendText(b, "level", a.Level)
	b = appendText(b, "point", a.Point)
	b = appendWhen(b, "since", a.Since, boot)
	b = appendValue(b, "value", a.Value, a.Quality, 0)
	if a.Limit != nil {
		b = drivers.AppendFloat(append(b, `,"limit":`...), *a.Limit)
	}
	b = appendFlag(b, "shelved", a.Shelved)
	b = appendFlag(b, "suppressed", a.Suppressed)
	b = appendFlag(b, "out", a.Out)
	return append(appendText(b, "covered", a.Covered), '}')
}

func appendFlag(b []byte, name string, is bool) []byte {
	if !is {
		return b
	}
	return append(appendName(b, name), "true"...)
}

// append writes it under the name that says whether it is an alarm or a point.
func (a AsideNow) append(b []byte, what string, boot uint32) []byte {
	b = appendText(append(b, '{'), what, a.ID)
	if a.Since != (event.Stamp{}) {
		b = appendWhen(b, "since", a.Since, boot)
	}
	if a.Ends {
		b = appendInt(b, "for", a.Until.M-a.Since.M)
		if a.Until.Known {
			b = appendInt(b, "until", a.Until.T)
		}
	}
	b = appendText(b, "by", a.By)
	return append(appendText(b, "why", a.Why), '}')
}

func (o OutputNow) append(b []byte) []byte {
	b = appendText(append(b, '{'), "id", o.ID)
	b = appendText(b, "name", o.Name)
	b = strconv.AppendBool(append(b, `,"on":`...), o.On)
	if len(o.Why) > 0 {
		b = appendJSON(append(b, `,"why":`...), o.Why)
	}
	return append(appendText(b, "fault", o.Fault), '}')
}
