package buffer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// fsys is what the log asks of a file system; tests fail each of its
// operations in turn. Errors are those of package os.
type fsys interface {
	open(path string, how int) (file, error) // how: os.O_RDONLY, or os.O_RDWR with or without os.O_CREATE
	rename(from, to string) error
	remove(path string) error          // a file, or a folder that is empty
	mkdir(path string) error           // with its parents; no error if it is there
	list(dir string) ([]string, error) // names of plain files, in no order
	size(path string) (int64, error)   // of a plain file
	stat(path string) (dir bool, err error)
	syncDir(dir string) error
}

// file is one open file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	datasync() error
	truncate(size int64) error
	// named says whether it still has the name under which it was opened.
	named(path string) bool
	// forget makes the next read of what is between these offsets come from the
	// disk, if it can.
	forget(from, to int64)
}

type listing struct {
	name string
	size int64
}

// disk is the operating system's.
type disk struct{}

type diskFile struct{ *os.File }

func (disk) open(path string, how int) (file, error) {
	f, err := os.OpenFile(path, how, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }
func (disk) remove(path string) error     { return os.Remove(path) }
func (disk) mkdir(path string) error      { return os.MkdirAll(path, 0o700) }

// list reads the folder itself: os.ReadDir makes two objects of each name, and an
// Open of a long log would wait for that.
func (disk) list(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var names []string
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.ReadDirent(int(d.Fd()), buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return names, &os.PathError{Op: "readdirent", Path: dir, Err: err}
		}
		if n <= 0 {
			return names, nil
		}
		names = plainFiles(names, string(buf[:n]), dir)
	}
}

// plainFiles adds the names of a row of struct linux_dirent64: inode, offset,
// length of the record, type, name and a zero.
func plainFiles(names []string, row, dir string) []string {
	const length, kind, name = 16, 18, 19
	for len(row) > name {
		n := int(row[length]) | int(row[length+1])<<8
		if n <= name || n > len(row) {
			break
		}
		entry := row[:n]
		row = row[n:]
		s, _, _ := strings.Cut(entry[name:], "\x00")
		switch entry[kind] {
		case unix.DT_REG:
			names = append(names, s)
		case unix.DT_UNKNOWN: // a file system that does not say
			if info, err := os.Lstat(filepath.Join(dir, s)); err == nil && info.Mode().IsRegular() {
				names = append(names, s)
			}
		}
	}
	return names
}

func (disk) size(path string) (int64, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (disk) stat(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}

func (disk) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); !errors.Is(err, syscall.EINVAL) { // of a file system that can't sync a folder
		return err
	}
	return nil
}

// datasync leaves out what fsync adds (times): a frame that overwrites blocks
// of its file then costs one write and one flush.
func (f diskFile) datasync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

func (f diskFile) named(path string) bool {
	mine, err := f.Stat()
	there, other := os.Lstat(path)
	if err != nil || other != nil {
		return !gone(other)
	}
	return os.SameFile(mine, there)
}

func (f diskFile) truncate(size int64) error { return f.Truncate(size) }

func (f diskFile) forget(from, to int64) {
	_ = unix.Fadvise(int(f.Fd()), from, to-from, unix.FADV_DONTNEED)
}

// ErrLocked says that another process has the log open for writing.
var ErrLocked = errors.New("another process writes this buffer")

// lock holds dir for one writer, until the returned file is closed or the
// process ends.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if err == syscall.EWOULDBLOCK {
			return nil, fmt.Errorf("%s: %w", dir, ErrLocked)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// gone says whether err is a file that is not there, nor perhaps its folder.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// full says whether err is a file system without space.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
