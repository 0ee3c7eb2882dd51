package modbus

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rs485 is the kernel's struct serial_rs485 (linux/serial.h).
type rs485 struct {
	flags       uint32
	delayBefore uint32 // ms between RTS and the first bit
	delayAfter  uint32 // ms between the last bit and RTS
	_           [5]uint32
}

const (
	rs485Enabled   = 1 << 0
	rs485RTSOnSend = 1 << 1
)

var errNoRS485 = errors.New("the driver of this line can't switch its direction (rs485): leave rs485 out if the adapter does it by itself")

// direct lets the kernel switch the line's direction: RTS is on while it sends.
// A line that would not switch must not be used as if it did: it would answer
// itself, or nobody.
func direct(fd int) error {
	want := rs485{flags: rs485Enabled | rs485RTSOnSend}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSRS485, uintptr(unsafe.Pointer(&want)))
	switch errno {
	case 0:
		return nil
	case unix.ENOTTY, unix.EINVAL, unix.EOPNOTSUPP:
		return errNoRS485
	}
	return fmt.Errorf("rs485: %w", errno)
}
