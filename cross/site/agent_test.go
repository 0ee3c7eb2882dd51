//go:build site

package site

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An agent is one installation of pithead: a site file, a folder, a socket. It
// can be started again and again.
type agent struct {
	bin, dir, site string
	cmd            *exec.Cmd
	done           chan struct{}
	err            error // how it ended; valid once done is closed
	starts         int
	web            int    // port of its page
	ns             string // the network namespace that it runs in; empty: this one
	status         int    // exit status of the last command
}

// install writes the site file. In its text DIR is the installation's folder;
// other words may stand for others, too: what, for what, and so on.
func install(t *testing.T, bin, text string, words ...string) *agent {
	t.Helper()
	a := &agent{bin: bin, dir: folder(t)}
	a.site = filepath.Join(a.dir, "site.yaml")
	text = "version: 1\nsite: mine\ngateway: gw-01\n" + strings.NewReplacer(append(words, "DIR", a.dir)...).Replace(text)
	a.web = freePort(t)
	text += fmt.Sprintf("\nweb: {listen: 127.0.0.1:%d}\n", a.web)
	if !strings.Contains(text, "\nbuffer:") {
		text += fmt.Sprintf("\nbuffer: {dir: %s/buffer, size: 256MB, commit: 200ms}\n", a.dir)
	}
	if err := os.WriteFile(a.site, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := a.command("check", a.site); err != nil {
		t.Fatalf("check: %v\n%s\n%s", err, said, numbered(text))
	}
	t.Cleanup(func() {
		a.kill()
		logged(t, "an agent", a.logFile())
	})
	return a
}

func replaceOnce(text, old, new string) string {
	if strings.Count(text, old) != 1 {
		panic("site text holds " + old + " not once")
	}
	return strings.Replace(text, old, new, 1)
}

func numbered(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) > 60 {
		lines = lines[:60]
	}
	for i := range lines {
		lines[i] = fmt.Sprintf("%3d %s", i+1, lines[i])
	}
	return strings.Join(lines, "\n")
}

func (a *agent) env() []string {
	return append(os.Environ(), "PITHEAD_SOCKET="+filepath.Join(a.dir, "sock"))
}

func (a *agent) logFile() string { return filepath.Join(a.dir, "agent.log") }

func (a *agent) start(t *testing.T) {
	t.Helper()
	a.starts++
	log, err := os.OpenFile(a.logFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	fmt.Fprintf(log, "--- start %d\n", a.starts)
	cmd := exec.Command(a.bin, "run", a.site)
	cmd.Env, cmd.Stdout, cmd.Stderr = a.env(), log, log
	if a.ns != "" {
		cmd = inside(a.ns, cmd)
	}
	child(t, cmd)
	done := make(chan struct{})
	a.cmd, a.done = cmd, done
	go func() {
		a.err = cmd.Wait()
		close(done)
	}()
}

// ended says whether it has ended by itself or otherwise.
func (a *agent) ended() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

func (a *agent) kill() {
	if a.cmd == nil || a.ended() {
		return
	}
	a.cmd.Process.Kill()
	<-a.done
}

// stop asks it to end, and wants exit status 0.
func (a *agent) stop(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-a.done:
	case <-time.After(15*time.Second + patience):
		a.kill()
		t.Fatalf("the agent did not stop within %v of SIGTERM", 15*time.Second+patience)
	}
	if a.err != nil {
		t.Errorf("the agent stopped with %v, want exit status 0", a.err)
	}
	return time.Since(began)
}

// command runs another command of the same binary, as a person at the gateway would.
func (a *agent) command(args ...string) (string, error) {
	cmd := exec.Command(a.bin, args...)
	cmd.Env, cmd.Dir = a.env(), a.dir
	out, err := cmd.CombinedOutput()
	a.status = cmd.ProcessState.ExitCode()
	return string(bytes.TrimSpace(out)), err
}

func (a *agent) lastLog(n int) string {
	text, _ := os.ReadFile(a.logFile())
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// sound fails the test if the log holds what no log may hold.
func (a *agent) sound(t *testing.T) {
	t.Helper()
	text, _ := os.ReadFile(a.logFile())
	for _, bad := range []string{"panic:", "DATA RACE", "fatal error:"} {
		if i := bytes.Index(text, []byte(bad)); i >= 0 {
			t.Errorf("the agent's log: %s", text[i:min(len(text), i+3000)])
		}
	}
}
