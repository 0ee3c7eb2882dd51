package agent

import (
	"os/exec"
	"strings"
	"testing"
)

// Imports run downwards only, so that each part can be read, tested and
// replaced without those above it.
func TestImportsRunDownwards(t *testing.T) {
	never := map[string][]string{
		"pithead/drivers/...":   {"pithead/agent", "pithead/config", "pithead/buffer"},
		"pithead/buffer":        {"pithead/"},
		"pithead/agent/alarm":   {"pithead/agent/", "pithead/config", "pithead/buffer"},
		"pithead/agent/event":   {"pithead/agent/", "pithead/config", "pithead/buffer"},
		"pithead/agent/command": {"pithead/agent/alarm", "pithead/agent/record", "pithead/agent/uplink", "pithead/config", "pithead/buffer"},
		"pithead/agent/record":  {"pithead/agent/", "pithead/config", "pithead/buffer"},
		"pithead/agent/export":  {"pithead/agent/alarm/", "pithead/agent/uplink", "pithead/agent/web"},
		"pithead/config/...":    {"pithead/buffer", "pithead/agent/event", "pithead/agent/uplink"},
		"pithead/agent/uplink":  {"pithead/agent/alarm/", "pithead/agent/web"},
		"pithead/agent/cmd/...": {"github.com/mochi-mqtt", "github.com/simonvetter"},
		"pithead/agent":         {"pithead/agent/cmd"},
	}
	for pkg, banned := range never {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		self := strings.TrimSuffix(pkg, "/...")
		for dep := range strings.Lines(string(out)) {
			dep = strings.TrimSpace(dep)
			for _, b := range banned {
				if strings.HasPrefix(dep, b) && !strings.HasPrefix(dep, self) {
					t.Errorf("%s imports %s", pkg, dep)
				}
			}
		}
	}
}

// Only the uplink speaks MQTT.
func TestOneUserOfTheMQTTClient(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "pithead/agent/...", "pithead/drivers/...", "pithead/config/...", "pithead/buffer").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "paho.mqtt") && !strings.HasPrefix(line, "pithead/agent/uplink ") {
			t.Error(line)
		}
	}
}
