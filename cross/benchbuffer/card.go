package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// An SD card as it behaves towards small writes, under a file system that knows
// nothing of it: a file of a FUSE file system on tmpfs is the backing store of a
// loop device. Every contender has the same card, and none can tell.
const (
	cardFlush = 6 * time.Millisecond
	cardWrite = 1500 * time.Microsecond
	cardSpeed = 10e6 // bytes a second
)

// A card counts what reaches it, and is slow once it is told to.
type card struct {
	fs.Inode
	file *os.File
	size int64
	slow atomic.Bool

	mu     sync.Mutex // one thing at a time
	writes atomic.Int64
	bytes  atomic.Int64
	flush  atomic.Int64
}

// insertCard makes a card of that size; its file is the device's backing store.
func insertCard(dir string, size int64) (c *card, path string, eject func(), err error) {
	backing, err := os.Create(filepath.Join(dir, "backing"))
	if err != nil {
		return nil, "", nil, err
	}
	if err := backing.Truncate(size); err != nil {
		return nil, "", nil, err
	}
	mnt := filepath.Join(dir, "slot")
	if err := os.Mkdir(mnt, 0o700); err != nil {
		return nil, "", nil, err
	}
	c = &card{file: backing, size: size}
	root := &fs.Inode{}
	server, err := fs.Mount(mnt, root, &fs.Options{
		MountOptions: fuse.MountOptions{MaxWrite: 1 << 20, DirectMount: true, DisableXAttrs: true},
		OnAdd: func(ctx context.Context) {
			root.AddChild("card", root.NewPersistentInode(ctx, c, fs.StableAttr{Mode: syscall.S_IFREG, Ino: 2}), true)
		}})
	if err != nil {
		return nil, "", nil, err
	}
	return c, filepath.Join(mnt, "card"), func() { _ = server.Unmount(); backing.Close() }, nil
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
	c.writes.Add(1)
	c.bytes.Add(int64(len(b)))
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
	c.flush.Add(1)
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
