//go:build site

package site

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A platform is one uplink of the agent as its own people see it.
type platform struct {
	Connected bool     `json:"connected"`
	Data      int      `json:"data"`
	Fault     string   `json:"fault"`
	Error     string   `json:"error"`
	Days      *float64 `json:"certificate-days"`
}

// platforms asks the agent's page how its uplinks are.
func (a *agent) platforms(t *testing.T) map[string]platform {
	t.Helper()
	all := map[string]platform{}
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/api/v1/uplinks", a.web))
	if err != nil {
		return all // it is starting
	}
	defer answer.Body.Close()
	var page struct {
		Uplinks []struct {
			ID string
			platform
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	for _, u := range page.Uplinks {
		all[u.ID] = u.platform
	}
	return all
}

// A wrong is something about an uplink that keeps it out, what the agent says
// of it, and what puts it right while the agent runs.
type wrong struct {
	id    string
	to    *broker
	words string // of the uplink
	says  string
	mend  func()
}

// Certificates, authorities, names and passwords that are wrong, all at once:
// each is told as what it is, is tried again ever more rarely, and works again
// without a restart once it is right, with nothing lost. The uplink beside them
// does not notice.
func TestWhatIsWrongWithCertificatesNamesAndPasswords(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	usual := func(*x509.Certificate) {}
	past := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}
	elsewhere := func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"elsewhere.example"} }
	both := func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.example"} } // for the watcher, which knows it by that
	main, named, old, secret := newBroker(t), newBroker(t), newBroker(t), newBroker(t)
	for _, b := range []*broker{named, old} { // with certificates of their own
		b.cert = filepath.Base(b.dir)
		b.configure(t, byCertificate)
	}
	named.host = "elsewhere.example"
	must(ca.sign(ca.dir, named.cert, elsewhere))
	must(ca.sign(ca.dir, old.cert, usual)) // for the watcher; then it gets old
	secret.user, secret.password = "watcher", "duty"
	secret.configure(t, "allow_anonymous false\npassword_file "+passwords(t, secret.dir, "watcher:duty", "gw-01:right")+"\n")
	watchers := map[*broker]*watcher{}
	for _, b := range []*broker{main, named, old, secret} {
		b.start(t)
		watchers[b] = watch(t, b)
	}
	must(ca.sign(ca.dir, old.cert, past)) // and the broker begins with it
	old.stop(t)
	old.start(t)

	port := freePort(t)
	s := tcpSlave(t, port)
	strangers, err := newAuthority(folder(t))
	must(err)
	g := install(t, racer, counters(port, 10)+main.uplink()+`
  expired: {mqtt: "tls://127.0.0.1:MAIN", ca: CA, cert: DIR/expired.pem, key: DIR/expired.key, prefix: pithead/expired, WITHIN}
  wrongca: {mqtt: "tls://127.0.0.1:MAIN", ca: DIR/other.pem, CERT, prefix: pithead/wrongca, WITHIN}
  stranger: {mqtt: "tls://127.0.0.1:MAIN", ca: CA, cert: DIR/stranger.pem, key: DIR/stranger.key, prefix: pithead/stranger, WITHIN}
  name: {mqtt: "tls://127.0.0.1:NAMED", ca: CA, CERT, prefix: pithead/name, WITHIN}
  old: {mqtt: "tls://127.0.0.1:OLD", ca: CA, CERT, prefix: pithead/old, WITHIN}
  password: {mqtt: "tls://127.0.0.1:SECRET", ca: CA, username: gw-01, password: {file: DIR/pw}, prefix: pithead/password, WITHIN}
`, "WITHIN", "batch: {within: 200ms}", "MAIN", fmt.Sprint(main.port), "NAMED", fmt.Sprint(named.port), "OLD", fmt.Sprint(old.port), "SECRET", fmt.Sprint(secret.port),
		"CERT", "cert: "+ca.file("gw-01.pem")+", key: "+ca.file("gw-01.key"), "CA", ca.file("ca.pem"))
	must(ca.sign(g.dir, "expired", past))
	must(strangers.sign(g.dir, "stranger", usual))
	copyFile(t, strangers.file("ca.pem"), filepath.Join(g.dir, "other.pem"))
	must(os.WriteFile(filepath.Join(g.dir, "pw"), []byte("wrong\n"), 0o600))
	all := []wrong{
		{"expired", main, "", `refuses the gateway's certificate .*expired\.pem has expired on`, func() { must(ca.sign(g.dir, "expired", usual)) }},
		{"wrongca", main, "", `is of no authority in .*other\.pem`, func() { copyFile(t, ca.file("ca.pem"), filepath.Join(g.dir, "other.pem")) }},
		{"stranger", main, "", `refuses the gateway's certificate .*stranger\.pem`, func() { must(ca.sign(g.dir, "stranger", usual)) }},
		{"name", named, "", `certificate is for elsewhere\.example, not for 127\.0\.0\.1`, func() { named.renew(t, both) }},
		{"old", old, "", `the broker's certificate has expired on`, func() { old.renew(t, usual) }},
		{"password", secret, "", `user name, password, certificate or rights`, func() { must(os.WriteFile(filepath.Join(g.dir, "pw"), []byte("right\n"), 0o600)) }},
	}
	began := time.Now()
	g.start(t)
	// A pause between two tries is at most twice as long as all before it together,
	// and no longer than five minutes: what takes a slow machine long makes it long.
	pause := func() time.Duration { return min(2*time.Since(began)+10*time.Second, 5*time.Minute) }
	marks := newMarks(s)
	marks.pass(t, watchers[main], 30*time.Second)
	for _, x := range all {
		eventually(t, 20*time.Second, x.id+" says "+x.says, func() bool {
			u := g.platforms(t)[x.id]
			says := regexp.MustCompile(x.says)
			return !u.Connected && says.MatchString(u.Error) && says.MatchString(u.Fault)
		})
		line := regexp.MustCompile(`(?m)^.*not connected.*uplink=` + x.id + ` .*` + x.says)
		eventually(t, 10*time.Second, "a line in the log says of "+x.id+": "+x.says, func() bool { return line.MatchString(g.wholeLog()) })
		eventually(t, 10*time.Second, "the alarm of "+x.id, func() bool { return watchers[main].alarm("uplink:"+x.id+"/fault") == "active" })
	}
	tried := named.calls(t)
	time.Sleep(45 * time.Second)
	if more := named.calls(t) - tried; more > 4 {
		t.Errorf("%d tries in 45 s, want them ever more rarely", more)
	}
	eventually(t, pause(), "one more try", func() bool { return named.calls(t) > tried })
	for _, x := range all {
		x.mend()
	}
	mended := time.Now()
	took := map[string]time.Duration{}
	eventually(t, pause(), "all deliver", func() bool {
		for id, u := range g.platforms(t) {
			if u.Connected && u.Data < 30 && took[id] == 0 {
				took[id] = time.Since(mended).Round(time.Second)
			}
		}
		return len(took) == len(all)+1
	})
	delete(took, "county")
	eventually(t, 30*time.Second, "the alarms end", func() bool {
		for _, x := range all {
			if watchers[main].alarm("uplink:"+x.id+"/fault") != "normal" || g.platforms(t)[x.id].Fault != "" {
				return false
			}
		}
		return true
	})
	marks.pass(t, watchers[main], 20*time.Second)
	mark := watchers[main].point("mark").N
	for _, x := range all {
		eventually(t, 20*time.Second, x.id+" has come to the mark", func() bool { return newLedger(watchers[x.to].under("pithead/"+x.id)).last >= mark })
	}
	g.stop(t)
	good := newLedger(watchers[main].under("pithead/v1"))
	good.whole(t)
	if good.waited > 20*time.Second { // they are wrong for more than a minute
		t.Errorf("the uplink beside them waited %v", good.waited)
	}
	for _, x := range all {
		l := newLedger(watchers[x.to].under("pithead/" + x.id))
		l.whole(t)
		if l.first != good.first || l.last < mark || good.last < mark {
			t.Errorf("%s covers (%d, %d], the one that was never wrong (%d, %d], and the mark is %d", x.id, l.first, l.last, good.first, good.last, mark)
		}
	}
	g.sound(t)
	figure(t, "six uplinks wrong for a minute beside one that is right: each told as state, fault, alarm and line, right again after %v without a restart, each with all %d readings; the right one waited at most %v",
		took, len(good.readings), good.waited.Round(10*time.Millisecond))
}

// passwords makes a password file for mosquitto.
func passwords(t *testing.T, dir string, users ...string) (file string) {
	t.Helper()
	file = filepath.Join(dir, "passwords")
	if err := os.WriteFile(file, []byte(strings.Join(users, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mosquitto_passwd", "-U", file).CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v\n%s", err, out)
	}
	return file
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// renew gives the broker another certificate.
func (b *broker) renew(t *testing.T, change func(*x509.Certificate)) {
	t.Helper()
	if err := ca.sign(ca.dir, b.cert, change); err != nil {
		t.Fatal(err)
	}
	b.stop(t)
	b.start(t)
}

// calls is how often somebody has called so far.
func (b *broker) calls(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "broker.log"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("New connection from"))
}

func (b *broker) reload() { b.cmd.Process.Signal(syscall.SIGHUP) }

func (a *agent) wholeLog() string { return a.lastLog(1 << 30) }
