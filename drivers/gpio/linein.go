package gpio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
	periph "periph.io/x/conn/v3/gpio"
)

// lineIn is an input line of a kernel from 5.10 on. It talks to the kernel by
// go-gpiocdev's uapi, since what that builds on it (v0.9.1) drops the wish for
// a buffer size on its way to the kernel, reads one edge a call, and goes round
// at full speed when the chip is gone.
type lineIn struct {
	line
	options inputOptions
	fd      uintptr
	file    *os.File // of fd; nil while the line is not held
	ended   chan struct{}
}

// In asks for the line and hands its edges on from then on, until Halt.
func (l *lineIn) In(pull periph.Pull, edges periph.Edge) error {
	request := l.request(pull, edges)
	if err := uapi.GetLine(l.device.file.Fd(), &request); err != nil {
		return err
	}
	// Without blocking the runtime's poller waits for it, and Close ends a Read.
	if err := unix.SetNonblock(int(request.Fd), true); err != nil {
		_ = unix.Close(int(request.Fd))
		return err
	}
	l.fd = uintptr(request.Fd)
	l.file = os.NewFile(l.fd, l.String())
	l.ended = make(chan struct{})
	go l.watch()
	return nil
}

func (l *lineIn) request(pull periph.Pull, edges periph.Edge) uapi.LineRequest {
	r := uapi.LineRequest{Lines: 1, EventBufferSize: uint32(l.options.buffer)}
	r.Offsets[0] = uint32(l.offset)
	copy(r.Consumer[:len(r.Consumer)-1], "pithead")
	r.Config.Flags = uapi.LineFlagV2Input
	if edges != periph.FallingEdge {
		r.Config.Flags |= uapi.LineFlagV2EdgeRising
	}
	if edges != periph.RisingEdge {
		r.Config.Flags |= uapi.LineFlagV2EdgeFalling
	}
	switch pull {
	case periph.PullUp:
		r.Config.Flags |= uapi.LineFlagV2BiasPullUp
	case periph.PullDown:
		r.Config.Flags |= uapi.LineFlagV2BiasPullDown
	}
	if l.options.debounce > 0 {
		debounce := uapi.DebouncePeriod(l.options.debounce).Encode()
		r.Config.AddAttribute(uapi.LineConfigAttribute{Attr: debounce, Mask: 1})
	}
	return r
}

// watch reads edges until the line fails or is given back.
func (l *lineIn) watch() {
	defer close(l.ended)
	buf := make([]byte, 64*eventSize)
	for {
		n, err := l.file.Read(buf)
		now, mono := time.Now(), monotonic()
		for b := buf[:n]; len(b) >= eventSize && err == nil; b = b[eventSize:] {
			var e edge
			if e, err = parseEvent(b, mono, now); err == nil {
				l.options.edges(e)
			}
		}
		if err == nil && n%eventSize != 0 {
			err = fmt.Errorf("the kernel gave %d bytes, not whole events", n)
		}
		if errors.Is(err, os.ErrClosed) {
			return // given back
		}
		if err != nil {
			l.options.edges(edge{err: err})
			return
		}
	}
}

// eventSize is the kernel's struct gpio_v2_line_event: time in ns uint64, then
// uint32 kind, offset, number in the request, number of the line, 6 of padding.
const eventSize = 48

// parseEvent reads one event; mono is the kernel's clock at now.
func parseEvent(b []byte, mono time.Duration, now time.Time) (edge, error) {
	e := edge{
		at:  when(time.Duration(binary.NativeEndian.Uint64(b)), mono, now),
		seq: binary.NativeEndian.Uint32(b[20:]),
	}
	switch kind := uapi.LineEventID(binary.NativeEndian.Uint32(b[8:])); kind {
	case uapi.LineEventRisingEdge:
		e.level = periph.High
	case uapi.LineEventFallingEdge:
		e.level = periph.Low
	default:
		return e, fmt.Errorf("the kernel tells of an unknown kind of event, %d", kind)
	}
	return e, nil
}

func (l *lineIn) Value() (periph.Level, error) {
	if l.file == nil {
		return periph.Low, os.ErrClosed
	}
	values := uapi.LineValues{Mask: 1}
	err := uapi.GetLineValuesV2(l.fd, &values)
	return values.Get(0) == 1, err
}

func (l *lineIn) Read() periph.Level { v, _ := l.Value(); return v }

// Halt gives the line back, and returns when no edge will be handed on any more.
func (l *lineIn) Halt() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	<-l.ended
	l.file = nil
	return err
}

// monotonic is the clock of the kernel's time stamps.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// when is the time of a stamp of the monotonic clock, which now shows mono.
// A stamp from the future is one of now.
func when(stamp, mono time.Duration, now time.Time) time.Time {
	return now.Add(-max(0, mono-stamp))
}
