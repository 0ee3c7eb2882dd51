//go:build site

package site

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sys/unix"
)

// A wire is two network namespaces, the gateway's and the platform's, with a
// line of 64 kbit/s between them that loses half of all packets each way once
// it is made worse. Nothing of it touches the machine's own network.
type wire struct{ gateway, platform string }

const (
	gatewayIP  = "10.99.7.1"
	platformIP = "10.99.7.2"
)

func newWire(t *testing.T) *wire {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("network namespaces need root")
	}
	w := &wire{gateway: fmt.Sprintf("pg%d", os.Getpid()), platform: fmt.Sprintf("pp%d", os.Getpid())}
	t.Cleanup(func() {
		for _, ns := range []string{w.gateway, w.platform} {
			exec.Command("ip", "netns", "delete", ns).Run()
		}
	})
	command(t, "ip netns add "+w.gateway)
	command(t, "ip netns add "+w.platform)
	command(t, fmt.Sprintf("ip -n %s link add wan type veth peer name wan netns %s", w.gateway, w.platform))
	for ns, ip := range map[string]string{w.gateway: gatewayIP, w.platform: platformIP} {
		command(t, fmt.Sprintf("ip -n %s address add %s/24 dev wan", ns, ip))
		command(t, fmt.Sprintf("ip -n %s link set wan gso_max_segs 1 up", ns))
		command(t, fmt.Sprintf("ip -n %s link set lo up", ns))
	}
	return w
}

// bad makes the line narrow and lossy.
func (w *wire) bad(t *testing.T) {
	t.Helper()
	for _, ns := range []string{w.gateway, w.platform} {
		command(t, fmt.Sprintf("tc -n %s qdisc replace dev wan root tbf rate 64kbit burst 3000 latency 2000ms", ns))
		command(t, "ip netns exec "+ns+" nft add table inet loss")
		command(t, "ip netns exec "+ns+" nft add chain inet loss in { type filter hook input priority 0 ; }")
		command(t, "ip netns exec "+ns+" nft add rule inet loss in iifname wan numgen random mod 100 < 50 counter drop")
	}
}

// good makes it as it was.
func (w *wire) good(t *testing.T) {
	t.Helper()
	for _, ns := range []string{w.gateway, w.platform} {
		command(t, fmt.Sprintf("tc -n %s qdisc delete dev wan root", ns))
		command(t, "ip netns exec "+ns+" nft delete table inet loss")
	}
}

func command(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// inside has a command run in a namespace.
func inside(ns string, cmd *exec.Cmd) *exec.Cmd {
	path, err := exec.LookPath(cmd.Path)
	if err != nil {
		path = cmd.Path
	}
	within := exec.Command("ip", append([]string{"netns", "exec", ns, path}, cmd.Args[1:]...)...)
	within.Env, within.Stdout, within.Stderr = cmd.Env, cmd.Stdout, cmd.Stderr
	return within
}

// dialIn dials in a namespace.
func dialIn(ns, address string) (net.Conn, error) {
	runtime.LockOSThread() // and never unlocked where the way back fails: the thread ends with the goroutine
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer home.Close()
	there, err := os.Open("/var/run/netns/" + ns)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	conn, dialed := net.DialTimeout("tcp", address, 60*time.Second)
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	runtime.UnlockOSThread()
	return conn, dialed
}

// dials has a client dial in a namespace.
func dials(ns string) func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
	return func(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
		conn, err := dialIn(ns, u.Host)
		if err != nil || o.TLSConfig == nil || u.Scheme != "ssl" {
			return conn, err
		}
		return tlsOver(conn, o.TLSConfig)
	}
}

// Half of all packets lost each way on a line of 64 kbit/s: no hole, no wrong
// order, and alarms as fast as such a link is.
func TestALineThatLosesHalf(t *testing.T) {
	t.Parallel()
	lossy := newWire(t)
	b := newBroker(t)
	b.inside(t, lossy.platform, platformIP)
	b.start(t)
	w := watch(t, b)
	const port = 1502
	s := &slave{t: t, args: []string{"tcp", fmt.Sprint(port)}, ns: lossy.gateway}
	s.start()
	g := install(t, racer, swinging(port)+b.uplink())
	g.ns = lossy.gateway
	conf, err := ca.client("watcher")
	if err != nil {
		t.Fatal(err)
	}
	made := func(o *mqtt.ClientOptions) {
		o.AddBroker(fmt.Sprintf("ssl://%s:%d", platformIP, b.port)).SetTLSConfig(conf).SetCustomOpenConnectionFn(dials(lossy.gateway)).SetKeepAlive(30 * time.Second).SetPingTimeout(30 * time.Second)
	}
	g.start(t)
	marks := newMarks(s)
	marks.pass(t, w, 30*time.Second)
	spent := time.Duration(0)
	for round := range rounds {
		lossy.bad(t)
		// How long one client takes is luck; how long three take is the line.
		stop := make(chan struct{})
		var all sync.WaitGroup
		for i := range 3 {
			p := &pulse{made: made, name: 3*round + i}
			all.Go(func() { p.beats(stop) })
		}
		all.Go(func() { swing(s, stop) })
		time.Sleep(*bad)
		close(stop)
		lossy.good(t)
		marks.pass(t, w, 150*time.Second+*bad/4) // the backlog comes at its rate
		all.Wait()
		if spent += *bad; isFast(w.messages()) {
			break
		}
	}
	g.stop(t)
	time.Sleep(time.Second)
	judgeLink(t, g, w, fmt.Sprintf("%v of a line that loses half", spent))
}
