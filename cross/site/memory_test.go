//go:build site

package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A thousand points each second, all stored and published, in little memory.
func TestAThousandPointsASecondInLittleMemory(t *testing.T) {
	t.Parallel()
	const limit = 25_000_000
	port := freePort(t)
	s := tcpSlave(t, port)
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	var text strings.Builder
	fmt.Fprintf(&text, "\nbuses: {plc: {tcp: \"127.0.0.1:%d\"}}\ndevices: {d: {bus: plc, unit: 1, every: 1s}}\npoints:\n", port)
	for i := range 1000 {
		fmt.Fprintf(&text, "  p.n%03d: {device: d, holding: %d, alarms: [{level: red, above: 65000}]}\n", i, i)
	}
	fmt.Fprintf(&text, "buffer: {dir: DIR/buffer, size: 1GB}\n")
	g := install(t, pithead, text.String()+b.uplink())
	g.start(t)
	eventually(t, 20*time.Second, "the last point", func() bool { return w.point("p.n999").N != 0 })

	machine := watchStalls(t)
	from := time.Now()
	var most, now, high int64
	values := make([]uint16, 1000)
	for i := range 100 {
		for j := range values {
			values[j] = uint16(i*7 + j)
		}
		s.set("holding", 0, values...)
		now, high = memory(t, g.cmd.Process.Pid)
		if i >= 5 { // before that, what reading the site file took is still held
			most = max(most, now)
		}
		time.Sleep(time.Until(from.Add(time.Duration(i+1) * time.Second)))
	}
	to := time.Now()
	ticks := cpu(t, g.cmd.Process.Pid)
	up := to.Sub(from) + 2*time.Second
	eventually(t, 20*time.Second, "all until then", func() bool { return w.point("p.n999").T >= to.UnixMilli() })
	g.stop(t)
	eventually(t, 10*time.Second, "status stopped", func() bool { return w.state() == "stopped" })

	l := w.ledger()
	l.whole(t)
	n := 0
	for _, r := range l.readings {
		if r.T >= from.UnixMilli() && r.T < to.UnixMilli() {
			n++
		}
	}
	rate := float64(n) / to.Sub(from).Seconds()
	stood := machine.between(from, to)
	if least := 950 - 1000*stood.Seconds()/to.Sub(from).Seconds(); rate < least || rate > 1050 {
		t.Errorf("%.0f readings a second, want 1000; the machine stood still for %v", rate, stood)
	}
	if most > limit {
		t.Errorf("resident memory went up to %.1f MB, want at most 25", float64(most)/1e6)
	}
	figure(t, "%.0f readings/s for 100s: VmRSS at most %.1f MB, %.1f MB at the end (limit 25), VmHWM %.1f MB while starting; CPU %.1f%% of a core, %d KB of disk",
		rate, float64(most)/1e6, float64(now)/1e6, float64(high)/1e6, 100*ticks.Seconds()/up.Seconds(), size(g.dir+"/buffer")>>10)
}

// cpu is the processor time a process has used, of itself and for the kernel.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold blanks
	f := strings.Fields(rest)
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // Linux counts them in hundredths
}

func size(dir string) (n int64) {
	filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return n
}
