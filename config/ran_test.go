package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A program that is replaced by one with more rules still guards: what a file
// that ran breaks of them is warned of, and refused only of one that is new.
func TestAFileThatRanIsNotRefusedByNewerRules(t *testing.T) {
	dir := t.TempDir()
	ran := `version: 1
site: a
gateway: g
buses:
  rs1: {serial: ttyS1}
  plc: {tcp: "10.0.0.256:502"}
  board: {gpio: gpiochip0}
devices:
  d: {bus: plc, unit: 1}
points:
  level:
    device: d
    holding: 0
    valid: [70000, 80000]
    alarms:
      - {level: red, above: 1, when: level}
  flow: {device: d, holding: 1, scale: 0.01, alarms: [{level: red, above: 700}, {level: orange, above: 1, clear: 0}]}
  rain: {gpio: board/1, counts: 1, at-most: 0/s}
uplinks:
  u: {mqtt: "tcp://10.0.0.256", snapshot: 1ms}
`
	const unseen = "name: x\u200b\n" // which judges before anything else
	file := filepath.Join(dir, "site.yaml")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("site.yaml", "buffer: {dir: "+dir+"}\n\tx: {")
	write(goodFile, ran+unseen)
	site, err := LastGood(file)
	if err != nil || len(site.Points) != 3 {
		t.Fatalf("%v, want the file that ran", err)
	}
	if s, problems := Parse("f", []byte(ran)); s != nil || len(problems) != 9 {
		t.Errorf("a new file is refused for each: %s", said(problems))
	}
}

// The note of where the buffer is follows it when it moves.
func TestAnUnreadableFileIsFoundByItsNote(t *testing.T) {
	state, other := t.TempDir(), t.TempDir()
	t.Setenv("STATE_DIRECTORY", state)
	file := filepath.Join(t.TempDir(), "site.yaml")
	for _, dir := range []string{other, state, other} {
		s, problems := Parse(file, []byte("version: 1\nsite: a\ngateway: g\nname: in "+dir+"\nbuffer: {dir: "+dir+"}\nbuses: {b: {gpio: gpiochip0}}\npoints: {a: {gpio: b/1}}\n"))
		if s == nil {
			t.Fatal(said(problems))
		}
		if err := KeepGood(s); err != nil {
			t.Fatal(err)
		}
		for _, left := range []string{"", "version: 1\nsite: a\ngatew"} { // of it, after a power cut
			if err := os.WriteFile(file, []byte(left), 0o600); err != nil {
				t.Fatal(err)
			}
			if good, err := LastGood(file); err != nil || good.Name != "in "+dir {
				t.Errorf("%v, want the site in %s", err, dir)
			}
		}
	}
}

// Whatever was kept beside it, the site file that runs can be told; and what a
// power cut left of a file that was being written goes with the next.
func TestTheSiteFileThatRunsIsKept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STATE_DIRECTORY", dir)
	s, problems := Parse("f", []byte("version: 1\nsite: a\ngateway: g\nbuffer: {dir: "+dir+"}\nbuses: {b: {gpio: gpiochip0}}\npoints: {a: {gpio: b/1}}\n"))
	if s == nil {
		t.Fatal(said(problems))
	}
	if err := KeepGood(s); err != nil {
		t.Fatal(err)
	}
	for i := range mostKept + 5 {
		path := keptAt(dir, fmt.Sprintf("sha256:%064d", i))
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{goodFile, goodFile + ".new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("hal"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := KeepGood(s); err != nil {
		t.Fatal(err)
	}
	if text, err := Kept(dir, s.Hash); err != nil || string(text) != string(s.Source.Bytes()) {
		t.Errorf("%q %v", text, err)
	}
	if all, _ := filepath.Glob(filepath.Join(dir, keptDir, "*")); len(all) != mostKept+1 { // it is the oldest
		t.Errorf("%d are kept", len(all))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}
