package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A broker is a mosquitto, or three nats-servers with JetStream.
type broker struct {
	argv  [][]string
	ports []int
	runs  []*exec.Cmd
}

const mosquittoConf = "user root\nlistener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 1000000\nlog_dest none\n"

const natsConf = `server_name: n%d
listen: 127.0.0.1:%d
jetstream { store_dir: %q }
cluster { name: fleet, listen: 127.0.0.1:%d, routes: [%s] }
mqtt { host: 127.0.0.1, port: %d, stream_replicas: 3, consumer_replicas: 1, consumer_memory_storage: true }
log_file: %q
`

func newBroker(dir, nats string) (*broker, error) {
	b := &broker{}
	nodes := 1
	if nats != "" {
		nodes = 3
	}
	var clients, routes []int
	var names []string
	for range nodes {
		ports, err := freePorts(3)
		if err != nil {
			return nil, err
		}
		b.ports, clients, routes = append(b.ports, ports[0]), append(clients, ports[1]), append(routes, ports[2])
		names = append(names, fmt.Sprintf("nats://127.0.0.1:%d", ports[2]))
	}
	for i := range nodes {
		conf := filepath.Join(dir, fmt.Sprintf("broker%d.conf", i))
		text, argv := fmt.Sprintf(mosquittoConf, b.ports[i]), []string{"mosquitto", "-c", conf}
		if _, err := exec.LookPath(argv[0]); err != nil {
			argv[0] = "/usr/sbin/mosquitto"
		}
		if nats != "" {
			store := filepath.Join(dir, fmt.Sprintf("nats%d", i))
			text = fmt.Sprintf(natsConf, i, clients[i], store, routes[i], strings.Join(names, ", "), b.ports[i], filepath.Join(dir, fmt.Sprintf("nats%d.log", i)))
			argv = []string{nats, "-c", conf}
		}
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			return nil, err
		}
		b.argv = append(b.argv, argv)
	}
	return b, b.start()
}

func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// start returns when all of it listens.
func (b *broker) start() error {
	for _, argv := range b.argv {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			return err
		}
		b.runs = append(b.runs, cmd)
	}
	for _, port := range b.ports {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("the broker does not listen: %w", err)
			}
		}
	}
	return nil
}

// stop stops all of it at once.
func (b *broker) stop() {
	for _, cmd := range b.runs {
		cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range b.runs {
		_ = cmd.Wait()
	}
	b.runs = nil
}
