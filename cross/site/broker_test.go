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

// A broker is a mosquitto that wants client certificates. Its persistence is
// written when it is stopped in order, which is the only way it is stopped:
// after a kill it loses what it has acknowledged.
type broker struct {
	port int
	dir  string
	cmd  *exec.Cmd
}

const brokerConfig = `
per_listener_settings false
user root
listener %d 127.0.0.1
cafile %s
certfile %s
keyfile %s
require_certificate true
use_identity_as_username true
allow_anonymous false
persistence true
persistence_location %s/
max_queued_messages 0
max_inflight_messages 200
log_dest file %s/broker.log
log_type all
`

// newBroker writes a configuration; start starts it.
func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{port: freePort(t), dir: folder(t)}
	text := fmt.Sprintf(brokerConfig, b.port, ca.file("ca.pem"), ca.file("broker.pem"), ca.file("broker.key"), b.dir, b.dir)
	if err := os.WriteFile(b.conf(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.stop(t) })
	return b
}

func (b *broker) conf() string { return filepath.Join(b.dir, "mosquitto.conf") }

func (b *broker) start(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	b.cmd = exec.Command(path, "-c", b.conf())
	child(t, b.cmd)
	eventually(t, 10*time.Second, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.port))
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
    mqtt: tls://127.0.0.1:%d
    ca: %s
    cert: %s
    key: %s
    batch: {readings: 500, within: 200ms}
    snapshot: 10s
`, b.port, ca.file("ca.pem"), ca.file("gw-01.pem"), ca.file("gw-01.key"))
}

// another is a second uplink to this broker, for the points c000 to c009.
func (b *broker) another() string {
	text := strings.Replace(b.uplink(), "\nuplinks:\n  county:", "  province:", 1)
	return text + "    points: [\"c00*\"]\n"
}
