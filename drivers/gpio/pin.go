package gpio

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
	periph "periph.io/x/conn/v3/gpio"
)

// chip is what this package uses of a GPIO character device: go-gpiocdev's, or
// a fake one. It hands out pins without asking the kernel for their lines.
type chip interface {
	label() string
	lines() int
	// name is what the kernel calls a line; most have none.
	name(offset int) string
	input(offset int, o inputOptions) inPin
	output(offset int) outPin
	// close lets go of the device; pins that are held stay held.
	close() error
}

// inputOptions are what periph's In has no words for.
type inputOptions struct {
	debounce time.Duration // by the kernel
	buffer   int           // edges that the kernel keeps for us
	// edges is called for each edge, in order, by one goroutine, between In and
	// the end of Halt. It must return at once.
	edges func(edge)
}

// An edge is what the kernel says of one change of a line.
type edge struct {
	at    time.Time // when the kernel saw it; carries the monotonic clock
	level periph.Level
	seq   uint32 // counts the edges of this line from 1; what is missing was lost
	err   error  // not nil: the line gives no more edges
}

// inPin and outPin are periph's pins whose level can be asked for with an
// error: periph's own Read says Low where it could not read. In and Out ask the
// kernel for the line, Halt gives it back. Levels are those of the wire.
type inPin interface {
	periph.PinIn
	Value() (periph.Level, error)
}

type outPin interface {
	periph.PinOut
	Value() (periph.Level, error)
}

var errClosed = errors.New("the GPIO bus is closed")

// gone says whether an error means that the whole chip is gone.
func gone(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, os.ErrClosed)
}
