package config

import (
	"strings"
	"testing"
	"time"
)

// The words of the board, as the drivers get them.
func TestBoardWords(t *testing.T) {
	s := good(t, base+`  gas: {gpio: board/7, frequency: 1s, curve: [[200, 0], [1000, 4]]}
  rain: {gpio: board/8, counts: 0.2, at-most: 10/s}
  pump: {gpio: board/9, hours: true, name: 泵}
  cam: {probe: "rtsp://127.0.0.1:8554/live", every: 2s}
  loop: {device: d, input: 4, scale: 0.01, bands: {cut: [0, 0.4], closed: [4, 6]}, alarms: [{level: red, equals: cut}]}
  wear: {value: pump.hours / 8000}
`)
	in := s.Buses[1].GPIO.Inputs
	if in[1].Rate != time.Second || len(in[1].Scale.Curve) != 2 || in[1].Debounce != 0 || s.point("gas").Type != "frequency" {
		t.Errorf("frequency: %+v", in[1])
	}
	if in[2].Least != 90*time.Millisecond {
		t.Errorf("at-most: %v", in[2].Least)
	}
	if h := s.point("pump.hours"); h.HoursOf != "pump" || h.Unit != "h" || h.Name != "泵" || h.Type != "counter" {
		t.Errorf("hours: %+v", h)
	}
	last := s.Buses[len(s.Buses)-1]
	if p := last.Probe; p == nil || last.ID != "probe:cam" || p.Point != "cam" || p.Timeout != 2*time.Second || s.point("cam").Bus != last.ID {
		t.Errorf("probe: %+v", last)
	}
	if l := s.point("loop"); len(l.States) != 2 || l.Alarms[0].Equal.Str() != "cut" {
		t.Errorf("bands: %+v", l)
	}
}

func TestBoardMistakes(t *testing.T) {
	for _, c := range []struct{ points, want string }{
		{"pump: {gpio: board/9, hours: true}\n  pump.hours: {device: d, input: 3}", `makes a point "pump.hours", which is there already`},
		{"level2: {device: d, input: 3, hours: true}", "counts how long a point is 1; level2 is not 0 or 1"},
		{"cam: {probe: \"tcp://127.0.0.1\"}", "can't be probed"},
		{"loop: {device: d, input: 4, bands: {cut: [0, 1], closed: [4, 6]}, alarms: [{level: red, equals: closd}]}", `"closd" is no state of loop; did you mean "closed"?`},
		{"loop: {device: d, input: 4, bands: {cut: [0, 1], closed: [1, 6]}}", `overlaps "cut"`},
	} {
		_, problems := Parse("x.yaml", []byte(base+"  "+c.points+"\n"))
		if got := said(problems); !strings.Contains(got, c.want) {
			t.Errorf("%s:\ngot  %swant %s", c.points, got, c.want)
		}
	}
}
