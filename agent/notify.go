package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"time"
)

// notify tells the service manager that the agent runs, and then, as often as
// it asks for, that every bus loop and the judge still turn. A dying card or a
// dead link is no reason to be started anew: what guards would be lost with it.
//
// The protocol is sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names.
func (a *agent) notify(ctx context.Context) {
	say, ok := notifier()
	if !ok {
		return
	}
	defer say.Close()
	tell(say, "READY=1")
	var feed <-chan time.Time
	if each := watchdog(); each > 0 {
		t := time.NewTicker(each)
		defer t.Stop()
		feed = t.C
	}
	for {
		select {
		case <-feed:
			if why, _ := a.turning(); len(why) == 0 {
				tell(say, "WATCHDOG=1")
			} else {
				a.Log.Error("the watchdog is not fed", "stands", why)
			}
		case <-ctx.Done():
			if !a.again { // whoever says so is killed when he goes on
				tell(say, "STOPPING=1")
			}
			return
		}
	}
}

const mostSay = 200 * time.Millisecond

// tell says a word to a manager: one that is gone has nothing to be told, and one
// that hangs holds up no stop. It tries twice, since a machine that stands still may
// let the first time pass before anything was tried, and who never says that he is
// ready is killed.
func tell(say net.Conn, what string) {
	for range 2 {
		_ = say.SetWriteDeadline(time.Now().Add(mostSay))
		if _, err := say.Write([]byte(what)); !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

func notifier() (net.Conn, bool) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil, false
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}) // @ begins an abstract name
	return c, err == nil
}

// watchdog is how often it wants to be fed: half of its patience. WATCHDOG_PID
// may say that it is another process's.
func watchdog() time.Duration {
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if pid := os.Getenv("WATCHDOG_PID"); err != nil || us <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(us) * time.Microsecond / 2
}
