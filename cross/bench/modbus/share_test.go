//go:build bench

package modbus

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	peer "github.com/goburrow/modbus"
	"golang.org/x/sys/unix"

	"pithead/drivers"
	"pithead/drivers/modbus"
)

var (
	speeds     = []int{9600, 19200, 38400, 57600, 115200}
	quantities = []int{1, 10, 60, 125}
)

// goal is what polls reach of what the wire allows, at least.
const goal = 0.95

// config is a line with one unit whose n registers are one poll.
func config(path string, baud, n int) modbus.Config {
	u := modbus.UnitConfig{ID: "d", Unit: 1, Every: time.Second, Max: 125}
	for i := range n {
		u.Points = append(u.Points, modbus.PointConfig{ID: fmt.Sprintf("p%d", i), Table: modbus.Holding, Address: uint16(100 + i),
			Bit: -1, Every: time.Second, Scale: &drivers.Scale{Decimals: -1}})
	}
	return modbus.Config{ID: "b", Transport: modbus.RTU, Address: path, Baud: baud, Parity: 'N', DataBits: 8, StopBits: 1,
		Timeout: 500 * time.Millisecond, Units: []modbus.UnitConfig{u}}
}

// polls reads for so long, and returns what one poll took, from its begin to the
// next one's: the median, since a busy machine stops either end now and then.
// Each value must be right.
func polls(t *testing.T, b drivers.Bus, n int, d time.Duration) time.Duration {
	t.Helper()
	driver := b.Units()[0].Polls[0].Driver
	failed := 0
	read := func() {
		rs, err := driver.Read(t.Context())
		if err != nil {
			failed++
			return
		}
		if len(rs) != n {
			t.Fatalf("%d readings", len(rs))
		}
		for i, r := range rs {
			if r.Quality != drivers.Good || r.Value.Float() != float64(100+i) {
				t.Fatalf("register %d: %v %v", i, r.Value, r.Quality)
			}
		}
	}
	read() // opens the line
	took := repeat(d, read)
	if failed > 3 {
		t.Errorf("%d reads failed", failed)
	}
	return took
}

