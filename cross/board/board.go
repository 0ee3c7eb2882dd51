package board

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A Chip is a GPIO chip of a board, with the names of its lines; "" is a line
// without a name.
type Chip struct {
	Label string
	Lines []string
}

func (c Chip) String() string { return c.Label + "," + strings.Join(c.Lines, ",") }

// Config says what a board has besides its processor.
type Config struct {
	Chips []Chip
	Disk  string   // an image with an ext4 file system, which the board finds at /data; NewDisk makes one
	Log   string   // where every write and flush of the disk is noted; see After
	Args  []string // more for qemu, such as a serial line
}

// A Board is one that runs.
type Board struct {
	base    string // of its helper's addresses
	client  http.Client
	cmd     *exec.Cmd
	ended   chan struct{}
	dir     string
	console console
	once    sync.Once
}

const boots = 5 * time.Minute // a board is up in 2 to 4 s on an idle machine

// Boot starts a board and waits until it can be spoken to.
func Boot(p *Parts, c Config) (*Board, error) {
	var last error
	for range 3 { // someone else may take the port between the two listens
		b, err := boot(p, c)
		if err == nil {
			return b, nil
		}
		if last = err; !strings.Contains(err.Error(), "hostfwd") {
			break
		}
	}
	return nil, last
}

func boot(p *Parts, c Config) (*Board, error) {
	dir, err := os.MkdirTemp("", "pithead-board-")
	if err != nil {
		return nil, err
	}
	b := &Board{dir: dir, ended: make(chan struct{})}
	if err := b.power(p, c); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	for end := time.Now().Add(boots); ; time.Sleep(20 * time.Millisecond) {
		_, err := b.ask(http.MethodGet, "/ready", nil, nil)
		if err == nil {
			return b, nil
		}
		if b.Ended() || time.Now().After(end) {
			b.Cut()
			return nil, fmt.Errorf("boot an %s board: %w; its console:\n%s", p.arch, err, b.Console())
		}
	}
}

// power starts qemu.
func (b *Board) power(p *Parts, c Config) error {
	image, err := p.initramfs(c.Chips)
	if err != nil {
		return err
	}
	initrd := filepath.Join(b.dir, "initrd")
	if err := os.WriteFile(initrd, image, 0o600); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	b.base = fmt.Sprintf("http://127.0.0.1:%d", port)
	args := append(p.machine, "-m", "256", "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio",
		"-kernel", filepath.Join(p.dir, "vmlinuz"), "-initrd", initrd, "-append", "console=ttyAMA0 quiet panic=-1",
		"-nic", fmt.Sprintf("user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:%d-:80", port))
	args = append(append(args, c.disk()...), c.Args...)
	b.cmd = exec.Command(p.qemu, args...)
	b.cmd.Stdout, b.cmd.Stderr = &b.console, &b.console
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		return err
	}
	go func() { _ = b.cmd.Wait(); close(b.ended) }()
	return nil
}

func (c Config) disk() []string {
	if c.Disk == "" {
		return nil
	}
	file := "driver=raw,node-name=disk,file.driver=file,file.filename=" + c.Disk
	if c.Log == "" {
		return []string{"-blockdev", file, "-device", "virtio-blk-pci,drive=disk"}
	}
	return []string{"-blockdev", file, "-blockdev", "driver=raw,node-name=log,file.driver=file,file.filename=" + c.Log,
		"-blockdev", "driver=blklogwrites,node-name=logged,file=disk,log=log", "-device", "virtio-blk-pci,drive=logged"}
}

// Cut takes the power away at once, and returns when the board is off.
func (b *Board) Cut() {
	b.once.Do(func() {
		_ = b.cmd.Process.Kill()
		<-b.ended
		b.client.CloseIdleConnections()
		os.RemoveAll(b.dir)
	})
}

// Ended says that the board is off.
func (b *Board) Ended() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

// Console is what the board has printed.
func (b *Board) Console() string { return b.console.String() }

type console struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Write(b)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.String()
}

var newest atomic.Int64 // of freePort's

// freePort is one that nobody listens at. It lies below those that the kernel gives
// to who asks for any, so that nobody takes it before it is used, or between.
func freePort() (port int, err error) {
	newest.CompareAndSwap(0, int64(20_000+os.Getpid()%100*100)) // runs beside each other begin apart
	for port = int(newest.Add(1)); port < 32_000; port = int(newest.Add(1)) {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no port is free: %w", err)
}

// NewDisk makes an image with an empty ext4 file system.
func NewDisk(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return err
	}
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		mkfs = "/usr/sbin/mkfs.ext4"
	}
	if out, err := exec.Command(mkfs, "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", path).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", mkfs, err, out)
	}
	return nil
}
