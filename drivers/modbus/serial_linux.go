package modbus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// serialOpener opens a tty, raw and for us alone. It is non-blocking, so that
// every read ends at its deadline, even on a line that hung up.
func serialOpener(c Config) Opener {
	if c.Baud == 0 {
		c.Baud = defaultBaud
	}
	return func(context.Context, time.Duration) (Wire, error) {
		fd, err := unix.Open(c.Address, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, openFailed(c.Address, err)
		}
		if err := claim(fd, c); err != nil {
			_ = unix.Close(fd)
			return nil, fmt.Errorf("%s: %w", c.Address, err)
		}
		return &tty{os.NewFile(uintptr(fd), c.Address), fd}, nil
	}
}

// openFailed says, of what most often is wrong, what to do.
func openFailed(path string, err error) error {
	failed := error(&os.PathError{Op: "open", Path: path, Err: err})
	if errors.Is(err, os.ErrPermission) {
		failed = fmt.Errorf("%w: is the agent's user in the group of this line (dialout)?", failed)
	}
	return failed
}

type tty struct {
	*os.File
	fd int
}

// Close gives the line back to everyone, also where someone had it open before.
func (t *tty) Close() error {
	_ = unix.IoctlSetInt(t.fd, unix.TIOCNXCL, 0)
	return t.File.Close()
}

// await asks the kernel itself, and lets it add nothing to the wait, as it does by
// 50 µs to save wake-ups. It holds a thread, but for no longer than a silence
// between two frames.
func (t *tty) await(until time.Time) (some bool, err error) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // ns, of whichever thread this is
	for {
		left := time.Until(until)
		if left <= 0 {
			return false, nil
		}
		ts := unix.NsecToTimespec(int64(left))
		n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLIN}}, &ts, nil)
		if err != unix.EINTR {
			return n > 0, err
		}
	}
}

var errInUse = errors.New("another process uses this line")

// claim makes the tty ours. The lock keeps out our own kind, also as root;
// TIOCEXCL keeps out everyone else, where the driver knows it.
func claim(fd int, c Config) error {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return errInUse
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("not a serial line: %w", err)
	}
	raw(t, c)
	if err := unix.IoctlSetTermios(fd, unix.TCSETS2, t); err != nil {
		return fmt.Errorf("set %d baud: %w", c.Baud, err)
	}
	if c.RS485 {
		if err := direct(fd); err != nil {
			return err
		}
	}
	_ = unix.IoctlSetInt(fd, unix.TIOCEXCL, 0)
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
}

// raw sets bytes as they are, at any speed. VMIN is 1 since with 0 a
// non-blocking read of nothing looks like the end of the file.
func raw(t *unix.Termios, c Config) {
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CREAD | unix.CLOCAL | unix.BOTHER | unix.CS8
	if c.DataBits == 7 {
		t.Cflag = t.Cflag&^unix.CSIZE | unix.CS7
	}
	if c.StopBits == 2 {
		t.Cflag |= unix.CSTOPB
	}
	switch c.Parity {
	case 'E':
		t.Cflag |= unix.PARENB
	case 'O':
		t.Cflag |= unix.PARENB | unix.PARODD
	}
	t.Ispeed, t.Ospeed = uint32(c.Baud), uint32(c.Baud)
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}
