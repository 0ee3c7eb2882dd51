//go:build site

package site

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// readNow asks for points once: what they show, by id; the quality where they are bad.
func (a *agent) readNow(t *testing.T, points ...string) map[string]string {
	t.Helper()
	said, _ := a.command(append([]string{"read", "--json", "--site", a.site}, points...)...)
	var all []struct {
		Point, Quality string
		Value          json.RawMessage
		Code           int
	}
	if err := json.Unmarshal([]byte(said), &all); err != nil {
		t.Fatalf("read: %v\n%s", err, said)
	}
	got := map[string]string{}
	for _, r := range all {
		got[r.Point] = string(r.Value)
		if r.Quality != "good" {
			got[r.Point] = strings.TrimSuffix(fmt.Sprintf("%s %d", r.Quality, r.Code), " 0")
		}
	}
	return got
}

// listens waits until a read goes through the agent. One that comes sooner opens the
// line itself: of a server with a single connection it takes that one, and the server
// ends with it, while the agent's waits unanswered.
func (a *agent) listens(t *testing.T) {
	t.Helper()
	eventually(t, 20*time.Second, "the agent listens", func() bool { _, err := os.Stat(filepath.Join(a.dir, "sock")); return err == nil })
}

// shows waits until points read so. A server that has just lost its one connection
// is not back yet, and one that the machine runs late answers late: they may be comm
// instead at first, and nothing else.
func (a *agent) shows(t *testing.T, what string, want map[string]string) {
	t.Helper()
	points := slices.Sorted(maps.Keys(want))
	differ, wrong := "", false
	within(10*time.Second, func() bool {
		got := a.readNow(t, points...)
		differ = ""
		for _, id := range points {
			if got[id] != want[id] {
				differ += fmt.Sprintf(" %s is %s, want %s;", id, got[id], want[id])
				wrong = wrong || got[id] != "comm" && want[id] != "comm"
			}
		}
		return wrong || differ == ""
	})
	if differ != "" {
		t.Errorf("%s:%s", what, differ)
	}
}

// A unitTestServer is libmodbus's own: it takes one connection, and ends with
// it, so it is started again for as long as the test lasts.
func unitTestServer(t *testing.T, args ...string) {
	t.Helper()
	var mu sync.Mutex
	var cmd *exec.Cmd
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			mu.Lock()
			select {
			case <-over:
				mu.Unlock()
				return
			default:
			}
			cmd = exec.Command(filepath.Join(parts, "unit-test-server"), args...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			err := cmd.Start()
			mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			cmd.Wait()
			time.Sleep(50 * time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		mu.Lock()
		close(over)
		cmd.Process.Kill()
		mu.Unlock()
		<-ended
	})
	time.Sleep(200 * time.Millisecond) // it says nothing when it listens, and a look would be its one connection
}

// The special addresses of libmodbus's unit-test-server, over TCP: busy, a
// wrong transaction id, half a second late, byte by byte; and two registers, of
// which it answers one. It answers the slow byte by byte as unit 255, with the
// low byte of the transaction id alone, so there may be only 255 requests.
func TestLibmodbusUnitTestServer(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	unitTestServer(t, "tcp", fmt.Sprint(port))
	site := func(timeout, every, points string) string {
		return fmt.Sprintf("buses: {b: {tcp: \"127.0.0.1:%d\", timeout: %s}}\ndevices: {ut: {bus: b, unit: 255, max: 2, retries: 1, every: %s}}\npoints:\n%s", port, timeout, every, points)
	}
	const plain = "  ten: {device: ut, input: 0x108}\n  clear: {device: ut, discrete: 0x1C4}\n  set: {device: ut, discrete: 0x1C6}\n"
	for _, c := range []struct{ story, point, want string }{
		{"busy", "{device: ut, holding: 0x170}", "exception 6"},
		{"a wrong transaction id", "{device: ut, holding: 0x171}", "protocol"},
		{"half a second late", "{device: ut, holding: 0x172}", "0"},
		{"byte by byte", "{device: ut, holding: 0x173}", "0"},
		{"one register for two", "{device: ut, holding: 0x160, type: u32}", "protocol"},
		{"no such address", "{device: ut, holding: 0x10}", "exception 2"},
	} {
		a := install(t, pithead, site("1s", "1s", plain+"  odd: "+c.point+"\n"))
		a.shows(t, c.story, map[string]string{"odd": c.want})
		a.shows(t, "sound values after "+c.story, map[string]string{"ten": "10", "clear": "false", "set": "true"})
	}
	// All of them in turn, by a running agent: the odd ones take nothing else down.
	a := install(t, racer, site("10s", "2s", plain+"  busy: {device: ut, holding: 0x170}\n  tid: {device: ut, holding: 0x176}\n  late: {device: ut, holding: 0x178}\n"))
	a.start(t)
	a.listens(t)
	want := map[string]string{"ten": "10", "clear": "false", "set": "true", "busy": "exception 6", "tid": "0", "late": "0"}
	a.shows(t, "running", want)
	for range 3 {
		if got := a.readNow(t); !maps.Equal(got, want) {
			t.Errorf("running: %v, want %v", got, want)
		}
	}
	a.stop(t)
}

