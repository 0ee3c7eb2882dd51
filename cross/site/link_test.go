//go:build site

package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A link is a toxiproxy between those who call and a broker.
type link struct {
	t    *testing.T
	api  string
	port int
}

func newLink(t *testing.T, upstream int) *link {
	t.Helper()
	api := freePort(t)
	l := &link{t: t, api: fmt.Sprintf("http://127.0.0.1:%d", api), port: freePort(t)}
	cmd := exec.Command(filepath.Join(parts, "toxiproxy-server"), "-host", "127.0.0.1", "-port", fmt.Sprint(api))
	child(t, cmd)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	eventually(t, 10*time.Second, "toxiproxy answers", func() bool {
		answer, err := http.Get(l.api + "/version")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	l.ask("POST", "/proxies", map[string]any{"name": "link", "listen": fmt.Sprintf("127.0.0.1:%d", l.port), "upstream": fmt.Sprintf("127.0.0.1:%d", upstream), "enabled": true})
	return l
}

func (l *link) ask(method, path string, body any) {
	l.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	request, err := http.NewRequest(method, l.api+path, bytes.NewReader(text))
	if err != nil {
		l.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		l.t.Errorf("toxiproxy: %v", err)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		l.t.Errorf("toxiproxy: %s %s %s: %s", method, path, text, answer.Status)
	}
}

// up lets the link be, or takes it away with all that goes over it.
func (l *link) up(is bool) { l.ask("POST", "/proxies/link", map[string]any{"enabled": is}) }

// toxic makes what goes to the broker, or comes from it, suffer.
func (l *link) toxic(name, kind, stream string, attributes map[string]any) {
	l.ask("POST", "/proxies/link/toxics", map[string]any{"name": name, "type": kind, "stream": stream, "toxicity": 1, "attributes": attributes})
}

func (l *link) without(name string) { l.ask("DELETE", "/proxies/link/toxics/"+name, nil) }
