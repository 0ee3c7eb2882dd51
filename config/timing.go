package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"pithead/drivers/modbus"
)

// demand is how much of a line's time requests take, each in its cycle.
type demand struct {
	share  float64 // of the time
	cycles []time.Duration
	n      int
}

func (d *demand) add(took, every time.Duration) {
	d.share += float64(took) / float64(every)
	d.n++
	if !slices.Contains(d.cycles, every) {
		d.cycles = append(d.cycles, every)
	}
}

// longer are the shortest cycles that fit, beside those that do not.
func (d *demand) longer() string {
	sort.Slice(d.cycles, func(i, j int) bool { return d.cycles[i] < d.cycles[j] }) // no sort of its own in the binary
	var out []string
	for _, c := range d.cycles {
		out = append(out, fmt.Sprintf("%s instead of %s", writtenD(roundUp(time.Duration(float64(c)*d.share))), writtenD(c)))
	}
	return strings.Join(out, ", ")
}

// roundUp is a time that a person would write: two digits.
func roundUp(d time.Duration) time.Duration {
	step := time.Millisecond
	for d > 100*step {
		step *= 10
	}
	return (d + step - 1) / step * step
}

func (d *demand) String() string { return fmt.Sprintf("%.0f %%", 100*d.share) }

// judgeTiming refuses cycles that the wire can't keep, and warns of those that
// the devices, as fast as they are said to be, can't.
func (j *judge) judgeTiming(b *bus) {
	if _, ok := transports[b.kind]; !ok || b.untimed {
		return
	}
	var pure, typical demand
	units := map[string]*demand{}
	for _, r := range modbus.Plan(b.modbus) {
		p, t := modbus.WireTime(b.modbus, r)
		pure.add(p, r.Every)
		typical.add(t, r.Every)
		d := j.devices.by[r.Unit]
		if d == nil || d.conf.Pause == 0 {
			continue
		}
		if units[r.Unit] == nil {
			units[r.Unit] = &demand{}
		}
		units[r.Unit].add(d.conf.Pause+p, r.Every)
	}
	for _, d := range j.devices.all {
		if u := units[d.id]; u != nil && u.share > 1 {
			j.errorf(d.where("pause"), "%s %s of the time; the shortest cycle that fits is %s", count(u.n, "request with this pause takes", "requests with this pause take"), u, u.longer())
		}
	}
	switch {
	case pure.share > 1:
		j.errorf(b.place, "%s %s of the line's time, without any time for the devices to answer; the shortest cycle that fits is %s",
			count(pure.n, "request takes", "requests take"), &pure, pure.longer())
	case typical.share > 1:
		j.warnf(b.place, "%s %s of the line's time on the wire and %s with each device's turnaround; a cycle that fits is %s",
			count(typical.n, "request takes", "requests take"), &pure, &typical, typical.longer())
	}
}
