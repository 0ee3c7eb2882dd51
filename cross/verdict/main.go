// Command verdict runs go test and puts what failed, and why, at the very end,
// where somebody who sees only the last lines finds it:
//
//	verdict [-at-once] GO test [FLAGS] PACKAGES
//
// With -at-once it stops everything at the first test that fails. With -v among
// the flags all that tests say is shown as it comes, else only what failed says.
// It knows nothing of what is tested.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func main() {
	atOnce := flag.Bool("at-once", false, "stop at the first test that fails")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := newReport(os.Stdout, slices.Contains(flag.Args(), "-v"))
	err := run(ctx, flag.Args(), *atOnce, r)
	r.end()
	if err != nil && !r.failed() {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || r.failed() {
		os.Exit(1)
	}
}

// run runs the command in a process group of its own, and where it may be stopped
// also with a folder of its own for temporary files, so that nothing of it is left.
func run(ctx context.Context, args []string, atOnce bool, r *report) error {
	if len(args) < 3 || args[1] != "test" {
		return errors.New("verdict: want [-at-once] GO test [FLAGS] PACKAGES")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, args[0], append([]string{"test", "-json"}, args[2:]...)...)
	if atOnce { // else the results of before would not count: tests look at TMPDIR
		tmp, err := os.MkdirTemp("", "v")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		in := bufio.NewReader(read)
		for {
			line, err := in.ReadBytes('\n')
			if r.take(line) && atOnce {
				stop()
			}
			if err != nil {
				return
			}
		}
	}()
	err := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what has not ended with it
	write.Close()
	<-done
	return err
}

// An occurrence is a line of go test -json.
type occurrence struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

func parse(line []byte) (o occurrence, ok bool) {
	return o, bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &o) == nil
}
