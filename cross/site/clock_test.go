//go:build site

package site

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// aheadBy builds an agent for which the machine's clock is as wrong as 1970 is
// for others: it knows that it was built years later.
func aheadBy(t *testing.T, years int) (bin string) {
	t.Helper()
	dir := folder(t)
	source, err := filepath.Abs("../../agent/cmd/pithead/run.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	date := regexp.MustCompile(`(?m)^(var built = time\.Date\()\d+`)
	if !date.Match(text) {
		t.Fatal("run.go has no date that the agent was built on")
	}
	changed := filepath.Join(dir, "run.go")
	later := date.ReplaceAll(text, fmt.Appendf(nil, "${1}%d", time.Now().Year()+years))
	if err := os.WriteFile(changed, later, 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, _ := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	bin = filepath.Join(dir, "pithead")
	cmd := exec.Command("go", "build", "-overlay", file, "-o", bin, "pithead/agent/cmd/pithead")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// A board that wakes years ago talks TLS to a broker whose certificate is not
// valid yet by the board's own clock, and sends what it reads with the time
// since boot. What has expired by the newest time that it knows is refused all
// the same, as that.
func TestABoardWhoseClockIsTenYearsBehind(t *testing.T) {
	t.Parallel()
	b, old := newBroker(t), newBroker(t)
	b.cert = filepath.Base(b.dir)
	later := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(9, 0, 0), time.Now().AddDate(12, 0, 0)
	}
	if err := ca.sign(ca.dir, b.cert, later); err != nil {
		t.Fatal(err)
	}
	b.configure(t, byCertificate)
	b.start(t)
	old.start(t)
	w := watchBy(t, b, "watcher", func() time.Time { return time.Now().AddDate(10, 0, 0) })
	port := freePort(t)
	s := tcpSlave(t, port)
	// The authority and the gateway's own certificate last: theirs are judged by the broker.
	g := install(t, aheadBy(t, 10), counters(port, 10)+b.uplink()+strings.Replace(old.uplink(), "\nuplinks:\n  county:", "  province:", 1))
	g.start(t)
	newMarks(s).pass(t, w, 30*time.Second)
	eventually(t, 20*time.Second, "the county connected, and the province's certificate expired", func() bool {
		u := g.platforms(t)
		return u["county"].Connected && !u["province"].Connected && strings.Contains(u["province"].Fault, "the broker's certificate has expired on")
	})
	g.stop(t)
	l := w.ledger()
	l.whole(t)
	for _, r := range l.readings {
		if r.T != 0 || r.M == 0 {
			t.Errorf("the clock can't be known, and reading %d has t %d and m %d", r.N, r.T, r.M)
			break
		}
	}
	g.sound(t)
	figure(t, "ten years behind: %d readings delivered over TLS with the time since boot", len(l.readings))
}