// The same on a serial line, where a wrong slave's number is what can be wrong.
func TestLibmodbusUnitTestServerOnALine(t *testing.T) {
	t.Parallel()
	agentEnd, slaveEnd := serialLine(t)
	unitTestServer(t, "rtu", slaveEnd)
	for _, c := range []struct{ story, point, timeout, want string }{
		{"busy", "{device: ut, holding: 0x170}", "3s", "exception 6"},
		{"another slave's answer", "{device: ut, holding: 0x171}", "3s", "protocol"},
		{"half a second late", "{device: ut, holding: 0x172}", "300ms", "comm"},
		{"one register for two", "{device: ut, holding: 0x160, type: u32}", "3s", "protocol"},
		{"no such address", "{device: ut, holding: 0x10}", "3s", "exception 2"},
	} {
		a := install(t, pithead, fmt.Sprintf("buses: {b: {serial: %s, baud: 115200, timeout: %s}}\ndevices: {ut: {bus: b, unit: 17, max: 2, every: 1s}}\npoints:\n"+
			"  ten: {device: ut, input: 0x108}\n  odd: %s\n", agentEnd, c.timeout, c.point))
		a.shows(t, c.story, map[string]string{"odd": c.want})
		if c.want == "comm" { // what comes late must not meet the next question
			time.Sleep(5 * time.Second)
		}
		a.shows(t, "after "+c.story, map[string]string{"ten": "10"})
	}
}

