//go:build site

package site

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// mbpoll, a master that nobody here wrote, understands both slaves: so what the
// agent is judged by is Modbus.
func TestMbpollReadsTheSlaves(t *testing.T) {
	port := freePort(t)
	c := tcpSlave(t, port)
	c.set("holding", 10, 4711, 815)
	agentEnd, slaveEnd := serialLine(t)
	s := rtuSlave(t, slaveEnd, 7)
	s.set("input", 3, 99)
	liarA, liarB := serialLine(t)
	l := newLiar()
	l.openLine(t, liarB)

	_, tcpPort, _ := strings.Cut(l.listen(t, "127.0.0.1:0"), ":")
	for _, c := range []struct {
		args string
		want []string
	}{
		{fmt.Sprintf("-m tcp -p %d -a 9 -t 4 -r 11 -c 2 127.0.0.1", port), []string{"4711", "815"}},
		{"-m rtu -b 115200 -P none -a 7 -t 3 -r 4 " + agentEnd, []string{"99"}},
		{"-m tcp -p " + tcpPort + " -a 5 -t 4 -r 1 -c 3 127.0.0.1", []string{"500", "501", "502"}},
		{"-m rtu -b 115200 -P none -a 6 -t 4 -r 1 -c 2 " + liarA, []string{"600", "601"}},
	} {
		out, err := exec.Command("mbpoll", strings.Fields("-1 -q -o 10 "+c.args)...).CombinedOutput()
		for _, want := range c.want {
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("mbpoll %s: %v, want %s in\n%s", c.args, err, want, out)
			}
		}
	}
	if got := c.get("holding", 10); got != 4711 {
		t.Errorf("the slave holds %d", got)
	}
}
