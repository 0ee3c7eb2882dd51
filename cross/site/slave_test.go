//go:build site

package site

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A slave is the program of slave.c.
type slave struct {
	t    *testing.T
	mu   sync.Mutex
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	args []string
	ns   string // the network namespace that it runs in; empty: this one
}

func tcpSlave(t *testing.T, port int) *slave {
	t.Helper()
	s := &slave{t: t, args: []string{"tcp", strconv.Itoa(port)}}
	s.start()
	return s
}

func rtuSlave(t *testing.T, device string, unit int) *slave {
	t.Helper()
	s := &slave{t: t, args: []string{"rtu", device, strconv.Itoa(unit)}}
	s.start()
	return s
}

func (s *slave) start() {
	s.t.Helper()
	s.cmd = exec.Command(slaveIn, s.args...)
	if s.ns != "" {
		s.cmd = inside(s.ns, s.cmd)
	}
	s.cmd.Stderr = os.Stderr
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	child(s.t, s.cmd)
	cmd := s.cmd
	s.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if line, err := s.out.ReadString('\n'); err != nil || line != "ready\n" {
		s.t.Fatalf("slave %v: %q, %v", s.args, line, err)
	}
}

// do sends one line and returns the answer.
func (s *slave) do(format string, args ...any) string {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.in, format+"\n", args...)
	line, err := s.out.ReadString('\n')
	if err != nil {
		s.t.Errorf("slave %v: %v", s.args, err)
	}
	return strings.TrimSpace(line)
}

func (s *slave) set(table string, at int, values ...uint16) {
	s.t.Helper()
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, " %d", v)
	}
	if got := s.do("%s %d%s", table, at, b.String()); got != "ok" {
		s.t.Errorf("slave: set %s %d: %q", table, at, got)
	}
}

func (s *slave) get(table string, at int) int {
	s.t.Helper()
	n, err := strconv.Atoi(s.do("get %s %d", table, at))
	if err != nil {
		s.t.Error(err)
	}
	return n
}

func (s *slave) signal(sig syscall.Signal) { s.cmd.Process.Signal(sig) }

// serialLine is a pair of PTYs that stand for one line: what is written to
// either end can be read at the other. Each test has a fresh one, since bytes
// that a killed slave did not read stay in it.
func serialLine(t *testing.T) (agentEnd, slaveEnd string) {
	t.Helper()
	dir := folder(t)
	agentEnd, slaveEnd = filepath.Join(dir, "a"), filepath.Join(dir, "b")
	cmd := exec.Command("socat", "pty,raw,echo=0,link="+agentEnd, "pty,raw,echo=0,link="+slaveEnd)
	child(t, cmd)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	eventually(t, 5*time.Second, "socat makes its PTYs", func() bool {
		_, a := os.Stat(agentEnd)
		_, b := os.Stat(slaveEnd)
		return a == nil && b == nil
	})
	return agentEnd, slaveEnd
}

// serialServer is a box that puts a serial line on the network, as socat does it.
func serialServer(t *testing.T, device string) (port int) {
	t.Helper()
	port = freePort(t)
	cmd := exec.Command("socat", fmt.Sprintf("tcp-listen:%d,bind=127.0.0.1,reuseaddr,fork", port), "open:"+device+",raw,echo=0")
	child(t, cmd)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return port
}
