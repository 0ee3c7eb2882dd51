package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const elsewhere = base + `uplinks:
  u: {mqtt: tls://x, username: a, password: {file: secret}, ca: ca.pem, cert: /nowhere/cert, key: key.pem}
  w: {mqtt: tcp://x, username: a, password: {env: PITHEAD_TEST_SECRET}}
buffer: {dir: data}
`

// What a site names is looked for beside the site file; what is not there is
// a warning, since a laptop that checks the file has none of it.
func TestLoadLooksForFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "site.yaml")
	for name, text := range map[string]string{"site.yaml": elsewhere, "ca.pem": "", "secret": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site, problems := Load(file)
	want := strings.ReplaceAll(`FILE:16:79: warning: uplinks.u.cert: /nowhere/cert is not there
FILE:16:99: warning: uplinks.u.key: key.pem is not there
FILE:17:51: warning: uplinks.w.password.env: the environment has no PITHEAD_TEST_SECRET
`, "FILE", file)
	if got := said(problems); got != want || site == nil {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	u := site.Uplinks[0]
	same(t, "paths", []string{u.Password.File, u.CA, u.Cert, u.Key, site.Buffer.Dir},
		[]string{dir + "/secret", dir + "/ca.pem", "/nowhere/cert", dir + "/key.pem", dir + "/data"})
	t.Setenv("PITHEAD_TEST_SECRET", "x")
	if _, problems := Load(file); len(problems) != 2 {
		t.Errorf("%s", said(problems))
	}
	if _, problems := Parse(file, []byte(elsewhere)); len(problems) != 0 {
		t.Errorf("Parse looked: %s", said(problems))
	}
}

func TestLoadOfNoFile(t *testing.T) {
	dir := t.TempDir()
	if site, problems := Load(dir + "/x.yaml"); site != nil || said(problems) != dir+"/x.yaml: there is no such file\n" {
		t.Errorf("%s", said(problems))
	}
	if site, problems := Load(dir); site != nil || said(problems) != dir+": can't be read: is a directory\n" {
		t.Errorf("%s", said(problems))
	}
}
