package modbus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pithead/drivers"
	"pithead/drivers/conform"
)

// A pty is a serial line whose far end the test plays.
type pty struct {
	*os.File // the far end
	path     string
	near     int // a descriptor of the other one
}

func newPTY(t *testing.T) *pty {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	far := os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { far.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	p := &pty{File: far, path: fmt.Sprintf("/dev/pts/%d", n)}
	// With nobody at the near end reads of the far end fail.
	if p.near, err = unix.Open(p.path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p.near) })
	return p
}

// serve plays each request until the far end is closed.
func (p *pty) serve(t *testing.T, play func(i int, r []byte)) {
	var done sync.WaitGroup
	done.Go(func() {
		for i := 0; ; i++ {
			r := make([]byte, 8)
			if _, err := io.ReadFull(p, r); err != nil {
				return
			}
			play(i, r)
		}
	})
	t.Cleanup(func() { p.Close(); done.Wait() })
}

func serialTo(p *pty, points ...PointConfig) Config {
	c := line9600(points...)
	c.Address, c.Baud, c.Timeout = p.path, 115200, ample
	return c
}

func TestRTUOverASerialLine(t *testing.T) {
	p := newPTY(t)
	p.serve(t, func(i int, r []byte) {
		answer := registers(r, uint16(i), 0xFF11)
		for len(answer) > 0 { // XON, XOFF, CR, NL and all must pass as they are
			n := min(3, len(answer))
			p.Write(answer[:n])
			answer = answer[n:]
		}
	})
	b := opened(t, serialTo(p, wide("p", 0x0D0A), holding("q", 0x1113)))
	defer b.Close()
	for i := range 20 {
		rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context())
		if want := float64(2*i)*65536 + 0xFF11; rs[0].Value != drivers.NumberValue(want) {
			t.Fatalf("round %d: %v %v, %v", i, rs[0].Quality, rs[0].Value, err)
		}
		if rs, err := b.Units()[0].Polls[1].Driver.Read(t.Context()); rs[0].Quality != drivers.Good {
			t.Fatalf("round %d: %v, %v", i, rs[0].Quality, err)
		}
	}
}

func TestAnySpeedAndFormat(t *testing.T) {
	for _, c := range []struct {
		baud   int
		parity byte
		stop   int
		want   uint32
	}{
		{9600, 'N', 1, unix.CS8},
		{250000, 'E', 1, unix.CS8 | unix.PARENB},
		{31250, 'O', 1, unix.CS8 | unix.PARENB | unix.PARODD},
		{1200, 'N', 2, unix.CS8 | unix.CSTOPB},
	} {
		var got unix.Termios
		got.Iflag, got.Lflag = unix.ICRNL, unix.ECHO|unix.ICANON
		config := Config{Baud: c.baud, Parity: c.parity, StopBits: c.stop, DataBits: 8}
		raw(&got, config)
		if got.Cflag != c.want|unix.CREAD|unix.CLOCAL|unix.BOTHER || got.Iflag|got.Oflag|got.Lflag != 0 || got.Cc[unix.VMIN] != 1 {
			t.Errorf("%+v: %+v", c, got)
		}
		p := newPTY(t)
		config.Address = p.path
		w, err := serialOpener(config)(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		set, err := unix.IoctlGetTermios(p.near, unix.TCGETS2)
		if err != nil || set.Ispeed != uint32(c.baud) || set.Ospeed != uint32(c.baud) {
			t.Errorf("%d baud became %d, %v", c.baud, set.Ospeed, err)
		}
		w.Close()
	}
}

// burned is the processor time that this process has used.
func burned(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// goburrow's call spins at 100 % processor time and never returns.
func TestALineThatHangsUpBetweenWriteAndRead(t *testing.T) {
	p := newPTY(t)
	p.serve(t, func(int, []byte) { p.Close() })
	c := serialTo(p, holding("p", 7))
	c.Timeout = 500 * time.Millisecond
	b := opened(t, c)
	defer b.Close()
	start, before := time.Now(), burned(t)
	for i := range 5 {
		rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context())
		if rs[0].Quality != drivers.Comm || err == nil {
			t.Errorf("read %d: %v, %v", i, rs[0].Quality, err)
		}
	}
	took, used := time.Since(start), burned(t)-before
	if took > ample || used > 200*time.Millisecond+took/4 {
		t.Errorf("took %v, %v of it busy", took, used)
	}
}

// Where the line says nothing at all, the deadline ends the wait, idle.
func TestASilentSerialLineEndsAtItsDeadline(t *testing.T) {
	p := newPTY(t)
	p.serve(t, func(int, []byte) {})
	c := serialTo(p, holding("p", 7))
	c.Timeout = 2 * time.Second
	b := opened(t, c)
	defer b.Close()
	start, before := time.Now(), burned(t)
	if rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context()); rs[0].Quality != drivers.Comm {
		t.Errorf("%v, %v", rs[0].Quality, err)
	}
	took, used := time.Since(start), burned(t)-before
	if took < c.Timeout || took > ample || used > 200*time.Millisecond+took/4 {
		t.Errorf("took %v, %v of it busy", took, used)
	}
}

