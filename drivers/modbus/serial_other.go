//go:build !linux

package modbus

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// serialOpener says that there are none: ttys are driven through Linux's termios2.
func serialOpener(c Config) Opener {
	return func(context.Context, time.Duration) (Wire, error) {
		return nil, fmt.Errorf("%s: serial lines need Linux, this is %s", c.Address, runtime.GOOS)
	}
}
