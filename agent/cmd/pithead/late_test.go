package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A pipe that takes nothing until somebody opens it.
type pipe struct {
	open chan struct{}
	bytes.Buffer
}

func (p *pipe) Write(b []byte) (int, error) {
	<-p.open
	return p.Buffer.Write(b)
}

func TestALogThatNobodyReadsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{open: make(chan struct{})}
		l := newLateLog(p, slog.New(slog.NewTextHandler(p, nil)))
		synctest.Wait()
		for i := range 2 * mostLate {
			fmt.Fprintf(l, "line %d\n", i)
			if i == 0 {
				synctest.Wait() // it hangs with the first
			}
		}
		close(p.open)
		l.Close()
		got := strings.Split(strings.TrimSpace(p.String()), "\n")
		if len(got) != mostLate+2 || got[0] != "line 0" || !strings.HasSuffix(got[1], fmt.Sprintf("lost=%d", mostLate-1)) || got[mostLate+1] != fmt.Sprintf("line %d", mostLate) {
			t.Errorf("%d lines: %q … %q", len(got), got[:2], got[len(got)-1])
		}
	})
}

// All mistakes of a site file come at once, and all are to be read.
func TestALogThatIsOnlySlowLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{open: make(chan struct{})}
		l := newLateLog(p, slog.New(slog.NewTextHandler(p, nil)))
		time.AfterFunc(mostWait/2, func() { close(p.open) })
		for i := range 4 * mostLate {
			fmt.Fprintf(l, "line %d\n", i)
		}
		l.Close()
		if n := strings.Count(p.String(), "\n"); n != 4*mostLate {
			t.Errorf("%d of %d lines", n, 4*mostLate)
		}
	})
}

func TestALogThatStaysShutHoldsUpNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{open: make(chan struct{})}
		l := newLateLog(p, slog.New(slog.DiscardHandler))
		fmt.Fprintln(l, "the last word")
		began := time.Now()
		if l.Close(); time.Since(began) != lastWord {
			t.Errorf("it took %v", time.Since(began))
		}
		close(p.open)
	})
}

// A journal that is started anew closes the pipe that an agent writes its log to.
func TestAnAgentOutlivesItsJournal(t *testing.T) {
	if file := os.Getenv("PITHEAD_JOURNAL_TEST"); file != "" {
		os.Exit(run(context.Background(), []string{"run", file}, os.Stdin, os.Stdout, os.Stderr))
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "site.yaml")
	write(t, file, goodSite+fmt.Sprintf("web: {listen: %s}\nbuffer: {dir: %s/buf, size: 16MB}\n", freePort(t), dir))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0], "-test.run=^TestAnAgentOutlivesItsJournal$")
	c.Env = append(os.Environ(), "PITHEAD_JOURNAL_TEST="+file, "PITHEAD_SOCKET="+filepath.Join(dir, "s.sock"), "STATE_DIRECTORY="+dir)
	c.Stderr = w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for s := bufio.NewScanner(r); s.Scan() && !strings.Contains(s.Text(), "msg=running"); {
	}
	r.Close()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil { // which is logged
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v, want a stop in order", err)
	}
}
