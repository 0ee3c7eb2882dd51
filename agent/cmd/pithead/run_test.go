package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// started is the program as it runs, with what it said so far.
type started struct {
	t      *testing.T
	cancel context.CancelFunc
	status chan int
	web    string
	mu     sync.Mutex
	said   bytes.Buffer
}

func (s *started) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func start(t *testing.T, web, file string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{t: t, cancel: cancel, status: make(chan int, 1), web: web}
	go func() { s.status <- run(ctx, []string{"run", file}, strings.NewReader(""), io.Discard, s) }()
	s.until("the page answers", func() bool { return s.get("healthz", nil) == nil })
	return s
}

// stop ends it in order.
func (s *started) stop() {
	s.t.Helper()
	s.cancel()
	select {
	case status := <-s.status:
		if status != done {
			s.t.Errorf("exit %d\n%s", status, s.said.String())
		}
	case <-time.After(patience):
		s.t.Fatal("it does not stop")
	}
}

// patience is what a slow machine may take for anything.
const patience = 2 * time.Minute

func (s *started) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Fatalf("%s: not within %v\n%s", what, patience, s.said.String())
}

func (s *started) get(path string, into any) error {
	resp, err := http.Get("http://" + s.web + "/" + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// standing is the states of the alarms that are not normal, by id.
func (s *started) standing() map[string]string {
	var got struct{ Alarms []struct{ ID, State string } }
	if s.get("api/v1/alarms", &got) != nil {
		return nil
	}
	by := map[string]string{}
	for _, a := range got.Alarms {
		by[a.ID] = a.State
	}
	return by
}

// freePort is below those that the kernel gives to who asks for any, so that nobody
// takes it between two runs.
func freePort(t *testing.T) string {
	t.Helper()
	for port := 10_000 + os.Getpid()%10_000; port < 32_000; port++ {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

func TestARunFromItsStartToItsReloadsToItsLastGoodFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PITHEAD_SOCKET", filepath.Join(dir, "s.sock"))
	t.Setenv("STATE_DIRECTORY", filepath.Join(dir, "state"))
	file, web := filepath.Join(dir, "site.yaml"), freePort(t)
	site := func(limit string) string {
		s := strings.Replace(goodSite, "alarms: [{level: red, above: 5}]", "alarms: [{level: red, above: "+limit+", latch: true}]", 1)
		return s + fmt.Sprintf("web: {listen: %s}\nbuffer: {dir: %s/buf, size: 16MB}\n", web, dir)
	}
	write(t, file, site("5"))
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "manager"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "manager"))
	s := start(t, web, file)
	s.until("the level is read", func() bool {
		var p struct{ Points []struct{ Quality string } }
		return s.get("api/v1/points", &p) == nil && len(p.Points) == 2 && p.Points[0].Quality == "good"
	})
	if _, _, err := try(t, "ack", "pond.level/rot"); !strings.Contains(err, `no alarm "pond.level/rot"; did you mean pond.level/red?`) {
		t.Errorf("ack of a slip: %q", err)
	}

	// A bad file changes nothing but raises agent/config.
	write(t, file, site("high"))
	hup(t)
	s.until("a bad reload is told", func() bool { return s.standing()["agent/config"] == "active" })

	// A good one ends that, and its new limit counts.
	write(t, file, site("2"))
	hup(t)
	s.until("the new limit counts", func() bool { st := s.standing(); return st["pond.level/red"] == "active" && st["agent/config"] == "" })
	if status, out, err := try(t, "ack", "pond.level/red"); status != done || !strings.Contains(out, "acknowledged") {
		t.Errorf("ack: %d %s %s", status, out, err)
	}
	if status, _, err := try(t, "reset", "pond.level/red"); status != wrong || !strings.Contains(err, "pond.level/red") {
		t.Errorf("reset while it holds: %d %s", status, err)
	}
	if status, out, _ := try(t, "read", "--json", "pond.level"); status != done || !strings.Contains(out, `"value":2.5`) {
		t.Errorf("read: %d %s", status, out)
	}
	s.stop()
	if _, err := os.Stat(filepath.Join(dir, "s.sock")); err == nil {
		t.Error("the socket is left behind")
	}
	// systemd kills who says that he stops and goes on: the good reload was no stop.
	if got := heard(t, manager); got != "READY=1 READY=1 STOPPING=1" {
		t.Errorf("the service manager heard %q", got)
	}

	// With a bad file it comes up on the last good one, and still knows the alarm.
	write(t, file, "version: 1\nbuffer:\n  dir: "+dir+"/buf\nthis is: [no site file\n")
	s = start(t, web, file)
	s.until("the last good file runs", func() bool {
		st := s.standing()
		return st["agent/config"] == "active" && st["pond.level/red"] == "acked"
	})
	s.stop()

	// Also when nothing of the file says any more where its buffer is.
	write(t, file, "buses: [")
	s = start(t, web, file)
	s.until("the last good file runs", func() bool { return s.standing()["agent/config"] == "active" })
	s.stop()
	if status, out, err := try(t, "buffer", "stat", dir+"/buf"); status != done || !strings.Contains(out, "events") {
		t.Errorf("buffer stat: %d %s %s", status, out, err)
	}
}

// heard is what has been said to a service manager, who waits for the last word.
func heard(t *testing.T, manager *net.UnixConn) string {
	t.Helper()
	if err := manager.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	words := ""
	for b := make([]byte, 100); !strings.Contains(words, "STOPPING=1"); {
		n, err := manager.Read(b)
		if err != nil {
			t.Fatalf("heard %q, then %v", words, err)
		}
		words += string(b[:n]) + " "
	}
	return strings.TrimSpace(words)
}

func hup(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}