// The late answer of one unit arrives while another is waited for, and again
// while the first is: neither is taken for what was asked.
func TestLateAnswersOnASerialLine(t *testing.T) {
	t.Parallel() // it waits for a timeout that a slow machine keeps where it is answered
	p := newPTY(t)
	var late []byte
	p.serve(t, func(i int, r []byte) {
		switch i {
		case 0:
			late = registers(r, 0xDEAD)
		case 1:
			p.Write(late)
			p.Write(registers(r, 0x0BEE))
			p.Write(late)
		default:
			p.Write(registers(r))
		}
	})
	c := serialTo(p, holding("a", 7), wide("long", 20))
	c.Timeout = 3 * time.Second
	c.Units = append(c.Units, UnitConfig{ID: "u4", Unit: 4, Every: time.Second, Timeout: ample, Points: []PointConfig{holding("b", 9)}})
	c.Units[0].Late = ample
	b := opened(t, c)
	defer b.Close()
	read := func(unit, poll int) string {
		rs, _ := b.Units()[unit].Polls[poll].Driver.Read(t.Context())
		return rs[0].Quality.String() + " " + rs[0].Value.String()
	}
	for i, step := range []struct {
		unit, poll int
		want       string
	}{{0, 0, "comm -"}, {1, 0, "good 3054"}, {0, 0, "comm -"}, {0, 1, "good 1310741"}, {0, 0, "good 7"}} {
		if got := read(step.unit, step.poll); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}

func TestConformanceOnASerialLine(t *testing.T) {
	config := func(t *testing.T, answers bool) Config {
		p, d := newPTY(t), &relay{}
		p.serve(t, func(i int, r []byte) {
			if answers {
				d.play(i, r, func(_ time.Duration, b []byte) { p.Write(b) })
			}
		})
		c := serialTo(p, holding("a", 7), wide("long", 20))
		c.Outputs = []OutputConfig{{ID: "cutoff", Unit: 3, Device: "u3", Table: Coil, Address: 9, Low: true}}
		return c
	}
	conform.Check(t, conform.Subject{
		Open: func(t *testing.T) drivers.Bus { return opened(t, config(t, true)) },
		Dead: func(t *testing.T) drivers.Bus {
			c := config(t, false)
			c.Timeout = 50 * time.Millisecond
			return opened(t, c)
		},
		Outputs: []string{"cutoff"},
	})
}

// What was said before anyone asked is no answer.
func TestInputIsFlushedBeforeARequest(t *testing.T) {
	p := newPTY(t)
	p.serve(t, func(i int, r []byte) { p.Write(registers(r, uint16(100+i))) })
	b := opened(t, serialTo(p, holding("p", 7)))
	defer b.Close()
	read := func() drivers.Reading {
		rs, _ := b.Units()[0].Polls[0].Driver.Read(t.Context())
		return rs[0]
	}
	read()
	stale := crced(3, 3, 2, 0xDE, 0xAD)
	p.Write(stale)
	for n, end := 0, time.Now().Add(ample); n < len(stale); time.Sleep(time.Millisecond) { // the kernel hands it over in its own time
		var err error
		if n, err = unix.IoctlGetInt(p.near, unix.TIOCINQ); err != nil || time.Now().After(end) {
			t.Fatalf("%d bytes of what was said before are there, %v", n, err)
		}
	}
	if r := read(); r.Value != drivers.NumberValue(101) {
		t.Errorf("%v %v", r.Quality, r.Value)
	}
}

func TestALineHasOneOwner(t *testing.T) {
	p := newPTY(t)
	first, err := serialOpener(serialTo(p))(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := serialOpener(serialTo(p))(t.Context(), 0); !errors.Is(err, errInUse) && !errors.Is(err, unix.EBUSY) {
		t.Errorf("opened twice: %v", err)
	}
	first.Close()
	second, err := serialOpener(serialTo(p))(t.Context(), 0)
	if err != nil {
		t.Fatalf("after the first let go: %v", err)
	}
	second.Close()
}

func TestWhatIsNoSerialLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ttyS9")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/dev/null", file, file + ".gone", t.TempDir()} {
		c := line9600(holding("p", 7))
		c.Address = path
		b := opened(t, c)
		if rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context()); rs[0].Quality != drivers.Comm || err == nil {
			t.Errorf("%s: %v, %v", path, rs[0].Quality, err)
		}
		b.Close()
	}
}
