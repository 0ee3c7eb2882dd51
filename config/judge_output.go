package config

import (
	"fmt"

	"pithead/drivers/gpio"
	"pithead/drivers/modbus"
)

// judgeOutput holds an output against its bus and its kind.
func (j *judge) judgeOutput(o *output) {
	o.trip = o.text("kind") == "trip"
	o.site = Output{
		ID: o.id, Name: o.text("name"), Trip: o.trip, UntilAck: o.text("until") == "ack",
		OnExit: o.text("on-exit"), FirstLine: o.text("first-line"), Prove: o.dur("prove"), Line: o.line,
	}
	if v := o.given("on-start"); v != nil {
		on := v.n == 1
		o.site.OnStart = &on
	}
	if !o.broken("kind") {
		j.judgeKind(o)
	}
	src, sure := j.only(o.object, []string{"gpio", "device"}, "place")
	switch {
	case src == "gpio":
		j.outputLine(o)
	case src == "device":
		j.outputRegister(o)
	case sure && !o.strange:
		j.errorf(o.place, "has no place; want gpio, or device and a coil")
	}
	o.site.Release = j.condition(o.given("release"))
	o.site.Pulse, o.site.MinOn, o.site.MinOff = o.dur("pulse"), o.dur("min-on"), o.dur("min-off")
	o.site.Remote = o.bool("remote")
	if p, m := o.given("pulse"), o.given("min-on"); p != nil && m != nil && m.dur() > p.dur() {
		j.errorf(m.place, "%s is longer than the pulse of %s; want one of the two", m.text, p.text)
	}
}

// judgeKind holds what an output says against being a notice or a trip.
func (j *judge) judgeKind(o *output) {
	if !o.trip {
		for _, k := range []string{"release", "first-line", "prove"} {
			if o.has(k) {
				j.keyf(o.object, k, "belongs to kind: trip")
			}
		}
		return
	}
	if !o.has("on-start") {
		j.errorf(o.place, "a trip does not say its state at start; want on-start: on, or off")
	}
	if o.has("until") {
		j.keyf(o.object, "until", "an acknowledgement never releases a trip; leave it out")
	}
	if v := o.given("on-exit"); v != nil && v.text != "hold" {
		j.errorf(v.place, "stopping never switches a trip; want hold")
	}
	if o.has("prove") && !o.has("verify") {
		j.keyf(o.object, "prove", "nothing shows that it acts; want verify beside it")
	}
	if !o.has("first-line") {
		j.warnf(o.place, "a trip without first-line; want what protects first, since the agent is only a second line of defence")
	}
	for _, k := range []string{"pulse", "min-off"} {
		if o.has(k) {
			j.keyf(o.object, k, "belongs to kind: notice; a trip goes on at once, and stays until its alarms are over")
		}
	}
}

func (j *judge) outputLine(o *output) {
	for _, k := range []string{"coil", "holding", "register"} {
		if o.has(k) {
			j.keyf(o.object, k, "belongs to an output with device")
		}
	}
	b, pin := j.lineOn(o.given("gpio"))
	if b == nil {
		return
	}
	o.bus, o.site.Bus, o.site.Where = b, b.id, o.text("gpio")
	if b.kind == "sim" {
		b.sim.Outputs = append(b.sim.Outputs, o.id)
		return
	}
	b.gpio.Outputs = append(b.gpio.Outputs, gpio.OutputConfig{ID: o.id, Pin: pin, Low: o.text("active") == "low", Line: o.line})
}

func (j *judge) outputRegister(o *output) {
	k, sure := j.only(o.object, []string{"coil", "holding", "register"}, "place")
	if k == "" && sure && !o.strange {
		j.errorf(o.place, "says not what to switch; want coil, holding or register")
	}
	v := o.given(k)
	d, ok := find(j, o.given("device"), &j.devices, "devices", "device")
	if v == nil || !ok || d.bus == nil {
		return
	}
	c := modbus.OutputConfig{ID: o.id, Unit: d.conf.Unit, Device: d.id, Table: tables[k], Address: uint16(v.n), Low: o.text("active") == "low"}
	name := k
	if k == "register" {
		c.Table = v.table
		name = map[modbus.Table]string{modbus.Coil: "coil", modbus.Holding: "holding"}[v.table]
	}
	if name == "" {
		j.errorf(v.place, "%s can only be read; want a coil (00001) or a holding register (40001)", v.text)
		return
	}
	o.site.Device = d.id
	o.bus, o.site.Bus, o.site.Where = d.bus, d.bus.id, fmt.Sprintf("%s %s %d", d.id, name, c.Address)
	if by, used := j.take(o.site.Where, o.path); used {
		j.errorf(v.place, "%s %d of %q is used by %s already; want another", name, c.Address, d.id, by)
		return
	}
	switch d.bus.kind {
	case "sim":
		d.bus.sim.Outputs = append(d.bus.sim.Outputs, o.id)
	case "":
	default:
		modbusUnit(d.bus, d)
		d.bus.modbus.Outputs = append(d.bus.modbus.Outputs, c)
	}
}

// judgeVerify resolves the point that shows whether an output works.
func (j *judge) judgeVerify(o *output) {
	v := o.sub("verify")
	if v == nil || o.given("verify") == nil {
		return
	}
	p, ok := find(j, v.given("point"), &j.points, "points", "point")
	if !ok {
		return
	}
	is, ok := j.exact(p, v.given("is"))
	not, hasElse := j.exact(p, v.given("else"))
	switch {
	case !ok:
	case p.dormant:
		j.warnf(v.place, "this version can't read %s, and so does not verify", p.id)
	default:
		o.site.Verify = &Verify{Point: p.id, Is: is, Within: v.dur("within")}
		if hasElse {
			o.site.Verify.Else = &not
		}
	}
}

// judgeDo judges the outputs that something asks for.
func (j *judge) judgeDo(v *value) []string {
	if v == nil {
		return nil
	}
	out := []string{}
	seen := map[string]bool{}
	for _, e := range v.list {
		if seen[e.text] {
			j.errorf(e.place, "%q is named twice", e.text)
		}
		seen[e.text] = true
		if o, ok := find(j, e, &j.outputs, "outputs", "output"); ok {
			out = append(out, o.id)
		}
	}
	return out
}
