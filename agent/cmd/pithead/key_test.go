package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pithead/agent/event"
	"pithead/config"
)

func keyCommand(args ...string) (status int, out, err string) {
	var o, e strings.Builder
	status = runKey(args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

func TestKeyCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "gateway.key")
	if status, out, err := keyCommand("--file", file); status != wrong || out != "" || !strings.Contains(err, "no identity at "+file) {
		t.Fatalf("none yet: %d %q %q", status, out, err)
	}
	status, made, err := keyCommand("new", file)
	if status != done || err != "" {
		t.Fatalf("new: %d %q", status, err)
	}
	k, e := event.LoadKey(file)
	if e != nil {
		t.Fatal(e)
	}
	for _, want := range []string{"key          " + k.Public() + "\n", "kid          " + k.Kid() + "\n", "fingerprint  " + k.Fingerprint() + "\n", "file         " + file + "\n"} {
		if !strings.Contains(made, want) {
			t.Errorf("got %q, want in it %q", made, want)
		}
	}
	if status, out, _ := keyCommand("--file", file); status != done || out != made {
		t.Fatalf("shown again: %d %q", status, out)
	}
	if status, out, _ := keyCommand("--json", "--file", file); status != done || !strings.Contains(out, `"key":"`+k.Public()+`","kid":"`+k.Kid()+`"`) {
		t.Fatalf("for scripts: %d %q", status, out)
	}
	before, _ := os.ReadFile(file)
	for _, args := range [][]string{{"new", file}, {"new", "--file", file}} {
		if status, _, err := keyCommand(args...); status != wrong || !strings.Contains(err, "left alone") {
			t.Fatalf("%q: %d %q", args, status, err)
		}
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Fatal("the identity changed")
	}
}

func TestTheNextKeyWaitsBesideTheOneThatSigns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.key")
	if status, out, err := keyCommand("next", file); status != wrong || out != "" || !strings.Contains(err, "none that another could follow") {
		t.Fatalf("no identity: %d %q %q", status, out, err)
	}
	_, first, _ := keyCommand("new", file)
	status, made, err := keyCommand("next", "--file", file)
	next, e := event.LoadKey(event.NextKey(file))
	if status != done || err != "" || e != nil || !strings.Contains(made, "key          "+next.Public()+"\n") {
		t.Fatalf("%d %q %q, %v", status, made, err, e)
	}
	if status, _, err := keyCommand("next", file); status != wrong || !strings.Contains(err, "waits already") {
		t.Fatalf("once more: %d %q", status, err)
	}
	if _, out, _ := keyCommand("--file", file); !strings.HasPrefix(out, first) || !strings.Contains(out, next.Public()) {
		t.Fatalf("shown: %q", out)
	}
}

func TestKeyCommandUsedWrongly(t *testing.T) {
	junk := fileWith(t, "junk", "hello")
	for _, c := range []struct {
		name   string
		args   []string
		status int
		err    string
	}{
		{"a word that is not known", []string{"old"}, usage, `"old" is not known`},
		{"two files", []string{"new", "a", "--file", "b"}, usage, "twice"},
		{"too much", []string{"new", "a", "b"}, usage, "too much"},
		{"no identity", []string{"--file", junk}, wrong, "no private key"},
		{"no site file", []string{"--site", "/no/such.yaml"}, wrong, "--file"},
	} {
		if status, out, err := keyCommand(c.args...); status != c.status || out != "" || !strings.Contains(err, c.err) {
			t.Errorf("%s: %d %q %q", c.name, status, out, err)
		}
	}
}

func TestKeyIsWhereTheSiteFileSays(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, site, file string }{
		{"in the buffer's folder", "buffer: {dir: " + dir + "/buffer}\n", dir + "/buffer/" + config.IdentityFile},
		{"where identity says", "identity: {key: " + dir + "/id/gw.key}\n", dir + "/id/gw.key"},
	} {
		site := fileWith(t, "site.yaml", goodSite+c.site)
		status, out, err := keyCommand("new", "--site", site)
		if status != done || !strings.Contains(out, "file         "+c.file+"\n") {
			t.Fatalf("%s: %d %q %q", c.name, status, out, err)
		}
	}
}