// nodeSlave starts modbus-serial; what it says comes by the channel.
func nodeSlave(t *testing.T, args ...string) <-chan string {
	t.Helper()
	cmd := exec.Command("node", append([]string{"slave.js", filepath.Join(parts, "node_modules")}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	child(t, cmd)
	said := make(chan string, 100)
	go func() {
		defer close(said)
		for in := bufio.NewScanner(out); in.Scan(); {
			said <- in.Text()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	hear(t, said, "ready")
	return said
}

func hear(t *testing.T, said <-chan string, want string) {
	t.Helper()
	select {
	case got := <-said:
		if got != want {
			t.Fatalf("the slave says %q, want %q", got, want)
		}
	case <-time.After(20*time.Second + patience):
		t.Fatalf("the slave does not say %q", want)
	}
}

// npm's modbus-serial as a slave, over TCP and on a line; mbpoll reads the same.
func TestModbusSerialOfNode(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	agentEnd, slaveEnd := serialLine(t)
	for _, c := range []struct {
		story, bus, mbpoll string
		unit               int
		said               <-chan string
	}{
		{"TCP", fmt.Sprintf("{tcp: \"127.0.0.1:%d\"}", port), fmt.Sprintf("-m tcp -p %d -a 1 127.0.0.1", port), 1, nodeSlave(t, "tcp", fmt.Sprint(port))},
		{"a line", fmt.Sprintf("{serial: %s}", agentEnd), "-m rtu -b 9600 -P none -a 6 " + agentEnd, 6, nodeSlave(t, "rtu", slaveEnd, "6")},
	} {
		a := install(t, pithead, fmt.Sprintf("buses: {b: %s}\ndevices: {n: {bus: b, unit: %d, every: 1s}}\npoints:\n"+
			"  h: {device: n, holding: 7}\n  i: {device: n, input: 8}\n  c: {device: n, coil: 9}\n  d: {device: n, discrete: 10}\n"+
			"  long: {device: n, holding: 20, type: u64}\n  none: {device: n, holding: 200}\n"+
			"outputs: {siren: {device: n, coil: 30}}\n", c.bus, c.unit))
		want := map[string]string{"h": "1007", "i": "2008", "c": "true", "d": "false", "long": fmt.Sprint(uint64(1020)<<48 | 1021<<32 | 1022<<16 | 1023), "none": "exception 2"}
		a.shows(t, c.story, want)
		out, err := exec.Command("mbpoll", strings.Fields("-1 -q -o 10 -t 4 -r 8 "+c.mbpoll)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "1007") {
			t.Errorf("%s: mbpoll: %v\n%s", c.story, err, out)
		}
		if said, err := a.command("write", "siren", "on", "--yes", "--for", "1s", "--site", a.site); err != nil {
			t.Errorf("%s: write: %v\n%s", c.story, err, said)
		}
		hear(t, c.said, "coil 30 1")
		hear(t, c.said, "coil 30 0")
		bus := strings.TrimSuffix(strings.TrimPrefix(c.bus, "{serial: "), "}")
		if c.unit == 1 {
			bus = fmt.Sprintf("127.0.0.1:%d", port)
		}
		eventually(t, 10*time.Second, c.story+": scan finds the unit", func() bool {
			said, err := a.command("scan", bus, "--units", fmt.Sprintf("1-%d", max(c.unit, 3)), "--json")
			return err == nil && strings.Contains(said, fmt.Sprintf(`"unit":%d`, c.unit))
		})
	}
}

// secondMaster is one that reads input 0x108 of unit 255 three times a second, from
// the first time on. It ends by itself where the server is not there yet.
func secondMaster(t *testing.T, port int) *exec.Cmd {
	t.Helper()
	var cmd *exec.Cmd
	file := filepath.Join(folder(t), "out")
	ended := make(chan struct{})
	close(ended)
	eventually(t, 20*time.Second, "the other master reads", func() bool {
		select {
		case <-ended:
			out, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			cmd = exec.Command("stdbuf", "-oL", "mbpoll", "-m", "tcp", "-p", fmt.Sprint(port), "-a", "255", "-t", "3", "-r", "265", "-l", "300", "-o", "10", "-q", "127.0.0.1")
			cmd.Stdout = out
			child(t, cmd)
			now, over := cmd, make(chan struct{})
			ended = over
			go func() { now.Wait(); close(over) }()
		default:
		}
		said, _ := os.ReadFile(file)
		return strings.Contains(string(said), "[265]")
	})
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	return cmd
}

// A server that allows one connection: while another master has it, the agent
// waits; when that one goes, the agent is back by itself.
func TestASecondMasterHasTheOnlyConnection(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	unitTestServer(t, "tcp", fmt.Sprint(port))
	other := secondMaster(t, port)
	a := install(t, racer, fmt.Sprintf("buses: {b: {tcp: \"127.0.0.1:%d\", timeout: 300ms}}\ndevices: {ut: {bus: b, unit: 255, every: 500ms}}\npoints:\n  ten: {device: ut, input: 0x108}\n", port))
	a.start(t)
	a.listens(t)
	a.shows(t, "another master has it", map[string]string{"ten": "comm"})
	for range 3 {
		time.Sleep(500 * time.Millisecond)
		if got := a.readNow(t)["ten"]; got != "comm" {
			t.Errorf("another master has it, and ten is %s", got)
		}
	}
	other.Process.Kill()
	began := time.Now()
	eventually(t, 30*time.Second, "the agent is back", func() bool { return a.readNow(t)["ten"] == "10" })
	figure(t, "back %.1f s after the other master went", time.Since(began).Seconds())
	a.stop(t)
}
