package agent

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pithead/drivers"
	"pithead/drivers/modbus"
	"pithead/drivers/modbus/modbustest"
)

// Whatever happens to a line, its state is clear (the bus is down and says why,
// or its units are offline), every point is comm meanwhile, and it is back by
// itself.
func TestHangUps(t *testing.T) {
	open := func(err error) error { return &os.PathError{Op: "open", Path: "/dev/ttyUSB0", Err: err} }
	for _, c := range []struct {
		name      string
		transport modbus.Transport
		happens   func(l *modbustest.Line)
		ends      func(l *modbustest.Line) // nil: it goes on, but for what was open
		down      string                   // what the bus says meanwhile; empty: that it is up
		within    time.Duration            // it is back
	}{
		{"the USB adapter is pulled and put back", modbus.RTU, func(l *modbustest.Line) { l.Fail(open(syscall.ENOENT)) },
			func(l *modbustest.Line) { l.Fail(nil) }, "no such file", 2500 * time.Millisecond},
		{"it is there, but its driver is not", modbus.RTU, func(l *modbustest.Line) { l.Fail(open(syscall.EIO)) },
			func(l *modbustest.Line) { l.Fail(nil) }, "input/output error", 2500 * time.Millisecond},
		{"permission denied", modbus.RTU, func(l *modbustest.Line) { l.Fail(open(syscall.EACCES)) },
			func(l *modbustest.Line) { l.Fail(nil) }, "permission denied", 2500 * time.Millisecond},
		{"the serial server reboots", modbus.RTUOverTCP, func(l *modbustest.Line) { l.Fail(syscall.ECONNREFUSED) },
			func(l *modbustest.Line) { l.Fail(nil) }, "connection refused", 2500 * time.Millisecond},
		{"a half-open connection", modbus.RTUOverTCP, func(l *modbustest.Line) { l.Strand() }, nil, "", 6 * time.Second},
		{"it accepts and says nothing", modbus.RTUOverTCP, func(l *modbustest.Line) { l.Mute(true) },
			func(l *modbustest.Line) { l.Mute(false) }, "", 30 * time.Second},
		{"one connection only, and that is half-open", modbus.RTUOverTCP, func(l *modbustest.Line) { l.Single(); l.Strand() }, nil, "", 6 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 3, 1, time.Second, func(m *modbus.Config) { m.Transport = c.transport })
				turnFor(t, r.busLoop, func() {
					time.Sleep(5 * time.Second)
					c.happens(r.line)
					began := time.Now()
					if c.ends != nil {
						time.Sleep(10 * time.Minute)
						about, units := r.about.Load(), *r.state.Load()
						if c.down == "" && about.Down != "" || !strings.Contains(about.Down, c.down) {
							t.Errorf("after ten minutes the bus says %q", about.Down)
						}
						for _, u := range units {
							if u.Life != Offline {
								t.Errorf("unit %s is %v", u.Unit, u.Life)
							}
						}
						for i := 1; i <= 3; i++ {
							rs := r.c.of(fmt.Sprint("p", i, ".0"))
							if last := rs[len(rs)-1]; last.Quality != drivers.Comm || time.Since(last.At) > 2*time.Second {
								t.Errorf("point of unit %d: %v, %v ago", i, last.Quality, time.Since(last.At))
							}
							if len(r.good(i, began.Add(time.Second))) > 0 {
								t.Errorf("unit %d was read without a line", i)
							}
						}
						c.ends(r.line)
						began = time.Now()
					}
					time.Sleep(31 * time.Second)
					for i := 1; i <= 3; i++ {
						at := r.good(i, began)
						if len(at) == 0 || at[0].Sub(began) > c.within {
							t.Errorf("unit %d was read again %v", i, at)
						}
						if n := len(at); c.within < 10*time.Second && n < 20 {
							t.Errorf("unit %d was read %d times in 31 s", i, n)
						}
					}
					if about := r.about.Load(); about.Down != "" {
						t.Errorf("it is back, and says %q", about.Down)
					}
				})
				if r.line.Opens() > 700 {
					t.Errorf("opened %d times", r.line.Opens())
				}
			})
		})
	}
}
