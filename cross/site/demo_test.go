//go:build site

package site

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The demo shows what it promises within its first minute, and ends at Ctrl-C.
func TestTheDemo(t *testing.T) {
	t.Parallel()
	bin := folder(t) + "/demo"
	if out, err := exec.Command("go", "build", "-o", bin, "pithead/cross/demo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out := folder(t) + "/out"
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(bin, "--pithead", pithead)
	cmd.Stdout, cmd.Stderr = f, f
	child(t, cmd)
	said := func() string { b, _ := os.ReadFile(out); return string(b) }
	t.Cleanup(func() {
		cmd.Process.Kill()
		logged(t, "the demo", out)
	})
	for _, want := range []string{
		"status online", "pond.level ", "door.main ", "▲ pond.level/red active", "▽ pond.level/red normal",
		"▲ gas.ch4/cut active", "feed.face       无电", "gas.ch4/cut acked", "▽ gas.ch4/cut normal", "feed.face       有电", "(exception)",
	} {
		eventually(t, 65*time.Second, "the demo prints "+want, func() bool { return strings.Contains(said(), want) })
	}
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demo ended with %v", err)
	}
	if !strings.Contains(said(), "status stopped") {
		t.Error("no status stopped at the end")
	}
}
