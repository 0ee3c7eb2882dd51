package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// build compiles the agent as `make build` does, but for the version.
func build(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "pithead")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "pithead/agent/cmd/pithead")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
}

// An agent is the pithead program, run as a child.
type agent struct {
	bin, dir string
	cmd      *exec.Cmd
	log      tail
	done     chan struct{} // closed when it has ended
	err      error         // how; valid once done is closed
}

// start runs the agent in a process group of its own: a Ctrl-C in the terminal
// is for the demo, which then stops the agent in order.
func start(bin, dir, site string) (*agent, error) {
	a := &agent{bin: bin, dir: dir, done: make(chan struct{})}
	a.cmd = exec.Command(bin, "run", site)
	a.cmd.Env = a.env()
	a.cmd.Stdout, a.cmd.Stderr = &a.log, &a.log
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		a.err = a.cmd.Wait()
		close(a.done)
	}()
	return a, nil
}

func (a *agent) env() []string {
	return append(os.Environ(), "PITHEAD_SOCKET="+filepath.Join(a.dir, "pithead.sock"))
}

// stop asks the agent to end and waits for it; after ten seconds it kills it.
func (a *agent) stop() error {
	a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-a.done:
		return a.err
	case <-time.After(10 * time.Second):
		a.cmd.Process.Kill()
		<-a.done
		return errors.New("the agent did not stop within 10 s")
	}
}

// command runs another pithead command against the running agent, as a person would.
func (a *agent) command(args ...string) ([]byte, error) {
	cmd := exec.Command(a.bin, args...)
	cmd.Env = a.env()
	out, err := cmd.CombinedOutput()
	return bytes.TrimSpace(out), err
}

// A tail keeps the end of what was written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	const most = 16 << 10
	if len(t.buf) > 2*most {
		t.buf = append([]byte(nil), t.buf[len(t.buf)-most:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
