package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pithead/config"
)

func TestInit(t *testing.T) {
	status, out, _ := try(t, "init")
	if status != done || strings.Count(out, "\n") < 32 {
		t.Fatalf("exit %d:\n%s", status, out)
	}
	for _, e := range config.ExampleKinds() {
		if !strings.Contains(out, e.Kind) || e.Zh == "" || e.En == "" {
			t.Errorf("%s is not listed", e.Kind)
		}
		for _, args := range [][]string{{"init", e.Kind}, {"init", "--sim", e.Kind}} {
			if e.Scenario == nil && len(args) == 3 {
				continue
			}
			dir := filepath.Join(t.TempDir(), "new")
			if status, _, err := try(t, append(args, dir)...); status != done {
				t.Fatalf("%v: %s", args, err)
			}
			if status, out, _ := try(t, "check", filepath.Join(dir, "site.yaml")); status != done {
				t.Errorf("%v is written, but wrong:\n%s", args, out)
			}
		}
	}
}

func TestInitSparesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "site.yaml"), "mine")
	if status, _, err := try(t, "init", "furnace", dir); status != wrong || !strings.Contains(err, "stays as it is") {
		t.Errorf("exit %d: %s", status, err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "site.yaml")); string(b) != "mine" {
		t.Errorf("it is %q now", b)
	}
	if status, _, err := try(t, "init", "fnurace", dir); status != usage || !strings.Contains(err, "want one of ammonia") {
		t.Errorf("exit %d: %s", status, err)
	}
}
