package uplink

import (
	"pithead/agent/alarm"
	"pithead/agent/seal"
	"pithead/config"
	"pithead/drivers"
)

// Meta is what an uplink tells of its points and of the outputs: names, units,
// states and limits, so that a platform can show and audit them. It comes in as
// many parts as max-message asks for.
func Meta(site *config.Site, c config.Uplink, epoch string) [][]byte {
	b := appendUint([]byte(`{`), "v", 1)
	b = appendText(b, "epoch", epoch)
	b = appendText(b, "name", site.Name)
	b = appendText(b, "config", site.Hash)
	points, outputs := section{name: "points"}, section{name: "outputs"}
	for i := range site.Points {
		if p := &site.Points[i]; config.Matches(c.Points, p.ID) {
			points.items = append(points.items, appendPoint(nil, p))
		}
	}
	for i := range site.Outputs {
		outputs.items = append(outputs.items, appendOutput(nil, &site.Outputs[i]))
	}
	sections := []section{outputs, points}
	if len(site.Groups) > 0 {
		groups := section{name: "groups"}
		for i := range site.Groups {
			groups.items = append(groups.items, appendGroup(nil, &site.Groups[i]))
		}
		sections = append(sections, groups)
	}
	if len(site.Seals) > 0 {
		seals := section{name: "seals"}
		for i := range site.Seals {
			seals.items = append(seals.items, appendSeal(nil, &site.Seals[i]))
		}
		sections = append(sections, seals)
	}
	return parts(b, sections, c.Max)
}

// appendGroup tells a group's members and its ladder, as the site file does.
func appendGroup(b []byte, g *config.Group) []byte {
	b = appendText(append(b, '{'), "id", g.ID)
	b = appendText(b, "name", g.Name)
	b = appendJSON(appendName(b, "points"), g.Points)
	if len(g.Groups) > 0 {
		b = appendJSON(appendName(b, "groups"), g.Groups)
	}
	ladder, do := map[string]int{}, map[string][]string{}
	for l := alarm.Blue; l <= alarm.Red; l++ {
		if l < alarm.Red && g.Ladder[l] > 0 {
			ladder[l.String()] = g.Ladder[l]
		}
		if len(g.Do[l]) > 0 {
			do[l.String()] = g.Do[l]
		}
	}
	if len(ladder) > 0 {
		b = appendJSON(appendName(b, "ladder"), ladder)
	}
	if len(do) > 0 {
		b = appendJSON(appendName(b, "do"), do)
	}
	return append(b, '}')
}

func appendPoint(b []byte, p *config.Point) []byte {
	b = appendText(append(b, '{'), "id", p.ID)
	b = appendText(b, "name", p.Name)
	b = appendText(b, "unit", p.Unit)
	b = appendText(b, "type", p.Type)
	b = appendText(b, "class", p.Class)
	if len(p.States) > 0 {
		b = append(appendName(b, "states"), '{')
		for _, s := range p.States {
			b = appendText(b, s.Value.String(), s.Label)
		}
		b = append(b, '}')
	}
	if p.Range != nil {
		b = appendPair(b, "range", *p.Range)
	}
	if alarms := p.AllAlarms(); len(alarms) > 0 {
		b = append(appendName(b, "limits"), '[')
		for i := range alarms {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendLimit(b, &alarms[i])
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendLimit tells an alarm as the site file does: its condition is a member,
// with the limit as its value.
func appendLimit(b []byte, d *alarm.Def) []byte {
	b = appendText(append(b, '{'), "id", d.ID)
	b = appendText(b, "level", d.Level.String())
	switch name := d.Condition.String(); d.Condition {
	case alarm.Outside:
		b = appendPair(appendPair(b, name, d.Limit), "clear", d.Clear)
	case alarm.Equals:
		b = d.Equal.Append(appendName(b, name))
	case alarm.Fault:
		b = appendInt(b, name, d.For.Milliseconds())
	case alarm.Flat:
		b = appendInt(b, name, d.Within.Milliseconds())
	case alarm.Rise, alarm.Fall:
		b = drivers.AppendFloat(appendName(b, name), d.Limit[0])
		b = appendInt(b, "within", d.Within.Milliseconds())
	default:
		b = drivers.AppendFloat(appendName(b, name), d.Limit[0])
		b = drivers.AppendFloat(appendName(b, "clear"), d.Clear[0])
	}
	if d.For > 0 && d.Condition != alarm.Fault {
		b = appendInt(b, "for", d.For.Milliseconds())
	}
	if d.ClearFor > 0 {
		b = appendInt(b, "clear-for", d.ClearFor.Milliseconds())
	}
	if d.Latch {
		b = append(appendName(b, "latch"), "true"...)
	}
	b = appendText(b, "when", d.When)
	if e := d.Escalate; e.To > 0 {
		b = append(appendInt(append(appendName(b, "escalate"), '{'), "after", e.After.Milliseconds()), ',')
		b = append(append(b, `"to":"`+e.To.String()...), '"', '}')
	}
	if len(d.Do) > 0 {
		b = appendJSON(appendName(b, "do"), d.Do)
	}
	return append(b, '}')
}

func appendPair(b []byte, name string, p [2]float64) []byte {
	b = drivers.AppendFloat(append(appendName(b, name), '['), p[0])
	return append(drivers.AppendFloat(append(b, ','), p[1]), ']')
}

func appendOutput(b []byte, o *config.Output) []byte {
	kind := "notice"
	if o.Trip {
		kind = "trip"
	}
	b = appendText(append(b, '{'), "id", o.ID)
	b = appendText(b, "name", o.Name)
	b = appendText(b, "kind", kind)
	b = appendText(b, "where", o.Where)
	return append(appendText(b, "first-line", o.FirstLine), '}')
}

// appendSeal tells a seal as the site file does: its points under their roles.
func appendSeal(b []byte, d *seal.Def) []byte {
	b = appendText(append(b, '{'), "id", d.ID)
	b = appendText(b, "name", d.Name)
	for _, role := range []seal.Role{seal.Closed, seal.Tamper, seal.Idle, seal.Run, seal.Still, seal.Seen, seal.In, seal.Out} {
		var points []string
		for _, w := range d.Watches {
			if w.Role == role {
				points = append(points, w.Point)
			}
		}
		switch {
		case role == seal.In && len(points) > 0:
			b = appendText(b, "in", points[0])
		case role == seal.Out && len(points) > 0:
			b = appendText(b, "out", points[0])
		case len(points) > 0:
			b = appendJSON(appendName(b, role.String()), points)
		}
	}
	b = appendInt(b, "confirm", d.Confirm.Milliseconds())
	if len(d.Do) > 0 {
		b = appendJSON(appendName(b, "do"), d.Do)
	}
	return append(b, '}')
}
