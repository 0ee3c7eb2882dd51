//go:build site

package site

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What TestMain builds, for all tests.
var (
	work    string // a folder for the whole run
	pithead string // the agent as it ships
	racer   string // the agent with the race detector
	slaveIn string // the slave of slave.c
	parts   string // the folder of slaves that others wrote (parts.sh)
	ca      *authority
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if work, err = os.MkdirTemp("", "pithead-site-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(work)
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM)
	go func() { // what a stop would leave behind; processes end with this one
		<-stopped
		for _, ns := range []string{"pg", "pp"} { // see newWire
			exec.Command("ip", "netns", "delete", ns+strconv.Itoa(os.Getpid())).Run()
		}
		os.RemoveAll(work)
		os.Exit(1)
	}()
	if err := buildAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func buildAll() (err error) {
	pithead = filepath.Join(work, "pithead")
	racer = filepath.Join(work, "pithead-race")
	slaveIn = filepath.Join(work, "slave")
	if given := os.Getenv("PITHEAD"); given != "" { // a binary that is built already
		pithead, racer = given, given
	} else {
		if said, err := exec.Command("make", "-s", "-C", "../..", "build", "OUT="+pithead).CombinedOutput(); err != nil {
			return fmt.Errorf("make build: %w\n%s", err, said)
		}
		if err := goBuild(racer, []string{"CGO_ENABLED=1"}, "-race"); err != nil {
			return err
		}
	}
	out, err := exec.Command("gcc", "-Wall", "-O1", "-o", slaveIn, "slave.c", "-lmodbus").CombinedOutput()
	if err != nil {
		return fmt.Errorf("slave.c: %w\n%s", err, out)
	}
	if err := fetchParts(); err != nil {
		return err
	}
	ca, err = newAuthority(work)
	return err
}

// fetchParts has the slaves of others in the user's cache.
func fetchParts() error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	parts = filepath.Join(cache, "pithead-site")
	if out, err := exec.Command("./parts.sh", parts).CombinedOutput(); err != nil {
		return fmt.Errorf("parts.sh: %w\n%s", err, out)
	}
	return nil
}

func goBuild(out string, env []string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w"}, flags...)
	cmd := exec.Command("go", append(args, "-o", out, "pithead/agent/cmd/pithead")...)
	cmd.Env = append(os.Environ(), env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", out, err, said)
	}
	return nil
}

// figure prints what a test measured, in one line that a person can find.
func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Logf("figure: "+format, args...)
}

// folder is a short path, since the name of a socket may have only 108 bytes.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(work, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// ports are those that freePort has given out.
var ports struct {
	sync.Mutex
	last int
}

// freePort is one that nobody listens at, and that this run gives out once. It
// lies below those that the kernel gives to who asks for any, so that nobody
// takes it before it is used, or while a broker is away.
func freePort(t *testing.T) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.last == 0 {
		ports.last = 20_000 + os.Getpid()%100*100 // runs beside each other begin apart
	}
	for ports.last < 32_000 {
		ports.last++
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.last)); err == nil {
			l.Close()
			return ports.last
		}
	}
	t.Fatal("no port is free")
	return 0
}

// patience is what a slow machine gets beyond the time that an idle one needs.
// No verdict hangs on it: what does not come in an idle machine's time and that,
// does not come.
const patience = time.Minute

// eventually waits until what holds, and fails the test if it does not within d
// and patience.
func eventually(t *testing.T, d time.Duration, what string, holds func() bool) {
	t.Helper()
	if !within(d, holds) {
		t.Fatalf("not within %v: %s", d+patience, what)
	}
}

func within(d time.Duration, holds func() bool) bool {
	for end := time.Now().Add(d + patience); ; time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// logged shows the end of a log where the test has failed. Lines of logs begin
// with log:, so that nobody takes them for the reason.
func logged(t *testing.T, whose, file string) {
	t.Helper()
	if !t.Failed() {
		return
	}
	text, _ := os.ReadFile(file)
	lines := strings.Split(strings.TrimSpace(string(text[max(0, len(text)-16<<10):])), "\n")
	t.Logf("log: the end of %s's\n%s", whose, strings.Join(lines[max(0, len(lines)-40):], "\n"))
}

// child starts cmd so that it dies with the test program, and sees to its end.
func child(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// memory is VmRSS and VmHWM of a process, in bytes.
func memory(t *testing.T, pid int) (now, most int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kB, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			now = kB << 10
		case "VmHWM:":
			most = kB << 10
		}
	}
	return now, most
}
