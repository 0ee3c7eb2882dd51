package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const including = `version: 1
site: s
gateway: g
include: [lines.yaml, parts/pond.yaml]
points:
  pond.freeboard: {value: "12 - pond.level"}
buffer: {dir: data}
`

var includedFiles = map[string]string{
	"lines.yaml":      "version: 1\nbuses:\n  rs1: {serial: /dev/ttyS1}\ndevices:\n  d: {bus: rs1, unit: 3}\n",
	"parts/pond.yaml": "include: [parts/more.yaml]\npoints:\n  pond.level:\n    device: d\n    holding: 0\n    alarms: [{level: red, above: 9}]\n",
	"parts/more.yaml": "stats: 0s\ndefaults: {fault: {level: yellow}}\n",
}

// inFolder writes a site file and what it includes, each with one change.
func inFolder(t *testing.T, site string, files map[string]string, change map[string][2]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if c, ok := change[name]; ok {
			if c[0] != "" && !strings.Contains(text, c[0]) {
				t.Fatalf("%q is not in %s", c[0], name)
			}
			text = strings.Replace(text, c[0], c[1], 1)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("site.yaml", site)
	for name, text := range files {
		write(name, text)
	}
	return filepath.Join(dir, "site.yaml")
}

func TestASiteInSeveralFilesIsOne(t *testing.T) {
	file := inFolder(t, including, includedFiles, nil)
	s, problems := Load(file)
	if s == nil || len(problems) > 0 {
		t.Fatal(said(problems))
	}
	same(t, "what it has", []string{s.Buses[0].ID, s.Devices[0].ID, s.Points[0].ID, s.Points[1].ID, s.Stats.String(), s.Buffer.Dir},
		[]string{"rs1", "d", "pond.freeboard", "pond.level", "0s", filepath.Dir(file) + "/data"})
	if n := len(s.Points[1].AllAlarms()); n != 2 || len(s.Later) > 0 {
		t.Errorf("%d alarms, later %v", n, s.Later)
	}
}

// What was kept is the whole of it, and stays the same text when it is read again.
func TestASiteInSeveralFilesIsKeptAsOneText(t *testing.T) {
	for name, change := range map[string]map[string][2]string{
		"as it is":               nil,
		"a file without its end": {"lines.yaml": {"unit: 3}\n", "unit: 3}"}, "parts/more.yaml": {"yellow}}\n", "yellow}}"}},
		"empty lines at ends":    {"lines.yaml": {"unit: 3}\n", "unit: 3}\n\n\n"}, "site.yaml": {"data}\n", "data}\n\n"}, "parts/more.yaml": {"yellow}}\n", "yellow}}\n\n"}},
	} {
		file := inFolder(t, including, includedFiles, change)
		s, problems := Load(file)
		if s == nil {
			t.Fatal(name, said(problems))
		}
		if err := os.MkdirAll(s.Buffer.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := KeepGood(s); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Dir(file)+"/lines.yaml", []byte("buses: ["), 0o600); err != nil {
			t.Fatal(err)
		}
		if bad, _ := Load(file); bad != nil {
			t.Fatal(name, "an included file that is no YAML was taken")
		}
		t.Setenv("STATE_DIRECTORY", t.TempDir())
		if err := os.WriteFile(noteOf(file), []byte(s.Buffer.Dir), 0o600); err != nil {
			t.Fatal(err)
		}
		good, err := LastGood(file)
		if err != nil {
			t.Fatal(name, err)
		}
		same(t, name+": kept", []string{good.Hash, string(good.Source.Bytes()), fmt.Sprint(len(good.Points))}, []string{s.Hash, string(s.Source.Bytes()), fmt.Sprint(len(s.Points))})
	}
}

func TestAChangeInAnIncludedFileIsAChange(t *testing.T) {
	a, _ := Load(inFolder(t, including, includedFiles, nil))
	b, _ := Load(inFolder(t, including, includedFiles, map[string][2]string{"parts/pond.yaml": {"above: 9", "above: 9.5"}}))
	if a.Hash == b.Hash {
		t.Error("two sites with one hash")
	}
	same(t, "changes", Changes(a.Source.Bytes(), b.Source.Bytes()), []Change{{"points.pond.level.alarms.red.above", "9", "9.5", true}})
}

func TestMistakesWithIncludedFiles(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string][2]string
		want   string
	}{
		"a file that is not there": {map[string][2]string{"site.yaml": {"lines.yaml", "line.yaml"}},
			"DIR/site.yaml:4:11: include[0]: line.yaml: there is no such file\n"},
		"a file that includes itself": {map[string][2]string{"parts/more.yaml": {"stats", "include: [parts/pond.yaml]\nstats"}},
			"DIR/parts/more.yaml:1:11: include[0]: parts/pond.yaml is included a second time; want once\n"},
		"a file that includes the site file": {map[string][2]string{"parts/more.yaml": {"stats", "include: [./site.yaml]\nstats"}},
			"DIR/parts/more.yaml:1:11: include[0]: ./site.yaml is included a second time; want once\n"},
		"a point in two files": {map[string][2]string{"parts/more.yaml": {"stats", "points:\n  pond.level: {device: d, holding: 7}\nstats"}},
			"DIR/parts/more.yaml:2:3: points.pond.level: given twice; the first is in line 3 of DIR/parts/pond.yaml\n"},
		"a point that the site file has": {map[string][2]string{"parts/more.yaml": {"stats", "points:\n  pond.freeboard: {device: d, holding: 7}\nstats"}},
			"DIR/parts/more.yaml:2:3: points.pond.freeboard: given twice; the first is in line 6 of DIR/site.yaml\n"},
		"a word in two files": {map[string][2]string{"parts/more.yaml": {"stats", "buffer: {size: 1GB}\nstats"}},
			"DIR/parts/more.yaml:1:1: buffer: given twice; the first is in line 7 of DIR/site.yaml\n"},
		"the gateway in an included file": {map[string][2]string{"parts/more.yaml": {"stats", "gateway: h\nstats"}},
			"DIR/parts/more.yaml:1:1: gateway: given twice; the first is in line 3 of DIR/site.yaml\n"},
		"a mistake in an included file": {map[string][2]string{"parts/pond.yaml": {"holding: 0", "holdin: 0"}, "lines.yaml": {"unit: 3", "unit: 300"}},
			"DIR/lines.yaml:5:23: devices.d.unit: 300 is out of bounds; want a number from 0 to 255\n" +
				"DIR/parts/pond.yaml:5:5: points.pond.level.holdin: unknown key; did you mean \"holding\"?\n"},
		"a wrong name in an expression": {map[string][2]string{"parts/more.yaml": {"stats", "points:\n  x: {value: \"pond.leval * 2\"}\nstats"}},
			"DIR/parts/more.yaml:2:15: points.x.value: unknown point \"pond.leval\"; did you mean pond.level?\n"},
		"a name from an included file that is not there": {map[string][2]string{"parts/pond.yaml": {"device: d", "device: e"}},
			"DIR/parts/pond.yaml:4:13: points.pond.level.device: no device \"e\"; want d\n"},
		"no YAML": {map[string][2]string{"lines.yaml": {"  rs1", "\trs1"}},
			"DIR/lines.yaml:3:1: a tab in the indentation; want spaces\n"},
		"a list": {map[string][2]string{"site.yaml": {"[lines.yaml, parts/pond.yaml]", "[]"}},
			"DIR/site.yaml:4:10: include: has 0 entries; want a list with at least 1 entry\n"},
	} {
		file := inFolder(t, including, includedFiles, c.change)
		s, problems := Load(file)
		if got := strings.ReplaceAll(said(problems), filepath.Dir(file), "DIR"); got != c.want || s != nil {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.want)
		}
	}
}
