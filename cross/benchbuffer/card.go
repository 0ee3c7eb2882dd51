package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// An SD card as it behaves towards small writes, under a file system that knows
// nothing of it: a file of a FUSE file system on tmpfs is the backing store of a
// loop device. Every contender has the same card, and none can tell.
const (
	cardFlush = 6 * time.Millisecond
	cardWrite = 1500 * time.Microsecond
	cardSpeed = 10e6 // bytes a second
)

// A card is slow once it is told to be.
type card struct {
	fs.Inode
	file *os.File
	size int64
	slow atomic.Bool
	mu   sync.Mutex // one thing at a time
}

// A slot is a card in a process of its own: the contenders' threads must not
// stand in its way.
type slot struct {
	cmd *exec.Cmd
	mnt string
	in  io.WriteCloser
	out *bufio.Reader
}

// insertCard makes a card of that size; its file is the device's backing store.
func insertCard(dir string, size int64) (s *slot, path string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	s = &slot{mnt: filepath.Join(dir, "slot"), cmd: exec.Command(self, "-card", dir, "-card-size", fmt.Sprint(size))}
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, "", err
	}
	_, err = s.out.ReadString('\n')
	return s, filepath.Join(dir, "slot", "card"), err
}

// tell makes the card slow or fast, and returns when it is.
func (s *slot) tell(word string) error {
	if _, err := fmt.Fprintln(s.in, word); err != nil {
		return err
	}
	_, err := s.out.ReadString('\n')
	return err
}

// eject ends the card's process, which may wait for a loop device that lets go
// of its file some time after it was told to.
func (s *slot) eject() {
	s.in.Close()
	late := time.AfterFunc(5*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer late.Stop()
	_ = s.cmd.Wait()
	_ = unix.Unmount(s.mnt, unix.MNT_DETACH) // where it could not say good-bye
}

// serveCard is the card's process: it says a line when it is there, and after
// each word that it has taken.
func serveCard(dir string, size int64) error {
	backing, err := os.Create(filepath.Join(dir, "backing"))
	if err != nil {
		return err
	}
	if err := backing.Truncate(size); err != nil {
		return err
	}
	mnt := filepath.Join(dir, "slot")
	if err := os.Mkdir(mnt, 0o700); err != nil {
		return err
	}
	c, root := &card{file: backing, size: size}, &fs.Inode{}
	server, err := fs.Mount(mnt, root, &fs.Options{
		MountOptions: fuse.MountOptions{MaxWrite: 1 << 20, DirectMount: true, DisableXAttrs: true},
		OnAdd: func(ctx context.Context) {
			root.AddChild("card", root.NewPersistentInode(ctx, c, fs.StableAttr{Mode: syscall.S_IFREG, Ino: 2}), true)
		}})
	if err != nil {
		return err
	}
	fmt.Println("in")
	for words := bufio.NewScanner(os.Stdin); words.Scan(); {
		c.slow.Store(words.Text() == "slow")
		fmt.Println("done")
	}
	return server.Unmount()
}

func (c *card) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size, out.Nlink = syscall.S_IFREG|0o600, uint64(c.size), 1
	return 0
}

func (c *card) Setattr(ctx context.Context, f fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return c.Getattr(ctx, f, out)
}

func (c *card) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

func (c *card) Read(_ context.Context, _ fs.FileHandle, b []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n, err := c.file.ReadAt(b, off)
	if n == 0 && err != nil {
		return nil, syscall.EIO
	}
	return fuse.ReadResultData(b[:n]), 0
}

func (c *card) Write(_ context.Context, _ fs.FileHandle, b []byte, off int64) (uint32, syscall.Errno) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(cardWrite + time.Duration(float64(len(b))/cardSpeed*1e9))
	n, err := c.file.WriteAt(b, off)
	if err != nil {
		return 0, syscall.EIO
	}
	return uint32(n), 0
}

func (c *card) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(cardFlush)
	return 0
}

// wait takes that long, to some ten microseconds: the last part of it spins.
func (c *card) wait(d time.Duration) {
	if !c.slow.Load() {
		return
	}
	end := time.Now().Add(d)
	time.Sleep(d - 200*time.Microsecond)
	for time.Now().Before(end) {
	}
}
