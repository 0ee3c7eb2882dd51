//go:build site

package site

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A broker is a mosquitto. Its persistence is written when it is stopped in
// order, which is the only way it is stopped: after a kill it loses what it has
// acknowledged.
type broker struct {
	port     int
	dir      string
	cmd      *exec.Cmd
	cert     string // NAME.pem and NAME.key in the authority's folder
	host     string // what its certificate calls it; empty: by its address
	user     string // of the watcher, where clients have no certificates
	password string
	ip       string // that it listens at
	ns       string // the network namespace that it runs in; empty: this one
	known    bool   // the test stops it at its end
}

// Not max_queued_messages 0, which is no limit: with it mosquitto 2.0 hangs up on
// who publishes what its access list forbids.
const brokerConfig = `
per_listener_settings false
user root
listener %d %s
cafile %s
certfile %s
keyfile %s
persistence true
persistence_location %s/
max_queued_messages 1000000
max_inflight_messages 200
log_dest file %s/broker.log
log_type all
connection_messages true
`

const byCertificate = "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"

// newBroker is one that wants client certificates; start starts it.
func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{port: freePort(t), dir: folder(t), cert: "broker", ip: "127.0.0.1"}
	b.configure(t, byCertificate)
	return b
}

// configure writes its configuration, with lines that say who may do what.
func (b *broker) configure(t *testing.T, who string) {
	t.Helper()
	text := fmt.Sprintf(brokerConfig, b.port, b.ip, ca.file("ca.pem"), ca.file(b.cert+".pem"), ca.file(b.cert+".key"), b.dir, b.dir) + who
	if err := os.WriteFile(b.conf(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if b.known {
		return
	}
	b.known = true
	t.Cleanup(func() {
		b.stop(t)
		logged(t, "a broker", filepath.Join(b.dir, "broker.log"))
	})
}

// inside has it run in a network namespace, and listen at an address there.
func (b *broker) inside(t *testing.T, ns, ip string) {
	t.Helper()
	b.ns, b.ip = ns, ip
	b.configure(t, byCertificate)
}

// dial is a connection to it.
func (b *broker) dial() (net.Conn, error) {
	address := net.JoinHostPort(b.ip, fmt.Sprint(b.port))
	if b.ns != "" {
		return dialIn(b.ns, address)
	}
	return net.Dial("tcp", address)
}

func (b *broker) conf() string { return filepath.Join(b.dir, "mosquitto.conf") }

func (b *broker) start(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	b.cmd = exec.Command(path, "-c", b.conf())
	if b.ns != "" {
		b.cmd = inside(b.ns, b.cmd)
	}
	child(t, b.cmd)
	eventually(t, 10*time.Second, "mosquitto listens", func() bool {
		c, err := b.dial()
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (b *broker) stop(t *testing.T) {
	if b.cmd == nil {
		return
	}
	b.cmd.Process.Signal(syscall.SIGTERM)
	if err := b.cmd.Wait(); err != nil {
		t.Errorf("mosquitto: %v", err)
	}
	b.cmd = nil
}

// uplink is the block of a site file that publishes here.
func (b *broker) uplink() string {
	return fmt.Sprintf(`
uplinks:
  county:
    mqtt: tls://%s:%d
    ca: %s
    cert: %s
    key: %s
    batch: {readings: 500, within: 200ms}
    snapshot: 10s
`, b.ip, b.port, ca.file("ca.pem"), ca.file("gw-01.pem"), ca.file("gw-01.key"))
}

// another is a second uplink to this broker, for the points c000 to c009.
func (b *broker) another() string {
	text := strings.Replace(b.uplink(), "\nuplinks:\n  county:", "  province:", 1)
	return text + "    points: [\"c00*\"]\n"
}