// repeat is the median of what one run takes.
func repeat(d time.Duration, run func()) time.Duration {
	var all []time.Duration
	for began := time.Now(); time.Since(began) < d; {
		from := time.Now()
		run()
		all = append(all, time.Since(from))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func yes(ok bool) string {
	if ok {
		return "yes"
	}
	return "no"
}

func TestShareOfTheWireInVirtualTime(t *testing.T) {
	t.Logf("virtual time: a poll as the wire allows it, as it is done, the share; and goburrow's by its formula")
	t.Logf("%8s %10s %12s %12s %8s %16s %8s", "baud", "registers", "allowed", "done", "share", "goburrow", "goal")
	for _, baud := range speeds {
		for _, n := range quantities {
			synctest.Test(t, func(t *testing.T) {
				p := paceOf(baud)
				b, err := modbus.OpenOn(config("virtual", baud, n), func(context.Context, time.Duration) (modbus.Wire, error) {
					return &wire{pace: p, more: make(chan struct{}, 1)}, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				least := p.least(n)
				took := polls(t, b, n, 20*time.Second)
				share := float64(least) / float64(took)
				t.Logf("%8d %10d %12v %12v %7.1f%% %15.1f%% %8s", baud, n, least.Round(time.Microsecond), took.Round(time.Microsecond), 100*share,
					100*float64(least)/float64(max(least, p.goburrow(baud, n))), yes(share >= goal))
				if share < goal {
					t.Errorf("%d baud, %d registers: %.1f %% of what the wire allows, want %.0f", baud, n, 100*share, 100*goal)
				}
			})
		}
	}
}

func TestShareOfTheWireInRealTime(t *testing.T) {
	all := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(max(1, all/2)) // as the agent does
	defer runtime.GOMAXPROCS(all)
	t.Logf("real time, on a pseudo terminal: what a poll took (the median), and its share of what the wire allows;")
	t.Logf("bare is a thread of its own that waits, writes and reads, and does nothing else: what this machine allows")
	t.Logf("%8s %10s %12s %12s %8s %12s %8s %14s %8s", "baud", "registers", "allowed", "pithead", "share", "bare", "share", "goburrow", "share")
	for _, baud := range speeds {
		for _, n := range quantities {
			least := paceOf(baud).least(n)
			path := pty(t, baud)
			b, err := modbus.Open(config(path, baud, n))
			if err != nil {
				t.Fatal(err)
			}
			ours := polls(t, b, n, 1500*time.Millisecond)
			b.Close()
			bare := bare(t, path, paceOf(baud), n, 1500*time.Millisecond)
			theirs := goburrow(t, path, baud, n, 1500*time.Millisecond)
			line := fmt.Sprintf("%8d %10d %12v", baud, n, least.Round(10*time.Microsecond))
			for _, took := range []time.Duration{ours, bare, theirs} {
				line += fmt.Sprintf(" %12v %7.1f%%", took.Round(10*time.Microsecond), 100*float64(least)/float64(took))
			}
			t.Log(line)
			if ours > theirs {
				t.Errorf("%d baud, %d registers: a poll took %v, goburrow's %v", baud, n, ours, theirs)
			}
		}
	}
}

// bare is what a poll takes a thread that knows nothing of frames: it waits for the
// silence, writes, and reads as many bytes as are to come.
func bare(t *testing.T, path string, p pace, n int, d time.Duration) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	request := binary.BigEndian.AppendUint16([]byte{1, 3, 0, 100}, uint16(n))
	request = binary.LittleEndian.AppendUint16(request, crc(request))
	in := make([]byte, 512)
	busy := time.Now()
	wait := func(d time.Duration) {
		ts := unix.NsecToTimespec(int64(max(d, 0)))
		_, _ = unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &ts, nil)
	}
	return repeat(d, func() {
		wait(time.Until(busy.Add(p.silence)))
		if _, err := unix.Write(fd, request); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < 5+2*n; {
			wait(time.Second)
			k, err := unix.Read(fd, in)
			if err != nil && err != unix.EAGAIN { // a signal may end a wait
				t.Fatal(err)
			}
			got += max(k, 0)
		}
		busy = time.Now()
	})
}

// goburrow is what a poll takes with its own transport.
func goburrow(t *testing.T, path string, baud, n int, d time.Duration) time.Duration {
	t.Helper()
	h := peer.NewRTUClientHandler(path)
	h.BaudRate, h.DataBits, h.Parity, h.StopBits, h.SlaveId, h.Timeout = baud, 8, "N", 1, 1, time.Second
	if err := h.Connect(); err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	c := peer.NewClient(h)
	return repeat(d, func() {
		if _, err := c.ReadHoldingRegisters(100, uint16(n)); err != nil {
			t.Fatal(err)
		}
	})
}

// slaveAt is where the slave of a line in real time finds its speed: it is a process
// of its own, as a device is, whose waits the agent's runtime has no part in.
const slaveAt = "PTY_SLAVE_BAUD"

func TestMain(m *testing.M) {
	if baud, err := strconv.Atoi(os.Getenv(slaveAt)); err == nil {
		slave(3, paceOf(baud)) // the first file that it was given
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// slave answers at the far end of a pseudo terminal until that is closed. It sends
// each character no sooner than it would arrive.
func slave(far int, p pace) {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // else each sleep is 50 µs longer
	request := make([]byte, 8)
	for {
		for got := 0; got < len(request); {
			n, err := unix.Read(far, request[got:])
			if err == unix.EINTR {
				continue
			}
			if err != nil || n == 0 {
				return
			}
			got += n
		}
		at := time.Now().Add(time.Duration(len(request))*p.char + p.silence)
		for b := answer(request); len(b) > 0; {
			n := min(8, len(b)) // as a UART with a small FIFO hands them on
			at = at.Add(time.Duration(n) * p.char)
			for d := time.Until(at); d > 0; d = time.Until(at) {
				ts := unix.NsecToTimespec(int64(d))
				_ = unix.Nanosleep(&ts, nil)
			}
			if _, err := unix.Write(far, b[:n]); err != nil {
				return
			}
			b = b[n:]
		}
	}
}

// pty is a line in real time with a slave at its far end.
func pty(t *testing.T, baud int) string {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	far := os.NewFile(uintptr(fd), "ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/pts/%d", number)
	near, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0) // with nobody there the far end can't be read
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), fmt.Sprint(slaveAt, "=", baud)), []*os.File{far}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	far.Close()
	t.Cleanup(func() {
		near.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return path
}
