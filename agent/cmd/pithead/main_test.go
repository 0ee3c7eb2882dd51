package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// try runs the program as a shell would.
func try(t *testing.T, args ...string) (status int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

func TestTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PITHEAD_SOCKET", filepath.Join(dir, "none.sock"))
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	write(t, good, goodSite)
	form := filepath.Join(dir, "form.yaml")
	write(t, form, goodSite+"uplinks: {u: {mqtt: tcp://x, format: template, template: {data: data.txt}, budget: 1kB/day}}\n")
	write(t, filepath.Join(dir, "data.txt"), "{{ .x")
	write(t, bad, "version: 1\nsite: Pit 1\ngateway: g1\nbusses: {}\n")
	for _, c := range []struct {
		name   string
		args   []string
		status int
		out    string // contained
		err    string
	}{
		{"nothing at all", nil, usage, "", "pithead run [FILE]"},
		{"help", []string{"help"}, done, "pithead check [FILE]", ""},
		{"help as a flag", []string{"--help"}, done, "pithead check [FILE]", ""},
		{"help of help", []string{"help", "--help"}, done, "pithead check [FILE]", ""},
		{"help of a command", []string{"help", "reset"}, done, "Refused while the condition holds", ""},
		{"help asked of the command", []string{"reset", "-h"}, done, "Refused while the condition holds", ""},
		{"the devices it knows", []string{"help", "profiles"}, done, "radar-distance", ""},
		{"a device that it knows", []string{"help", "profiles", "gas-module"}, done, "unit_code:", ""},
		{"a device that it does not know", []string{"help", "profiles", "gas"}, usage, "", `there is no profile "gas"`},
		{"help of nothing", []string{"help", "fly"}, usage, "", `no command "fly"`},
		{"a slip of the finger", []string{"chekc"}, usage, "", "did you mean check?"},
		{"an unknown command", []string{"fly"}, usage, "", `there is no command "fly"`},
		{"watch, and no agent runs", []string{"watch"}, wrong, "", "no agent runs here"},
		{"an unknown flag", []string{"check", "--fast"}, usage, "", "see pithead help check"},
		{"too many arguments", []string{"check", good, bad}, usage, "", "is too much"},
		{"version", []string{"version"}, done, "pithead dev", ""},
		{"version for scripts", []string{"version", "--json"}, done, `"version":"dev"`, ""},
		{"a good file", []string{"check", good}, done, "1 bus", ""},
		{"a good file by flag", []string{"check", "--site", good}, done, "1 bus", ""},
		{"how old its points can get", []string{"check", "--timing", good}, done, "ALL OTHERS DEAD", ""},
		{"the same for scripts", []string{"check", "--timing", "--json", good}, done, `"worst-ms":`, ""},
		{"timing of a bad file", []string{"check", "--timing", "--json", bad}, wrong, `"points":[]`, ""},
		{"a bad file", []string{"check", bad}, wrong, "bad.yaml:2:7: site:", ""},
		{"a bad file, the near word", []string{"check", bad}, wrong, `did you mean "buses"?`, ""},
		{"a bad file for scripts", []string{"check", bad, "--json"}, wrong, `"line":2`, ""},
		{"a bad form of a platform", []string{"check", form}, wrong, "form.yaml:12:1: uplinks.u.template: " + filepath.Join(dir, "data.txt"), ""},
		{"a budget that is too small, for scripts", []string{"check", form, "--json"}, wrong, `"path":"uplinks.u.budget"`, ""},
		{"no file", []string{"check", filepath.Join(dir, "gone.yaml")}, wrong, "gone.yaml", ""},
		{"run on a bad file without a last good one", []string{"run", bad}, wrong, "", "there is no last good one"},
		{"run with a log of no known form", []string{"run", good, "--log", "xml"}, usage, "", "want text or json"},
		{"read on a simulated bus", []string{"read", "--site", good}, done, "pond.level", ""},
		{"read for scripts", []string{"read", "--json", "--site", good, "pond.level"}, done, `"quality":"good"`, ""},
		{"read what is computed", []string{"read", "--site", good, "pond.free"}, done, "7.5", ""},
		{"read what is not there", []string{"read", "--site", good, "pond.depth"}, wrong, "", "no point"},
		{"ack without an agent", []string{"ack", "pond.level/red"}, wrong, "", "no agent runs here"},
		{"ack of what", []string{"ack"}, usage, "", "which alarm?"},
		{"reset without an agent", []string{"reset", "pond.level/red"}, wrong, "", "no agent runs here"},
		{"buffer without a word", []string{"buffer"}, usage, "", "want pithead buffer stat|export|check"},
		{"buffer with a word of export", []string{"buffer", "check", "--events"}, usage, "", "--events belongs to export"},
		{"buffer export from nonsense", []string{"buffer", "export", dir, "--from", "noon"}, usage, "", "neither a time nor a number"},
		{"buffer export in two formats", []string{"buffer", "export", dir, "--csv", "--json"}, usage, "", "one format"},
		{"buffer export where nothing is", []string{"buffer", "export", filepath.Join(dir, "nowhere")}, wrong, "", "nowhere"},
		{"buffer check where nothing is", []string{"buffer", "check", filepath.Join(dir, "nowhere")}, wrong, "", "nowhere"},
		{"buffer stat where nothing is", []string{"buffer", "stat", filepath.Join(dir, "nowhere")}, wrong, "", "nowhere"},
		{"a schema", []string{"schema"}, done, `"$schema"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, err := try(t, c.args...)
			if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(err, c.err) {
				t.Errorf("exit %d, want %d\nout: %s\nerr: %s\nwant %q and %q", status, c.status, out, err, c.out, c.err)
			}
			if c.status == usage && strings.Count(err, "\n") > 30 {
				t.Error("wrong usage is answered with a flood")
			}
		})
	}
}

const goodSite = `
version: 1
site: pit
gateway: g1
buses:
  pit: {sim: {signals: {pond.level: {value: 2.5}}}}
devices:
  level1: {bus: pit, unit: 3, every: 1s}
points:
  pond.level: {unit: m, device: level1, holding: 0, type: f32, alarms: [{level: red, above: 5}]}
  pond.free: {unit: m, value: "10 - pond.level"}
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
