//go:build site

package site

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A node is one of three nats-servers that make a cluster with JetStream, which
// speaks MQTT and keeps what it acknowledges on all three.
type node struct {
	t             *testing.T
	name, dir     string
	client, route int
	mqtt          int
	cmd           *exec.Cmd
}

const nodeConfig = `
server_name: %s
listen: 127.0.0.1:%d
jetstream { store_dir: %q, max_memory_store: 64MB, max_file_store: 1GB }
cluster { name: pit, listen: 127.0.0.1:%d, routes: [%s] }
mqtt { host: 127.0.0.1, port: %d, stream_replicas: 3, consumer_replicas: 3, ack_wait: 5s, max_ack_pending: 1000 }
log_file: %q
`

func newCluster(t *testing.T) (nodes []*node) {
	t.Helper()
	dir := folder(t)
	var routes []string
	for i := range 3 {
		n := &node{t: t, name: fmt.Sprintf("n%d", i), dir: filepath.Join(dir, fmt.Sprint(i)), client: freePort(t), route: freePort(t), mqtt: freePort(t)}
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", n.route))
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		if err := os.MkdirAll(n.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(nodeConfig, n.name, n.client, n.dir, n.route, strings.Join(routes, ", "), n.mqtt, n.dir+"/log")
		if err := os.WriteFile(n.dir+"/conf", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		n.start()
	}
	return nodes
}

func (n *node) start() {
	n.t.Helper()
	n.cmd = exec.Command(filepath.Join(parts, "nats-server"), "-c", n.dir+"/conf")
	child(n.t, n.cmd)
	n.t.Cleanup(n.kill)
	eventually(n.t, 20*time.Second, "a node listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", n.mqtt))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (n *node) kill() {
	if n.cmd != nil {
		n.cmd.Process.Kill()
		n.cmd.Wait()
		n.cmd = nil
	}
}

// outage is how long the nodes of the cluster are killed in turn.
var outage = time.Minute

// A node of the platform's cluster is killed every 20 s, the one that the agent
// talks to as often as another: nothing that was acknowledged is lost, and the
// positions in the buffer are never ahead of what the platform has.
func TestAClusterWhoseNodesDie(t *testing.T) {
	t.Parallel()
	if *bad > 2*time.Minute {
		outage = 5 * time.Minute
	}
	nodes := newCluster(t)
	var addresses []string
	o := mqtt.NewClientOptions().SetConnectRetry(true).SetConnectRetryInterval(time.Second)
	for _, n := range nodes {
		addresses = append(addresses, fmt.Sprintf("tcp://127.0.0.1:%d", n.mqtt))
		o.AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", n.mqtt))
	}
	w := newWatcher()
	w.connect(t, o.SetClientID("watcher"), 60*time.Second)
	port := freePort(t)
	s := tcpSlave(t, port)
	g := install(t, racer, swinging(port)+fmt.Sprintf("\nuplinks:\n  county:\n    mqtt: [%s]\n    keepalive: 5s\n    batch: {within: 200ms}\n", strings.Join(addresses, ", ")))
	g.start(t)
	marks := newMarks(s)
	marks.pass(t, w, 60*time.Second)
	stop, quiet := make(chan struct{}), make(chan struct{})
	go func() { defer close(quiet); swing(s, stop) }()
	t.Cleanup(func() { close(stop); <-quiet })
	kills := 0
	for began := time.Now(); time.Since(began) < outage; kills++ {
		n := nodes[kills%3]
		n.kill()
		time.Sleep(6 * time.Second)
		n.start()
		time.Sleep(14 * time.Second)
		_, at := g.backlog(t)
		eventually(t, 60*time.Second, fmt.Sprintf("after kill %d the platform has what the position %d says", kills+1, at), func() bool { return w.reached() >= at })
	}
	marks.pass(t, w, 120*time.Second)
	g.stop(t)
	time.Sleep(2 * time.Second)
	var l *ledger
	within(20*time.Second, func() bool { // a node delivers anew, behind what is newer, what it did not know to be delivered
		l = newCoverage(w.under("pithead/v1"))
		return len(l.wrong) == 0
	})
	l.whole(t)
	verified(t, g, l)
	g.sound(t)
	figure(t, "%d nodes killed in %v: %d readings, n %d to %d without a hole, %d events, %d repeats, %d connections", kills, outage, len(l.readings), l.first+1, l.last, len(l.events), l.repeats, l.online)
}

// backlog is the oldest reading in the buffer, and up to which the uplink county
// has delivered, as the buffer knows it.
func (a *agent) backlog(t *testing.T) (oldest, acked uint64) {
	t.Helper()
	said, err := a.command("buffer", "stat", "--json")
	var stat struct {
		Lanes []struct {
			Name  string
			First uint64
		}
		Positions map[string]uint64
	}
	if err == nil {
		err = json.Unmarshal([]byte(said), &stat)
	}
	acked, known := stat.Positions["data/county"]
	if err != nil || !known {
		t.Fatalf("buffer stat: %v: no position data/county in %s", err, said)
	}
	for _, l := range stat.Lanes {
		if l.Name == "data" {
			oldest = l.First
		}
	}
	return oldest, acked
}
