package board

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// A kind is a processor that a board can have.
type kind struct {
	debian  string // the name of its packages
	goarch  []string
	qemu    string
	machine []string
}

var kinds = map[string]kind{
	"arm64": {"arm64", []string{"GOARCH=arm64"}, "qemu-system-aarch64", []string{"-M", "virt", "-cpu", "cortex-a53"}},
	"armv7": {"armhf", []string{"GOARCH=arm", "GOARM=7"}, "qemu-system-arm", []string{"-M", "virt,highmem=off", "-cpu", "cortex-a15"}},
}

// Parts are what boards of one kind are made of.
type Parts struct {
	arch string
	kind
	dir     string // kernel, busybox and modules
	pithead string
	inside  string
}

// Prepare fetches and builds what boards of a kind need (arm64, armv7), where
// that was not done before. The agent is built as it ships, unless the variable
// PITHEAD_ARM64 or PITHEAD_ARMV7 names one.
func Prepare(arch string) (*Parts, error) {
	k, ok := kinds[arch]
	if !ok {
		return nil, fmt.Errorf("there is no board %q: want arm64 or armv7", arch)
	}
	if _, err := exec.LookPath(k.qemu); err != nil {
		return nil, fmt.Errorf("this machine can't emulate an %s board: %s is missing; cross/install.sh board installs it", arch, k.qemu)
	}
	_, here, _, _ := runtime.Caller(0)
	source := filepath.Dir(here)
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	root := filepath.Join(cache, "pithead-board")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	p := &Parts{arch: arch, kind: k, dir: filepath.Join(root, k.debian)}
	unlock, err := lock(filepath.Join(root, k.debian+".lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := p.fetch(source); err != nil {
		return nil, err
	}
	return p, p.build(root, source)
}

// fetch runs parts.sh, unless what that very script made is there.
func (p *Parts) fetch(source string) error {
	script := filepath.Join(source, "parts.sh")
	text, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	made := filepath.Join(p.dir, "made-by")
	if was, err := os.ReadFile(made); err == nil && string(was) == string(text) {
		return nil
	}
	if out, err := exec.Command("bash", script, p.debian, p.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("make the parts of an %s board: %w\n%s\ncross/install.sh board installs what that needs", p.arch, err, out)
	}
	return os.WriteFile(made, text, 0o644)
}

func (p *Parts) build(root, source string) error {
	p.inside = filepath.Join(root, "inside-"+p.arch)
	p.pithead = os.Getenv("PITHEAD_" + strings.ToUpper(p.arch))
	if err := p.goBuild(source, p.inside, "pithead/cross/board/inside"); err != nil || p.pithead != "" {
		return err
	}
	p.pithead = filepath.Join(root, "pithead-"+p.arch)
	return p.goBuild(source, p.pithead, "pithead/agent/cmd/pithead")
}

func (p *Parts) goBuild(source, out, pkg string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out+".new", pkg)
	cmd.Dir = source
	cmd.Env = append(append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0"), p.goarch...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s for %s: %w\n%s", pkg, p.arch, err, said)
	}
	return os.Rename(out+".new", out) // another test may be reading the one that is there
}

// lock waits until this process alone prepares.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { f.Close() }, nil
}
