package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A crash is an end that the program met by itself: a panic, a fault, or the
// watchdog's abort. What the runtime says of it goes into crashFile in the
// buffer's folder; the next start keeps that beside it and counts. A power cut
// and kill -9 are none: nothing of the program was wrong.
const (
	crashFile  = "crash.txt"
	crashKept  = "crash.last.txt"
	crashTimes = "crashes" // of each "BOOT-ID MS", by the machine's clock since boot
)

const (
	mostCrashes = 3
	crashWithin = 10 * time.Minute
	safeFor     = time.Hour // then everything is tried again
)

// countCrashes takes in how the run before ended: what it said of its crash
// (empty: it met none), and how many there were of late.
func countCrashes(dir, boot string, now time.Duration) (said string, n int) {
	text, err := os.ReadFile(filepath.Join(dir, crashFile))
	crashed := err == nil && len(text) > 0
	old, _ := os.ReadFile(filepath.Join(dir, crashTimes)) // there may be none
	var times bytes.Buffer
	for line := range strings.Lines(string(old)) {
		var id string
		var ms int64
		if _, err := fmt.Sscan(line, &id, &ms); err == nil && id == boot && now-time.Duration(ms)*time.Millisecond < crashWithin {
			times.WriteString(line)
			n++
		}
	}
	if !crashed {
		return "", n
	}
	fmt.Fprintf(&times, "%s %d\n", boot, now.Milliseconds())
	_ = os.WriteFile(filepath.Join(dir, crashTimes), times.Bytes(), 0o600)
	_ = os.Rename(filepath.Join(dir, crashFile), filepath.Join(dir, crashKept))
	said, _, _ = strings.Cut(string(text), "\n")
	return said, n + 1
}

// watchCrashes has the runtime leave what it says of a crash.
func watchCrashes(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, crashFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // the runtime has a copy
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// afterCrashes looks at how the runs before ended, once a start.
func (r *runner) afterCrashes(dir string, log *slog.Logger) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return // the buffer will tell
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	var n int
	r.crashed, n = countCrashes(dir, strings.TrimSpace(string(boot)), time.Duration(ts.Nano()))
	if r.crashed != "" {
		log.Error("the run before crashed", "said", r.crashed, "all", filepath.Join(dir, crashKept))
	}
	if n >= mostCrashes {
		r.safe = fmt.Sprintf("%d crashes within %v: only drivers, alarms, outputs and events run", n, crashWithin)
		log.Error("a safe start", "why", r.safe, "for", safeFor)
	}
	if err := watchCrashes(dir); err != nil {
		log.Warn("a crash would not be counted", "err", err)
	}
}
