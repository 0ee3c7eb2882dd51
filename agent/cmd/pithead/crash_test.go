package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each start is at a minute of a boot, and the run before it ended so.
func TestCrashesAreCountedWhereTheyComeClose(t *testing.T) {
	type start struct {
		boot   string
		minute int
		said   string // by the run before
		want   int
	}
	for story, starts := range map[string][]start{
		"no crash":                        {{"a", 1, "", 0}, {"a", 2, "", 0}},
		"three close together":            {{"a", 1, "panic: x", 1}, {"a", 2, "panic: x", 2}, {"a", 3, "fatal error: y", 3}},
		"three in an hour":                {{"a", 1, "panic: x", 1}, {"a", 30, "panic: x", 1}, {"a", 60, "panic: x", 1}},
		"an orderly stop between":         {{"a", 1, "panic: x", 1}, {"a", 2, "", 1}, {"a", 3, "panic: x", 2}},
		"a safe start, and then good":     {{"a", 1, "p", 1}, {"a", 2, "p", 2}, {"a", 3, "p", 3}, {"a", 14, "", 0}},
		"the machine was restarted":       {{"a", 1, "p", 1}, {"a", 2, "p", 2}, {"b", 1, "p", 1}},
		"the machine was restarted later": {{"a", 100, "p", 1}, {"a", 101, "p", 2}, {"b", 1, "", 0}},
	} {
		dir := t.TempDir()
		for i, s := range starts {
			if err := os.WriteFile(filepath.Join(dir, crashFile), []byte(s.said), 0o600); err != nil {
				t.Fatal(err)
			}
			said, n := countCrashes(dir, s.boot, time.Duration(s.minute)*time.Minute)
			if n != s.want || said != s.said {
				t.Errorf("%s: start %d: %q, %d crashes; want %d", story, i+1, said, n, s.want)
			}
		}
	}
}

// The program itself, told to panic, leaves what the next start counts; one
// that is killed leaves nothing.
func TestACrashLeavesWhatItSaid(t *testing.T) {
	if dir := os.Getenv("PITHEAD_TEST_CRASH"); dir != "" {
		if err := watchCrashes(dir); err != nil {
			t.Fatal(err)
		}
		if os.Getenv("PITHEAD_TEST_KILL") != "" {
			p, _ := os.FindProcess(os.Getpid())
			_ = p.Kill()
			time.Sleep(time.Minute)
		}
		done := make(chan bool)
		go func() {
			var none []int
			fmt.Println(none[len(os.Args)]) // out of range
			close(done)
		}()
		<-done
	}
	for kill, want := range map[string]string{"": "panic: runtime error: index out of range", "1": ""} {
		dir := t.TempDir()
		c := exec.Command(os.Args[0], "-test.run=^TestACrashLeavesWhatItSaid$")
		c.Env = append(os.Environ(), "PITHEAD_TEST_CRASH="+dir, "PITHEAD_TEST_KILL="+kill)
		if c.Run() == nil {
			t.Error("it did not crash")
		}
		said, n := countCrashes(dir, "a", time.Minute)
		if !strings.HasPrefix(said, want) || (said == "") != (want == "") || n != len(want[:min(1, len(want))]) {
			t.Errorf("kill %q: said %q, %d crashes", kill, said, n)
		}
	}
}
