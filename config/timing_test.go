package config

import (
	"fmt"
	"strings"
	"testing"
)

// On a line of 9600 baud a request of one register takes 15 characters and
// twice the silence of 3.5: 22.9 ms; at 1200 baud eight times that.
func TestTiming(t *testing.T) {
	points := func(n int, every string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "  p%d: {device: d, input: %d, every: %s}\n", i, 10*i, every)
		}
		return b.String()
	}
	for _, c := range []struct{ story, bus, device, points, want string }{
		{"it fits", "serial: /dev/ttyS1", "", points(10, "1s"), ""},
		{"the wire can't", "serial: /dev/ttyS1", "", points(50, "1s"),
			"4:9: buses.b: 50 requests take 115 % of the line's time, without any time for the devices to answer; the shortest cycle that fits is 1.2s instead of 1s"},
		{"the wire can't at another speed", "{serial: /dev/ttyS1, baud: 1200}", "", points(10, "1s"),
			"4:9: buses.b: 10 requests take 183 % of the line's time, without any time for the devices to answer; the shortest cycle that fits is 1.9s instead of 1s"},
		{"the device can't", "serial: /dev/ttyS1", "", points(30, "1s"),
			"4:9: warning: buses.b: 30 requests take 69 % of the line's time on the wire and 129 % with each device's turnaround; a cycle that fits is 1.3s instead of 1s"},
		{"a fast device", "serial: /dev/ttyS1", ", turnaround: 5ms", points(30, "1s"), ""},
		{"joined requests fit", "serial: /dev/ttyS1", ", join: 9", points(30, "1s"), ""},
		{"of a server only the turnaround counts", "tcp: a:502", ", turnaround: 30ms", points(50, "1s"),
			"4:9: warning: buses.b: 50 requests take 0 % of the line's time on the wire and 150 % with each device's turnaround; a cycle that fits is 1.5s instead of 1s"},
		{"a serial server is a line", "rtu-over-tcp: a:502", "", points(50, "1s"),
			"4:9: buses.b: 50 requests take 115 % of the line's time, without any time for the devices to answer; the shortest cycle that fits is 1.2s instead of 1s"},
		{"pauses that do not fit", "serial: /dev/ttyS1", ", pause: 500ms", points(3, "1s"),
			"5:39: devices.d.pause: 3 requests with this pause take 157 % of the time; the shortest cycle that fits is 1.6s instead of 1s"},
	} {
		t.Run(c.story, func(t *testing.T) {
			bus := "{" + strings.Trim(c.bus, "{}") + "}"
			src := "version: 1\nsite: s\ngateway: g\nbuses: {b: " + bus + "}\ndevices: {d: {bus: b, unit: 1" + c.device + "}}\npoints:\n" + c.points
			_, problems := Parse("f", []byte(src))
			if got := strings.TrimSpace(strings.TrimPrefix(said(problems), "f:")); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
