package agent

import (
	"context"
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
	tell := func(what string) { // a manager that is gone has nothing to be told, and one that hangs holds up no stop
		_ = say.SetWriteDeadline(time.Now().Add(mostSay))
		_, _ = say.Write([]byte(what))
	}
	tell("READY=1")
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
				tell("WATCHDOG=1")
			} else {
				a.Log.Error("the watchdog is not fed", "stands", why)
			}
		case <-ctx.Done():
			tell("STOPPING=1")
			return
		}
	}
}

const mostSay = 200 * time.Millisecond

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
