//go:build site

package site

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// eventually waits until what holds, and fails the test if it does not within d.
func eventually(t *testing.T, d time.Duration, what string, holds func() bool) {
	t.Helper()
	if !within(d, holds) {
		t.Fatalf("not within %v: %s", d, what)
	}
}

func within(d time.Duration, holds func() bool) bool {
	for end := time.Now().Add(d); ; time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
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
