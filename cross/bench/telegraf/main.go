// Command telegraf measures pithead beside Telegraf: the same 10,000 registers
// of the same 40 Modbus TCP devices, each second, to the same broker, one after
// the other in one run. Telegraf is built with only what this job needs, in a
// cache outside the repository. It measures processor time and memory of the
// two processes from /proc, and counts at the broker what each delivered; of
// what either does inside it knows nothing.
//
// It needs mosquitto (cross/install.sh site), Go and, the first time, the
// module proxy.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const (
	deviceCount = 40
	perDevice   = 250 // registers; two requests of 125
	points      = deviceCount * perDevice
)

// The goals: processor time at most a third, memory at most two thirds.
const (
	mostTime   = 1.0 / 3
	mostMemory = 2.0 / 3
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "devices" {
		serveDevices()
		return
	}
	warm := flag.Duration("warm", 20*time.Second, "before a measurement begins")
	span := flag.Duration("span", 40*time.Second, "of a measurement")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	good, err := run(ctx, *warm, *span)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-telegraf:", err)
		os.Exit(1)
	}
	if !good {
		os.Exit(1)
	}
}

func run(ctx context.Context, warm, span time.Duration) (good bool, err error) {
	dir, err := os.MkdirTemp("", "pithead-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	pithead, telegraf, err := binaries(ctx, dir)
	if err != nil {
		return false, err
	}
	w := &world{dir: dir}
	defer w.stop()
	if err := w.begin(ctx); err != nil {
		return false, err
	}
	fmt.Printf("%d registers of %d Modbus TCP devices each second, MQTT QoS 1 to mosquitto; %s/%s, %d processors; %v after %v\n",
		points, deviceCount, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), span, warm)
	ours, err := w.measure(ctx, warm, span, "pithead", exec.Command(pithead, "run", w.pitheadSite()))
	if err != nil {
		return false, err
	}
	theirs, err := w.measure(ctx, warm, span, "telegraf", exec.Command(telegraf, "--config", w.telegrafConfig()))
	if err != nil {
		return false, err
	}
	return compare(ours, theirs), nil
}

func compare(ours, theirs figures) bool {
	fmt.Printf("\n%-10s %14s %14s %12s %12s %12s\n", "", "values/s", "CPU ms/s", "per 1000", "memory MiB", "most MiB")
	for _, f := range []figures{ours, theirs} {
		fmt.Printf("%-10s %14.0f %14.1f %12.3f %12.1f %12.1f\n", f.name, f.values, f.busy, f.per1000(), f.mean/(1<<20), f.most/(1<<20))
	}
	time, memory := ours.per1000()/theirs.per1000(), ours.most/theirs.most
	fmt.Println("\nprocessor time per 1,000 points: ms a second of which each point is read, judged and delivered once")
	goal := func(what string, ratio, most float64) bool {
		met := "no"
		if ratio <= most {
			met = "yes"
		}
		fmt.Printf("goal: %-34s %.2f of Telegraf's, want at most %.2f: %s\n", what, ratio, most, met)
		return ratio <= most
	}
	good := goal("processor time per 1,000 points", time, mostTime)
	good = goal("memory, the most of the measurement", memory, mostMemory) && good
	for _, f := range []figures{ours, theirs} {
		if f.values < 0.98*points {
			fmt.Printf("goal: %s delivers what it reads: %.0f of %d values a second: no\n", f.name, f.values, points)
			good = false
		}
	}
	return good
}

// binaries are the two programs, both stripped and static.
func binaries(ctx context.Context, dir string) (pithead, telegraf string, err error) {
	pithead = filepath.Join(dir, "pithead")
	if given := os.Getenv("PITHEAD"); given != "" { // a binary that is built already
		pithead = given
	} else if err := build(ctx, ".", pithead, "nethttpomithttp2", "pithead/agent/cmd/pithead"); err != nil {
		return "", "", err
	}
	telegraf, err = buildTelegraf(ctx)
	return pithead, telegraf, err
}

func build(ctx context.Context, dir, out, tags, what string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-tags", tags, "-o", out, what)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", what, err, said)
	}
	return nil
}
