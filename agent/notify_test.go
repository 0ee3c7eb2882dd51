package agent

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// manager is a service manager's socket, and what names it to who has something to tell.
func manager(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return l
}

// A judge that hangs is no reason to feed the watchdog, a dead link is none to
// starve it.
func TestTheWatchdogIsFedWhileAllTurns(t *testing.T) {
	l := manager(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", "")
	said := make(chan string, 1000)
	go func() {
		b := make([]byte, 100)
		for {
			n, err := l.Read(b)
			if err != nil {
				return
			}
			said <- string(b[:n])
		}
	}()
	loop := &busLoop{id: "rs1", began: time.Now()}
	j := &judge{calls: make(chan func()), ended: make(chan struct{})}
	a := &agent{judge: j, loops: []*busLoop{loop}, Options: Options{Log: slog.New(slog.DiscardHandler)}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.notify(ctx) }()
	asked := func() { (<-j.calls)() } // the judge turns once
	if got := <-said; got != "READY=1" {
		t.Errorf("%q", got)
	}
	asked()
	if got := <-said; got != "WATCHDOG=1" {
		t.Errorf("%q", got)
	}
	loop.beat.Store(-int64(time.Hour)) // it has not turned since
	for range 5 {
		asked()
	}
	cancel()
	close(j.ended)
	<-done
	fed := 0
	for got := range said {
		if got == "STOPPING=1" {
			break
		}
		fed++
	}
	if fed > 1 { // the look that had begun before
		t.Errorf("fed %d times though a bus stands", fed)
	}
}

// A service manager that hears nothing any more (it may hang, or be replaced) holds
// up neither a stop nor a reload.
func TestAManagerThatHangsHoldsUpNoStop(t *testing.T) {
	manager(t) // which never reads
	t.Setenv("WATCHDOG_USEC", "")
	for first := 0; first >= 0; { // until even a fresh connection can say nothing
		c, ok := notifier()
		if !ok {
			t.Fatal("no connection")
		}
		defer c.Close()
		for first = -1; ; first++ {
			_ = c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := c.Write([]byte("x")); err != nil {
				break
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() { defer close(done); (&agent{}).notify(ctx) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("it hangs with its manager")
	}
}

// still is a connection on a machine that stood still when it was to be written to.
type still struct {
	net.Conn
	times int
	said  []string
}

func (s *still) SetWriteDeadline(time.Time) error { return nil }

func (s *still) Write(b []byte) (int, error) {
	if s.times--; s.times >= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	s.said = append(s.said, string(b))
	return len(b), nil
}

func TestAWordThatAMachineSleptOverIsSaid(t *testing.T) {
	for times, want := range []int{1, 1, 0} {
		s := &still{times: times}
		if tell(s, "READY=1"); len(s.said) != want {
			t.Errorf("after %d in vain it has said %q", times, s.said)
		}
	}
}

func TestNobodyIsToldWhereNobodyAsks(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	(&agent{}).notify(t.Context())
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", "1")
	if d := watchdog(); d != 0 {
		t.Errorf("feeds another's watchdog each %v", d)
	}
}
