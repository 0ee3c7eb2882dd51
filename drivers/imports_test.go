package drivers

import (
	"os/exec"
	"strings"
	"testing"
)

// Drivers are below everything: they may not know who judges, stores or
// describes what they read.
func TestDriversImportNothingAbove(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-test", "pithead/drivers/...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	seen := false
	for _, dep := range strings.Fields(string(out)) {
		seen = seen || dep == "pithead/drivers/gpio"
		for _, above := range []string{"pithead/agent", "pithead/config", "pithead/buffer"} {
			if dep == above || strings.HasPrefix(dep, above+"/") {
				t.Errorf("drivers import %s", dep)
			}
		}
	}
	if !seen {
		t.Error("go list did not list the drivers")
	}
}
