package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A place is where contenders write: a folder, and the device under it if
// nobody else writes there.
type place struct {
	name   string
	dir    string
	device string // such as loop3; empty: figures of the device mean nothing
	every  int    // s; how often the journal is written, if the mount says so
	card   *slot
	undo   []func()
}

// machineDisk is a folder on the machine's own disk.
func machineDisk(work string) (*place, error) {
	dir := filepath.Join(work, "disk")
	return &place{name: "disk", dir: dir}, os.MkdirAll(dir, 0o700)
}

// ramDisk is ext4 on a loop device on tmpfs.
func ramDisk(work string, size int64) (*place, error) {
	return onTmpfs(&place{name: "RAM disk"}, work, size)
}

// calmDisk is a RAM disk as the README tells to mount a card. Whoever writes to a
// file has ext4 note the time of it, every 5 s in its journal, which no program
// can spare a mount without commit=.
func calmDisk(work string, size int64) (*place, error) {
	return onTmpfs(&place{name: "RAM disk, commit=300", every: 300}, work, size)
}

func onTmpfs(p *place, work string, size int64) (*place, error) {
	dir, err := p.tmpfs(work, "ram", size)
	if err != nil {
		return p, err
	}
	image := filepath.Join(dir, "image")
	f, err := os.Create(image)
	if err != nil {
		return p, err
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return p, err
	}
	return p, p.ext4(work, image)
}

// cardDisk is ext4 on a loop device on an emulated card.
func cardDisk(work string, size int64) (*place, error) {
	p := &place{name: "card"}
	dir, err := p.tmpfs(work, "slot", size)
	if err != nil {
		return p, err
	}
	c, path, err := insertCard(dir, size)
	if c != nil {
		p.undo = append(p.undo, c.eject)
	}
	if err != nil {
		return p, err
	}
	p.card = c
	return p, p.ext4(work, path)
}

func (p *place) tmpfs(work, name string, size int64) (string, error) {
	dir := filepath.Join(work, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size+size/8)); err != nil {
		return "", fmt.Errorf("mount tmpfs (is this root?): %w", err)
	}
	p.undo = append(p.undo, func() { _ = errors.Join(unix.Unmount(dir, 0), os.Remove(dir)) })
	return dir, nil
}

func (p *place) ext4(work, image string) error {
	dev, err := run("losetup", "--direct-io=on", "-f", "--show", image)
	if err != nil {
		return err
	}
	p.undo = append(p.undo, func() { _, _ = run("losetup", "-d", dev) })
	if _, err := run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", dev); err != nil {
		return err
	}
	p.device = strings.TrimPrefix(dev, "/dev/")
	p.dir = filepath.Join(work, "mnt")
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return err
	}
	p.undo = append(p.undo, func() { _ = os.Remove(p.dir) })
	options := ""
	if p.every > 0 {
		options = fmt.Sprintf("commit=%d", p.every)
	}
	if err := unix.Mount(dev, p.dir, "ext4", 0, options); err != nil {
		return err
	}
	p.undo = append(p.undo, func() { _ = unix.Unmount(p.dir, 0) })
	return nil
}

// away takes everything apart again.
func (p *place) away() {
	if p.card != nil {
		_ = p.card.tell("fast")
	}
	for i := len(p.undo) - 1; i >= 0; i-- {
		p.undo[i]()
	}
}

// slow makes a card slow; setting up takes no time.
func (p *place) slow(yes bool) {
	if p.card == nil {
		return
	}
	word := "fast"
	if yes {
		word = "slow"
	}
	if err := p.card.tell(word); err != nil {
		panic(err)
	}
}

func run(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if path, err := exec.LookPath(name); err == nil {
		cmd.Path = path
	} else {
		cmd.Path, cmd.Err = "/usr/sbin/"+name, nil
	}
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("%s: %w: %s", name, err, text)
	}
	return text, nil
}

// traffic is what reached a device.
type traffic struct{ writes, bytes, flushes int64 }

func (p *place) traffic() (t traffic) {
	text, err := os.ReadFile("/sys/block/" + p.device + "/stat")
	if err != nil {
		return t
	}
	f := strings.Fields(string(text))
	field := func(i int) int64 {
		if i >= len(f) {
			return 0
		}
		n, _ := strconv.ParseInt(f[i], 10, 64)
		return n
	}
	return traffic{field(4), field(6) * 512, field(15)}
}

func (t traffic) and(more traffic) traffic {
	return traffic{t.writes + more.writes, t.bytes + more.bytes, t.flushes + more.flushes}
}

// journal is what one transaction of the journal writes that notes the time of a
// write: what it is, the inode's block, and that it is whole.
const journal = 3 * 4096

// over is what the journal writes in so long on a mount with commit=: a short
// measurement may see none of it.
func (p *place) over(d time.Duration) int64 {
	if p.every == 0 {
		return 0
	}
	return int64(journal * d.Seconds() / float64(p.every))
}

func (t traffic) since(was traffic) traffic {
	return traffic{t.writes - was.writes, t.bytes - was.bytes, t.flushes - was.flushes}
}
